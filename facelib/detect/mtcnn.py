"""MTCNN in ONNX Runtime, with the weights of the mtcnn package, which itself would need TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from facelib.detect.base import Options, PictureDetector, planar, resized, suppress
from facelib.detect.landmarks import run_onet, run_patches, squared
from facelib.faces import Faces, FloatArray, Image
from facelib.nets import mtcnn as mtcnn_weights
from facelib.nets.runtime import Provider, open_network

CELL, STRIDE = 12, 2  # the first network's window and step, in pixels of a pyramid level
RNET_SIZE = 24
_PROPOSED, _REFINED = 0.6, 0.7  # thresholds of the first and the second network; raising them is faster and misses more
PYRAMID_STEP = 0.709  # about the root of one half: each level has half the pixels


class MtcnnDetector(PictureDetector):
    """Three networks, each stricter than the one before (Zhang et al. 2016, "Joint Face Detection and Alignment").

    The first looks at a pyramid of pictures, the second and third at what it proposes; the third also gives the
    landmarks. `score` is the third network's threshold.
    """

    name = "mtcnn"
    default_score = 0.8

    def __init__(self, options: Options, *, provider: Provider = "auto") -> None:
        super().__init__(options)
        self._pnet, self._rnet, self._onet = (
            open_network(path, provider=provider) for path in mtcnn_weights.networks()
        )

    def _find(self, image: Image, smallest_face: float) -> Faces:
        squares = self._refined(image, self._proposed(image, smallest_face))
        if not len(squares):
            return Faces.empty()
        offsets, landmarks, scores = run_onet(self._onet, image, squares)
        faces = Faces(moved(squares, offsets), scores, landmarks)
        faces = faces[faces.scores > self.score]
        return faces[suppress(faces.boxes, faces.scores, overlap=0.7, of="smaller")]

    def _proposed(self, image: Image, smallest_face: float) -> FloatArray:
        """Return the squares that the first network proposes."""
        boxes, scores = [np.empty((0, 4), np.float32)], [np.empty(0, np.float32)]
        for level in levels(image, self._enlargement(image, CELL / smallest_face)):
            offsets, chances = self._pnet.run(planar(level))
            rows, columns = np.nonzero(chances[0] > _PROPOSED)
            cells = np.column_stack([columns, rows, columns, rows]) * STRIDE + np.array([0, 0, CELL, CELL])
            score = chances[0, rows, columns]
            cells = cells.astype(np.float32)
            best = suppress(cells, score, overlap=0.5)
            back = np.array([image.shape[1] / level.shape[1], image.shape[0] / level.shape[0]] * 2, np.float32)
            boxes.append(moved(cells[best], offsets[0][:, rows[best], columns[best]].T) * back)
            scores.append(score[best])
        box, score = np.concatenate(boxes), np.concatenate(scores)
        return squared(box[suppress(box, score, overlap=0.7)])

    def _refined(self, image: Image, squares: FloatArray) -> FloatArray:
        """Return the squares that the second network keeps, put in their place."""
        if not len(squares):
            return squares
        offsets, scores = run_patches(self._rnet, image, squares, RNET_SIZE)
        kept = scores > _REFINED
        box, score = moved(squares[kept], offsets[kept]), scores[kept]
        return squared(box[suppress(box, score, overlap=0.7)])


def levels(image: Image, factor: float) -> Iterator[Image]:
    """Yield ever smaller pictures, the first with sides `factor` times as long, as long as the window fits."""
    while min(image.shape[:2]) * factor >= CELL:
        yield resized(image, factor)
        factor *= PYRAMID_STEP


def moved(boxes: FloatArray, offsets: FloatArray) -> FloatArray:
    """Return boxes with each edge moved by its offset, given in sides of the box."""
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return (boxes + offsets * sides).astype(np.float32)
