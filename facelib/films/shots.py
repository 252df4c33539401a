"""Shot detection: cuts and fades."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np

from facelib.faces import Image
from facelib.films.colour import LEAST_CUT, NO_CHANGE, PictureChange, is_colourless, picture_change, tones
from facelib.films.media.decode import FilmFrame
from facelib.films.tracking import ShotMethod

Transition = Literal["", "cut", "fade"]
"""How a shot begins: as the film's first, by a cut, or after a fade."""

_THRESHOLDS = {"adaptive": 3.0, "content": LEAST_CUT}
_BESIDE = 2  # changes before and after one that it must stand out from, with `adaptive`
_PREVIEW_WIDTH = 160  # pixels: enough to see a cut, small enough to cost a millisecond
_AHEAD = 11  # frames of look-ahead: a fade's middle and a flash's end must be seen
_STRAY = 0.02  # of the picture may keep a station's logo while the rest is black
_SHORTEST = 8  # frames between the beginnings of two shots; of two nearer changes the first is taken
_LEAST_CHANGE = 15.0  # mean change, 0 to 255, that can be a cut, with `adaptive`
_REPEATED = 0.05  # of a step: the change of a picture that is shown again, as when 24 a second are played at 60
_BLACK, _WHITE = 24, 231  # of 255: a picture faded to less than a tenth
_MOST_BLACK, _LEAST_WHITE = 29.0, 113.0  # means of a black picture with 2 % of white, and of one that is half white


@dataclass(frozen=True, slots=True)
class ShotFrame:
    """A frame of a film, and its place in its shot.

    Attributes:
        frame: The frame.
        shot: 0-based number of its shot.
        first: Whether it is the first frame of its shot.
        last: Whether it is the last frame of its shot.
        transition: How its shot begins: empty for the film's first shot, else `cut` or `fade`.
        preview: Its picture, `(h, w, 3)` uint8 in BGR order, the longer side 160 pixels.
    """

    frame: FilmFrame
    shot: int
    first: bool
    last: bool
    transition: Transition
    preview: Image


def split_shots(
    frames: Iterator[FilmFrame], *, method: ShotMethod = "adaptive", threshold: float | None = None
) -> Iterator[ShotFrame]:
    """Yield every frame of a film with the shot it belongs to, twelve frames behind the decoder.

    A cut is a change of colour and light between two frames, measured as PySceneDetect 0.7 does, after which the
    picture does not return: a camera's flash is not a cut. Between frames without colour the light alone is compared:
    hue and saturation never change there and would leave a third of it. A fade is a stretch of frames that are all
    black, or all white, with pictures before and after it, that is reached gradually or lasts for eight frames; the new
    shot begins in its middle, or eleven frames before its end where that is later.

    Args:
        frames: The film's frames in order.
        method: `adaptive` measures how far a change stands out from the two frames before and after it and is not
            misled by a moving camera; `content` measures its size alone.
        threshold: Raising it finds fewer cuts. `adaptive`: how many times larger than its neighbours' a change must be.
            `content`: the least mean change of hue, saturation and lightness, 0 to 255. None takes 3 and 27.

    Raises:
        ValueError: When there is no such method.
    """
    if method not in get_args(ShotMethod):
        raise ValueError(f"expected method 'adaptive' or 'content', got {method!r}")
    limit = _THRESHOLDS[method] if threshold is None else threshold
    return _split(frames, _Splitter(method, limit))


def _split(frames: Iterator[FilmFrame], splitter: _Splitter) -> Iterator[ShotFrame]:
    for frame in frames:
        splitter.add(frame)
        if len(splitter.waiting) > _AHEAD + 1:
            yield splitter.take()
    while splitter.waiting:
        yield splitter.take()


@dataclass(slots=True, eq=False)
class _Empty:
    """A stretch of frames that are all black or all white."""

    start: int
    after_picture: bool
    gradual: bool
    end: int | None = None  # the frame after it, None while it lasts


@dataclass(slots=True, eq=False)
class _Seen:
    """A buffered frame."""

    frame: FilmFrame
    preview: Image
    stretch: _Empty | None
    change: PictureChange  # from the frame before


