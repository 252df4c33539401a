"""One clock for a film: from the times of its file to the time of the film, which starts at 0 and only rises.

File times may begin at 0, at the hour a broadcast began, or below 0; they may restart where two recordings were joined,
or wrap around after 26.5 hours. The map that one pass over the pictures makes is kept beside the film's tables
(`FrameTimes`), and pictures, sound, subtitles, tables and exports all use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_SURE = 3  # frames in a row earlier than the last one, where the packets show a restart of the times
_SURE_ALONE = 50  # the same where they do not
_BACK = Fraction(1)  # second: a larger step back is certain at once
_LEAP = Fraction(60)  # seconds: a longer step ahead is a jump where the container may be joined from pieces
_REACH = Fraction(10)  # seconds by which sound may lie outside the pictures of its piece
_STEADY = Fraction(1, 50)  # second by which the times of a stream may be off

JOINABLE = frozenset({"mpegts", "mpeg", "mpegvideo", "flv", "ogg"})
"""Containers that can be joined by concatenation; in others a long step is a long picture."""


class JointFinder:
    """Finds from the video packets where a file's times restart.

    Args:
        leaps: Whether a step ahead of more than a minute is a joint too, see `JOINABLE`.
    """

    def __init__(self, *, leaps: bool) -> None:
        self._leaps = leaps
        self._last: Fraction | None = None

    def is_joint(self, dts: Fraction) -> bool:
        """Return whether the file's times restart at the next packet, to be decoded at a time in the file."""
        last, self._last = self._last, dts
        return last is not None and (dts < last or (self._leaps and dts - last > _LEAP))


@dataclass(frozen=True, slots=True)
class ClockSegment:
    """A stretch of a film over which its file's times run on without a jump.

    Attributes:
        start: Time in the file of its first picture, seconds.
        end: Time in the file at which its last picture ends, seconds.
        shift: What is added to a time in the file to get the time in the film, seconds.
    """

    start: Fraction
    end: Fraction
    shift: Fraction


class PictureClock:
    """Gives the frames of a film their times, in whole ticks, strictly rising from 0.

    Args:
        tick: Seconds a tick lasts.
        rate: Frames a second on average, for frames without a time; None where the file does not say.
        joints: Whether the source's times may restart at any frame; else only after a call of `joint`, and a frame that
            comes too late in the order is shown at once.
    """

    def __init__(self, tick: Fraction, rate: Fraction | None, *, joints: bool = True) -> None:
        self.tick = tick
        self.count = 0  # frames so far
        self.last = 0  # film time of the last frame, in ticks
        self._step = max(1, round(1 / (rate or 25) / tick))
        self._length = self._step  # of the last frame
        self._always, self._joints = joints, 0
        self._leap = round(_LEAP / tick)
        self._segments: list[tuple[int, int, int]] = []  # start, end and shift in ticks
        self._behind: list[tuple[int, int]] = []  # times in the file that went back, and the times given instead

    def joint(self) -> None:
        """Announce that the packets' times have restarted: the frames' will follow."""
        self._joints += 1

    def place(self, pts: int | None, length: int = 0) -> int:
        """Return the film time of the next frame, in ticks.

        Args:
            pts: Its time in the file, in ticks; None where it has none.
            length: How long it lasts, in ticks; 0 when unknown.
        """
        at = self._place(pts)
        self._length = length if 0 < length * self.tick <= _LEAP else self._step
        if pts is not None and not self._behind:
            start, end, shift = self._segments[-1]
            self._segments[-1] = (start, max(end, pts + self._length), shift)
        self.last = at
        self.count += 1
        return at

    def _place(self, pts: int | None) -> int:
        following = self.last + self._length if self.count else 0
        if pts is None:
            return following
        if not self._segments:
            self._begin(pts, following)
            return following
        at = pts + self._segments[-1][2]
        may = self._always or self._joints > 0
        if self._joints and at - self.last > self._leap:
            self._begin(pts, following)
            return following
        if at > self.last:
            self._behind = []
            return at
        at_once = following if may else self.last + 1
        self._behind.append((pts, at_once))
        # A single bad time is corrected; a source whose times restart stays behind.
        far = (self.last - at) * self.tick > _BACK
        if (may and (far or len(self._behind) == _SURE)) or len(self._behind) == _SURE_ALONE:
            return max(at_once, self._restart(pts))
        return at_once

    def _begin(self, pts: int, at: int) -> None:
        self._segments.append((pts, pts, at - pts))
        self._joints = max(0, self._joints - 1)
        self._behind = []

    def _restart(self, pts: int) -> int:
        first, at = self._behind[0]
        self._begin(first, at)
        return pts + self._segments[-1][2]

    @property
    def end(self) -> int:
        """Film time at which the last frame leaves the screen, in ticks."""
        return self.last + self._length if self.count else 0

    @property
    def segments(self) -> tuple[ClockSegment, ...]:
        """The map so far."""
        return tuple(ClockSegment(*(value * self.tick for value in segment)) for segment in self._segments)


