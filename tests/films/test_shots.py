"""Cuts and fades are found where they are, at the frame they are, and nothing else is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from facelib.films import shots
from facelib.films.media.decode import read_frames
from facelib.films.shots import split_shots

METHODS = ["adaptive", "content"]


def noise(seed, count, *, drift=0):
    base = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    picture = np.kron(base, np.ones((4, 4, 1), np.uint8))
    return [np.roll(picture, drift * i, axis=1) for i in range(count)]


def mixed(picture, level, share):
    """A picture on its way to a level of grey: a share of 1 is there."""
    return np.clip(picture * (1 - share) + level * share, 0, 255).astype(np.uint8)


def faded(before, after, *, ramp, hold, level=0):
    """Two shots with a fade out, `hold` plain frames and a fade in between, as ffmpeg's fade filter makes it."""
    out = [mixed(one, level, (i + 1) / (ramp + 1)) for i, one in enumerate(before[len(before) - ramp :])]
    plain = [np.full_like(before[0], level)] * hold
    back = [mixed(one, level, 1 - (i + 1) / (ramp + 1)) for i, one in enumerate(after[:ramp])]
    return [*before[: len(before) - ramp], *out, *plain, *back, *after[ramp:]]


def starts(film, **options):
    """The frames in which shots begin and how, but for the film's first."""
    items = list(split_shots(read_frames(film), **options))
    assert [item.frame.index for item in items] == list(range(len(items)))
    assert items[0].first and items[0].transition == "" and items[-1].last
    for item, following in pairwise(items):
        assert item.last == following.first == (item.shot != following.shot)
        assert following.shot - item.shot == int(item.last)
        assert item.last or item.transition == following.transition
    return [(item.frame.index, item.transition) for item in items if item.first][1:]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "lengths",
    [
        [30],  # one shot
        [20, 25],
        [12, 15, 40],
        [8, 8, 8, 8, 8],  # as short as a shot may be
        [1],  # a film of a single frame
        [2],
    ],
)
def test_cuts(make_film, lengths, method):
    film = make_film(pictures=[one for seed, n in enumerate(lengths) for one in noise(seed, n)], sound=None)
    firsts = np.cumsum(lengths)[:-1].tolist()
    assert starts(film, method=method) == [(first, "cut") for first in firsts]


SEPIA_FILTER = "colorchannelmixer=.393:.769:.189:0:.349:.686:.168:0:.272:.534:.131"
GREY, SEPIA = (1, 1, 1), (1.1, 0.98, 0.76)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tone", [GREY, SEPIA])
def test_cuts_without_colour(make_film, tone, method):
    """Lightness changes by 35 of 255 on average, hue and saturation by nothing: a third of it would be no cut."""
    shots = [[(75 + 105 / 255 * one[..., :1]) * tone for one in noise(seed, 20, drift=0)] for seed in range(3)]
    film = make_film(pictures=[one.clip(0, 255).astype(np.uint8) for shot in shots for one in shot], sound=None)
    assert starts(film, method=method) == [(20, "cut"), (40, "cut")]


def test_of_two_near_cuts_the_first_is_taken(make_film, monkeypatch):
    film = make_film(pictures=[*noise(0, 20), *noise(1, 4), *noise(2, 20)], sound=None)
    assert starts(film) == [(20, "cut")]
    monkeypatch.setattr(shots, "_SHORTEST", 4)
    assert starts(film) == [(20, "cut"), (24, "cut")]


def test_a_shot_needs_more_frames_than_the_film_has_left(make_film, monkeypatch):
    film = make_film(pictures=[*noise(0, 4), *noise(1, 20)], sound=None)
    assert starts(film) == []
    monkeypatch.setattr(shots, "_SHORTEST", 3)
    assert starts(film) == [(4, "cut")]


@pytest.mark.parametrize("method", METHODS)
def test_raising_the_threshold_finds_fewer_cuts(make_film, method):
    film = make_film(pictures=[*noise(0, 20), *noise(1, 20)], sound=None)
    assert len(starts(film, method=method)) == 1
    assert starts(film, method=method, threshold=256) == []


def test_movement_is_no_cut(make_film):
    film = make_film(pictures=noise(0, 40, drift=1), sound=None)
    assert starts(film) == []


@pytest.mark.parametrize("times", [(2,), (2, 3), (4, 5), (5,)])  # 30 at 60, 24 at 60, 25 at 120, 24 at 120
def test_a_movement_whose_pictures_are_shown_several_times_is_no_cut(make_film, times):
    """As films are on the web and in television; a cut between two such scenes is found."""
    scenes = [noise(seed, 20, drift=1) for seed in (0, 1)]
    pictures = [
        [one for number, one in enumerate(scene) for _ in range(times[number % len(times)])] for scene in scenes
    ]
    film = make_film(pictures=[*pictures[0], *pictures[1]], rate=60, sound=None)
    assert starts(film) == [(len(pictures[0]), "cut")]


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize(
    ("ramp", "hold"),
    [
        (10, 1),  # away and back at once
        (4, 2),
        (12, 9),
        (25, 14),
        (0, 10),  # a hard cut to black and one back: one new shot all the same
    ],
)
def test_fades(make_film, ramp, hold, level):
    film = make_film(pictures=faded(noise(0, 40), noise(1, 40), ramp=ramp, hold=hold, level=level), sound=None)
    ((index, transition),) = starts(film)
    assert transition == "fade"
    assert abs(index - (40 + hold / 2)) <= 1


