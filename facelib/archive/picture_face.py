"""The face of a picture, embedded as the faces of a project's films are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facelib.detect import Detector, load_detector
from facelib.detect.portraits import find_portrait
from facelib.embed import Embedder, load_embedder
from facelib.faces import Image
from facelib.images import read_image
from facelib.project import Project
from facelib.recognize import read_recognizer_info


def embed_face(
    project: Project,
    picture: str | Path,
    *,
    detector: Detector | None = None,
    embedder: Embedder | str = "",
) -> tuple[NDArray[np.float32], str]:
    """Embed the largest face of a picture by the network that the project's recognizer was fitted with.

    A picture that lies on its side, or is upside down, is turned, as those of the cast are.

    Args:
        project: Its recognizer says which network.
        picture: Any picture that `facelib.images.read_image` reads.
        detector: Finds the face; None takes CenterFace.
        embedder: The network, or the path of its ONNX file; empty finds it by the name that the recognizer has kept.

    Returns:
        The embedding, `(dimension,)`, and the SHA-256 of the network's weights: the arguments of `find_face`.

    Raises:
        FileNotFoundError: When the picture is not there, or the project has no recognizer.
        ValueError: When the picture shows no face, or none upright, or cannot be read.
    """
    image = read_image(picture)
    if isinstance(embedder, str):
        embedder = load_embedder(embedder or read_recognizer_info(project.recognizer).embedder)
    return embed_largest(image, detector or load_detector(), embedder, name=str(picture)), embedder.sha256


def embed_largest(image: Image, detector: Detector, embedder: Embedder, *, name: str) -> NDArray[np.float32]:
    """Embed the largest face of a picture, `(height, width, 3)` uint8 RGB, after turning it where it lies on its side.

    Raises:
        ValueError: When the picture shows no face, or none upright.
    """
    portrait = find_portrait(image, detector)
    faces = portrait.faces
    if not len(faces):
        raise ValueError(f"expected a picture with a face, found none in {name!r}; cut it closer to the face")
    if not portrait.upright:
        raise ValueError(f"expected a face that stands upright, it lies sideways in {name!r}; turn the picture")
    vectors = embedder.embed(portrait.image, faces[[int(np.argmax(faces.widths * faces.heights))]])
    return np.asarray(vectors[0], np.float32)
