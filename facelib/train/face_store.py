"""An append-only file of faces with an index of their pictures."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from facelib.faces import Image
from facelib.train.data import pixel_digest


class _Entry(NamedTuple):
    """One picture and its face.

    Attributes:
        picture: Its name.
        length: Bytes of its file when it was looked at.
        changed: When the file had last been changed, in nanoseconds.
        row: The 0-based place of its face; -1 where there is none.
        digest: Of the face's pixels; empty where there is none.
        reason: Why there is none.
    """

    picture: str
    length: int
    changed: int
    row: int
    digest: str
    reason: str


class FaceStore:
    """The faces of a folder: `faces.raw` with the pixels, and `index.csv` with a line a picture.

    A face is written before the line that names it, so what a killed run leaves half written lies past the end of
    what the index knows, and is overwritten.

    Args:
        folder: Where both files lie, or will.
        size: Side of the faces, in pixels.
    """

    def __init__(self, folder: Path, *, size: int) -> None:
        self._pixels, self._index = folder / "faces.raw", folder / "index.csv"
        self._size, self._bytes = size, size * size * 3
        self.entries: dict[str, _Entry] = {}
        self._rows = self._known_bytes = 0
        there = self._pixels.stat().st_size // self._bytes if self._pixels.is_file() else 0
        lines = self._index.read_bytes().splitlines(keepends=True) if self._index.is_file() else []
        for entry, line in zip(map(_parsed, lines), lines, strict=True):
            if entry is None or entry.row >= there:
                break
            self._remember(entry, line)

    def knows(self, picture: str, path: Path) -> bool:
        """Return whether a picture has been looked at and its file has not changed since."""
        entry = self.entries.get(picture)
        return entry is not None and (entry.length, entry.changed) == _state(path)

    def images(self) -> Image:
        """Return all faces, `(n, size, size, 3)` uint8, as a mapped file that cannot be written."""
        shape = (self._rows, self._size, self._size, 3)
        return np.memmap(self._pixels, np.uint8, "r", shape=shape) if self._rows else np.empty(shape, np.uint8)

    @contextmanager
    def appending(self) -> Iterator[Callable[[str, Path, Image | None, str], None]]:
        """Give a function to add pictures with: name, file, face `(size, size, 3)` or None, and why there is none.

        Raises:
            OSError: When the files cannot be written; what was added before stays.
        """
        with (
            _opened(self._pixels, self._rows * self._bytes) as pixels,
            _opened(self._index, self._known_bytes) as index,
        ):

            def add(picture: str, path: Path, face: Image | None, reason: str) -> None:
                row, digest = (-1, "") if face is None else (self._rows, pixel_digest(face))
                entry = _Entry(picture, *_state(path), row, digest, reason)
                try:
                    if face is not None:
                        _write(pixels, np.ascontiguousarray(face).tobytes())
                    _write(index, line := _line(entry))
                except OSError as error:
                    raise OSError(f"expected to write faces into {str(self._pixels.parent)!r}, got: {error}") from error
                self._remember(entry, line)

            yield add

    def _remember(self, entry: _Entry, line: bytes) -> None:
        self.entries[entry.picture] = entry
        self._known_bytes += len(line)
        self._rows = max(self._rows, entry.row + 1)


@contextmanager
def _opened(path: Path, length: int) -> Iterator[IO[bytes]]:
    """Open a file for appending after `length` bytes; the rest is truncated."""
    path.touch()
    with open(path, "r+b", buffering=0) as file:
        file.truncate(length)
        file.seek(length)
        yield file


def _write(file: IO[bytes], content: bytes) -> None:
    left = memoryview(content)
    while len(left):  # an unbuffered file may write less than it is given
        left = left[file.write(left) :]


def _line(entry: _Entry) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(entry)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _parsed(line: bytes) -> _Entry | None:
    """Parse a line of the index; None where it is incomplete."""
    if not line.endswith(b"\n"):
        return None
    try:
        (fields,) = itertools.islice(csv.reader([line.decode("utf-8", "surrogateescape")]), 2)
        picture, length, changed, row, pixels, reason = fields
        return _Entry(picture, int(length), int(changed), int(row), pixels, reason)
    except (ValueError, csv.Error):
        return None


def _state(path: Path) -> tuple[int, int]:
    """Return a file's length and time of change, -1 where unknown."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns
