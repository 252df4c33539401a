"""Pictures cut, measured, made small and encoded."""

from __future__ import annotations

import base64
import io

import cv2
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image as PillowImage

from facelib.faces import Image


def crop(image: Image, box: ArrayLike, *, margin: float = 0.2) -> Image:
    """Cut one face out of an RGB picture as a new array; what lies outside the picture is left away.

    Args:
        image: `(height, width, 3)` uint8.
        box: Left, top, right, bottom in pixels.
        margin: A fraction of the box's longer side, added on each side.
    """
    left, top, right, bottom = np.asarray(box, float)
    extra = margin * max(right - left, bottom - top)
    x0, y0 = max(0, int(left - extra)), max(0, int(top - extra))
    x1, y1 = max(x0 + 1, int(np.ceil(right + extra))), max(y0 + 1, int(np.ceil(bottom + extra)))
    return np.ascontiguousarray(image[y0:y1, x0:x1])


def sharpness(image: Image, box: ArrayLike) -> float:
    """Return how sharp a face is: the variance of the Laplacian over the face brought to 96x96 grey pixels.

    About 50 and less looks blurred, 300 and more crisp. Bringing every face to one size first makes faces of different
    sizes comparable. Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy" (ICPR 2000).

    Args:
        image: `(height, width, 3)` uint8 RGB, or `(height, width)` grey.
        box: Left, top, right, bottom in pixels.
    """
    face = crop(image, box, margin=0.0)
    if face.size == 0:
        return 0.0
    small = cv2.resize(face, (96, 96), interpolation=cv2.INTER_AREA)
    grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def thumbnail(image: Image, *, size: int = 96) -> Image:
    """Return the picture made to fit a square of `size` pixels, its proportions kept, never enlarged."""
    factor = min(1.0, size / max(image.shape[:2]))
    width, height = (max(1, round(side * factor)) for side in (image.shape[1], image.shape[0]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def encode_jpeg(image: Image, *, quality: int = 85) -> bytes:
    """Return an RGB picture as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def jpeg_uri(jpeg: bytes) -> str:
    """Return the bytes of a JPEG as a `data:` address, to stand in a page without a file beside it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
