"""Small downloads into memory, pages and pictures, and the check that bytes are a picture."""

from __future__ import annotations

import hashlib
import io
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError
from urllib3.exceptions import HTTPError

from facelib.gather.sources.address import redacted
from facelib.gather.sources.web import WebLimits, ask, new_session, plain_reason, read_body
from facelib.images import UnreadablePicture, open_picture

SMALL_LIMITS = WebLimits(largest=20_000_000, timeout=10.0, longest=30.0, attempts=2)
"""How far to go for one picture: 20 MB, half a minute, and a second attempt where the first met passing trouble."""

MOST_PIXELS = 40_000_000
"""Pixels of the largest picture that is decoded; at three bytes each this bounds the memory that it takes."""

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # answers that another attempt may change
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


def fetch_bytes(
    address: str,
    limits: WebLimits = SMALL_LIMITS,
    *,
    session: requests.Session | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Download an address completely.

    Args:
        address: An `http` or `https` address.
        limits: How far to go; `longest` bounds each attempt.
        session: From `new_session` with the same limits, for several questions to one server; None: one of its own.
        headers: Further headers of the request.

    Raises:
        ValueError: When the address is none of `http(s)`, leads off the public internet or in circles, or when there
            is more than `limits.largest`.
        OSError: When the server refuses, breaks off, or takes too long.
    """
    if session is None:
        with new_session(limits) as own:
            return fetch_bytes(address, limits, session=own, headers=headers)
    for attempt in range(1, max(1, limits.attempts) + 1):
        time.sleep(limits.wait_before(attempt))
        try:
            return _fetch_once(session, address, limits, headers)
        except TimeoutError:
            raise
        except ConnectionError as error:
            trouble = error
    raise trouble


def fetch_or_reason(address: str, limits: WebLimits = SMALL_LIMITS) -> bytes | str:
    """Return the bytes at an address as `fetch_bytes` does, or in words why there are none."""
    try:
        return fetch_bytes(address, limits)
    except Exception as error:  # an unknown address may fail in any way; the others are still fetched
        return str(error) or type(error).__name__


def _fetch_once(session: requests.Session, address: str, limits: WebLimits, headers: Mapping[str, str] | None) -> bytes:
    try:
        with ask(session, address, limits, headers=headers) as response:
            answer = f"{response.status_code} {response.reason or ''}".strip()
            if response.status_code in _PASSING:
                raise ConnectionError(f"the server answered {answer}")
            if response.status_code != 200:
                raise OSError(f"the server answered {answer}")
            return _read_whole(response, limits)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError) as error:
        raise ValueError(f"expected an http(s) address, got {redacted(address)!r}: {error}") from error
    except (requests.RequestException, HTTPError) as error:
        raise ConnectionError(plain_reason(error)) from error


def _read_whole(response: requests.Response, limits: WebLimits) -> bytes:
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > limits.largest:
        raise ValueError(f"larger than {limits.largest / 1e6:g} MB: the server announces {int(length) / 1e6:.3g} MB")
    body = bytearray()
    for block in read_body(response, limits):
        body += block
        if len(body) > limits.largest:
            raise ValueError(f"larger than {limits.largest / 1e6:g} MB")
    return bytes(body)


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
