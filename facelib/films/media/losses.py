"""Parts of a film that could not be read or carried over, counted during reading and reported at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray

from facelib.films.media.timeline import FrameTimes
from facelib.project.wording import clock_time

GARBLED_WORTH = 0.05
"""Of a face's quality, what is left of it in a garbled picture: others are taken where there are any."""

_GAP = 0.1  # seconds between two packets of sound from which some is missing
_LEAP = 60.0  # seconds: a longer step is a splice
_LONGEST_GARBLED = 10.0  # seconds; 250 pictures from one key picture to the next are usual
_MOST_GAPS = 10_000
_STEADY = 0.8  # of the steps between pictures are equal in a film of constant rate


@dataclass(slots=True)
class PictureCount:
    """Pictures that are in a film, and those that could be decoded.

    Attributes:
        expected: Pictures in the file so far.
        shown: Pictures decoded so far.
        missing: How many are not in the file, by the times of their neighbours.
        corrupt: How many the container marks as damaged.
        fields: Whether each of two fields may have its own packet.
        failed: How many packets the decoder rejected.
        near: Film time of the first picture that is missing, seconds; None while none is.
        spoiled: Pictures of which the decoder had to guess a part.
        spoiled_near: Film time of the first of these, seconds; None while there is none.
    """

    expected: int = 0
    shown: int = 0
    missing: int = 0
    corrupt: int = 0
    fields: bool = False
    failed: int = 0
    near: float | None = None
    spoiled: int = 0
    spoiled_near: float | None = None
    _waiting: Counter[int] = field(default_factory=Counter)

    def expect(self, pts: int | None, *, corrupt: bool = False) -> None:
        """Count a picture in the file."""
        self.expected += 1
        self.corrupt += corrupt
        if pts is not None:
            self._waiting[pts] += 1

    def show(self, pts: int | None) -> None:
        """Count a picture that was decoded."""
        self.shown += 1
        if pts is not None:
            if self._waiting[pts] <= 1:
                del self._waiting[pts]
            else:
                self._waiting[pts] -= 1

    def fail(self, seconds: float) -> None:
        """Count a packet that the decoder rejected, after the picture at a film time."""
        self.failed += 1
        self.near = seconds if self.near is None else self.near

    def spoil(self, seconds: float) -> None:
        """Count a picture, shown at a film time, of which a part is damaged."""
        self.spoiled += 1
        self.spoiled_near = seconds if self.spoiled_near is None else self.spoiled_near

    def missing_times(self) -> list[int]:
        """Return the times in the file, in ticks, of the pictures that did not come out of the decoder."""
        return sorted(self._waiting.elements())

    def find_missing(
        self, source: NDArray[np.float64], sounds: Iterable[SoundCount], *, damaged: bool, joints: int = 0
    ) -> float | None:
        """Count the pictures missing from a file of constant rate, where there are signs of damage.

        A pause of pictures and sound together belongs to the film.

        Args:
            source: Times in the file of the pictures that are there, seconds.
            sounds: Where sound is missing.
            damaged: Whether the file is known to be damaged.
            joints: How often its times restart: a container takes the picture before for damaged, though it is whole.

        Returns:
            Time in the file of the first picture that is missing; None when none is.
        """
        steps = np.diff(source)
        usual = float(np.median(steps)) if len(steps) else 0.0
        if not usual > 0 or np.mean(np.abs(steps - usual) < 0.3 * usual) < _STEADY:
            return None
        gaps = [gap for sound in sounds for gap in sound.gaps]
        known = damaged or self.failed or self.corrupt > joints
        wide = [
            place
            for place in np.flatnonzero(steps > 1.5 * usual).tolist()
            if known or any(_is_ragged(gap, source[place], source[place + 1]) for gap in gaps)
        ]
        self.missing = sum(round(float(steps[place]) / usual) - 1 for place in wide)
        return float(source[wide[0]]) + usual if wide else None

    @property
    def lost(self) -> int:
        """How many pictures could not be decoded."""
        lost = max(self.expected - self.shown, self.missing)
        if self.fields and not self.failed and 2 * self.shown >= self.expected - 2:
            return 0  # two fields, one picture
        return max(0, lost)

    def sentence(self) -> str:
        """Return what is lost and what is damaged, as a sentence; empty when nothing."""
        lost = spoiled = ""
        if self.lost:
            place = "" if self.near is None else f", near {clock_time(self.near)}"
            lost = f"{self.lost} of {self.lost + self.shown} pictures could not be read{place}"
        if self.spoiled_near is not None:
            spoiled = f"{self.spoiled} of {self.shown} pictures are damaged, near {clock_time(self.spoiled_near)}"
        return join_sentences([lost, spoiled])


