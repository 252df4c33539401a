"""Boxes are thinned out, and come back as they were."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from facelib.page.boxes import box_keys
from facelib.page.pack import Packed

from .reading import sums, unpacked

SIDES = ["left", "top", "right", "bottom"]


def table(*runs: tuple[int, range, np.ndarray], step: float = 0.04) -> pd.DataFrame:
    """Rows of runs: track, frames, and the corner of each frame's box."""
    rows = [
        (track, frame, frame * step, x, y, x + 30, y + 40)
        for track, frames, corners in runs
        for frame, (x, y) in zip(frames, corners, strict=True)
    ]
    return pd.DataFrame(rows, columns=["track", "frame", "time", *SIDES])


def line(count: int, start=(10.0, 20.0), end=(110.0, 70.0)) -> np.ndarray:
    return np.linspace(start, end, count)


WALK = np.cumsum(np.random.default_rng(0).normal(0, 4, (300, 2)), axis=0)


@pytest.mark.parametrize(
    "found, keys",
    [
        (table(), 0),  # a film without faces
        (table((3, range(5, 6), line(1))), 1),  # a face in one frame
        (table((3, range(5, 105), line(100))), 2),  # a straight way needs its ends only
        (table((3, range(5, 25), line(20)), (3, range(60, 80), line(20))), 4),  # nothing is known between two runs
        (table((3, range(5, 25), line(20)), (4, range(5, 25), line(20))), 4),  # tracks at the same time
        (table((3, range(5, 25), line(20, (-30, -12)))), 2),  # beyond the picture's edge
        (table((1, range(2), line(2, (-8000, 0), (8000, 9)))), 2),  # farther than half the range of the numbers
        (table((9, range(300), WALK), (2, range(100, 400), WALK[::-1])), None),  # no two steps alike
    ],
)
def test_boxes_come_back_within_half_a_pixel(found, keys):
    numbers = found["track"].drop_duplicates().to_numpy(np.int64)
    kept = box_keys(found, numbers)
    offsets, frames = unpacked(asdict(kept.offsets)), sums(unpacked(asdict(kept.frames)))
    boxes = sums(unpacked(asdict(kept.boxes)).reshape(-1, 4)) * kept.unit
    assert keys is None or len(frames) == keys
    seen = 0
    for place, number in enumerate(numbers):
        own = slice(offsets[place], offsets[place + 1])
        at, ends = frames[own] >> 1, frames[own] & 1
        for frame, *box in found.loc[found["track"] == number, ["frame", *SIDES]].itertuples(index=False):
            key = int(np.searchsorted(at, frame, side="right")) - 1
            assert at[key] == frame or not ends[key]
            back = [np.interp(frame, at, boxes[own][:, side]) for side in range(4)]
            assert np.abs(np.subtract(back, box)).max() <= 0.5
            seen += 1
    assert seen == len(found)


def test_films_wider_than_the_step_allows_take_a_larger_step():
    found = table((1, range(2), line(2, (0, 0), (20_000, 12_000))))
    kept = box_keys(found, np.array([1]))
    boxes = sums(unpacked(asdict(kept.boxes)).reshape(-1, 4)) * kept.unit
    assert np.abs(boxes - found[SIDES].to_numpy()).max() <= kept.unit / 2


def test_tracks_that_are_not_asked_for_are_left_out():
    kept = box_keys(table((1, range(3), line(3)), (2, range(3), line(3))), np.array([2]))
    assert unpacked(asdict(kept.offsets)).tolist() == [0, 2]


@pytest.mark.parametrize("values, kind", [([], "int32"), ([1, -2, 3], "int16"), ([0.5, -1e9], "float64")])
def test_packed_numbers_come_back(values, kind):
    assert unpacked(asdict(Packed.of(values, kind))).tolist() == values
