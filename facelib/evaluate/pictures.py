"""The vectors of pictures that are each of one person."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.detect.portraits import find_portrait
from facelib.embed import Embedder
from facelib.faces import FloatArray, Image
from facelib.images import read_image


def embed_pictures(
    paths: Iterable[Path], detector: Detector, embedder: Embedder, *, mirrored: bool = False, progress: bool = True
) -> FloatArray:
    """Return the vector of each picture's main face, `(n, d)` float32; NaN where no face was found.

    Args:
        paths: Pictures that can be read.
        detector: Finds the faces.
        embedder: Embeds them.
        mirrored: Whether to take the mean of the vectors of the face and of its mirror image.
        progress: Show a bar.

    Raises:
        FileNotFoundError: When a picture is missing.
        facelib.images.UnreadablePicture: When a picture cannot be read.
    """
    asked = list(paths)
    vectors = np.full((len(asked), embedder.dimension), np.nan, np.float32)
    for row, path in enumerate(tqdm(asked, desc="Faces", unit="picture", leave=False, disable=not progress)):
        chip = cut_main_face(path, detector, embedder)
        if chip is not None:
            vectors[row] = embed_chip(chip, embedder, mirrored=mirrored)
    return vectors


def cut_main_face(path: Path, detector: Detector, embedder: Embedder) -> Image | None:
    """Return a picture's main face cut out as the network wants it, `(side, side, 3)` uint8; None where there is none.

    Raises:
        FileNotFoundError: When the picture is missing.
        facelib.images.UnreadablePicture: When it cannot be read.
    """
    portrait = find_portrait(read_image(path), detector)
    if not len(portrait.faces):
        return None
    return np.asarray(embedder.chips(portrait.image, portrait.main)[0], np.uint8)


def embed_chip(chip: Image, embedder: Embedder, *, mirrored: bool = False) -> FloatArray:
    """Return the vector of a face cut out, `(d,)` float32, or its mean with that of the mirror image."""
    both = np.stack([chip, chip[:, ::-1]] if mirrored else [chip])
    return np.asarray(embedder.embed_chips(both).mean(axis=0), np.float32)
