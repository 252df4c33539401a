"""What results are made from, as SHA-256 of values and of files, cached so that no file is read twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from facelib.project.files import write_text, writer_lock


def digest(*values: object) -> str:
    """Return the SHA-256 of values that JSON can hold; equal values give equal digests on every machine.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        True
    """
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits.

    Raises:
        OSError: When the file cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_if_readable(path: str | Path) -> str:
    """Return the SHA-256 of a file, empty when it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def file_digest(path: str | Path, *, kept: Path, name: str) -> str:
    """Return the SHA-256 of a file's content; it is read again only when its size or modification time differs.

    Args:
        path: The file.
        kept: The cache of digests, a JSON file; what cannot be read of it is computed again.
        name: The file's key in the cache: the same on another machine, so that a copy need not be read.

    Raises:
        OSError: When the file cannot be read, or the list cannot be written.
    """
    path = Path(path)
    status = path.stat()
    state = [status.st_size, status.st_mtime_ns]
    known = _read(kept).get(name, [])
    if known[:2] == state:
        return str(known[2])
    found = sha256_of(path)
    with writer_lock(kept):
        write_text(json.dumps(_read(kept) | {name: [*state, found]}, indent=0), kept)
    return found


def _read(kept: Path) -> dict[str, list[object]]:
    try:
        listed = json.loads(kept.read_text(encoding="utf-8"))
        return {name: entry for name, entry in listed.items() if len(entry) == 3}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
