"""Atomic writes, file locks, and file names as text."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any

from facelib.project.processes import is_still_there
from facelib.project.spreadsheets import csv_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The numbers of an OSError that says that there is no room, on the disk or of a user's share of it."""

_LONGEST = 220  # bytes


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path to write to, and move it into place when the block succeeds.

    A reader sees the old file or the new one, never a part. When the block fails, the temporary
    file is removed and the old file stays. Folders are made as needed.

    Raises:
        OSError: When the folder cannot be made or written; the message names it.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"expected to make the folder {str(path.parent)!r}, got: {error}") from error
    _remove_leftovers(path)
    # The suffix stays last: encoders choose the container by it.
    temporary = path.with_name(f".{short_name(path.stem)}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        # A plain `write` names no file, FFmpeg the temporary one, and pyarrow has words of its own.
        if error.errno in FULL_DISK and error.filename in (None, str(temporary), f"file:{temporary}"):
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote this file."""
    pattern = re.compile(re.escape(f".{short_name(path.stem)}.") + r"(\d+)-[0-9a-f]{8}" + re.escape(path.suffix))
    for other in path.parent.iterdir():
        match = pattern.fullmatch(other.name)
        if match and not is_still_there(int(match[1]), other):
            other.unlink(missing_ok=True)


def short_name(name: str) -> str:
    """Return a name to which something may be added: the SHA-256 of one that is too long, since files have 255 bytes.

    Examples:
        >>> short_name("film"), len(short_name("x" * 250))
        ('film', 64)
    """
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST else hashlib.sha256(encoded).hexdigest()


def text_of(name: str) -> str:
    r"""Return a file name or path as text for tables: bytes that are not UTF-8 stand as `\xe9`.

    Examples:
        >>> text_of("Renée"), text_of(os.fsdecode(b"Ren\xe9e"))
        ('Renée', 'Ren\\xe9e')
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def path_of(text: str) -> str:
    """Return the file name or path that `text_of` stands for."""
    return re.sub(r"\\x([89a-f][0-9a-f])", lambda match: chr(0xDC00 + int(match[1], 16)), text)


def numbered(name: str) -> Iterator[str]:
    """Yield a name, then the same with a number, for whoever looks for one that is free.

    Examples:
        >>> [name for name, _ in zip(numbered("a"), range(3))]
        ['a', 'a (2)', 'a (3)']
    """
    yield name
    yield from (f"{name} ({number})" for number in count(2))


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table atomically, as Parquet or, when `path` ends in `.csv`, as CSV without formulas."""
    with atomic_write(path) as temporary:
        if temporary.suffix == ".csv":
            temporary.write_text(csv_text(table), encoding="utf-8", newline="")
        else:
            table.to_parquet(temporary, index=False)


def write_bytes(content: bytes, path: str | Path, *, sync: bool = False) -> None:
    """Write bytes atomically; with `sync` they are on the disk before the file has its name, whatever is cut off."""
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        file.write(content)
        if sync:
            file.flush()
            os.fsync(file.fileno())


def write_array(values: NDArray[Any], path: Path) -> None:
    """Write an array as `.npy`, not atomically. Of a full disk NumPy says only how much of it found room.

    Raises:
        OSError: When it cannot be written.
    """
    import numpy as np

    with path.open("wb") as file:
        np.save(SimpleNamespace(write=file.write), values, allow_pickle=False)


def write_all(file: IO[bytes], content: Any) -> None:
    """Write bytes to an unbuffered file, which may take a part of them; of a full disk the next part tells."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def link_or_move(source: Path, target: Path) -> None:
    """Give a file another name, without replacing what has it; the old name may stay.

    Raises:
        FileExistsError: When there is a file of this name.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # not every file system has links
        os.replace(source, target)


def every_file(*folders: Path) -> list[Path]:
    """Return the files in some folders and in the folders in them, sorted, hidden ones too; links are not followed.

    `Path.rglob` passes over what cannot be read without a word.

    Raises:
        OSError: When one of the folders is there and cannot be read, or a folder in it.
    """

    def fail(error: OSError) -> None:
        raise error

    walks = (os.walk(folder, onerror=fail) for folder in folders if folder.is_dir())
    paths = (Path(top, name) for walk in walks for top, _, names in walk for name in names)
    return sorted(path for path in paths if path.is_file())


def remove_with_folder(path: Path) -> None:
    """Remove a file, and its folder when it was the last one in it."""
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def write_text(text: str, path: str | Path) -> None:
    """Write text atomically, as UTF-8."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def file_lock(path: str | Path, *, what: str, wait: bool = False) -> Iterator[None]:
    """Hold a lock file while the block runs; the system releases it even when the process is killed.

    The file stays; it contains only the number of the process that held it last.

    Args:
        path: The file; it and its folder are made as needed.
        what: What holding it means, for the message, such as `"other run of the project 'demo'"`.
        wait: Wait until the lock is free instead of raising.

    Raises:
        BlockingIOError: When another process, or this one, holds it.
        OSError: When it cannot be made.
    """
    from filelock import FileLock, Timeout

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=-1 if wait else 0, poll_interval=0.01)
    except Timeout:
        holder = ""
        with suppress(OSError):
            holder = path.read_text(encoding="utf-8").strip()
        raise BlockingIOError(
            f"expected no {what}, found one under way (process {holder or 'unknown'}); wait for its end or stop it"
        ) from None
    try:
        with suppress(OSError):  # Windows lets nobody write into a file that is held
            path.write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        lock.release()


def writer_lock(path: str | Path) -> AbstractContextManager[None]:
    """Lock a file for one writer at a time, with a lock file beside it; others wait.

    Raises:
        OSError: When the folder cannot be made or written.
    """
    path = Path(path)
    return file_lock(path.with_name(f".{path.name}.lock"), what="other writer", wait=True)
