"""The catalogue of the index, a SQLite database: its films, what their rows were made from, and their files.

Adding a film costs the same whether there are ten or a hundred thousand: each change touches a few rows.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from facelib.archive.readable import unreadable

_FORM = 1  # version of the index; raise it when its tables change, and it is made again
_SCHEMA = """
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY AUTOINCREMENT,
    level INTEGER NOT NULL,
    network TEXT NOT NULL,
    rows INTEGER NOT NULL,
    replaced REAL
);
CREATE TABLE films (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    folder TEXT NOT NULL UNIQUE,
    film TEXT NOT NULL,
    date TEXT NOT NULL,
    seconds REAL NOT NULL,
    segment INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    content TEXT NOT NULL,
    gap REAL NOT NULL,
    state TEXT NOT NULL,
    video TEXT NOT NULL,
    video_state TEXT NOT NULL
);
CREATE INDEX films_by_segment ON films (segment);
CREATE INDEX segments_in_use ON segments (level, network) WHERE replaced IS NULL;
"""


@dataclass(frozen=True, slots=True)
class FilmRecord:
    """A film of the index.

    Attributes:
        folder: Its folder below `videos/`.
        film: Its file name.
        date: When it was made, ISO 8601 as far as known, such as `1942` or `1942-11-26`; empty when not known.
        seconds: Its length.
        segment: The number of the files with its rows.
        rows: How many rows these are.
        content: SHA-256 of the `tracks.parquet` that they were made from.
        gap: Seconds up to which gaps between two tracks of one person were closed.
        state: Size and time of change of `tracks.parquet`.
        video: Where the film lies, as `Project.place_of` says it; empty when that is not known.
        video_state: Size and time of change of the film.
        entry: The number that its rows carry in the column `film`; a film whose rows are made again gets another one.
    """

    folder: str
    film: str
    date: str
    seconds: float
    segment: int
    rows: int
    content: str
    gap: float
    state: str
    video: str
    video_state: str
    entry: int = 0


_KNOWN = tuple(one.name for one in fields(FilmRecord) if one.name != "entry")
_FILMS = f"SELECT {', '.join(_KNOWN)}, entry FROM films"


@dataclass(frozen=True, slots=True)
class Segment:
    """The files of some films: `appearances-<number>.parquet` and its company.

    Attributes:
        number: What the files are called by.
        level: How often its rows were merged into larger files.
        network: The network that embedded the faces, and the length of an embedding; empty without faces.
        rows: Rows of tracks and appearances together, those of former versions of a film included.
    """

    number: int
    level: int
    network: str
    rows: int


class Catalogue:
    """The database; changes become valid together when its `changing` block ends. `create` makes it, with its folder.

    Raises:
        FileNotFoundError: When it is not there and is not to be made.
        OSError: When it is not a catalogue, or cannot be read or written.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.is_file():
            raise FileNotFoundError(f"expected an index of films at {str(path)!r}, found none; update_archive makes it")
        self._path = path
        try:
            self._base = sqlite3.connect(path, isolation_level=None, timeout=30)
        except sqlite3.Error as error:
            raise unreadable(self._path.parent, error) from error
        self.is_current = bool(self._run("PRAGMA user_version")[0][0] == _FORM)
        if create and not self.is_current:
            self._begin_anew()

    def _run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that a statement gives.

        Raises:
            OSError: When the file is damaged, or the disk is full.
        """
        try:
            return self._base.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise unreadable(self._path.parent, error) from error

    def _begin_anew(self) -> None:
        with self.changing():
            for table in ("films", "segments"):
                self._run(f"DROP TABLE IF EXISTS {table}")
            for statement in _SCHEMA.strip().split(";\n"):
                self._run(statement.rstrip(";"))
            self._run(f"PRAGMA user_version = {_FORM}")
        self.is_current = True

    def close(self) -> None:
        """Close the database."""
        self._base.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Make the changes of the block valid together, or none of them when it fails."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        finally:
            if self._base.in_transaction:  # a full disk has ended it already
                self._run("ROLLBACK")

    def film(self, folder: str) -> FilmRecord | None:
        """Return what is known of the film in a folder, None when the index does not have it."""
        return next((FilmRecord(*row) for row in self._run(f"{_FILMS} WHERE folder = ?", [folder])), None)

    def films(self, segments: list[int] | None = None) -> list[FilmRecord]:
        """Return all films, or those whose rows lie in some segments, by folder."""
        where = "" if segments is None else f" WHERE segment IN ({','.join(map(str, map(int, segments)))})"
        return [FilmRecord(*row) for row in self._run(f"{_FILMS}{where} ORDER BY folder")]

    def next_entry(self) -> int:
        """Return the number that the next film put into the index gets; only valid under the writer's lock."""
        rows = self._run("SELECT seq FROM sqlite_sequence WHERE name = 'films'")
        return 1 + max((int(row[0]) for row in rows), default=0)

    def put(self, record: FilmRecord) -> None:
        """Add a film, in place of its former rows."""
        self.remove(record.folder)
        names, places = ", ".join(_KNOWN), ", ".join("?" * len(_KNOWN))
        self._run(f"INSERT INTO films ({names}) VALUES ({places})", _values(record))

    def note(self, record: FilmRecord) -> None:
        """Change what is known of a film whose rows stay."""
        changes = ", ".join(f"{name} = ?" for name in _KNOWN)
        self._run(f"UPDATE films SET {changes} WHERE folder = ?", [*_values(record), record.folder])

    def move(self, films: list[int], segment: int) -> None:
        """Say that the rows of films, by entry, lie in another segment now."""
        for entry in films:
            self._run("UPDATE films SET segment = ? WHERE entry = ?", [segment, entry])

    def remove(self, folder: str) -> None:
        """Take a film out."""
        self._run("DELETE FROM films WHERE folder = ?", [folder])

    def segments(self, level: int | None = None, network: str | None = None) -> list[Segment]:
        """Return the segments in use, oldest first; of one level and network where these are given."""
        where, values = "replaced IS NULL", list[object]()
        for name, value in (("level", level), ("network", network)):
            if value is not None:
                where, values = f"{where} AND {name} = ?", [*values, value]
        query = f"SELECT segment, level, network, rows FROM segments WHERE {where} ORDER BY segment"
        return [Segment(*row) for row in self._run(query, values)]

    def add_segment(self, level: int, network: str, rows: int) -> int:
        """Add a segment and return its number, which no other ever gets."""
        query = "INSERT INTO segments (level, network, rows) VALUES (?, ?, ?)"
        self._run(query, [level, network, rows])
        return int(self._run("SELECT last_insert_rowid()")[0][0])

    def replace(self, segments: list[int]) -> None:
        """Take segments out of use; their files stay for those who read them at this moment."""
        now = time.time()
        for one in segments:
            self._run("UPDATE segments SET replaced = ? WHERE segment = ?", [now, one])

    def replace_empty(self) -> None:
        """Take out of use the segments none of whose films is in the index any more."""
        query = "SELECT segment FROM segments WHERE replaced IS NULL AND NOT EXISTS"
        rows = self._run(f"{query} (SELECT 1 FROM films WHERE films.segment = segments.segment)")
        self.replace([int(row[0]) for row in rows])

    def take_outdated(self, older_than: float) -> list[int]:
        """Forget the segments that have been out of use for so many seconds, and return their numbers."""
        limit = time.time() - older_than
        rows = self._run("SELECT segment FROM segments WHERE replaced < ?", [limit])
        self._run("DELETE FROM segments WHERE replaced < ?", [limit])
        return [int(row[0]) for row in rows]

    def known_segments(self) -> set[int]:
        """Return the numbers of all segments, in use or not."""
        return {int(row[0]) for row in self._run("SELECT segment FROM segments")}


def _values(record: FilmRecord) -> list[object]:
    return [getattr(record, name) for name in _KNOWN]
