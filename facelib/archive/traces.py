"""Where a person is mentioned in files: by any spelling of the name, or by the digest of a picture."""

from __future__ import annotations

import html
import json
import mmap
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

_BLOCK_SUFFIXES = frozenset({".csv", ".txt", ".jsonl", ".log"})


def spellings(name: str) -> list[bytes]:
    r"""Return the ways in which files write a name: as it is, decomposed, in JSON, in HTML and in addresses.

    Example:
        >>> spellings("Zoë")[-1]
        b'Zo%C3%AB'
    """
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    texts = [text for form in forms for text in (form, json.dumps(form)[1:-1], html.escape(form), quote(form))]
    texts += [json.dumps(text)[1:-1] for text in texts]
    return [text.encode() for text in dict.fromkeys(texts)]


def mentions(path: Path, words: Iterable[bytes]) -> bool:
    """Return whether a file contains one of some byte strings.

    Raises:
        OSError: When it cannot be read.
    """
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(word) >= 0 for word in words)


def without_lines(path: Path, words: Iterable[bytes]) -> bytes | None:
    """Return the content of a text file of lines without those that contain one of some byte strings.

    None for a file that is not one of lines, such as JSON.
    """
    if path.suffix.lower() not in _BLOCK_SUFFIXES:
        return None
    found = list(words)
    lines = path.read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if not any(word in line for word in found))
