"""Cuts are found where they are, at the frame they are."""

from __future__ import annotations

import numpy as np
import pytest

from facelib.shots import split_shots
from facelib.video import read_frames


def noise(seed, count, *, drift=0):
    base = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    picture = np.kron(base, np.ones((4, 4, 1), np.uint8))
    return [np.roll(picture, drift * i, axis=1) for i in range(count)]


@pytest.mark.parametrize(
    ("lengths", "firsts"),
    [
        ([30], [0]),  # one shot
        ([20, 25], [0, 20]),
        ([12, 15, 40], [0, 12, 27]),
        ([1], [0]),  # a film of a single frame
    ],
)
def test_cuts(make_film, lengths, firsts):
    film = make_film(pictures=[one for seed, n in enumerate(lengths) for one in noise(seed, n)], sound=None)
    items = list(split_shots(read_frames(film)))
    assert [item.frame.index for item in items] == list(range(sum(lengths)))
    assert [item.frame.index for item in items if item.first] == firsts
    assert [item.frame.index for item in items if item.last] == [*[first - 1 for first in firsts[1:]], len(items) - 1]
    assert [item.shot for item in items] == [shot for shot, n in enumerate(lengths) for _ in range(n)]


def test_movement_is_no_cut(make_film):
    film = make_film(pictures=noise(0, 40, drift=1), sound=None)
    assert {item.shot for item in split_shots(read_frames(film))} == {0}


def test_no_frames():
    assert list(split_shots(iter([]))) == []


@pytest.mark.real_data
def test_sitcom_shots(shared_data):
    film = shared_data / "sitcom" / "videos" / "scene_a.mp4"
    truth = np.loadtxt(shared_data / "sitcom" / "truth" / "scene_a.shots", dtype=int)
    found = [item.frame.index for item in split_shots(read_frames(film)) if item.first]
    assert found == truth[:, 0].tolist()