class _Splitter:
    """The frames between the decoder and the next one to yield, and their measurements."""

    def __init__(self, method: ShotMethod, limit: float) -> None:
        self.waiting: deque[_Seen] = deque()
        adaptive = method == "adaptive"
        self._beside, self._standing_out = (_BESIDE, limit) if adaptive else (0, 0.0)
        self._least = _LEAST_CHANGE if adaptive else limit
        self._tones: Image | None = None  # of the last frame
        self._steps: deque[float] = deque(maxlen=2 * _AHEAD + 2)  # how far each picture differs from the one before
        self._changes: set[int] = set()
        self._lights: deque[float] = deque(maxlen=4)
        self._stretch: _Empty | None = None
        self._flash_until = -1
        self._shot = 0
        self._start: int | None = None  # the first frame of the current shot
        self._transition: Transition = ""

    def add(self, frame: FilmFrame) -> None:
        """Take the decoder's next frame."""
        preview = frame.preview(_PREVIEW_WIDTH)
        before, self._tones = self._tones, tones(preview)
        change = NO_CHANGE if before is None else picture_change(before, self._tones)
        self._steps.append(_distance(self.waiting[-1].preview, preview) if self.waiting else 0.0)
        light = np.asarray(cv2.cvtColor(preview, cv2.COLOR_BGR2GRAY), np.uint8)
        mean = cv2.sumElems(light)[0] / light.size
        if not _is_empty(light, mean):
            if self._stretch is not None:
                self._stretch.end = frame.index
            self._stretch = None
        elif self._stretch is None:
            self._stretch = _Empty(frame.index, after_picture=bool(self._lights), gradual=self._is_gradual(mean))
        self._lights.append(mean)
        self.waiting.append(_Seen(frame, preview, self._stretch, change))
        self._look_for_change()

    def _look_for_change(self) -> None:
        """Remember the newest frame that has all the changes it is measured against, if it may begin a shot."""
        recent = list(self.waiting)[-max(2, 2 * self._beside + 1) :]
        target = recent[-1 - self._beside] if len(recent) > 2 * self._beside else None
        if target is None:
            return
        found = self._stands_out([seen.change.colour for seen in recent], target.change.colour)
        if not found and self._stands_out([seen.change.light for seen in recent], target.change.light):
            found = all(is_colourless(seen.preview) for seen in recent)
        if found:
            self._changes.add(target.frame.index)

    def _stands_out(self, changes: list[float], change: float) -> bool:
        """Return whether a change is large enough for a cut, next to those beside it: 255 times as large at most."""
        beside = (sum(changes) - change) / (2 * self._beside) if self._beside else 0.0
        return change >= self._least and change >= self._standing_out * max(beside, change / 255)

    def _is_gradual(self, light: float) -> bool:
        # A flash or a cut gets there in one step, a fade in several alike; a dim picture hardly changes at all.
        if not self._lights:
            return False
        whole, step = abs(light - self._lights[0]), abs(light - self._lights[-1])
        return whole >= 2 and step <= 0.4 * whole

    def take(self) -> ShotFrame:
        """Remove and return the oldest frame, which is its shot's last when the next one begins another."""
        seen = self.waiting.popleft()
        index = seen.frame.index
        if self._start is None:
            self._start = index
        begins = self._next_begins(seen, self._start) if self.waiting else ""
        last = bool(begins) or not self.waiting
        self._changes.discard(index)
        item = ShotFrame(seen.frame, self._shot, index == self._start, last, self._transition, seen.preview)
        if begins:
            self._shot, self._start, self._transition = self._shot + 1, index + 1, begins
        return item

    def _next_begins(self, previous: _Seen, start: int) -> Transition:
        """Return how the oldest buffered frame begins a shot, if it does, given the one before it."""
        following = self.waiting[0]
        index = following.frame.index
        if index - start < _SHORTEST:
            return ""
        stretch = following.stretch or previous.stretch
        if stretch is not None and self._is_pause(stretch):
            # Its edges begin no shots of their own, however hard: one fade, one shot.
            return "fade" if stretch.after_picture and index == _middle(stretch) else ""
        if index not in self._changes or index <= self._flash_until or self._is_step():
            return ""
        return "" if self._is_flash(previous) else "cut"

    def _is_step(self) -> bool:
        """Return whether the oldest buffered frame is a step of a movement whose pictures are shown several times.

        Next to a repeated picture, any movement stands out as a cut does; but then it goes on, step by step.
        """
        steps, place = list(self._steps), len(self._steps) - len(self.waiting)
        before = steps[max(0, place - _SHORTEST + 1) : place]
        after = steps[place + 1 : place + _SHORTEST]
        repeated = _REPEATED * steps[place]
        if not before or not after or min(before[-2:]) > repeated or min(after[:2]) > repeated:
            return False
        ends = len(after) < _SHORTEST - 1  # with the film: there is no room for the next step
        return min(max(before), max(before if ends else after)) * self._standing_out > steps[place]

    def _is_pause(self, stretch: _Empty) -> bool:
        """Return whether a stretch separates two pictures, or ends or begins the film; a flash does not."""
        end = self.waiting[-1].frame.index + 1 if stretch.end is None else stretch.end
        return stretch.gradual or end - stretch.start >= min(_SHORTEST, _AHEAD)

    def _is_flash(self, previous: _Seen) -> bool:
        """Return whether the picture soon returns to what it was before the oldest buffered frame."""
        after = list(self.waiting)[:_SHORTEST]
        distances = [_distance(previous.preview, seen.preview) for seen in after]
        back = int(np.argmin(distances))
        # After a cut the picture stays different from the one before it; after a flash it is the same again.
        if distances[back] > 0.5 * distances[0]:
            return False
        self._flash_until = after[back].frame.index
        return True


def _is_empty(light: Image, mean: float) -> bool:
    """Return whether a picture, as its lightness `(h, w)`, is all black or all white, except black bars.

    Its mean tells of most pictures that they are not.
    """
    if mean < _MOST_BLACK:
        return bool(np.count_nonzero(light > _BLACK) <= _STRAY * light.size)
    # More than half of the rows are shown, so that as much of it is white, but for what may be astray.
    if mean < _LEAST_WHITE or np.count_nonzero(light >= _WHITE) < (1 - _STRAY) / 2 * light.size:
        return False
    rows = np.flatnonzero(light.max(axis=1) > _BLACK)
    shown = light[rows[0] + 2 : rows[-1] - 1]  # a bar's edge is blurred
    return bool(2 * len(shown) > len(light) and np.count_nonzero(shown < _WHITE) <= _STRAY * shown.size)


def _middle(stretch: _Empty) -> int | None:
    """Return the frame in which the next shot begins, None while the stretch is not over."""
    if stretch.end is None:
        return None
    return max((stretch.start + stretch.end) // 2, stretch.end - _AHEAD)


def _distance(first: Image, second: Image) -> float:
    return cv2.norm(first, second, cv2.NORM_L1) / first.size
