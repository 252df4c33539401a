"""Faces and frames: the two records that all other modules share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Image = NDArray[np.uint8]
"""A picture: `(height, width, 3)` uint8, colours in RGB order."""

FloatArray = NDArray[np.float32]

BOX = ["left", "top", "right", "bottom"]
"""The columns of a box in tables."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The faces of one picture, as parallel arrays; every array has the same length `n`.

    Coordinates are pixels of the picture, origin at the top left corner, x before y.

    Attributes:
        boxes: `(n, 4)` float32, left, top, right, bottom; right and bottom are exclusive.
        scores: `(n,)` float32, the detector's own score: larger is more certain; only comparable within one detector.
        landmarks: `(n, 5, 2)` float32: the eye on the left of the picture, the eye on the right,
            the tip of the nose, the left and the right corner of the mouth.

    Examples:
        >>> faces = Faces.of(boxes=[[10, 20, 50, 70]], scores=[0.9])
        >>> len(faces), float(faces.widths[0]), float(faces.heights[0])
        (1, 40.0, 50.0)
        >>> len(faces[faces.scores > 0.95])
        0
    """

    boxes: FloatArray
    scores: FloatArray
    landmarks: FloatArray

    def __post_init__(self) -> None:
        """Check that the three arrays agree.

        Raises:
            ValueError: When a shape is not the one documented above.
        """
        count = len(self.boxes)
        found = (self.boxes.shape, self.scores.shape, self.landmarks.shape)
        wanted = ((count, 4), (count,), (count, 5, 2))
        if found != wanted:
            raise ValueError(f"expected boxes, scores and landmarks of shapes {wanted}, got {found!r}")

    @classmethod
    def of(cls, boxes: ArrayLike, scores: ArrayLike | None = None, landmarks: ArrayLike | None = None) -> Self:
        """Make faces from anything array-like; missing scores become 1 and missing landmarks NaN."""
        box = np.asarray(boxes, np.float32).reshape(-1, 4)
        count = len(box)
        score = np.ones(count, np.float32) if scores is None else np.asarray(scores, np.float32).reshape(-1)
        if landmarks is None:
            points = np.full((count, 5, 2), np.nan, np.float32)
        else:
            points = np.asarray(landmarks, np.float32).reshape(-1, 5, 2)
        return cls(box, score, points)

    @classmethod
    def empty(cls) -> Self:
        """Return no faces at all."""
        return cls.of(np.empty((0, 4)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the faces of several, one after the other."""
        if not parts:
            return cls.empty()
        arrays = zip(*((one.boxes, one.scores, one.landmarks) for one in parts), strict=True)
        return cls(*(np.concatenate(array) for array in arrays))

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.boxes)

    def __getitem__(self, index: Any) -> Self:
        """Return some of the faces: `index` is a mask, an array of indices, a slice or one integer."""
        if isinstance(index, int | np.integer):
            index = [int(index)]
        return type(self)(self.boxes[index], self.scores[index], self.landmarks[index])

    @property
    def widths(self) -> FloatArray:
        """The widths of the boxes, in pixels."""
        return np.asarray(self.boxes[:, 2] - self.boxes[:, 0])

    @property
    def heights(self) -> FloatArray:
        """The heights of the boxes, in pixels."""
        return np.asarray(self.boxes[:, 3] - self.boxes[:, 1])

    def scaled(self, factor: float) -> Self:
        """Return the same faces in a picture whose sides are `factor` times as long."""
        return type(self)(self.boxes * np.float32(factor), self.scores, self.landmarks * np.float32(factor))


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a film.

    Attributes:
        image: `(height, width, 3)` uint8, RGB, upright.
        index: 0-based number in the order of presentation.
        time: Presentation time in seconds, where the film's first frame may be later than 0.
    """

    image: Image
    index: int
    time: float


def shared_area(first: ArrayLike, second: ArrayLike) -> NDArray[np.floating[Any]]:
    """Return the area that boxes share, `(..., 4)` each, broadcast against one another.

    Examples:
        >>> shared_area([0.0, 0.0, 2.0, 2.0], [[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0]]).tolist()
        [2.0, 0.0]
    """
    a, b = np.asarray(first), np.asarray(second)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(np.prod(np.clip(sides, 0, None), axis=-1))


def iou(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Return the intersection over union of every box of `first` with every box of `second`, `(m, n)` float32.

    Examples:
        >>> iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).round(3).tolist()
        [[0.3330000042915344, 0.0]]
    """
    a = np.asarray(first, np.float32).reshape(-1, 4)
    b = np.asarray(second, np.float32).reshape(-1, 4)
    return paired_iou(a[:, None], b)


def paired_iou(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Return the intersection over union of boxes, `(..., 4)` each, broadcast against one another, as float32."""
    a, b = np.asarray(first), np.asarray(second)
    overlap = shared_area(a, b)
    union = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1) - overlap
    return np.asarray(np.divide(overlap, union, out=np.zeros(union.shape, union.dtype), where=union > 0), np.float32)
