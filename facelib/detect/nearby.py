"""Search parts of a picture: around faces seen in the pictures before and after it."""

from __future__ import annotations

import math

import numpy as np

from facelib.detect.base import STRIDE, PictureDetector, suppress
from facelib.faces import Faces, FloatArray, Image

_AROUND = 0.5  # of a face's longer side, on each side of it: how far it may have moved
_WORTH = 0.7  # of the picture's pixels: where the parts have more, the whole is searched
_EDGE = 1.0  # pixels: a box nearer to a part's edge may be of a face that it cuts
_OVERLAP = 0.3

_Part = tuple[int, int, int, int]  # left, top, right, bottom


def detect_near(detector: PictureDetector, image: Image, boxes: FloatArray) -> Faces:
    """Return the faces around some boxes; those of the whole picture where searching it takes no longer.

    Args:
        detector: Must be `regional`.
        image: `(height, width, 3)` uint8 RGB, not larger than the detector's working size.
        boxes: `(n, 4)`, left, top, right, bottom, pixels of `image`: where faces are expected.

    Returns:
        Faces in pixels of `image`, most certain first.
    """
    parts = list(dict.fromkeys(_part(box, *image.shape[:2]) for box in boxes.tolist()))
    pixels = sum((right - left) * (bottom - top) for left, top, right, bottom in parts)
    if pixels > _WORTH * image.shape[0] * image.shape[1]:
        return detector.detect(image)
    faces = Faces.joined([_detect_in(detector, image, part) for part in parts])
    return faces[suppress(faces.boxes, faces.scores, overlap=_OVERLAP)]


def _part(box: list[float], height: int, width: int) -> _Part:
    """Return the rectangle around a box, its edges on the network's steps: it then sees what it sees in the whole."""
    half = (0.5 + _AROUND) * max(box[2] - box[0], box[3] - box[1])
    left, right = _on_steps((box[0] + box[2]) / 2, half, width)
    top, bottom = _on_steps((box[1] + box[3]) / 2, half, height)
    return left, top, right, bottom


def _on_steps(middle: float, half: float, most: int) -> tuple[int, int]:
    low, high = math.floor((middle - half) / STRIDE) * STRIDE, math.ceil((middle + half) / STRIDE) * STRIDE
    return max(0, low), min(most, high)


def _detect_in(detector: PictureDetector, image: Image, part: _Part) -> Faces:
    left, top, right, bottom = part
    size = detector.options.working_size
    if size is not None:  # the part is enlarged no further than the whole is
        size = math.ceil(size * max(right - left, bottom - top) / max(image.shape[:2]))
    faces = detector.with_options(working_size=size).detect(image[top:bottom, left:right])
    shift = np.array([left, top], np.float32)
    boxes = faces.boxes + np.tile(shift, 2)
    borders = (0, 0, image.shape[1], image.shape[0])
    inner = np.array([edge != border for edge, border in zip(part, borders, strict=True)])
    cut = (inner & (np.abs(boxes - np.array(part)) < _EDGE)).any(axis=1)
    return Faces(boxes, faces.scores, faces.landmarks + shift)[~cut]
