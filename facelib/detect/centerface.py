"""CenterFace in ONNX Runtime: a face is found as its centre point, in one pass over the picture."""

from __future__ import annotations

import numpy as np

from facelib.detect.base import Options, PictureDetector, padded, planar, resized, stretched, suppress
from facelib.faces import Faces, FloatArray, Image
from facelib.nets import centerface as centerface_weights
from facelib.nets.runtime import Provider, open_network

CELL = 4  # pixels of the network's picture for one cell of its answer
_WINDOW = 16.0  # pixels: the smallest face it finds well


class CenterFaceDetector(PictureDetector):
    """One network, one pass (Xu et al. 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point").

    The picture is made smaller until the smallest face wanted is as small as the network sees well.
    """

    name = "centerface"
    default_score = 0.5
    regional = True

    def __init__(self, options: Options, *, provider: Provider = "auto") -> None:
        super().__init__(options)
        self._network = open_network(centerface_weights.network_file(), provider=provider)

    def _find(self, image: Image, smallest_face: float) -> Faces:
        picture = resized(image, self._enlargement(image, _WINDOW / smallest_face))
        outputs = self._network.run(planar(padded(picture)))
        return stretched(self._decode(outputs), picture.shape, image.shape)

    def _decode(self, outputs: list[FloatArray]) -> Faces:
        """Return the faces, in pixels of the network's picture."""
        middles, sizes, places, points = (output[0] for output in outputs)
        rows, columns = np.nonzero(middles[0] > self.score)
        if not len(rows):
            return Faces.empty()
        at = (slice(None), rows, columns)
        size = CELL * np.exp(sizes[at])[::-1].T  # width, height
        middle = CELL * (np.column_stack([columns, rows]) + places[at][::-1].T + 0.5)
        corner = middle - size / 2
        five = points[at].T.reshape(-1, 5, 2)[:, :, ::-1] * size[:, None] + corner[:, None]
        faces = Faces.of(np.hstack([corner, corner + size]), middles[0][rows, columns], five)
        return faces[suppress(faces.boxes, faces.scores, overlap=0.3)]
