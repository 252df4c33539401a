"""The type of a file by its first bytes, before anything decodes it."""

from __future__ import annotations

import re

from facelib.films.media.decode import UnreadableFilm

HEAD = 4096
"""Bytes from the beginning of a file that `container_suffix` wants to see."""

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")
_STARTS = (
    (b"\x1aE\xdf\xa3", ".mkv"),
    (b"FLV", ".flv"),
    (b"OggS", ".ogv"),
    (b"0&\xb2u\x8ef\xcf\x11", ".wmv"),
    (b"\x00\x00\x01\xba", ".mpg"),
    (b"\x00\x00\x01\xb3", ".mpg"),
)
_KNOWN_OTHERS = (
    (re.compile(rb"#EXTM3U|ffconcat|<MPD|.{0,200}<MPD ", re.DOTALL), "a playlist: give the address of the film itself"),
    (re.compile(rb"<!doctype html|<html|.{0,500}<html", re.DOTALL | re.IGNORECASE), "a web page"),
    (re.compile(rb"<"), "an XML document"),
    (re.compile(rb"[\[{]"), "a JSON document"),
    (re.compile(rb"%PDF"), "a PDF document"),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!"), "a compressed archive: unpack it, and give the film"),
    (re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP", re.DOTALL), "a picture"),
)


def container_suffix(head: bytes, *, source: str = "") -> str:
    """Return the suffix of the container that a file's first `HEAD` bytes, or all there are, announce, such as `.mp4`.

    Only containers that hold their pictures themselves pass. FFmpeg would also open playlists, which make it read
    whatever other files and addresses they name.

    Raises:
        UnreadableFilm: When the bytes do not begin a film.

    Examples:
        >>> container_suffix(bytes([0, 0, 0, 32]) + b"ftypisom")
        '.mp4'
    """
    if head[4:8] in _BOXES:
        return ".mov" if head[4:12] == b"ftypqt  " or head[4:8] not in {b"ftyp", b"styp"} else ".mp4"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return ".avi"
    if head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head[:64]:
        return ".webm"
    for start, suffix in _STARTS:
        if head.startswith(start):
            return suffix
    # A transport stream has a sync byte every 188 bytes, on Blu-ray every 192 after four bytes of time.
    for offset, length, suffix in ((0, 188, ".ts"), (4, 192, ".m2ts")):
        marks = head[offset::length]
        if len(marks) > 2 and set(marks) == {0x47}:
            return suffix
    of = f" from {source!r}" if source else ""
    raise UnreadableFilm(f"expected a film{of}, got {_describe(head)}")


def _describe(head: bytes) -> str:
    if not head:
        return "nothing: the file is empty"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    kind = next((kind for pattern, kind in _KNOWN_OTHERS if pattern.match(text)), "a file of another kind")
    return f"{kind} (it begins with {head[:40]!r})"
