"""Tables of a film that something may have damaged, such as a machine that went down while they were written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from facelib.faces import BOX
from facelib.films.record import content_of
from facelib.project import FilmFiles, Project
from facelib.project.spreadsheets import read_csv_table
from facelib.project.wording import in_one_line

_TRACKS = {"track", "shot", "start_frame", "end_frame", "start", "end"}
_NAMED = _TRACKS | {"person", "cluster", "confidence"}
_COLUMNS = {  # of each table, those without which nothing can be done with it
    "found.parquet": _TRACKS,
    "named.parquet": _NAMED,
    "tracks.parquet": _NAMED,
    "detections.parquet": {"frame", "time", "shot", "track", *BOX},
    "looks.parquet": {"track", "frame", *BOX, "quality", "picture"},
    "keyframes.parquet": {"shot", "picture"},
    "times.parquet": {"frame", "time"},
}
_SHOTS = ["shot", "start_frame", "end_frame", "start", "end"]
_HOLDS = {  # what columns hold wherever they are; other texts, and lists, are numbers where all of them are missing
    "numbers": _TRACKS | {
        "frame", "time", *BOX, "score", "quality", "yaw", "pitch", "roll", "cut", "interpolated", "faces", "until",
        "scene", "setup", "confidence", "distance", "margin", "dominant", "ticks", "source_time",
    },
    "texts": {"person"},
    "pictures": {"picture"},
}  # fmt: skip


class UnusableTables(OSError):
    """A film's tables are missing, cannot be read, or are those of another film by now; says what to run.

    Attributes:
        problem: What is wrong, without what to run.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; run 05 on it again")
        self.problem = problem


def read_film_table(
    path: Path, columns: Sequence[str] | None = None, *, needs: Sequence[str] | None = None, **options: Any
) -> pd.DataFrame:
    """Read a Parquet table of a film.

    Args:
        path: The table.
        columns: Those to read; None reads all.
        needs: Those that must be there; None means `columns`, or all without which nothing can be done with the table.
        **options: Of `pandas.read_parquet`.

    Raises:
        UnusableTables: When it is damaged, lacks a column, or has something else in one.
        OSError: When it is not there, or may not be read.
    """
    with told_by_name(path):
        _check(path, needs or columns)
        return pd.read_parquet(path, columns=None if columns is None else list(columns), **options)


