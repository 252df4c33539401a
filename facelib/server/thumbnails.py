"""Faces of pictures as small JPEGs."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from facelib.images import crop, encode_jpeg, read_image, thumbnail

Box = tuple[float, float, float, float]


def face_jpeg(path: Path, box: Box | None, size: int) -> bytes:
    """Return a JPEG of one face of a picture, or of the whole picture without a box, at most `size` pixels wide.

    Raises:
        FileNotFoundError: When there is no such file.
        facelib.images.UnreadablePicture: When it is not a picture.
    """
    status = path.stat()
    return _made(str(path), status.st_size, status.st_mtime_ns, box, size)


def forget_thumbnails() -> None:
    """Drop every thumbnail that is held in memory."""
    _made.cache_clear()


@lru_cache(maxsize=2048)
def _made(path: str, length: int, changed: int, box: Box | None, size: int) -> bytes:
    image = read_image(path)
    return encode_jpeg(thumbnail(image if box is None else crop(image, box, margin=0.3), size=size), quality=82)
