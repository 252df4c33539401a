"""OpenCV's Haar cascade: old, quick on a weak machine, and with many false faces."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from facelib.detect.base import Options, PictureDetector, resized
from facelib.detect.landmarks import LandmarkFinder
from facelib.faces import Faces, Image
from facelib.nets.runtime import Provider

_WINDOW = 24  # side of the cascade's own window, in pixels
CASCADE = "haarcascade_frontalface_default.xml"


class HaarDetector(PictureDetector):
    """A cascade of Haar features (Viola and Jones 2001), with the cascade that OpenCV brings.

    Its score is the certainty of the cascade's last stage: about 0 for a chance hit to 5 or more for a clear face.

    Raises:
        RuntimeError: When the installed OpenCV has no cascades: version 5 dropped them.
    """

    name = "haar"
    default_score = 0.0

    def __init__(self, options: Options, *, provider: Provider = "auto") -> None:
        super().__init__(options)
        _cascade()
        self._landmarks = LandmarkFinder(provider=provider)

    def _find(self, image: Image, smallest_face: float) -> Faces:
        picture = resized(image, self._enlargement(image, max(1.0, _WINDOW / smallest_face)))
        factor = picture.shape[1] / image.shape[1]
        side = max(1, round(self.tolerance * smallest_face * factor))
        if side > min(picture.shape[:2]):
            return Faces.empty()
        cascade, one_at_a_time = _cascade()
        with one_at_a_time:
            found, _, weights = cascade.detectMultiScale3(
                cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY),
                scaleFactor=1.1,
                minNeighbors=4,
                minSize=(side, side),
                outputRejectLevels=True,
            )
        sides = np.asarray(found, np.float32).reshape(-1, 4)
        boxes = np.column_stack([sides[:, :2], sides[:, :2] + sides[:, 2:]]) / np.float32(factor)
        faces = Faces.of(boxes, np.asarray(weights, np.float32))
        faces = faces[faces.scores > self.score]
        return Faces(faces.boxes, faces.scores, self._landmarks.find(image, faces.boxes))


@cache
def _cascade() -> tuple[cv2.CascadeClassifier, Lock]:
    if not hasattr(cv2, "CascadeClassifier"):
        raise RuntimeError(
            f"expected an OpenCV with Haar cascades, got version {cv2.__version__!r};"
            " install opencv-python below 5, or choose another detector"
        )
    path = Path(cv2.__file__).parent / "data" / CASCADE
    cascade = cv2.CascadeClassifier(str(path))
    if cascade.empty():
        raise RuntimeError(f"expected OpenCV's cascade at {str(path)!r}, could not read it; reinstall opencv-python")
    return cascade, Lock()  # it keeps what it computes from a picture in itself