class GarbledPictures:
    """Tells which pictures show what a loss has left behind: all from a damaged one on, until the next key picture.

    A decoder goes on from a damaged picture, and marks that one alone.
    """

    def __init__(self) -> None:
        self._lost: list[int] = []
        self._since: float | None = None

    def lose(self, pts: int | None) -> None:
        """Take note that a packet which would be shown at a time in the file is damaged, or cannot be decoded."""
        if pts is not None:
            self._lost.append(pts)

    def restart(self) -> None:
        """Take note that the times in the file start anew."""
        self._lost = []

    def is_garbled(self, raw: av.VideoFrame, seconds: float) -> bool:
        """Return whether the next picture, shown at a film time, is; some films have no second key picture."""
        later = [] if raw.pts is None else [pts for pts in self._lost if pts > raw.pts]
        if raw.is_corrupt or len(later) < len(self._lost):
            self._since = seconds
        elif raw.key_frame or (self._since is not None and seconds - self._since > _LONGEST_GARBLED):
            self._since = None
        self._lost = later
        return self._since is not None


@dataclass(slots=True)
class SoundCount:
    """The times of one sound stream, to find gaps between its packets.

    Attributes:
        number: 1-based number among the film's sound streams.
        gaps: Start and end of each gap in its data, times in the file in seconds.
        corrupt: Packets that the container marks as damaged.
        near: Time in the file of the first of these; None while there is none.
    """

    number: int
    gaps: list[tuple[float, float]] = field(default_factory=list)
    corrupt: int = 0
    near: float | None = None
    _time: float | None = None  # of the packet before
    _until: float | None = None
    _step: float = 0.0  # between two packets that follow each other

    def add(self, time: float, length: float, *, corrupt: bool = False) -> None:
        """Count a packet: its time in the file and its length, seconds; 0 where the file does not tell it."""
        gap = self._until is not None and _GAP < time - self._until < _LEAP
        if gap and self._until is not None and len(self.gaps) < _MOST_GAPS:
            self.gaps.append((self._until, time))
        if corrupt:
            self.corrupt += 1
            self.near = time if self.near is None else self.near
        if self._time is not None and not gap:
            self._step = max(0.0, time - self._time)
        length = length or self._step
        self._time, self._until = time, time + length if length else None

    def sentence(self, times: FrameTimes) -> str:
        """Return what is lost, as a sentence; a gap without pictures either is a pause of the film."""
        lost = [(start, end) for start, end in self.gaps if np.any((times.source >= start) & (times.source < end))]
        seconds = sum(end - start for start, end in lost)
        if lost:
            near = times.to_film(lost[0][0])
            return f"sound {self.number} lacks {seconds:.1f} seconds, near {clock_time(near)}"
        if self.corrupt:
            return f"sound {self.number} is damaged, near {clock_time(times.to_film(self.near or 0.0))}"
        return ""


def _is_ragged(gap: tuple[float, float], start: float, end: float) -> bool:
    """Return whether a gap in the sound lies where pictures are missing, but neither begins nor ends with them."""
    return gap[0] < end and start < gap[1] and (abs(gap[0] - start) > _GAP or abs(gap[1] - end) > _GAP)


def join_sentences(parts: Iterable[str]) -> str:
    """Join the sentences that are not empty.

    Examples:
        >>> join_sentences(["", "3 of 9 pictures could not be read", "sound 1 lacks 0.5 seconds"])
        '3 of 9 pictures could not be read; sound 1 lacks 0.5 seconds'
    """
    return "; ".join(part for part in parts if part)
