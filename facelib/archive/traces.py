"""Where a person is mentioned in files: by any spelling of the name, or by the digest of a picture."""

from __future__ import annotations

import html
import json
import mmap
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

_OF_LINES = frozenset({".csv", ".txt", ".jsonl", ".log"})
# A name is a word of its own: behind an escape of JSON or of an address it may follow a letter.
_BEFORE = rb"(?:(?<=\\[ntr])|(?<=%[0-9A-Fa-f]{2})|(?<![0-9A-Za-z_\x80-\xff]))"
_AFTER = rb"(?![0-9A-Za-z_\x80-\xff])"


def spellings(name: str) -> list[bytes]:
    r"""Return the ways in which files write a name: as it is, decomposed, in JSON, in HTML and in addresses.

    Examples:
        >>> b"Zo%C3%AB" in spellings("Zoë")
        True
    """
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    texts = [text for form in forms for text in (form, json.dumps(form)[1:-1], html.escape(form), quote(form))]
    texts += [json.dumps(text)[1:-1] for text in texts]
    return [text.encode() for text in dict.fromkeys(texts)]


class Mentions:
    """A pattern that finds names, but not inside other words or longer names of others.

    Args:
        names: Whose mentions are looked for; none finds only the digests.
        others: Names of others, such as `Will Smith` where `Will` is looked for.
        digests: SHA-256 as hexadecimal digits, which are looked for as well.

    Examples:
        >>> found = Mentions(["Will"], ["Will Smith"])
        >>> [found.within(text) for text in (b"a,Will,b", b"Will Smith", b"Willow", b"people%2FWill")]
        [True, False, False, True]
    """

    def __init__(self, names: Iterable[str], others: Iterable[str] = (), digests: Iterable[str] = ()) -> None:
        own = _any(word for name in names for word in spellings(name))
        theirs = _any(word for name in others for word in spellings(name))
        parts = [b"(?P<digest>" + _any(digest.encode() for digest in digests) + b")"]
        parts.append(_BEFORE + b"(?:" + theirs + b")" + _AFTER)
        parts.append(_BEFORE + b"(?P<own>" + own + b")" + _AFTER)
        self._pattern = re.compile(b"|".join(parts))

    def within(self, content: bytes | mmap.mmap) -> bool:
        """Return whether bytes mention any."""
        return any(hit["own"] or hit["digest"] for hit in self._pattern.finditer(content))

    def within_file(self, path: Path) -> bool:
        """Return whether a file mentions any.

        Raises:
            OSError: When it cannot be read.
        """
        if not path.stat().st_size:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return self.within(content)

    def without_lines(self, path: Path) -> bytes | None:
        """Return a text file of lines without those that mention any; None for a file of another kind, such as JSON."""
        if path.suffix.lower() not in _OF_LINES:
            return None
        return b"".join(line for line in path.read_bytes().splitlines(keepends=True) if not self.within(line))


def _any(words: Iterable[bytes]) -> bytes:
    """Return a pattern for any of some words, the longest first; one that matches nothing where there are none."""
    escaped = sorted({re.escape(word) for word in words}, key=lambda word: -len(word))
    return b"|".join(escaped) or rb"(?!)"
