"""Search sampled frames for faces: whole pictures now and then, around known faces in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

from facelib.detect import Detector
from facelib.detect.base import STRIDE, PictureDetector, stretched
from facelib.detect.nearby import detect_near
from facelib.faces import Faces, FloatArray, Image, iou
from facelib.films.media.decode import FilmFrame
from facelib.films.shots import ShotFrame, Transition

_CALM = 2.0  # times as long between two whole pictures while nothing unforeseen happens
_SPARED = 0.8  # of the time between two: after two calm stretches in a row, none is searched so near to a shot's end
_MOST_WAITING, _MOST_AFTER = 10, 4  # samples between them, and after one that may be left out: their pictures wait
_SAME = 0.3  # IoU from which boxes of two samples are of one face
_REST = 0.025  # of the picture: what is left out of the search below and at the right, where it alone needs padding
_STEADY = 0.8  # IoU from which a face is where it was expected


@dataclass(slots=True, eq=False)
class Sample:
    """A frame in which faces are searched.

    Attributes:
        frame: The frame.
        preview: Its picture, `(h, w, 3)` uint8 in BGR order, the longer side 160 pixels.
        size: Pixels of the longer side of `picture` at most; None leaves it as large as the frame.
        faces: The faces found, in pixels of the film.
    """

    frame: FilmFrame
    preview: Image
    size: int | None
    faces: Faces = field(default_factory=Faces.empty)
    _picture: Image | None = field(default=None, init=False)

    @property
    def picture(self) -> Image:
        """Its picture as it is searched, `(height, width, 3)` uint8 RGB; converted when first asked for."""
        if self._picture is None:
            self._picture = self.frame.image() if self.size is None else self.frame.picture(self.size)
        return self._picture

    @property
    def is_whole(self) -> bool:
        """Whether `picture` is as large as the frame."""
        return self.size is None or self.size >= max(self.frame.width, self.frame.height)


@dataclass(frozen=True, slots=True, eq=False)
class SearchedFrame:
    """A frame of a film after the search: its 0-based number, its time in seconds, and its place as in `ShotFrame`.

    One that was not searched has no sample.
    """

    index: int
    time: float
    shot: int
    first: bool
    last: bool
    transition: Transition
    sample: Sample | None = None


class Sampler:
    """Decides which frames of a shot are sampled: on a grid from its first one, so that the mean distance is kept.

    Args:
        seconds: Between two samples; 0 is every frame.
        every: Take every n-th frame instead; 0 goes by seconds.
    """

    def __init__(self, seconds: float, every: int = 0) -> None:
        self._seconds, self._every = seconds, every
        self._begin, self._due = 0, -np.inf

    def takes(self, item: ShotFrame) -> bool:
        """Return whether the shot's next frame is sampled; the first and the last always are."""
        if item.first:
            self._begin, self._due = item.frame.index, -np.inf
        return item.first or item.last or self._is_due(item)

    def _is_due(self, item: ShotFrame) -> bool:
        if self._every:
            return (item.frame.index - self._begin) % self._every == 0
        if item.frame.time < self._due - 1e-6:
            return False
        self._due += self._seconds
        if self._due <= item.frame.time:
            self._due = item.frame.time + self._seconds
        return True


def search_faces(
    frames: Iterator[ShotFrame], detector: Detector, sampler: Sampler, *, seconds_between_whole: float = 0.0
) -> Iterator[SearchedFrame]:
    """Yield all frames of a film in order, with the faces of those that are sampled.

    With `seconds_between_whole` the whole picture is searched in the first and the last sample of a shot, and in one
    each time so many seconds have passed; while nothing unforeseen happens, twice as many, and in the end none shortly
    before the shot's last. What lies between two of them is searched from its middle on, around the faces of both:
    where these are where they should be by then, their boxes are interpolated in the other samples; else each half is
    searched in the same way, so that a face is found where it comes, turns and goes. Only one that comes and goes
    between two whole pictures is missed. A detector that cannot search parts of a picture searches every sample whole,
    as 0 seconds do.
    """
    search = _Search(detector, seconds_between_whole)
    held: deque[SearchedFrame] = deque()
    for item in frames:
        sample = search.open(item) if sampler.takes(item) else None
        where = (item.frame.index, item.frame.time, item.shot, item.first, item.last, item.transition)
        held.append(SearchedFrame(*where, sample))
        if sample is not None:
            search.take(sample, end=item.first or item.last)
        while held and (not search.waiting or held[0].index < search.waiting[0].frame.index):
            yield held.popleft()


