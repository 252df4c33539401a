"""Pictures: read from files, cut, measured and made small."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike
from PIL import Image as PillowImage
from PIL import ImageFile, ImageOps

from facelib.faces import Image

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"})


class UnreadablePicture(ValueError):
    """A file that was expected to be a picture and is not, or is broken."""


def read_image(path: str | Path) -> Image:
    """Read a picture as `(height, width, 3)` uint8 RGB, turned upright by its EXIF tag.

    Grey, palette, CMYK and 16-bit pictures are converted, transparency is laid on white,
    and of an animation the first picture is taken.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadablePicture: When the file is empty, truncated, no picture, or larger than
            Pillow's limit of about 179 million pixels.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a picture, found no file at {str(path)!r}")
    try:
        # Pillow warns of big pictures and odd tags; both are handled here.
        with warnings.catch_warnings(action="ignore"), whole_files_only(), PillowImage.open(path) as opened:
            opened.seek(0)
            return _to_rgb(ImageOps.exif_transpose(opened))
    except (OSError, SyntaxError, ValueError, EOFError, PillowImage.DecompressionBombError) as error:
        raise UnreadablePicture(f"expected a picture, could not read {str(path)!r}: {error}") from error


@contextmanager
def whole_files_only() -> Iterator[None]:
    """Make Pillow refuse truncated files while the block runs."""
    # face_recognition, once imported, makes Pillow fill what a truncated file lacks with grey, process-wide.
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _to_rgb(picture: PillowImage.Image) -> Image:
    if picture.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel, grey: stretch what is there to 8 bits
        values = np.asarray(picture, np.float32)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        grey = np.clip(values * (255.0 / top), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        coloured = picture.convert("RGBA")
        white = PillowImage.new("RGBA", coloured.size, "white")
        picture = PillowImage.alpha_composite(white, coloured)
    return np.asarray(picture.convert("RGB"), np.uint8)


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

    About 50 and less looks blurred, 300 and more crisp. Bringing every face to one size first makes
    faces of different sizes comparable. Source: Pech-Pacheco et al., "Diatom autofocusing in
    brightfield microscopy" (ICPR 2000).
    """
    face = crop(image, box, margin=0.0)
    if face.size == 0:
        return 0.0
    grey = cv2.cvtColor(cv2.resize(face, (96, 96), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
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


def data_uri(image: Image, *, quality: int = 85) -> str:
    """Return an RGB picture as a `data:` address, to stand in a page without a file beside it."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(image, quality=quality)).decode("ascii")
