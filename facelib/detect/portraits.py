"""Faces in portraits: pictures of any size, kept for the sake of one person."""

from __future__ import annotations

import cv2
import numpy as np

from facelib.detect.base import Detector
from facelib.faces import Faces, Image


def find_faces(image: Image, detector: Detector, *, working_size: int = 1000) -> Faces:
    """Return the faces of a portrait of any size, in pixels of the picture.

    The person that a picture is kept for is seldom small in it, so a copy whose longer side is at most
    `working_size` pixels is searched, which also passes over many a bystander; when it shows no face,
    one of twice its size is.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        detector: Its smallest face is in pixels of the copy.
        working_size: Longer side in pixels. Raising it finds more and smaller faces, and takes longer.
    """
    factor = min(1.0, working_size / max(image.shape[:2]))
    found = Faces.empty()
    for scale in (factor, 2 * factor):
        found = detector.detect(_resized(image, scale)).scaled(1 / scale)
        if len(found):
            break
    return found


def main_face(faces: Faces, *, width: int, height: int) -> int:
    """Return which face a picture is about: a large one in the middle before a larger one at the border.

    Its area less twice the squared distance of its centre from the picture's, as FaceNet's alignment chooses.

    Args:
        faces: At least one.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Raises:
        ValueError: When there is no face.
    """
    if not len(faces):
        raise ValueError("expected at least one face to choose from, got none")
    centre = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    away = ((centre - np.array([width, height], np.float32) / 2) ** 2).sum(axis=1)
    return int((faces.widths * faces.heights - 2 * away).argmax())


def _resized(image: Image, factor: float) -> Image:
    if factor == 1:
        return image
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
