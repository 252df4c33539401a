"""Files read in place, from a folder or from shared storage: by ranges, ahead of the reader, with a bounded cache."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, BinaryIO

from facelib.project.elsewhere import lies_elsewhere
from facelib.project.store import ObjectFacts, Store, is_remote

CACHE_VARIABLE = "FACELIB_FILM_CACHE"
_CACHE = 20.0  # GB
_BLOCK = 4 << 20
_AHEAD = 2  # blocks that are fetched before they are asked for
_SHARE = 0.5  # of the room left on the disk that the cache may take


def place_of_film(place: str | Path) -> str | Path:
    """Return where a film is to be read: its address where it lies on shared storage, else its path."""
    if is_remote(place):
        return str(place)
    film = lies_elsewhere(place)
    return film.address if film else place


def open_file(place: str | Path) -> BinaryIO:
    """Open a file for reading, by its path or by its address on shared storage.

    Raises:
        FileNotFoundError: When it is not there.
        OSError: When it cannot be read, or the storage does not answer.
    """
    place = place_of_film(place)
    if not is_remote(place):
        return Path(place).open("rb")
    return io.BufferedReader(RangedFile(str(place)), 1 << 16)


def size_of(place: str | Path) -> int:
    """Return how many bytes a file has.

    Raises:
        FileNotFoundError: When it is not there.
        OSError: When the storage does not answer.
    """
    if not is_remote(place):
        return Path(place).stat().st_size
    store, name = _object_at(str(place))
    return store.facts(name).size


def fetched_bytes(address: str) -> int:
    """Return how many bytes this process has fetched of a file that it reads in place."""
    return _blocks_of(address).fetched


def cache_limit() -> int:
    """Return how many bytes of films may be kept on this machine: `FACELIB_FILM_CACHE`, in GB, or 20.

    A run keeps so much of a project's films, a worker so much of the film that it works on.

    Raises:
        ValueError: When the variable is no number above 0.
    """
    given = os.environ.get(CACHE_VARIABLE, "").strip() or str(_CACHE)
    try:
        limit = float(given)
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise ValueError(f"expected a number of GB above 0 in {CACHE_VARIABLE}, got {given!r}")
    return int(limit * 1e9)


def room_for_films(folder: Path) -> int:
    """Return how many bytes of films may come into a folder: the limit, or half of what is free on its disk."""
    return int(min(cache_limit(), shutil.disk_usage(folder).free * _SHARE))


class RangedFile(io.RawIOBase):
    """A file on shared storage, open for reading.

    All of one address read from one cache in a temporary file, which ends with the process, however that ends.

    Raises:
        FileNotFoundError: When there is none.
        OSError: While reading too: when the storage does not answer, or the file was changed meanwhile.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self.name = address
        self._blocks, self._at = _blocks_of(address), 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, counted from the beginning, from here or from the end."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._blocks.facts.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read on; return how many bytes were read, 0 at the end."""
        view = memoryview(buffer).cast("B")
        data = self._blocks.read(self._at, len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Blocks:
    """The blocks of one file that were fetched, the least recently read of which give way to others."""

    def __init__(self, store: Store, name: str, facts: ObjectFacts) -> None:
        self.store, self.name, self.facts = store, name, facts
        self.fetched = 0
        self._most = max(1, room_for_films(Path(tempfile.gettempdir())) // _BLOCK)
        self._kept: IO[bytes] = tempfile.TemporaryFile(prefix="facelib-ranges-", buffering=0)  # noqa: SIM115  # lives on
        weakref.finalize(self, self._kept.close)
        self._slots: OrderedDict[int, int] = OrderedDict()
        self._coming: dict[int, Future[bytes]] = {}
        self._lock = threading.RLock()
        self._fetchers = ThreadPoolExecutor(_AHEAD, thread_name_prefix="facelib-ranges")

    def read(self, at: int, count: int) -> bytes:
        """Return the bytes from a place on: as many as asked for, or those to the end of their block."""
        if at >= self.facts.size or not count:
            return b""
        number, start = divmod(at, _BLOCK)
        block = self._block(number)
        return block[start : start + count]

    def _block(self, number: int) -> bytes:
        with self._lock:
            for ahead in range(number, min(number + 1 + _AHEAD, -(-self.facts.size // _BLOCK))):
                if ahead not in self._slots and ahead not in self._coming:
                    self._coming[ahead] = self._fetchers.submit(self._fetch, ahead)
            coming = self._coming.get(number)
            if coming is None:
                self._slots.move_to_end(number)
                return os.pread(self._kept.fileno(), _BLOCK, self._slots[number] * _BLOCK)
        try:
            block = coming.result()
        finally:
            with self._lock:
                self._coming.pop(number, None)
        with self._lock:
            self._keep(number, block)
        return block

    def _fetch(self, number: int) -> bytes:
        start = number * _BLOCK
        block = self.store.get_range(self.name, start, min(start + _BLOCK, self.facts.size), tag=self.facts.tag)
        self.fetched += len(block)
        return block

    def _keep(self, number: int, block: bytes) -> None:
        slot = len(self._slots)
        if slot >= self._most:
            _, slot = self._slots.popitem(last=False)
        with suppress(OSError):  # a full disk: the block is fetched again when it is needed again
            if os.pwrite(self._kept.fileno(), block, slot * _BLOCK) == len(block):
                self._slots[number] = slot


def _blocks_of(address: str) -> _Blocks:
    """Return what all readers of a file in this process share, as long as the file stays the same."""
    store, name = _object_at(address)
    return _kept_blocks(store, name, store.facts(name))


def _object_at(address: str) -> tuple[Store, str]:
    folder, _, name = address.rpartition("/")
    return Store(folder), name


@lru_cache(maxsize=2)
def _kept_blocks(store: Store, name: str, facts: ObjectFacts) -> _Blocks:
    return _Blocks(store, name, facts)
