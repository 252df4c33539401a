"""dlib's HOG detector, face_recognition's default."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import dlib
import numpy as np

from facelib.detect.base import Options, PictureDetector
from facelib.detect.cnn import corners, doublings
from facelib.detect.landmarks import LandmarkFinder
from facelib.faces import Faces, Image
from facelib.nets.runtime import Provider

WINDOW = 80  # side of the face the detector was trained for, in pixels


class HogDetector(PictureDetector):
    """Histograms of oriented gradients and a linear classifier (Dalal and Triggs 2005), as dlib trained them.

    The picture is doubled until the smallest face wanted fills the 80 pixel window: once for the usual 40 pixels,
    which gives the boxes of `face_recognition.face_locations(image)`. Finds upright faces seen from the front.
    """

    name = "hog"
    default_score = 0.0

    def __init__(self, options: Options, *, provider: Provider = "auto") -> None:
        super().__init__(options)
        self._landmarks = LandmarkFinder(provider=provider)

    def _find(self, image: Image, smallest_face: float) -> Faces:
        times = doublings(WINDOW / smallest_face, self._largest_enlargement(image))
        detector, one_at_a_time = _trained()
        with one_at_a_time:
            rectangles, scores, _ = detector.run(image, times, self.score)
        boxes = np.array([corners(rectangle) for rectangle in rectangles], np.float32).reshape(-1, 4)
        return Faces.of(boxes, np.array(scores, np.float32), self._landmarks.find(image, boxes))


@cache  # dlib unpacks it for most of a second
def _trained() -> tuple[Any, Lock]:
    return dlib.get_frontal_face_detector(), Lock()  # it keeps what it computes from a picture in itself
