"""face_recognition's CNN detector: dlib's network in ONNX Runtime, or dlib itself as the reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from facelib.detect.base import Options, PictureDetector, planar, resized, suppress
from facelib.detect.landmarks import LandmarkFinder
from facelib.faces import Faces, FloatArray, Image
from facelib.nets import dlib as dlib_weights
from facelib.nets.runtime import Provider, open_network
from facelib.project.kept import kept_by_file

WINDOW = 80  # side of the face the network was trained for, in pixels
STRIDE, OFFSET = 8, 14
BORDER, GAP = 11, 10  # black pixels about dlib's pyramid, and between its levels, which it lays below each other
_OVERLAP = 0.3383  # dlib's own, as stored in its weights file
SMALLEST_LEVEL = 40  # below this a face could no longer lie half inside the picture
BAND_PIXELS = 4_000_000  # a picture is worked through in bands of about this size, so that memory stays bounded
REACH = 12  # how many rows of scores the zero padding at the edge of a band spoils


class CnnDetector(PictureDetector):
    """dlib's max-margin CNN (King 2015, "Max-Margin Object Detection") over a 5/6 pyramid.

    The network sees faces of 80 pixels, so the picture is scaled until the smallest face wanted has that size:
    halving `smallest_face` takes four times as long.
    """

    name = "cnn"
    default_score = 0.0

    def __init__(self, options: Options, *, provider: Provider = "auto") -> None:
        super().__init__(options)
        self._network = open_network(dlib_weights.detection_network(), provider=provider)
        self._landmarks = LandmarkFinder(provider=provider)

    def _find(self, image: Image, smallest_face: float) -> Faces:
        picture = resized(image, self._enlargement(image, WINDOW / smallest_face))
        boxes, scores = [np.empty((0, 4), np.float32)], [np.empty(0, np.float32)]
        place = 0
        for level in pyramid(picture):
            # the network steps over 8 pixels: with dlib's own rows under its steps, the same place scores best
            top = BORDER + place % STRIDE
            place += level.shape[0] + GAP
            rows, columns, found = self._above(level, top)
            middle = np.column_stack([columns, rows]) * STRIDE + np.array([OFFSET - BORDER, OFFSET - top])
            # dlib's boxes name the last pixel inside, as face_recognition returns them
            corners = np.hstack([middle - WINDOW // 2 + 1, middle + WINDOW // 2])
            back = np.array([image.shape[1] / level.shape[1], image.shape[0] / level.shape[0]])
            boxes.append((corners * np.tile(back, 2)).astype(np.float32))
            scores.append(found)
        box, score = np.concatenate(boxes), np.concatenate(scores)
        best = suppress(box, score, overlap=_OVERLAP)
        return Faces.of(box[best], score[best], self._landmarks.find(image, box[best]))

    def _above(self, level: Image, top: int) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
        """Return the rows, columns and values of the scores of one bordered pyramid level that are high enough."""
        found: list[tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]] = []
        for first, lower, upper, band in bands(bordered(level, top)):
            scores = self._network.run(planar(band))[0][0, 0, lower:upper]
            rows, columns = np.nonzero(scores > self.score)
            found.append((rows + first + lower, columns, scores[rows, columns]))
        rows, columns, values = (np.concatenate(part) for part in zip(*found, strict=True))
        return rows, columns, values


class DlibCnnDetector(PictureDetector):
    """The same detector run by dlib, with dlib's own upsampling: `face_recognition`'s `model="cnn"`."""

    name = "cnn"
    default_score = 0.0

    def __init__(self, options: Options, *, provider: Provider = "auto") -> None:
        super().__init__(options)
        self._path = dlib_weights.weights_file("mmod_human_face_detector.dat")
        _open_model(self._path)
        self._landmarks = LandmarkFinder(provider=provider)

    def _find(self, image: Image, smallest_face: float) -> Faces:
        found = _open_model(self._path)(image, doublings(WINDOW / smallest_face, self._largest_enlargement(image)))
        boxes = np.array([corners(face.rect) for face in found], np.float32).reshape(-1, 4)
        scores = np.array([face.confidence for face in found], np.float32)
        faces = Faces.of(boxes, scores, self._landmarks.find(image, boxes))
        return faces[faces.scores > self.score]


@kept_by_file(most=1)
def _open_model(path: Path) -> Any:
    return dlib.cnn_face_detection_model_v1(str(path))


def doublings(wanted: float, allowed: float) -> int:
    """Return how often dlib doubles a picture: until its sides are `wanted` times as long, if that is `allowed`."""
    times = int(np.ceil(np.log2(max(1.0, wanted))))
    return times if np.isinf(allowed) else min(times, int(np.floor(np.log2(max(1.0, allowed)))))


def corners(rectangle: Any) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a dlib rectangle."""
    return rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()


def pyramid(image: Image) -> Iterator[Image]:
    """Yield the picture and then ever smaller ones, each 5/6 as large as the one before, as dlib makes them."""
    while min(image.shape[:2]) >= SMALLEST_LEVEL:
        yield image
        height, width = image.shape[0] * 5 // 6, image.shape[1] * 5 // 6
        # dlib lays the corners' pixels on each other; cv2.resize would shift the samples by up to half a pixel, enough
        # to make another place the best one
        steps = (image.shape[1] - 1) / (width - 1), (image.shape[0] - 1) / (height - 1)
        corner_to_corner = np.array([[steps[0], 0, 0], [0, steps[1], 0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        image = np.asarray(cv2.warpAffine(image, corner_to_corner, (width, height), flags=flags), np.uint8)


def bordered(level: Image, top: int = BORDER) -> Image:
    """Return a picture with the black border that dlib puts about it, so that faces at its edge are found."""
    framed = cv2.copyMakeBorder(level, top, BORDER, BORDER, BORDER, cv2.BORDER_CONSTANT)
    return np.asarray(framed, np.uint8)


def bands(picture: Image) -> Iterator[tuple[int, int, int, Image]]:
    """Cut a large picture into overlapping bands; a small one is one band.

    Yields:
        The number of the score row that the band's scores start with, the first and the last (exclusive) row of
        the band's scores that hold, and the band.
    """
    height, width = picture.shape[:2]
    rows = max(4 * REACH, BAND_PIXELS // width // STRIDE)
    if height <= (rows + 2 * REACH) * STRIDE:
        yield 0, 0, height, picture
        return
    for start in range(0, height // STRIDE, rows):
        first = max(0, start - REACH)
        last = start + rows + REACH
        # the last row of scores needs 29 pixels; a band that ends with the picture takes all that is left
        end = height if (last + REACH) * STRIDE >= height else last * STRIDE + 29 - STRIDE
        yield first, start - first, (height if end == height else start + rows) - first, picture[first * STRIDE : end]
        if end == height:
            return