def test_behind_a_long_black_stretch_the_shot_begins_shortly_before_its_picture(make_film):
    film = make_film(pictures=faded(noise(0, 20), noise(1, 20), ramp=0, hold=90), sound=None)
    assert starts(film) == [(20 + 90 - 11, "fade")]


def test_a_fade_may_begin_slowly_and_end_in_a_cut(make_film):
    pictures = [*faded(noise(0, 30), noise(1, 30), ramp=10, hold=6)[:36], *noise(1, 30)]
    film = make_film(pictures=pictures, sound=None)
    ((index, transition),) = starts(film)
    assert transition == "fade"
    assert 30 <= index <= 36


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("ramp", [0, 12])
def test_a_way_into_the_film_and_one_out_of_it_begin_no_shot(make_film, level, ramp):
    picture = noise(0, 30)
    plain = [np.full_like(picture[0], level)] * 12
    shares = [max(0, 1 - i / ramp) if ramp else 0 for i in range(30)]
    coming = [mixed(one, level, share) for one, share in zip(picture, shares, strict=True)]
    assert starts(make_film(pictures=[*plain, *coming, *coming[::-1], *plain], sound=None)) == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("shares", [[1], [1, 1], [1, 1, 1], [0.7], [1, 0.7, 0.4, 0.2], [0.5, 1, 0.5], [1, 0, 1, 0, 1]])
def test_a_flash_is_no_cut(make_film, method, level, shares):
    pictures = noise(0, 60, drift=0)
    pictures[30 : 30 + len(shares)] = [mixed(pictures[0], level, share) for share in shares]
    assert starts(make_film(pictures=pictures, sound=None), method=method) == []


@pytest.mark.parametrize("method", METHODS)
def test_a_cut_right_behind_a_flash_is_found(make_film, method):
    pictures = [*noise(0, 40), *noise(1, 30)]
    pictures[35] = mixed(pictures[0], 255, 1)
    assert starts(make_film(pictures=pictures, sound=None), method=method) == [(40, "cut")]


def test_a_flash_into_another_picture_is_a_cut(make_film):
    pictures = [*noise(0, 30), mixed(noise(0, 1)[0], 255, 1), *noise(1, 30)]
    assert starts(make_film(pictures=pictures, sound=None)) == [(30, "cut")]


def test_letterboxed_films_fade_too(make_film):
    pictures = [one.copy() for one in faded(noise(0, 30), noise(1, 30), ramp=10, hold=6, level=255)]
    for one in pictures:
        one[:6] = one[-6:] = 0
    ((index, transition),) = starts(make_film(pictures=pictures, sound=None))
    assert (transition, abs(index - 33) <= 1) == ("fade", True)


def test_a_dim_picture_that_gets_a_little_dimmer_is_no_fade(make_film):
    heights = [*range(40, 8, -2), *range(8, 40, 2)] * 2
    pictures = [np.full((48, 64, 3), 12, np.uint8) for _ in heights]
    for picture, height in zip(pictures, heights, strict=True):
        picture[:height, 30:34] = 60  # a lamp, between 1 and 5 per cent of the picture
    assert starts(make_film(pictures=pictures, sound=None)) == []


@pytest.mark.parametrize("hold", [0, 30, 300])
def test_runs_twelve_frames_behind_the_decoder(make_film, hold):
    film = make_film(pictures=faded(noise(0, 40), noise(1, 40), ramp=10, hold=hold), sound=None)
    decoded = 0

    def counted():
        nonlocal decoded
        for frame in read_frames(film):
            decoded = frame.index
            yield frame

    assert {decoded - item.frame.index for item in split_shots(counted())} <= set(range(13))


@pytest.mark.parametrize("method", METHODS)
def test_no_frames(method):
    assert list(split_shots(iter([]), method=method)) == []


def test_another_method_is_refused_at_once():
    with pytest.raises(ValueError, match="expected method 'adaptive' or 'content', got 'magic'"):
        split_shots(iter([]), method="magic")


@pytest.mark.real_data
@pytest.mark.parametrize("method", METHODS)
def test_sitcom_shots(shared_data, method):
    film = shared_data / "sitcom" / "videos" / "scene_a.mp4"
    truth = np.loadtxt(shared_data / "sitcom" / "truth" / "scene_a.shots", dtype=int)
    assert starts(film, method=method) == [(first, "cut") for first in truth[1:, 0]]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("clip", "cuts"),
    [
        ("jackie_chan1", [56, 177]),  # between them a page of text, nearly white
        ("other1", [38, 87]),
        ("toby_maguire1", [17, 40, 73]),
        ("christian_bale1", []),
    ],
)
def test_clips(shared_data, clip, cuts):
    assert starts(shared_data / "film_clips" / "videos" / f"{clip}.mp4") == [(cut, "cut") for cut in cuts]


@pytest.mark.real_data
@pytest.mark.parametrize("colours", ["format=gray", SEPIA_FILTER])
def test_cuts_of_a_film_that_lost_its_colours(shared_data, ffmpeg, tmp_path, colours):
    film = shared_data / "scenes" / "friends_four" / "videos" / "friends.mp4"
    ffmpeg("-i", film, "-vf", f"scale=160:-2,{colours},format=yuv420p", "-preset", "ultrafast", tmp_path / "film.mp4")
    assert starts(tmp_path / "film.mp4") == [(66, "cut"), (147, "cut"), (230, "cut")]
