"""Pictures that were fetched, and the check that bytes are a picture."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from facelib.images import UnreadablePicture, open_picture

MOST_PIXELS = 40_000_000
"""Pixels of the largest picture that is decoded; at three bytes each this bounds the memory that it takes."""

_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "JPEG2000": ".jp2", "TIFF": ".tif"}  # of others the format's name


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """A picture that was fetched: the file's bytes, checked to be whole.

    Attributes:
        content: The file.
        suffix: What its name should end in, by its content: `.jpg`, `.png`, ...
        width: In pixels, as stored.
        height: In pixels, as stored.
    """

    content: bytes
    suffix: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Of the file, as 64 hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


def check_fetched(content: bytes, *, most_pixels: int = MOST_PIXELS, least_side: int = 1) -> FetchedPicture:
    """Check that bytes are a complete picture; declared type and size are ignored.

    Its size is read from its header before anything is decoded.

    Args:
        content: A file's bytes.
        most_pixels: Width times height of the largest picture that is taken.
        least_side: Pixels of the shorter side of the smallest.

    Raises:
        UnreadablePicture: When they are none, a broken one, or one that is too large or too small.
    """
    try:
        with open_picture(io.BytesIO(content)) as picture:
            width, height = picture.size
            if width * height > most_pixels:
                raise UnreadablePicture(_too_large(f"{width}x{height} pixels", most_pixels))
            if min(width, height) < least_side:
                raise UnreadablePicture(f"too small: {width}x{height} pixels, at least {least_side} are wanted")
            suffix = _SUFFIXES.get(str(picture.format), f".{str(picture.format).lower()}")
            picture.draft("RGB", (1, 1))  # a JPEG is read to its end also when it is decoded small
            picture.load()
    except PillowImage.DecompressionBombError as error:
        announced = re.search(r"\d+(?= pixels)", str(error))
        size = f"{int(announced[0]) / 1e6:g} million pixels" if announced else "far more"
        raise UnreadablePicture(_too_large(size, most_pixels)) from error
    except UnidentifiedImageError as error:
        raise UnreadablePicture(f"not a picture: it begins with {content[:24]!r}") from error
    except UnreadablePicture:
        raise
    except Exception as error:  # decoders fail in many ways on bytes that were made to break them
        raise UnreadablePicture(f"a broken picture: {error}") from error
    return FetchedPicture(content, suffix, width, height)


def _too_large(size: str, most_pixels: int) -> str:
    return f"too large: its header announces {size}, at most {most_pixels / 1e6:g} million are decoded"
