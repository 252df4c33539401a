"""What can be played: a camera, a stream or a film."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from facelib.films.media.decode import probe
from facelib.gather.sources.address import redacted

SourceKind = Literal["camera", "stream", "film"]
"""How a source is read: a film plays at its own speed, the others as they come."""

SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "srt", "rtp", "udp", "tcp")
"""The addresses that are taken for streams."""


@dataclass(frozen=True, slots=True)
class Source:
    """A camera, a stream or a film.

    Attributes:
        kind: How it is read.
        place: The camera's number as text, the address, or the path.
        name: The same, as it may be shown and kept: without a user's name and password.
    """

    kind: SourceKind
    place: str
    name: str


def read_source(given: str | int | Path) -> Source:
    """Parse a source: a number is a camera, a text with `://` a stream, anything else the path of a film.

    Examples:
        >>> read_source("0").kind, read_source("rtsp://me:secret@camera/live").name
        ('camera', 'rtsp://camera/live')

    Raises:
        ValueError: When it is nothing of these; a film that cannot be read is an
            `facelib.films.media.decode.UnreadableFilm`.
        FileNotFoundError: When there is no such film.
    """
    text = str(given).strip()
    if isinstance(given, bool) or not text or (isinstance(given, int) and given < 0):
        raise ValueError(f"expected the number of a camera, an address or the path of a film, got {given!r}")
    if text.isascii() and text.isdigit() and len(text) < 10:  # no system has as many cameras
        return Source("camera", str(int(text)), f"camera {int(text)}")
    if "://" in text and not isinstance(given, Path):
        return _read_address(text)
    probe(text)
    return Source("film", text, Path(text).name)


def _read_address(text: str) -> Source:
    wanted = f"expected an address such as rtsp://camera/live, with one of {list(SCHEMES)!r} before '://'"
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise ValueError(f"{wanted}, got one that cannot be read: {error}") from error
    if parts.scheme.lower() not in SCHEMES or not parts.netloc:
        raise ValueError(f"{wanted}, got {redacted(text)!r}")
    return Source("stream", text, redacted(text))
