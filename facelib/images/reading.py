"""Pictures read from files: recognised by content, whole, upright, 8-bit RGB."""

from __future__ import annotations

import ctypes
import io
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageFile, ImageOps, UnidentifiedImageError, _imaging

from facelib.faces import Image
from facelib.images.depth import DAMAGED, TIFF, from_float, from_integers, read_deep_jpeg2000, read_deep_tiff
from facelib.images.large import open_large, shrink
from facelib.images.png import SIGNATURE, on_white, without_metadata

_SUBFILE = 254  # TIFF's tag of what a page is; the first bit stands for one made smaller
_SUBFILES = 330  # TIFF's tag of pages that belong to a page
_MISSING_ROWS = 1 / 16  # of a JPEG that ends early: what may be missing at its bottom
_FORMATS = (
    *("AVIF", "BMP", "DIB", "DDS", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PNG", "PPM", "PSD", "QOI", "SGI"),
    *("SUN", "TIFF", "WEBP", "XPM"),
)
"""What Pillow may open: not what starts other programs, such as EPS, nor what any bytes may be."""
_BY_SUFFIX = {".tga": "TGA", ".pcx": "PCX"}
"""Formats whose first bytes may be anything: only files that are called so are opened as such."""

_OTHER_KINDS = {
    b"\xff\x0a": "a JPEG XL picture", b"\0\0\0\x0cJXL \r\n\x87\n": "a JPEG XL picture", b"%PDF": "a PDF document",
    b"%!PS": "a PostScript drawing", b"<svg": "an SVG drawing",
}  # fmt: skip
_RAW = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw",
        ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".sr2", ".srf", ".srw", ".x3f",
    }
)  # fmt: skip


class UnreadablePicture(ValueError):
    """A file that was expected to be a picture and is not, or is broken."""


