"""The frames of a film as editing programs count them: a steady rate, whole frames, timecode."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
from numpy.typing import NDArray

from facelib.films.media.timecode import RATES, first_frame, is_drop_frame
from facelib.films.media.times import read_film_times
from facelib.project import FilmFiles

_DROP_RATES = (Fraction(30000, 1001), Fraction(60000, 1001))
IntArray = NDArray[np.int64]
Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FrameClock:
    """When each frame of a film is on screen, and which frame of an editing program's timeline that is.

    Editing programs know only constant rates. Where the film has one of `RATES`, frame n of the film is
    frame n of the timeline. Where its rate is constant but not one of them, the timeline has a multiple of it if there
    is one (15 frames a second: 30). Where it varies, each time is conformed to the nearest frame of the rate nearest to
    the film's shorter steps; no frame is then off by more than half a timeline frame.

    Attributes:
        times: Presentation time of each frame, `(n,)` seconds, ascending.
        end: When the last frame leaves the screen, seconds.
        rate: Frames a second of the timeline, one of `RATES`.
        constant: Whether frame n of the film is frame n of the timeline.
        start: The film's own timecode at its first frame, as a number of timeline frames; 0 without one.
        drop_frame: Whether timecodes skip numbers to keep to the wall clock (29.97 and 59.94 only).
    """

    times: Seconds
    end: float
    rate: Fraction
    constant: bool
    start: int = 0
    drop_frame: bool = False

    @property
    def frames(self) -> int:
        """The length of the film in timeline frames."""
        return int(self.timeline_frames(np.array([len(self.times)]))[0])

    def nearest(self, seconds: Seconds) -> IntArray:
        """Return the 0-based number of the film's frame whose presentation time is nearest to each time."""
        middles = (self.times[1:] + self.times[:-1]) / 2
        return np.asarray(np.searchsorted(middles, seconds), np.int64)

    def nearest_edge(self, seconds: Seconds) -> IntArray:
        """Return the frame that begins nearest to each time; one past the last where that is the film's end."""
        edges = np.append(self.times, self.end)
        return np.asarray(np.searchsorted((edges[1:] + edges[:-1]) / 2, seconds), np.int64)

    def begins(self, frames: IntArray) -> Seconds:
        """Return when each frame comes on screen, in seconds; one past the last frame is when that leaves it."""
        return np.append(self.times, self.end)[frames]

    def timeline_frames(self, frames: IntArray) -> IntArray:
        """Return the timeline frame at which each of the film's frames begins, counted from the film's first."""
        if self.constant:
            return np.asarray(frames, np.int64)
        since = self.begins(frames) - self.times[0]
        return np.asarray(np.floor(since * float(self.rate) + 0.5), np.int64)

    @property
    def counted(self) -> float:
        """Frames a second that timecodes count: those that leave out no numbers take the rate for a whole number."""
        return float(self.rate if self.drop_frame else round(self.rate))

    def timecode(self, frame: int) -> str:
        """Return the timecode of a timeline frame, counted from the film's first; with a semicolon where it drops."""
        number = otio.opentime.RationalTime(frame + self.start, self.counted)
        return str(otio.opentime.to_timecode(number, self.counted, drop_frame=self.drop_frame))


def read_clock(video: str | Path, files: FilmFiles | None = None, *, drop_frame: bool | None = None) -> FrameClock:
    """Read when the frames of a film are shown, and its timecode.

    Args:
        video: Any film PyAV reads.
        files: Its results, which hold its frame times; without them it is decoded once more.
        drop_frame: None: as the film's own timecode says; a film without one gets drop-frame timecode at 29.97 and
            59.94 frames a second, which keeps to the wall clock. Ignored at rates that have no drop-frame timecode.

    Raises:
        FileNotFoundError: When there is no such film.
        facelib.films.media.decode.UnreadableFilm: When it cannot be decoded.
    """
    film = read_film_times(video, files)
    times = film.times
    rate, constant = timeline_rate(times, film.rate or Fraction(25))
    start = 0
    if film.timecode:
        start = first_frame(film.timecode, film.timecode_rate, rate) + round(film.timecode_lead * rate)
    drop_frame = is_drop_frame(film.timecode) if drop_frame is None else drop_frame
    return FrameClock(times, film.seconds, rate, constant, start, drop_frame and rate in _DROP_RATES)


def timeline_rate(times: Seconds, mean: Fraction) -> tuple[Fraction, bool]:
    """Choose the frame rate of a film's timeline.

    Args:
        times: Presentation times of the frames, seconds, ascending.
        mean: The mean rate as the file says it, for a film of a single frame.

    Returns:
        One of `RATES`, and whether the film itself has this rate, every frame of it.
    """
    steps = np.diff(times)
    own = len(steps) / float(times[-1] - times[0]) if len(steps) else float(mean)
    # Files round their times to thousandths, some to hundredths of a second: half a frame off is still steady.
    steady = bool(np.all(np.abs((times - times[0]) * own - np.arange(len(times))) < 0.5))
    if not steady:
        quick = 1 / float(np.quantile(steps, 0.1))
        return min(RATES, key=lambda rate: abs(float(rate) - quick)), False
    # A film of a few frames cannot tell 23.976 from 24 when its times are rounded to thousandths: its header can.
    rounding = 0.001 * own / max(len(steps), 1)
    if abs(float(mean) - own) < rounding * own:
        own = float(mean)
    for faster in range(1, 9):
        near = min(RATES, key=lambda rate: abs(float(rate) - own * faster))
        if abs(float(near) / faster - own) < max(4e-4, rounding) * own:
            return near, faster == 1
    return min(RATES, key=lambda rate: abs(float(rate) - own)), False
