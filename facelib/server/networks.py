"""The networks that look at uploaded pictures, loaded when they are first needed, one picture at a time."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facelib.faces import Faces, Image
from facelib.server.problems import Problem

if TYPE_CHECKING:
    from facelib.detect import Detector
    from facelib.embed import Embedder


class Networks:
    """One detector and the embedders that projects use; one for each server."""

    def __init__(self) -> None:
        self._detector: Detector | None = None
        self._embedders: dict[str, Embedder] = {}
        self._lock = Lock()

    def look_at(
        self, image: Image, embedder: str, weights: str, *, portrait: bool = False
    ) -> tuple[Faces, NDArray[np.float32]]:
        """Return the faces of a picture, and their embeddings by the network that a recognizer was fitted with.

        Args:
            image: RGB.
            embedder: The network's name.
            weights: SHA-256 of the weights that it must have.
            portrait: Turn a picture whose main face lies sideways; the boxes are those of the picture as it is turned.

        Raises:
            Problem: 409 when the network here has other weights.
        """
        from facelib.detect import load_detector
        from facelib.detect.portraits import find_portrait
        from facelib.embed import load_embedder

        with self._lock:
            if self._detector is None:
                self._detector = load_detector()
            if embedder not in self._embedders:
                self._embedders[embedder] = load_embedder(embedder)
            network = self._embedders[embedder]
            if network.sha256 != weights:
                raise Problem(409, f"expected the weights of {embedder!r} that the recognizer has; train it again")
            if portrait:
                found = find_portrait(image, self._detector)
                image, faces = found.image, found.faces
            else:
                faces = self._detector.detect(image)
            if not len(faces):
                return faces, np.empty((0, 0), np.float32)
            return faces, np.asarray(network.embed(image, faces), np.float32)
