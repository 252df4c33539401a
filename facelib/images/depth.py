"""Pictures of more than 8 bits a channel, brought to 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from facelib.faces import Image

_BITS = (8, 10, 12, 14, 16, 24, 32)
_GREY_KINDS, _RGB = (0, 1), 2  # TIFF's photometric interpretations: white or black is zero; red, green and blue
_PLANES = 2  # of TIFF's planar configurations: one plane a channel
_ORIENTATION = 274
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def from_integers(values: NDArray[Any]) -> Image:
    """Return grey `(h, w)` or RGB `(h, w, 3)` integers of any depth as `(h, w, 3)` uint8 RGB.

    Cameras store 10, 12 or 14 bits in 16: the largest value tells how many are used.
    """
    top = max(float(values.max(initial=0)), 1.0)
    bits = next((bits for bits in _BITS if top < 2.0**bits), _BITS[-1])
    return _to_bytes(np.clip(values.astype(np.float64), 0, None) / (2.0**bits - 1))


def from_float(values: NDArray[Any]) -> Image:
    """Return grey or RGB floating-point numbers as uint8 RGB: up to 1 they are shares, else as integers."""
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if finite.max(initial=0.0) <= 1.0:
        return _to_bytes(np.clip(finite, 0.0, 1.0))
    return from_integers(finite)


def read_deep_tiff(path: Path) -> PillowImage.Image | None:
    """Return a TIFF that Pillow would not read, or read wrong, as an 8-bit RGB picture; None for any other file.

    Pillow garbles planes of 16 bits, does not invert deep pictures in which white is zero, and knows no RGB of
    floating-point numbers.

    Raises:
        OSError: When it is of a kind that cannot be read right: the message names it.
    """
    with open(path, "rb") as file:
        if file.read(4) not in TIFF:
            return None
    import tifffile

    try:
        with tifffile.TiffFile(path) as opened:
            page: Any = opened.pages[0]
            kind, bits, planar = int(page.photometric), int(page.bitspersample), int(page.planarconfig) == _PLANES
            if bits <= 8 and not planar:
                return None
            if kind not in (*_GREY_KINDS, _RGB):
                raise OSError(f"expected a grey or RGB TIFF, got one of photometric interpretation {kind}, {bits} bits")
            values = np.asarray(page.asarray())
            orientation = page.tags.valueof(_ORIENTATION, 1)
    except (ValueError, tifffile.TiffFileError) as error:  # also a compression that needs further packages
        raise OSError(f"expected a TIFF of a common kind: {error}") from error
    if planar and values.ndim == 3:
        values = np.moveaxis(values, 0, -1)
    values = values[..., :3] if values.ndim == 3 and values.shape[-1] >= 3 else values.reshape(values.shape[:2])
    pixels = from_float(values) if values.dtype.kind == "f" else from_integers(values)
    picture = PillowImage.fromarray(255 - pixels if kind == 0 else pixels)
    picture.getexif()[_ORIENTATION] = orientation
    return picture


def _to_bytes(shares: NDArray[np.float64]) -> Image:
    rounded = np.round(255 * shares).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(rounded[..., None], 3, axis=2) if rounded.ndim == 2 else rounded)