def read_image(path: str | Path) -> Image:
    """Read a picture as `(height, width, 3)` uint8 RGB, turned upright by its EXIF tag.

    The format is recognised by content, not by suffix: JPEG, PNG, WebP, AVIF, HEIC, JPEG 2000, TIFF, GIF, BMP, PPM and
    others. Grey, palette, CMYK, 10- to 32-bit and floating-point pictures are converted, transparency is laid on white,
    and of an animation the first picture is taken. Colour profiles are not applied: they move the embedding of a face
    by a tenth (Display P3) to a fifth (ProPhoto RGB) of the distance between two pictures of a person. A JPEG that
    lacks its last bytes is read; where more than a sixteenth of its rows is missing it counts as broken. A picture of
    more than 100 million pixels is read at half its width and height, or at a quarter or an eighth, and so fits into
    memory.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadablePicture: When the file is empty, truncated, no picture, of a kind that cannot be read right, or
            larger than 179 million pixels, 1,000 million in a JPEG, JPEG 2000 or PNG.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a picture, found no file at {str(path)!r}")
    if not path.stat().st_size:
        raise UnreadablePicture(f"expected a picture, {str(path)!r} is empty: copy it again")
    try:
        return _read(path)
    except Exception as error:  # decoders fail in many ways on broken files
        raise UnreadablePicture(f"expected a picture, could not read {str(path)!r}: {_reason(path, error)}") from error


def is_picture(path: str | Path) -> bool:
    """Return whether the first bytes of a file are those of a picture that `read_image` knows; nothing is decoded."""
    try:
        head = first_bytes(path)
        if head[:4] in TIFF or head[:8] == SIGNATURE:
            return True
        with open_picture(path):
            return True
    except PillowImage.DecompressionBombError:
        return True
    except Exception:  # as in `read_image`
        return False


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, MemoryError):  # a damaged header may ask for any amount
        return "it needs more memory than there is"
    with suppress(OSError):  # a file that cannot be opened, or is gone by now
        if kind := unreadable_kind(path):
            return kind
    if re.fullmatch(r"decoder error -\d+", str(error)):  # Pillow's words
        return DAMAGED
    return "not a picture of a kind that is known" if isinstance(error, UnidentifiedImageError) else str(error)


def unreadable_kind(path: Path) -> str:
    """Return what a file is that is no picture which can be read, and the remedy; an empty text where that is unknown.

    Raises:
        OSError: When it cannot be opened.
    """
    head, suffix = first_bytes(path), path.suffix.lower()
    kinds = [kind for start, kind in _OTHER_KINDS.items() if head.startswith(start)]
    if suffix in _RAW:
        kinds.append("a raw picture of a camera")
    elif suffix in (".svg", ".svgz"):
        kinds.append("an SVG drawing")
    return f"{kinds[0]}, which cannot be read: save it as JPEG" if kinds else ""


def first_bytes(path: str | Path) -> bytes:
    """Return what tells the form of a file, at most 12 bytes."""
    with open(path, "rb") as file:
        return file.read(12)


def check_picture(path: str | Path) -> tuple[int, int, str]:
    """Return width and height as stored, in pixels, and the format of a picture that `read_image` reads.

    The whole file is gone through; a JPEG is decoded at an eighth of its size, which is several times as fast.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadablePicture: As in `read_image`.
    """
    facts = None
    with (
        suppress(Exception),
        _open_any_size(Path(path)) as picture,
    ):  # `read_image` decides: it reads what Pillow does not
        width, height = picture.info.get("stored size", picture.size)
        facts = width, height, str(picture.format or "PNG")
        if picture.format == "JPEG":
            picture.draft("RGB", (picture.width // 8, picture.height // 8))
            picture.load()
            return facts
    height, width = read_image(path).shape[:2]
    return facts or (width, height, Path(path).suffix[1:].upper())


class _Strict:
    """Makes Pillow refuse truncated files, quietly, while the block runs, in any number of threads.

    All are settings of the whole process: the first block saves them, and the last one to end brings them back.
    """

    def __init__(self) -> None:
        self._lock, self._count, self._before = Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._count:
                # Pillow warns of big pictures and odd tags; both are handled here.
                self._before.enter_context(warnings.catch_warnings(action="ignore"))
                # face_recognition, once imported, makes Pillow fill what a truncated file lacks with grey.
                self._before.callback(setattr, ImageFile, "LOAD_TRUNCATED_IMAGES", ImageFile.LOAD_TRUNCATED_IMAGES)
                ImageFile.LOAD_TRUNCATED_IMAGES = False
                for told in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                    self._before.enter_context(_quiet_libtiff(told))
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                self._before.close()


@contextmanager
def _quiet_libtiff(told: str) -> Iterator[None]:
    """Keep what libtiff says of a picture from the terminal, to which it writes past Python."""
    handle = getattr(ctypes.CDLL(_imaging.__file__), told, None)  # none where it is part of Pillow itself
    if handle is None:
        yield
        return
    handle.argtypes, handle.restype = [ctypes.c_void_p], ctypes.c_void_p
    before = handle(None)
    try:
        yield
    finally:
        handle(before)


_strict = _Strict()


@contextmanager
def open_picture(source: str | Path | io.BytesIO) -> Iterator[PillowImage.Image]:
    """Open a picture with Pillow without decoding it, quietly; only `_FORMATS`, and only whole files, are taken."""
    _register_heif()
    named = "" if isinstance(source, io.BytesIO) else _BY_SUFFIX.get(Path(source).suffix.lower(), "")
    with _strict, PillowImage.open(source, formats=(*_FORMATS, named) if named else _FORMATS) as opened:
        yield opened


@cache
def _register_heif() -> None:
    """Let Pillow read HEIC, the format of telephones."""
    import pi_heif

    pi_heif.register_heif_opener()


def _read(path: Path) -> Image:
    deep = read_deep_tiff(path)
    if deep is not None:
        return _to_rgb(deep)
    values = read_deep_jpeg2000(path)
    if values is not None:
        return values
    try:
        return _read_from(path)
    except Exception:  # as in `read_image`
        plain = without_metadata(path)
        if plain is None:
            raise
        return _read_from(plain)


def _read_from(source: Path | io.BytesIO) -> Image:
    with _open_any_size(source) as opened:
        try:
            opened.seek(_first_whole(opened))
            return _to_rgb(shrink(opened))
        except OSError:
            if opened.format not in ("JPEG", "MPO") or not isinstance(source, Path):
                raise
            return _read_truncated_jpeg(source.read_bytes())


@contextmanager
def _open_any_size(source: Path | io.BytesIO) -> Iterator[PillowImage.Image]:
    with ExitStack() as opened:
        try:
            picture = opened.enter_context(open_picture(source))
        except PillowImage.DecompressionBombError:
            opened.enter_context(_strict)
            picture = opened.enter_context(open_large(source))
        yield picture


def _first_whole(opened: PillowImage.Image) -> int:
    """Return the number of the first page that is no thumbnail, of a TIFF; 0 for other pictures."""
    elsewhere = False
    for page in range(getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 0):
        opened.seek(page)
        tags = getattr(opened, "tag_v2", {})
        if not int(tags.get(_SUBFILE, 0)) & 1:
            return page
        elsewhere = elsewhere or _SUBFILES in tags
    if elsewhere:
        raise OSError("it has thumbnails only, beside a picture in a form that cannot be read: save it as JPEG")
    return 0


def _read_truncated_jpeg(data: bytes) -> Image:
    """Read a JPEG that ends early, when nearly all of its rows are there.

    Decoded twice, with different bytes in place of the missing ones: rows that differ were not in the file.
    """
    whole = data.rstrip(b"\xff")  # half a marker
    ends = (b"\xff\xd9", b"\xaa\x55\x2b\xd4" * 4096 + b"\xff\xd9")
    first, second = (_read_from(io.BytesIO(whole + end)) for end in ends)
    differ = (first != second).any(axis=(1, 2))
    missing = len(differ) - int(differ.argmax()) if differ.any() else 0
    if missing > _MISSING_ROWS * len(differ):
        raise OSError(f"image file is truncated: {missing} of {len(differ)} rows are missing")
    return first


def _to_rgb(picture: PillowImage.Image) -> Image:
    # What is no orientation, or stands in broken EXIF data, leaves the picture as it is.
    with suppress(SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error):
        ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode == "F":
        return from_float(np.asarray(picture))
    if picture.mode.startswith("I"):
        return from_integers(np.asarray(picture))
    return np.array(on_white(picture), np.uint8)