class _Search:
    """The samples since the last one that was searched whole."""

    def __init__(self, detector: Detector, beat: float) -> None:
        self._detector, self._beat = detector, beat
        by_parts = isinstance(detector, PictureDetector) and detector.regional and beat > 0
        self._parts: PictureDetector | None = detector if by_parts else None  # type: ignore[assignment]
        self._before: Sample | None = None  # the last one that was searched whole
        self._calm = 0  # stretches in a row in which nothing unforeseen happened
        self.waiting: list[Sample] = []

    def open(self, item: ShotFrame) -> Sample:
        """Return a frame as a sample that is not yet searched."""
        return Sample(item.frame, item.preview, None if self._parts is None else self._parts.options.working_size)

    def take(self, sample: Sample, *, end: bool) -> None:
        """Take the next sample; search one whole, and those before it, at an end of a shot and when it is time to."""
        self.waiting.append(sample)
        place = len(self.waiting) - 1 if self._parts is None or end else self._due()
        if place is not None:
            samples, self.waiting = self.waiting[: place + 1], self.waiting[place + 1 :]
            self._search_until(samples, end=end)

    def _due(self) -> int | None:
        """Return which of the samples that wait is searched whole next; None while it is not yet time."""
        since = -np.inf if self._before is None else self._before.frame.time
        due = since + self._beat * (_CALM if self._calm else 1) - 1e-6
        times = [sample.frame.time for sample in self.waiting]
        place = next((place for place, time in enumerate(times) if time >= due or place >= _MOST_WAITING), None)
        if place is None or self._calm < 2:
            return place
        may_end = times[-1] - times[place] < _SPARED * self._beat - 1e-6
        return None if may_end and len(times) <= place + _MOST_AFTER else place

    def _search_until(self, samples: list[Sample], *, end: bool) -> None:
        """Search the last of some samples whole, and those before it."""
        sample = samples[-1]
        sample.faces = self._search(sample)
        if len(samples) > 1 and self._before is not None:
            samples = [self._before, *samples]
            calm = self._search_between(samples)
            if not calm:
                self._search_beside(samples)
                self._search_beside(samples[::-1])
            self._calm = self._calm + 1 if calm and not end else 0
        self._before = sample

    def _search_between(self, samples: list[Sample]) -> bool:
        """Search the samples between the first and the last; return whether the middle one was enough."""
        if len(samples) < 3:
            return True
        first, *_, last = samples
        half = len(samples) // 2
        middle = samples[half]
        shared, single = _between(first, last, middle.frame.time)
        middle.faces = self._search(middle, near=np.concatenate([shared.boxes, single.boxes]))
        if len(single) or not _agree(shared, middle.faces):
            self._search_between(samples[: half + 1])
            self._search_between(samples[half:])
            return False
        for sample in samples[1:half]:
            sample.faces, _ = _between(first, middle, sample.frame.time)
        for sample in samples[half + 1 : -1]:
            sample.faces, _ = _between(middle, last, sample.frame.time)
        return True

    def _search_beside(self, samples: list[Sample]) -> None:
        """Search each sample again around those faces of the one before it that it lacks: they may have moved far."""
        for before, sample in pairwise(samples):
            overlap = iou(before.faces.boxes, sample.faces.boxes).max(axis=1, initial=0)
            lost = before.faces.boxes[overlap < _SAME]
            if len(sample.faces) < len(before.faces) and len(lost):
                found = self._search(sample, near=lost)
                new = iou(found.boxes, sample.faces.boxes).max(axis=1, initial=0) < _SAME
                sample.faces = Faces.joined([sample.faces, found[new]])

    def _search(self, sample: Sample, *, near: FloatArray | None = None) -> Faces:
        """Return the faces of a sample, or only those near some boxes, all in pixels of the film."""
        if self._parts is None:
            return self._detector.detect(sample.picture)
        small, full = sample.picture.shape[:2], (sample.frame.height, sample.frame.width)
        height, width = (side - side % STRIDE if side % STRIDE <= _REST * side else side for side in small)
        picture = sample.picture[:height, :width]
        detector = self._parts.with_options(smallest_face=self._parts.options.smallest_face * max(small) / max(full))
        if near is None:
            return stretched(detector.detect(picture), small, full)
        shrink = np.array([small[1] / full[1], small[0] / full[0]], np.float32)
        return stretched(detect_near(detector, picture, near * np.tile(shrink, 2)), small, full)


def _agree(expected: Faces, found: Faces) -> bool:
    """Return whether as many faces were found as expected, and where they were."""
    overlap = iou(expected.boxes, found.boxes)
    return len(expected) == len(found) and bool((overlap.max(axis=1, initial=0) >= _STEADY).all())


def _between(first: Sample, last: Sample, time: float) -> tuple[Faces, Faces]:
    """Return the faces that two samples share, moved to where they are in between, and those of one of them only."""
    one, other = first.faces, last.faces
    overlap = iou(one.boxes, other.boxes)
    rows, columns = linear_sum_assignment(-overlap)
    same = overlap[rows, columns] >= _SAME
    rows, columns = rows[same], columns[same]
    share = np.float32((time - first.frame.time) / (last.frame.time - first.frame.time))
    begin, end = one[rows], other[columns]
    shared = Faces(
        begin.boxes + share * (end.boxes - begin.boxes),
        begin.scores + share * (end.scores - begin.scores),
        begin.landmarks + share * (end.landmarks - begin.landmarks),
    )
    singles = [one[np.delete(np.arange(len(one)), rows)], other[np.delete(np.arange(len(other)), columns)]]
    return shared, Faces.joined(singles)
