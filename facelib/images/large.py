"""Pictures with very many pixels: read smaller, so that they fit into memory."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image as PillowImage
from PIL import Jpeg2KImagePlugin, JpegImagePlugin, UnidentifiedImageError

from facelib.images.png import SIGNATURE, read_large_png

LARGEST_WHOLE = 100_000_000
"""Pixels of the largest picture that is read at its own size."""

_LARGEST_DECODED = 178_956_970  # pixels: Pillow's limit, 0.7 GB
_LARGEST_REDUCED = 1_000_000_000  # of a JPEG, JPEG 2000 or PNG, which are decoded at a part of their size
_MOST_COEFFICIENTS = 1_000_000_000  # bytes that are held of a progressive JPEG, whatever it is reduced to
_REDUCIBLE = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})


def check_size(width: int, height: int, most: int = _LARGEST_DECODED) -> None:
    """Check that a picture can be read within memory.

    Raises:
        OSError: When it has more than `most` pixels; the message says what to do.
    """
    if width * height > most:
        raise OSError(
            f"expected a picture of at most {most / 1e6:.0f} million pixels, got {width} x {height}; save it smaller"
        )


@contextmanager
def open_large(source: Path | io.BytesIO) -> Iterator[PillowImage.Image]:
    """Open a picture beyond Pillow's limit, of a format that is decoded at a part of its size.

    A PNG is decoded at once, and comes at that part of its size.

    Raises:
        OSError: When it is of another format, or too large for this one, too.
    """
    with open(source, "rb") if isinstance(source, Path) else source as file:
        if isinstance(source, Path) and file.read(8) == SIGNATURE:
            width, height = struct.unpack(">8x2I", file.read(16))
            check_size(width, height, most=_LARGEST_REDUCED)
            yield read_large_png(source, steps=_halvings(width, height), size=(width, height))
            return
        picture: Any = None
        for plugin in (JpegImagePlugin.JpegImageFile, Jpeg2KImagePlugin.Jpeg2KImageFile):
            file.seek(0)
            try:
                picture = plugin(file)
                break
            except (SyntaxError, UnidentifiedImageError, OSError):
                continue
        if picture is None:
            most = _LARGEST_DECODED / 1e6
            raise OSError(f"expected at most {most:.0f} million pixels in such a file; save it smaller, or as JPEG")
        check_size(picture.width, picture.height, most=_LARGEST_REDUCED)
        if picture.info.get("progressive") and _coefficients(picture) > _MOST_COEFFICIENTS:
            raise OSError(f"expected a smaller progressive JPEG, got {picture.width} x {picture.height}; save it again")
        yield picture


def shrink(picture: PillowImage.Image) -> PillowImage.Image:
    """Return an opened picture decoded: at its own size, or at half, a quarter or an eighth where it is too large."""
    steps = _halvings(picture.width, picture.height)
    if steps and picture.format in {"JPEG", "MPO"}:
        picture.draft(picture.mode, (picture.width >> steps, picture.height >> steps))
    elif steps and isinstance(picture, Jpeg2KImagePlugin.Jpeg2KImageFile):
        picture.reduce = steps
    elif steps:
        picture.load()
        return picture.reduce(1 << steps) if picture.mode in _REDUCIBLE else picture
    picture.load()
    return picture


def _halvings(width: int, height: int) -> int:
    """Return how many times the sides of a picture are to be halved so that it fits into memory."""
    steps = 0
    while width * height > LARGEST_WHOLE << 2 * steps:
        steps += 1
    return steps


def _coefficients(picture: Any) -> int:
    """Return how many bytes the coefficients of a JPEG have: two for each value of each channel."""
    factors = [(int(across), int(down)) for _, across, down, _ in picture.layer]
    whole = max(across for across, _ in factors) * max(down for _, down in factors)
    share = sum(across * down for across, down in factors) / whole
    return round(2 * share * int(picture.width) * int(picture.height))