def read_whole(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame | None:
    """Return a Parquet table, or some of its columns; None where there is none, it is damaged or another table."""
    try:
        return read_film_table(path, columns)
    except OSError:
        return None


def read_without_embeddings(path: Path, *others: str, needs: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table without its embeddings, which are most of it, and without some other columns.

    Args:
        path: The table.
        *others: The other columns that are left out.
        needs: Those that must be there; None means all without which nothing can be done with the table.

    Raises:
        OSError: As in `read_film_table`.
    """
    left_out = {"embedding", *others}
    with told_by_name(path):
        names = pq.read_schema(path).names
    kept = [name for name in names if name not in left_out]
    return read_film_table(path, kept, needs=_needed(path) if needs is None else needs)


def read_shot_table(path: Path, *, needs: Sequence[str] = _SHOTS) -> pd.DataFrame:
    """Read `shots.csv`, which a spreadsheet may have saved; `needs` are the columns that must be there.

    Raises:
        UnusableTables: When it is no table of shots.
        OSError: When it is not there, or may not be read.
    """
    with told_by_name(path):
        return _shots(path, needs)


@contextmanager
def told_by_name(path: Path) -> Iterator[None]:
    """Turn what libraries raise for a damaged table of a film into an error that names it; the system's own stay.

    Raises:
        UnusableTables: In their place.
    """
    try:
        yield
    except (OSError, ValueError, KeyError) as error:  # those of pyarrow are all three
        if isinstance(error, UnusableTables) or getattr(error, "errno", None) is not None:
            raise
        raise UnusableTables(f"{path.parent.name}/{path.name} cannot be read: {in_one_line(error)}") from error


def read_detections(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Read columns of `detections.parquet`, `shot` among them, some shots at a time and in order; at least once.

    Raises:
        UnusableTables: When the table is damaged, or lacks a column.
        OSError: When it is not there, or may not be read.
    """
    with told_by_name(path), pq.ParquetFile(path) as file:
        held = file.schema_arrow.empty_table().select(list(columns)).to_pandas()
        for group in range(file.num_row_groups):
            read = file.read_row_group(group, columns=list(columns), use_threads=False).to_pandas()
            rows = pd.concat([held, read], ignore_index=True) if len(held) else read
            if rows.empty:
                continue
            ends = np.flatnonzero(np.diff(rows["shot"])) + 1
            whole = int(ends[-1]) if len(ends) else 0
            if whole:
                yield rows[:whole]
            held = rows[whole:]  # a very long shot goes on in the next group of rows
        yield held


def damage(files: FilmFiles, *others: Path) -> str:
    """Return which table of a pass over a film cannot be read, and why; empty where all can.

    Of Parquet files only the end is read, which a file that was cut short lacks, and which names the columns.

    Args:
        files: Of the film.
        others: Parquet tables of it that must be there; of the others those that are there are looked at.
    """
    for path in others:
        if not path.is_file():
            return f"{path.name} is missing"
    # In the same order whenever it is asked: where several are damaged, the first is named.
    for path in dict.fromkeys((*files.index, *others)):
        if path.is_file():
            try:
                _check(path)
            except (OSError, ValueError) as error:  # those of pyarrow are both
                return f"{path.name} cannot be read: {in_one_line(error)}"
    return ""


def _check(path: Path, needs: Iterable[str] | None = None) -> None:
    """Raise a ValueError where a table lacks a column, or one holds something else than it should."""
    if path.suffix == ".csv":
        _shots(path, _SHOTS)
        return
    with pq.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    _check_columns(_needed(path) if needs is None else needs, schema.names)
    for field in schema if rows and path.name in _COLUMNS else ():
        for what, names in _HOLDS.items():
            if field.name.removeprefix("auto_") in names and not _holds(field.type, what):
                raise ValueError(f"its column {field.name!r} does not hold {what}, but {field.type}")


def _needed(path: Path) -> list[str]:
    return sorted(_COLUMNS.get(path.name, ()))


def _shots(path: Path, needs: Sequence[str]) -> pd.DataFrame:
    table = read_csv_table(path)
    _check_columns(needs, table.columns)
    for name in needs:
        if len(table) and not pd.api.types.is_numeric_dtype(table[name]):
            raise ValueError(f"its column {name!r} does not hold numbers")
    return table


def _check_columns(wanted: Iterable[str], there: Collection[str]) -> None:
    missing = next((name for name in wanted if name not in there), None)
    if missing is not None:
        raise ValueError(f"it has no column {missing!r}")


def _holds(kind: pa.DataType, what: str) -> bool:
    """Return whether a column of a type may hold such values; one without a value may be of no type."""
    types, kind = pa.types, kind.value_type if pa.types.is_dictionary(kind) else kind
    holds = {
        "numbers": (types.is_integer, types.is_floating, types.is_boolean),
        "texts": (types.is_string, types.is_large_string, types.is_string_view),
        "pictures": (types.is_binary, types.is_large_binary),
    }
    return types.is_null(kind) or any(fits(kind) for fits in holds[what])


def unreadable(film: Path, files: FilmFiles) -> str:
    """Return which of a film's tables is missing or cannot be read; empty where all can."""
    problem = damage(files, files.tracks, files.detections)
    return f"expected the tables of {film.name!r}, {problem}" if problem else ""


def outdated(project: Project, film: Path) -> str:
    """Say that a film was replaced or has grown since its tables were made: its boxes are another's.

    Empty where it was not, where the film is not there, and where its tables do not say what they were made from.

    Raises:
        OSError: When the film cannot be read.
    """
    content = content_of(project.film(film))
    if not content or not film.is_file() or project.digest(film) == content:
        return ""
    return f"expected {film.name!r} as it was when its faces were looked for, it was changed since"
