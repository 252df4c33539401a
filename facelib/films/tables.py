"""Tables of a film that something may have damaged, such as a machine that went down while they were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from facelib.films.record import content_of
from facelib.project import FilmFiles, Project
from facelib.project.wording import in_one_line

_TRACKS = {"track", "shot", "start_frame", "end_frame", "start", "end"}
_BOXES = {"frame", "track", "left", "top", "right", "bottom"}
_COLUMNS = {  # of each table, those without which nothing can be done with it
    "found.parquet": _TRACKS,
    "named.parquet": _TRACKS | {"person"},
    "tracks.parquet": _TRACKS | {"person"},
    "detections.parquet": _BOXES,
    "looks.parquet": {"track", "quality"},
    "keyframes.parquet": {"shot", "picture"},
    "times.parquet": {"frame", "time"},
}


class UnusableTables(OSError):
    """A film's tables are missing, cannot be read, or are those of another film by now; says what to run.

    Attributes:
        problem: What is wrong, without what to run.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; run 05 on it again")
        self.problem = problem


def read_whole(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame | None:
    """Return a Parquet table, or some of its columns; None where there is none, it is damaged or another table."""
    try:
        _check(path)
        return pd.read_parquet(path, columns=None if columns is None else list(columns))
    except (OSError, ValueError):  # those of pyarrow are both
        return None


def read_without_embeddings(path: Path, *others: str) -> pd.DataFrame:
    """Read a Parquet table without its embeddings, which are most of it, and without some other columns."""
    left_out = {"embedding", *others}
    return pd.read_parquet(path, columns=[name for name in pq.read_schema(path).names if name not in left_out])


def read_detections(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Read columns of `detections.parquet`, `shot` among them, some shots at a time and in order; at least once.

    Raises:
        OSError: When the table cannot be read.
    """
    with pq.ParquetFile(path) as file:
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
        if path.suffix == ".parquet" and path.is_file():
            try:
                _check(path)
            except (OSError, ValueError) as error:  # those of pyarrow are both
                return f"{path.name} cannot be read: {in_one_line(error)}"
    if files.shots.is_file():
        try:
            pd.read_csv(files.shots, usecols=["shot", "start_frame", "end_frame"])
        except ValueError as error:
            return f"{files.shots.name} cannot be read: {in_one_line(error)}"
    return ""


def _check(path: Path) -> None:
    if missing := _COLUMNS.get(path.name, set()).difference(pq.read_schema(path).names):
        raise ValueError(f"it has no column {min(missing)!r}")


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
