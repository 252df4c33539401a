"""Tables of a project, and what is computed of them, once for each state of the file."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

import pandas as pd

from facelib.films.appearances import appearances, with_ends
from facelib.films.tables import read_without_embeddings
from facelib.project import Project, identities
from facelib.project.digests import state_of
from facelib.project.kept import kept_by_file

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values in memory by key, each for one state of what it is made from; those used longest ago are dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, tuple[object, Value]] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._forgotten = 0
        self._lock = Lock()

    def find(self, key: Hashable, state: object, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made again where its state is another one than when it was made.

        Of many who ask at once, one makes it, and the others wait for that.
        """
        with self._lock:
            if self._has(key, state):
                return self._held[key][1]
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if self._has(key, state):
                    return self._held[key][1]
                forgotten = self._forgotten
            made = make()
            with self._lock:
                self._making.pop(key, None)
                if forgotten != self._forgotten:
                    return made
                self._put(key, state, made)
        return made

    def keep(self, key: Hashable, state: object, value: Value) -> None:
        """Keep a value that is made already, in place of any other of its key."""
        with self._lock:
            self._put(key, state, value)

    def _put(self, key: Hashable, state: object, value: Value) -> None:
        self._held[key] = state, value
        self._held.move_to_end(key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def peek(self, key: Hashable, state: object) -> Value | None:
        """Return the value of a key, None where there is none of this state."""
        with self._lock:
            return self._held[key][1] if self._has(key, state) else None

    def _has(self, key: Hashable, state: object) -> bool:
        """Return whether a value is there; it then counts as used."""
        found = key in self._held and self._held[key][0] == state
        if found:
            self._held.move_to_end(key)
        return found

    def drop(self, key: Hashable) -> None:
        """Drop the value of a key."""
        with self._lock:
            self._held.pop(key, None)

    def forget(self) -> None:
        """Drop everything, and what is being made too, once it is made."""
        with self._lock:
            self._held.clear()
            self._forgotten += 1


def table_of(path: Path) -> pd.DataFrame | None:
    """Return a Parquet table without `embedding` and `landmarks`; do not change it.

    None where there is none, or a damaged one: the notebook that makes it makes it again.
    """
    try:
        return _read(path)
    except (OSError, ValueError):  # those of pyarrow are both
        return None


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows by the names of its columns."""
    return table.to_dict("records")  # type: ignore[return-value]


def merged_of(project: Project) -> dict[str, str]:
    """Return each merged name with the name that it is merged into, read once for each state of the decisions."""
    return _merged(project, tag_of(project.corrections))


def tag_of(*paths: Path, also: object = "") -> str:
    """Return an ETag that changes with the size or the modification time of any of some files, or with `also`."""
    states = [(str(path), *state_of(path)) for path in paths]
    return f'"{hashlib.sha256(repr((states, also)).encode()).hexdigest()[:32]}"'


@kept_by_file(most=32)
def appearances_of(path: Path, *, longest_gap: float, unknown: bool) -> list[dict[str, Any]]:
    """Return the appearances of a film's `tracks.parquet`, one dict each, computed once for each state of the file."""
    tracks = with_ends(read_without_embeddings(path))
    return rows_of(appearances(tracks, longest_gap=longest_gap, unknown=unknown))


@lru_cache(maxsize=32)
def _merged(project: Project, state: str) -> dict[str, str]:
    return identities.merged(project)


@kept_by_file(most=32)
def _read(path: Path) -> pd.DataFrame:
    return read_without_embeddings(path, "landmarks")
