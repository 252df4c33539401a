"""What results are made from, as SHA-256 of values and of files, cached so that no file is read twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from facelib.project.elsewhere import lies_elsewhere
from facelib.project.files import write_text, writer_lock


def digest(*values: object) -> str:
    """Return the SHA-256 of values that JSON can hold; equal values give equal digests on every machine.

    Examples:
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
        OSError: When the file cannot be read.
    """
    found = file_digests({name: Path(path)}, kept=kept)[name]
    return sha256_of(path) if found is None else found


def file_digests(paths: Mapping[str, Path], *, kept: Path) -> dict[str, str | None]:
    """Return the SHA-256 of files by their keys in the cache, as `file_digest` does; None where one cannot be read.

    A cache that cannot be written is no error: the files are read again the next time.
    """
    known, new, found = _read(kept), {}, dict[str, str | None]()
    for name, path in paths.items():
        try:
            state = [*state_of(path)]
            entry = known.get(name, [])
            found[name] = str(entry[2]) if entry[:2] == state else _content(path)
        except OSError:
            found[name] = None
        else:
            if entry[:2] != state:
                new[name] = [*state, found[name]]
    if new:
        with suppress(OSError), writer_lock(kept):
            write_text(json.dumps(_read(kept) | new, indent=0), kept)
    return found


def drop_digests(names: Iterable[str], *, kept: Path) -> None:
    """Remove files from the cache of digests, as where a person is to be forgotten."""
    gone = set(names)
    if gone & _read(kept).keys():
        with writer_lock(kept):
            write_text(json.dumps({name: one for name, one in _read(kept).items() if name not in gone}, indent=0), kept)


def state_of(path: Path) -> tuple[int, int]:
    """Return a file's size and when it was changed, which tell its states apart; -1 for both where there is none."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _content(path: Path) -> str:
    film = lies_elsewhere(path)
    return film.sha256 if film else sha256_of(path)


def _read(kept: Path) -> dict[str, list[object]]:
    try:
        listed = json.loads(kept.read_text(encoding="utf-8"))
        return {name: entry for name, entry in listed.items() if len(entry) == 3}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
