"""Boxes moved from one picture to the next by optical flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facelib.faces import FloatArray, Image

Points = NDArray[np.float32]

_MOST_POINTS = 25  # of one face
_FEWEST_POINTS = 5  # of one face, to say where it went
_LARGEST_ERROR = 1.0  # pixels between a point and where it is brought back to
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)


@dataclass(slots=True, eq=False)
class Carried:
    """A box, and the points by which it is moved.

    Attributes:
        box: `(4,)` float32, left, top, right, bottom in pixels of the grey picture.
        points: `(n, 2)` float32 in it.
        lost: Whether it could not be followed; it then stays where it was.
    """

    box: FloatArray
    points: Points
    lost: bool = False


def seize(grey: Image, box: FloatArray) -> Carried:
    """Choose the points of a face that can be found again, in its middle: its border shows what lies behind.

    Args:
        grey: `(height, width)` uint8.
        box: Left, top, right, bottom in pixels of it.
    """
    left, top, right, bottom = (float(side) for side in box)
    width, height = right - left, bottom - top
    x0, y0 = max(0, int(left + 0.15 * width)), max(0, int(top + 0.15 * height))
    x1, y1 = int(np.ceil(right - 0.15 * width)), int(np.ceil(bottom - 0.05 * height))
    inside = grey[y0:y1, x0:x1]
    found = None
    if min(inside.shape, default=0) >= 4:
        found = cv2.goodFeaturesToTrack(inside, _MOST_POINTS, 0.01, max(2.0, width / 10))
    points = np.empty((0, 2)) if found is None else np.asarray(found).reshape(-1, 2) + np.array([x0, y0])
    return Carried(np.asarray(box, np.float32), points.astype(np.float32))


def carry(before: Image, after: Image, faces: list[Carried]) -> list[Carried]:
    """Carry boxes from one grey picture to a later one.

    The points of all boxes are followed there and back; of those that come back, the median way moves a box, and the
    median change of their distances sizes it. Sources: Lucas & Kanade (IJCAI 1981), as OpenCV's pyramids have it;
    Kalal et al., "Forward-backward error: automatic detection of tracking failures" (ICPR 2010).

    Args:
        before: `(height, width)` uint8.
        after: Another of the same size.
        faces: Boxes in `before`.

    Returns:
        The boxes in `after`, in the same order.
    """
    points = [face.points for face in faces if not face.lost]
    if not points or not sum(map(len, points)):
        return [Carried(face.box, face.points, lost=True) for face in faces]
    start = np.concatenate(points)[:, None]
    there, found = _trace(before, after, start)
    back, returned = _trace(after, before, there)
    near = np.abs(back - start).reshape(-1, 2).max(axis=1) <= _LARGEST_ERROR
    kept = near & found & returned
    moved: list[Carried] = []
    first = 0
    for face in faces:
        if face.lost:
            moved.append(face)
            continue
        rows = slice(first, first + len(face.points))
        first = rows.stop
        moved.append(_moved(face, there[rows, 0][kept[rows]], face.points[kept[rows]]))
    return moved


def _trace(before: Image, after: Image, points: Points) -> tuple[Points, NDArray[np.bool_]]:
    """Return where points `(n, 1, 2)` went, and for each whether it was found."""
    nowhere: Any = None  # OpenCV's way to say that there is no first guess
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, nowhere, winSize=(15, 15), maxLevel=3, criteria=_STOP
    )
    return np.asarray(there, np.float32), np.asarray(found).ravel() == 1


def _moved(face: Carried, now: Points, before: Points) -> Carried:
    if len(now) < _FEWEST_POINTS:
        return Carried(face.box, now, lost=True)
    grown = _growth(before, now)
    middle = (face.box[:2] + face.box[2:]) / 2
    # About the points' own middle, so that growing does not push the box aside.
    centre = np.median(before, axis=0)
    target = np.median(now, axis=0) + grown * (middle - centre)
    half = grown * (face.box[2:] - face.box[:2]) / 2
    return Carried(np.concatenate([target - half, target + half]).astype(np.float32), now)


def _growth(before: Points, now: Points) -> float:
    first, second = np.triu_indices(len(now), 1)
    apart = np.linalg.norm(before[first] - before[second], axis=1)
    far = apart > 3  # the shorter, the noisier
    if far.sum() < 3:
        return 1.0
    ratios = np.linalg.norm(now[first] - now[second], axis=1)[far] / apart[far]
    return float(np.clip(np.median(ratios), 0.8, 1.25))
