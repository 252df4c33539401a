"""Addresses of films: distinguished from paths, shown without passwords, turned into file names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from email.message import EmailMessage
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from facelib.project import VIDEO_SUFFIXES
from facelib.project.files import numbered

_LONGEST_NAME = 120  # bytes; file systems take 255, and results append to the name
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


def is_address(text: str) -> bool:
    r"""Return whether a text is an address rather than a path.

    Examples:
        >>> [is_address(text) for text in ("https://example.org/a.mp4", "urn:film:1", "films/a.mp4", r"C:\films")]
        [True, True, False, False]
    """
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://|urn:", text) is not None


def names_a_film(address: str) -> bool:
    """Return whether the path of an address ends as films do, such as `.mp4`.

    Examples:
        >>> names_a_film("https://example.org/a.MP4?session=1#t=10"), names_a_film("https://example.org/film/1")
        (True, False)
    """
    return PurePosixPath(urlsplit(address).path).suffix.lower() in VIDEO_SUFFIXES


def redacted(address: str) -> str:
    """Return an address as it may be shown and kept: without a user's name and password.

    Examples:
        >>> redacted("https://ann:secret@example.org/a.mp4")
        'https://example.org/a.mp4'
    """
    form, colon, rest = address.partition("+")
    if colon and form == "sparql":
        return f"sparql+{redacted(rest)}"
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def film_name(address: str, *, disposition: str = "", title: str = "", suffix: str = ".mp4") -> str:
    """Choose the name under which a fetched film is kept.

    What the server calls it comes first, then the end of its address where that names a film, then the title,
    then the end of the address. The name is safe on every system and stays in its folder.

    Args:
        address: Where the film comes from.
        disposition: The server's `Content-Disposition` (RFC 6266).
        title: The film's title, where one is known.
        suffix: Appended where the name does not end as films do.

    Examples:
        >>> film_name("https://example.org/films/la%20mer.webm?x=1")
        'la mer.webm'
        >>> film_name("https://example.org/get", disposition='attachment; filename="../../a.mkv"')
        'a.mkv'
    """
    from_address = unquote(urlsplit(address).path).rstrip("/").rpartition("/")[2]
    given = _from_disposition(disposition)
    candidates = (given, from_address if names_a_film(address) else "", title.replace("/", "-"), from_address, "film")
    name = next(name for name in map(_safe, candidates) if name)
    path = PurePosixPath(name)
    stem, ending = (path.stem, path.suffix) if path.suffix.lower() in VIDEO_SUFFIXES else (name, suffix)
    short = stem.encode()[: _LONGEST_NAME - len(ending)].decode(errors="ignore").rstrip(" .")
    return short + ending


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return the name, numbered where a film with the same stem is there: films share a folder of results by it.

    Examples:
        >>> free_name("a.mp4", ["A.mkv", "b.mp4"])
        'a (2).mp4'
    """
    stems = {PurePosixPath(other).stem.casefold() for other in taken}
    path = PurePosixPath(name)
    return next(stem for stem in numbered(path.stem) if stem.casefold() not in stems) + path.suffix


def _from_disposition(disposition: str) -> str:
    if not disposition:
        return ""
    message = EmailMessage()
    # Headers are bytes that http.client reads as Latin-1; servers write UTF-8 into them nevertheless.
    with suppress(UnicodeError):
        disposition = disposition.encode("latin-1").decode("utf-8")
    try:
        message["Content-Disposition"] = disposition
        return str(message.get_filename() or "")
    except (ValueError, IndexError, LookupError, AttributeError):  # what the parser makes of broken headers
        return ""


def _safe(name: str) -> str:
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in name)
    name = " ".join(re.sub(r'[<>:"|?*]', "-", name).split()).strip(" .")
    return f"_{name}" if _RESERVED.fullmatch(PurePosixPath(name).stem) else name
