"""Frames of a film and frames of a timeline."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from facelib.films.exports import FrameClock, read_clock
from facelib.films.exports.clock import timeline_rate
from facelib.films.media.decode import UnreadableFilm, read_frames
from facelib.films.media.timecode import RATES

NTSC_FILM, NTSC, NTSC_FAST = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.avi", "film.ts"])
def test_a_steady_film_keeps_its_frames(film_at, rate, name):
    film = film_at(rate, 60, name=name)
    clock = read_clock(film)
    assert (clock.rate, clock.constant, clock.frames) == (rate, True, 60)
    # Packets tell the times that decoding tells, also where a transport stream starts late.
    decoded = [frame.time for frame in read_frames(film)]
    assert clock.times == pytest.approx(decoded, abs=1e-6)
    assert clock.nearest(np.array(decoded) + 0.3 / float(rate)).tolist() == list(range(60))
    assert clock.timeline_frames(np.arange(61)).tolist() == list(range(61))
    assert clock.end == pytest.approx(decoded[-1] + 1 / rate, abs=2e-3)  # Matroska counts thousandths


@pytest.mark.parametrize(
    ("own", "rate", "constant"),
    [
        (Fraction(15), 30, False),  # a webcam: every second frame of the timeline
        (Fraction(25, 2), 25, False),
        (Fraction(10), 30, False),
        (Fraction(15000, 1001), NTSC, False),
        (Fraction(2398, 100), NTSC_FILM, True),  # rounded by whoever wrote the file
        (Fraction(120), 60, False),  # more than editing programs know
        (Fraction(18), NTSC_FILM, False),  # nothing fits: the nearest, with a frame shown twice now and then
    ],
)
def test_other_steady_rates_go_to_a_multiple_where_there_is_one(own, rate, constant):
    times = np.arange(100) / float(own)
    assert timeline_rate(times, own) == (rate, constant)


@pytest.mark.parametrize("rate", [NTSC_FILM, Fraction(24), NTSC, Fraction(30), NTSC_FAST, Fraction(60)])
@pytest.mark.parametrize("frames", [2, 3, 10, 500, 200_000])
def test_times_rounded_to_thousandths_do_not_confuse_neighbouring_rates(rate, frames):
    times = np.round(np.arange(frames) / float(rate), 3)
    assert timeline_rate(times, rate) == (rate, True)
    if frames == 200_000:  # two hours: the times alone tell
        assert timeline_rate(times, Fraction(1000)) == (rate, True)


def test_a_single_frame_goes_by_what_the_file_says():
    assert timeline_rate(np.zeros(1), NTSC) == (NTSC, True)
    clock = FrameClock(np.array([0.5]), 0.54, Fraction(25), True)
    assert clock.nearest(np.array([-1.0, 0.5, 9.0])).tolist() == [0, 0, 0]
    assert clock.begins(np.array([0, 1])).tolist() == [0.5, 0.54]


def test_a_variable_rate_is_conformed_to_within_half_a_frame(film_at):
    steps = np.random.default_rng(0).choice([33, 34, 67, 100, 250], 80, p=[0.4, 0.3, 0.1, 0.1, 0.1])
    ticks = [0, *np.cumsum(steps).tolist()]
    clock = read_clock(film_at(30, ticks=ticks, time_base=Fraction(1, 1000)))
    assert (clock.rate, clock.constant) == (30, False)
    assert clock.times == pytest.approx(np.array(ticks) / 1000)
    frames = clock.timeline_frames(np.arange(81))
    assert np.abs(frames / 30 - clock.times).max() <= 0.5 / 30 + 1e-9
    assert (np.diff(frames) >= 1).all()  # no two frames of the film fall together


def test_the_timeline_starts_with_the_first_frame_wherever_the_times_start(film_at):
    clock = read_clock(film_at(25, ticks=[900, 940, 980, 1100, 1140], time_base=Fraction(1, 1000), name="film.mkv"))
    assert clock.timeline_frames(np.arange(5)).tolist() == [0, 1, 2, 5, 6]


@pytest.mark.parametrize(
    ("rate", "label", "asked", "start", "drop"),
    [
        (NTSC, "", None, 0, True),  # keeps to the wall clock unless told otherwise
        (NTSC, "", False, 0, False),
        (NTSC, "01:00:00:00", None, 108_000, False),
        (NTSC, "01:00:00;00", None, 107_892, True),  # two numbers left out in each of 54 minutes
        (NTSC, "01:00:00:00", True, 108_000, True),
        (NTSC_FAST, "00:01:00;04", None, 3600, True),
        (Fraction(25), "", True, 0, False),  # no such thing at 25
        (Fraction(25), "10:00:00:00", None, 900_000, False),
        (NTSC_FILM, "01:00:00:00", None, 86_400, False),
    ],
)
def test_a_films_own_timecode(film_at, rate, label, asked, start, drop):
    clock = read_clock(film_at(rate, 10, name="film.mov", timecode=label), drop_frame=asked)
    assert (clock.start, clock.drop_frame) == (start, drop)


def test_a_timecode_that_is_none_counts_as_none(film_at):
    clock = read_clock(film_at(25, 10, name="film.mkv", timecode="some day"))
    assert clock.start == 0


def test_a_film_cut_short_is_read_as_far_as_it_goes(film_at):
    film = film_at(25, 200, name="film.ts")
    whole = film.read_bytes()
    film.write_bytes(whole[: len(whole) // 2])
    clock = read_clock(film)
    assert 20 < clock.frames < 200 and clock.rate == 25


def test_what_is_no_film_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        read_clock(tmp_path / "gone.mp4")
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(UnreadableFilm, match="text"):
        read_clock(tmp_path / "text.mp4")
