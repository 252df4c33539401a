"""The faces of the last recognised picture, moved along to the newest one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from facelib.faces import Image, iou
from facelib.films.colour import LEAST_CUT, picture_change, tones
from facelib.live.flow import Carried, carry, seize
from facelib.live.frames import LiveFrame
from facelib.live.recognition import Recognized
from facelib.live.records import LiveFace
from facelib.project.names import UNKNOWN

_WIDTH = 320  # pixels of the picture in which faces are carried along, and cuts are seen
_PAST = 128  # pictures that are kept to carry faces through: four seconds and more
_MOST_STEPS = 8  # through them
_LINGER = 0.4  # seconds for which a face is shown on that was not found: detectors blink
_SAME = 0.4  # IoU from which it is one that was found


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A picture that has been shown; `scene` counts the cuts before it."""

    frame: LiveFrame
    scene: int


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """What is kept of a picture: a small grey copy, and how many pixels of the picture are one of it."""

    number: int
    scene: int
    grey: Image
    scale: np.float32


@dataclass(slots=True, eq=False)
class _Followed:
    """A face being carried along; `found` is when it last was found, in the session's time."""

    face: LiveFace
    carried: Carried
    found: float


class Following:
    """Shows faces in every picture while only some pictures are recognised; not for two threads at one time."""

    def __init__(self) -> None:
        self._past: deque[_Past] = deque(maxlen=_PAST)
        self._followed: dict[int, _Followed] = {}
        self._tones: Image | None = None  # of the last picture

    def advance(self, frame: LiveFrame) -> Seen:
        """Go to the next picture and move the faces to it; after a cut there are none."""
        small = frame.preview(_WIDTH)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
        last, cut = self._past[-1] if self._past else None, self._is_cut(small)
        scene = 0 if last is None else last.scene + cut
        now = _Past(frame.number, scene, grey, np.float32(frame.raw.width / grey.shape[1]))
        if last is not None and last.scene == scene:
            self._carry(self._followed, [last, now])
        else:
            self._past.clear()
            self._followed.clear()
        self._past.append(now)
        return Seen(frame, scene)

    def settle(self, found: Recognized) -> None:
        """Take what was recognised in an earlier picture, and carry it along to the newest."""
        if not self._past or found.scene != self._past[-1].scene:
            return
        since = [past for past in self._past if past.number >= found.frame.number] or [self._past[-1]]
        first = since[0]
        fresh = {
            face.track: _Followed(face, seize(first.grey, face.box / first.scale), found.frame.time)
            for face in found.faces
        }
        step = max(1, -(-len(since) // _MOST_STEPS))
        self._carry(fresh, [*since[:-1:step], since[-1]])
        self._followed = fresh | self._lingering(fresh, found.frame.time)

    @property
    def number(self) -> int:
        """Of the newest picture; -1 before the first."""
        return self._past[-1].number if self._past else -1

    def faces(self) -> tuple[LiveFace, ...]:
        """Return the faces in the newest picture, by the numbers of their tracks."""
        shown = (self._followed[track] for track in sorted(self._followed))
        return tuple(replace(one.face, box=one.carried.box * self._past[-1].scale) for one in shown)

    def _is_cut(self, small: Image) -> bool:
        before, self._tones = self._tones, tones(small)
        if before is None:
            return False
        resized = before.shape != self._tones.shape
        return resized or picture_change(before, self._tones).colour >= LEAST_CUT

    def _carry(self, followed: dict[int, _Followed], way: list[_Past]) -> None:
        faces = [one.carried for one in followed.values()]
        for before, after in pairwise(way):
            faces = carry(before.grey, after.grey, faces)
        for one, carried in zip(followed.values(), faces, strict=True):
            one.carried = carried

    def _lingering(self, fresh: dict[int, _Followed], time: float) -> dict[int, _Followed]:
        """Return the faces that were found a moment ago but not this time, and can still be followed."""
        boxes = [one.carried.box for one in fresh.values()]
        people = {one.face.person for one in fresh.values()} - {UNKNOWN}
        return {
            track: one
            for track, one in self._followed.items()
            if track not in fresh
            and time - one.found <= _LINGER
            and not one.carried.lost
            and one.face.person not in people
            and (not boxes or iou([one.carried.box], boxes).max() < _SAME)
        }
