"""The type of a file by its first bytes, before anything decodes it."""

from __future__ import annotations

from facelib.films.media.decode import UnreadableFilm
from facelib.project.content import kind_of

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
    other = "a JSON document" if head.lstrip()[:1] in (b"[", b"{") else "a file of another kind"
    kind = kind_of(head) or other
    remedy = ": give the address of the film itself" if kind == "a playlist" else ""
    begins = f" (it begins with {head[:40]!r})" if head else ""
    raise UnreadableFilm(f"expected a film{of}, got {kind}{remedy}{begins}")