class StreamClock:
    """Gives the packets of another stream of a film their times in the film.

    Args:
        segments: The film's map; empty for a film whose file times are the film's.
    """

    def __init__(self, segments: tuple[ClockSegment, ...]) -> None:
        self._segments = segments or (ClockSegment(Fraction(0), Fraction(0), Fraction(0)),)
        self._now = 0
        self._expected: Fraction | None = None  # time in the file of the next packet

    def place(self, time: Fraction, length: Fraction = Fraction(0)) -> Fraction:
        """Return the film time of the next packet, seconds; it may lie before 0.

        Args:
            time: Its time in the file, seconds.
            length: How long it lasts, seconds.
        """
        if self._now + 1 < len(self._segments):
            self._now = self._segment(time)
        self._expected = time + length
        return time + self._segments[self._now].shift

    def _segment(self, time: Fraction) -> int:
        here = self._segments[self._now]
        if self._expected is None:
            return min(range(len(self._segments)), key=lambda i: (self._distance(i, time) > _REACH, i))
        if self._expected - _STEADY / 4 <= time < here.end:
            return self._now
        expected = self._expected + here.shift
        back = time < self._expected - _STEADY / 4
        leap = time > here.end + _REACH
        near = [i for i in range(self._now, len(self._segments)) if self._distance(i, time) <= _REACH]
        if back or leap:
            return min(near, key=lambda i: abs(time + self._segments[i].shift - expected), default=self._now)
        following = self._segments[self._now + 1]
        inside = following.start <= time < following.end
        return self._now + (inside and abs(time + following.shift - expected) < 1)

    def _distance(self, number: int, time: Fraction) -> Fraction:
        segment = self._segments[number]
        return max(segment.start - time, time - segment.end, Fraction(0))


@dataclass(frozen=True, slots=True, eq=False)
class FrameTimes:
    """When each frame of a film is shown, and its file's rate and timecode.

    Attributes:
        ticks: Film time of each frame, `(n,)` whole ticks, strictly rising from 0.
        source: Time of each frame in the file, `(n,)` seconds; NaN where the file gives none.
        end: Film time at which the last frame leaves the screen, ticks.
        tick: Seconds a tick lasts.
        rate: Frames a second on average as the file says it, 0 when it does not.
        segments: The map from the file's times to the film's.
        timecode: The film's own timecode at its first frame, empty without one.
        timecode_rate: Frames a second that the timecode counts, 0 when unknown.
        timecode_lead: Seconds by which the first frame comes after the picture that the timecode labels.
    """

    ticks: NDArray[np.int64]
    source: NDArray[np.float64]
    end: int
    tick: Fraction
    rate: Fraction = Fraction(0)
    segments: tuple[ClockSegment, ...] = ()
    timecode: str = ""
    timecode_rate: Fraction = Fraction(0)
    timecode_lead: Fraction = Fraction(0)

    @property
    def times(self) -> NDArray[np.float64]:
        """Film time of each frame, `(n,)` seconds."""
        return np.asarray(self.ticks * self.tick.numerator / self.tick.denominator, np.float64)

    @property
    def seconds(self) -> float:
        """How long the film is, seconds."""
        return float(self.end * self.tick)

    def to_source(self, seconds: float) -> float:
        """Return the time in the file at a time in the film, seconds."""
        before = [one for one in self.segments if float(one.start + one.shift) <= seconds + 1e-6]
        segment = (before or list(self.segments[:1]))[-1:]
        return seconds - float(segment[0].shift) if segment else seconds

    def to_film(self, seconds: float) -> float:
        """Return the time in the film at a time in the file, seconds; where that comes twice, the first."""
        if not self.segments:
            return max(0.0, seconds)
        inside = [one for one in self.segments if float(one.start) <= seconds < float(one.end)]
        return max(0.0, seconds + float((inside or list(self.segments))[0].shift))
