"""Whether a picture has colour: black and white, toned as in sepia, or in colour."""

from __future__ import annotations

import cv2
import numpy as np

from facelib.faces import FloatArray, Image

_SIZE = (32, 18)  # pixels that a picture is reduced to
_LEVELS = 10  # of lightness: a print's tone changes from its shadows to its lights
_COLOURLESS = 2.0  # CIE Lab units: sepia reaches 1.8, the palest film in colour of `benchmarks/RESULTS.md` has 3.0


def chroma_spread(lab: FloatArray) -> float:
    """Return how far the colours of a picture usually lie from those of its tone, CIE Lab units.

    The tone is the mean colour of each lightness: 0 in black and white, and nearly so in a toned print.

    Args:
        lab: `(..., 3)` float32, CIE Lab.
    """
    values = lab.reshape(-1, 3)
    level = np.clip(values[:, 0] * (_LEVELS / 100), 0, _LEVELS - 1).astype(np.intp)
    count = np.maximum(np.bincount(level, minlength=_LEVELS), 1)
    squares = 0.0
    for chroma in (values[:, 1], values[:, 2]):
        tone = np.bincount(level, chroma, _LEVELS) / count
        squares += float(np.mean((chroma - tone[level]) ** 2))
    return float(np.sqrt(squares))


def is_colourless(image: Image) -> bool:
    """Return whether a picture is in black and white or toned.

    Args:
        image: `(height, width, 3)` uint8, RGB or BGR.
    """
    small = cv2.resize(image, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32) / 255  # single pixels are noise
    return chroma_spread(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)) < _COLOURLESS
