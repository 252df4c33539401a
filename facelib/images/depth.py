"""Pictures of more than 8 bits a channel, brought to 8 bits."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags
from PIL import Image as PillowImage

from facelib.faces import Image
from facelib.images.large import LARGEST_WHOLE, check_size

_BITS = (8, 10, 12, 14, 16, 24, 32)
_GREY_KINDS, _RGB = (0, 1), 2  # TIFF's photometric interpretations: white or black is zero; red, green and blue
_PLANES = 2  # of TIFF's planar configurations: one plane per channel
_SLAB = 256  # rows converted at one time
_CODESTREAM, _JPEG2000 = b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "
_JPEG2000_HEAD = 1 << 16  # bytes in which the codestream begins
_LZW = 5  # of TIFF's compressions
_silent = Lock()
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
DAMAGED = "its pixels are damaged: copy it again"


def from_integers(values: NDArray[Any]) -> Image:
    """Return grey `(h, w)` or RGB `(h, w, 3)` integers of any depth as `(h, w, 3)` uint8 RGB.

    Cameras store 10, 12 or 14 bits in 16: the largest value shows how many are used. Where there are values below 0,
    the lowest is black.
    """
    lowest = min(float(values.min(initial=0)), 0.0)
    top = max(float(values.max(initial=0)) - lowest, 1.0)
    bits = next((bits for bits in _BITS if top < 2.0**bits), _BITS[-1])
    return _to_bytes(values, scale=2.0**bits - 1, lowest=lowest)


def from_float(values: NDArray[Any]) -> Image:
    """Return grey or RGB floating-point numbers as uint8 RGB: up to 1 they are shares, else as integers."""
    top = max((float(slab.max(initial=0.0)) for slab in _slabs(values)), default=0.0)
    bits = next((bits for bits in _BITS if top < 2.0**bits), _BITS[-1])
    return _to_bytes(values, scale=1.0 if top <= 1.0 else 2.0**bits - 1)


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

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else Python shows users what it says of a file
    try:
        with tifffile.TiffFile(path) as opened:
            pages: Any = opened.pages
            if not len(pages):
                raise OSError("image file is truncated: copy it again")
            page = next((one for one in pages if not one.is_reduced), pages[0])
            kind, bits, planar = int(page.photometric), int(page.bitspersample), int(page.planarconfig) == _PLANES
            if bits <= 8 and not planar and (page.dtype is None or page.dtype.kind != "i"):
                return None
            if kind not in (*_GREY_KINDS, _RGB):
                raise OSError(f"expected a grey or RGB TIFF, got one of photometric interpretation {kind}, {bits} bits")
            check_size(int(page.imagewidth), int(page.imagelength))
            values = _read_page(path, page)
            orientation = page.tags.valueof(ExifTags.Base.Orientation, 1)
    except (ValueError, tifffile.TiffFileError) as error:  # also a compression that needs further packages
        raise OSError(f"expected a TIFF of a common kind: {error}") from error
    values = values[..., :3] if values.ndim == 3 and values.shape[-1] >= 3 else values.reshape(values.shape[:2])
    pixels = from_float(values) if values.dtype.kind == "f" else from_integers(values)
    picture = PillowImage.fromarray(255 - pixels if kind == 0 else pixels)
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    return picture


def read_deep_jpeg2000(path: Path) -> Image | None:
    """Return a JPEG 2000 picture of more than 8 bits for each of several colours as 8-bit RGB; None for any other file.

    Pillow rounds such values up beyond the largest, so that white becomes black.

    Raises:
        OSError: When it is too large or cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(_JPEG2000_HEAD)
    at = head.find(_CODESTREAM) + len(_CODESTREAM)
    if at < len(_CODESTREAM) or not head.startswith((_CODESTREAM, _JPEG2000)):
        return None
    right, bottom, left, top = struct.unpack(">4x4I", head[at : at + 20])
    colours = int.from_bytes(head[at + 36 : at + 38], "big")
    if colours < 3 or max(head[at + 38 : at + 38 + 3 * colours : 3], default=0) & 127 < 8:
        return None
    check_size(right - left, bottom - top, most=LARGEST_WHOLE)
    values = _decode(path)
    if values is None or values.ndim != 3:
        raise OSError("expected a JPEG 2000 picture in RGB; save it as JPEG")
    return from_integers(values[..., [2, 1, 0]])


def _read_page(path: Path, page: Any) -> NDArray[Any]:
    """Return the values of a page of a TIFF as `(h, w)` or `(h, w, channels)`."""
    try:
        values = np.asarray(page.asarray())
    except ValueError:
        # tifffile leaves LZW, a usual compression, to another package; OpenCV reads it, of the first page.
        stored = _decode(path) if page.index == 0 else None
        if stored is None and page.index == 0 and int(page.compression) == _LZW:
            raise OSError(f"it is of a kind that cannot be read, or {DAMAGED}, or save it as JPEG") from None
        if stored is None or stored.dtype != page.dtype:
            raise
        return stored[..., [2, 1, 0]] if stored.ndim == 3 else np.asarray(stored)
    planar = int(page.planarconfig) == _PLANES and values.ndim == 3
    return np.moveaxis(values, 0, -1) if planar else values


def _decode(path: Path) -> NDArray[Any] | None:
    """Return a picture as OpenCV reads it, without a word on the terminal; None where it cannot."""
    import cv2

    with _silent:  # one at a time, as the level is of the whole process
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
        finally:
            cv2.utils.logging.setLogLevel(level)


def _slabs(values: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    for begin in range(0, len(values), _SLAB):
        slab = values[begin : begin + _SLAB].astype(np.float64)
        yield np.nan_to_num(slab, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _to_bytes(values: NDArray[Any], *, scale: float, lowest: float = 0.0) -> Image:
    """Return values from `lowest` to `lowest + scale` as bytes; the picture's whole is never held as floats."""
    shares = (np.clip((slab - lowest) / scale, 0.0, 1.0) for slab in _slabs(values))
    rounded = np.concatenate([np.round(255 * share).astype(np.uint8) for share in shares])
    return np.ascontiguousarray(np.repeat(rounded[..., None], 3, axis=2) if rounded.ndim == 2 else rounded)
