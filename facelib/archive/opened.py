"""The index of one project or of several, opened for searching."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from facelib.archive.catalogue import Catalogue, Segment
from facelib.archive.readable import readable
from facelib.archive.segments import segment_path
from facelib.archive.tables import APPEARANCES, SHOTS, TRACKS
from facelib.project import Project, text_of

if TYPE_CHECKING:
    import duckdb

_SCHEMAS = {"appearances": APPEARANCES, "tracks": TRACKS, "shots": SHOTS}
# DuckDB would otherwise fetch extensions from the network when a query seems to need one.
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_FILM_COLUMNS = ["project", "film", "date", "seconds", "folder", "entry", "segment", "rows"]


@dataclass(frozen=True, slots=True)
class ArchivePart:
    """The index of one project."""

    project: Project
    segments: list[Segment]

    @property
    def name(self) -> str:
        """The project's, as text."""
        return text_of(self.project.name)

    def paths(self, kind: str) -> list[str]:
        """Return the files of one kind of table."""
        return [str(segment_path(self.project.archive, kind, one.number)) for one in self.segments]


class Archive:
    """The films of projects as they were in the index when it was opened; a context manager that closes it.

    An index that is brought up to date meanwhile is seen when it is opened again; the files of this one stay for ten
    minutes. Several threads may search at once.

    Attributes:
        parts: The index of each project.
        films: One row per film, by project and file name: `project`, `film`, `date` (ISO 8601, empty where it is not
            known), `seconds`, `folder` (below `videos/`), and `entry`, `segment`, `rows`: where its rows lie.
        longest: By project and segment, the length of its longest face vector, as far as a search needed it.
    """

    def __init__(self, parts: Sequence[ArchivePart], films: pd.DataFrame) -> None:
        """Open the tables; `open_archive` does it."""
        self.parts, self.films = list(parts), films
        self.longest: dict[tuple[str, int], float] = {}
        self._base = _connect()
        self._base.register("known", pa.Table.from_pandas(self._keys(), preserve_index=False))
        self._base.execute("CREATE TABLE films AS SELECT * FROM known")
        self._base.unregister("known")
        with self._readable(own_query=True):
            for kind in _SCHEMAS:
                self._base.execute(f"CREATE VIEW {kind} AS {self._selected(kind)}")

    def _keys(self) -> pd.DataFrame:
        places = {part.name: place for place, part in enumerate(self.parts)}
        return pd.DataFrame(
            {
                "place": self.films["project"].map(places).astype("int32"),
                "entry": self.films["entry"].astype("int32"),
                "number": np.arange(len(self.films), dtype=np.int32),
                "date": self.films["date"].astype("str"),
                "year": pd.to_numeric(self.films["date"].astype("str").str[:4], errors="coerce").astype("Int32"),
            }
        )

    def _selected(self, kind: str) -> str:
        """Return SQL for one kind of table over all projects; its `film` is the row of `films`.

        Groups of unknown people of several projects carry the project's name, since each counts its own from 1.
        """
        # Cast, so that a column of another type is told as damage and not as a mistake in whoever's query.
        columns = ", ".join(
            f'rows."{field.name}"::{_SQL_TYPES[field.type]} AS "{field.name}"'
            for field in _SCHEMAS[kind]
            if field.name != "film"
        )
        parts = []
        for place, part in enumerate(self.parts):
            if not part.segments:
                continue
            label = ""
            if "person" in _SCHEMAS[kind].names:
                suffix = f" || {_quoted(f' ({part.name})')}" if len(self.parts) > 1 else ""
                label = f', CASE WHEN rows."group" THEN rows.person{suffix} ELSE rows.person END AS label'
            files = ", ".join(map(_quoted, part.paths(kind)))
            parts.append(
                f"SELECT films.number AS film, films.place, {columns}{label} FROM read_parquet([{files}]) AS rows "
                f"JOIN films ON films.place = {place} AND films.entry = rows.film"
            )
        if parts:
            return " UNION ALL ".join(parts)
        nothing = ", ".join(f'NULL::{_SQL_TYPES[field.type]} AS "{field.name}"' for field in _SCHEMAS[kind])
        return f"SELECT {nothing}, 0 AS place, ''::VARCHAR AS label WHERE false"

    def query(self, sql: str, values: Sequence[object] = ()) -> pa.Table:
        """Return what a query finds in `appearances`, `tracks`, `shots` and `films`, as an Arrow table.

        The first two have a column `label`: the person, or the group of unknown people as the user knows it.

        Raises:
            OSError: When a file of the index is missing or damaged.
        """
        with closing(self._base.cursor()) as cursor, self._readable():
            found: pa.Table = cursor.sql(sql, params=list(values)).to_arrow_table()
            return found

    @cached_property
    def people(self) -> pd.DataFrame:
        """Who is in the films, most films first: see `facelib.archive.list_people`."""
        found = self.query(
            'SELECT label AS person, bool_or("group") AS is_group, count(DISTINCT film) AS films, '
            'count(*) AS appearances, sum("end" - start) AS seconds, min(person) AS written, min(place) AS place '
            "FROM appearances GROUP BY label"
        ).to_pandas()
        table = found.assign(
            kind=np.where(found["is_group"].astype(bool), "group", "cast"),
            key=found["person"],
            seconds=found["seconds"].round(6),  # added up in any order, by several threads
        )
        ordered: pd.DataFrame = table.sort_values(
            ["films", "seconds", "key"], ascending=[False, False, True], ignore_index=True
        )
        return ordered

    @cached_property
    def rows_in_use(self) -> dict[tuple[str, int], int]:
        """By project and segment, how many of its rows are of films as they are now."""
        sums = self.films.groupby(["project", "segment"], as_index=False)["rows"].sum()
        return {(str(project), int(segment)): int(rows) for project, segment, rows in sums.itertuples(index=False)}

    def _readable(self, *, own_query: bool = False) -> AbstractContextManager[None]:
        return readable(*(part.project.archive for part in self.parts), own_query=own_query)

    def close(self) -> None:
        """Close the tables."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.float32(): "FLOAT",
}


def _quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _connect() -> duckdb.DuckDBPyConnection:
    try:
        import duckdb
    except ImportError as error:
        raise ImportError(
            "searching the index needs DuckDB; install it with 'make scale', or 'pip install .[scale]' in the checkout"
        ) from error
    return duckdb.connect(config=_SETTINGS)


def open_archive(projects: Project | Sequence[Project]) -> Archive:
    """Open the index of one project or of several for searching.

    Raises:
        FileNotFoundError: When a project has none.
        ValueError: When no project is given, or two are called the same.
        ImportError: When DuckDB is not installed.
        OSError: When an index cannot be read.
    """
    chosen = [projects] if isinstance(projects, Project) else list(projects)
    names = [text_of(project.name) for project in chosen]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"expected one project or several with different names, got {names!r}")
    parts, films = [], []
    for project in chosen:
        with closing(Catalogue(project.archive / "catalogue.sqlite")) as catalogue:
            if not catalogue.is_current:
                raise FileNotFoundError(
                    f"expected the index of {project.name!r} as this version of facelib makes it, found another one; "
                    f"update_archive makes it again"
                )
            with catalogue.changing():  # so that films and segments are of one moment
                records, segments = catalogue.films(), catalogue.segments()
        part = ArchivePart(project, segments)
        parts.append(part)
        films += [[part.name, *(getattr(one, name) for name in _FILM_COLUMNS[1:])] for one in records]
    table = pd.DataFrame(films, columns=pd.Index(_FILM_COLUMNS))
    return Archive(parts, table.sort_values(["project", "film", "folder"], ignore_index=True))
