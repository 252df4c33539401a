"""The tables of films brought in line with what their user decided, without looking at the films again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from facelib.films.appearances import appearances
from facelib.films.corrections import (
    Corrected,
    correct_films,
    labels,
    match_corrections,
    read_corrections,
)
from facelib.project import Project, write_table

CHANGE_COLUMNS = ["video", "track", "start", "end", "was", "is", "reason"]


@dataclass(frozen=True, slots=True, eq=False)
class Revision:
    """What bringing the tables in line did.

    Attributes:
        tracks: By the film's file name, its tracks as they are now.
        changes: One row a track that is now called something else than in the file before: `video`, `track`,
            `start`, `end` (seconds), `was`, `is`, `reason`.
        written: The films whose tables were written anew; where nothing changed, the files stay as they were.
        left_out: The decisions that were not applied, with the columns of `corrections.csv` and `why`.
        warnings: A sentence for each person whom the user named twice in one moment.
    """

    tracks: dict[str, pd.DataFrame]
    changes: pd.DataFrame
    written: list[Path]
    left_out: pd.DataFrame
    warnings: list[str]


def revise_films(project: Project, films: Iterable[Path] | None = None, *, longest_gap: float = 1.0) -> Revision:
    """Apply the user's decisions to `tracks.parquet` and `appearances.csv` of films, and write what changed.

    All films of the project that have been looked at count when groups of unknown people are settled.

    Args:
        project: Its `corrections.csv` is read.
        films: The films to write and report about; None means all of the project that have tables.
        longest_gap: As of `facelib.films.appearances.appearances`; a changed value alone writes nothing anew.

    Raises:
        FileNotFoundError: When one of `films` has no tables.
        ValueError: When `corrections.csv` is damaged.
        OSError: When a table cannot be written.
    """
    there = {film.name: film for film in project.find_videos() if project.film(film).tracks.is_file()}
    wanted = {film.name: film for film in films} if films is not None else there
    for name, film in wanted.items():
        if not project.film(film).tracks.is_file():
            raise FileNotFoundError(
                f"expected {str(project.film(film).tracks)!r}, found none; run 05 on {name!r} first"
            )
    corrected = correct_project(project, [*(there | wanted).values()])
    written, rows = [], []
    for name, film in wanted.items():
        files, after = project.film(film), corrected.tables[name]
        before = pd.read_parquet(files.tracks)
        if _same(before, after):
            continue
        write_table(after, files.tracks)
        write_table(appearances(after, longest_gap=longest_gap), files.appearances)
        written.append(film)
        rows.append(_changes(name, before, after))
    changes = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=pd.Index(CHANGE_COLUMNS))
    tracks = {name: corrected.tables[name] for name in wanted}
    return Revision(tracks, changes, written, corrected.left_out, corrected.warnings)


def films_behind(project: Project, films: Iterable[Path]) -> list[Path]:
    """Return the films whose annotated film is missing, or older than their tracks."""
    behind = []
    for film in films:
        files = project.film(film)
        if not files.annotated.is_file() or files.annotated.stat().st_mtime_ns < files.tracks.stat().st_mtime_ns:
            behind.append(film)
    return behind


def correct_project(project: Project, films: Iterable[Path]) -> Corrected:
    """Read the tracks and the decisions of films, and return the tracks as decided; nothing is written.

    Raises:
        FileNotFoundError: When a film has no tables.
        ValueError: When `corrections.csv` is damaged.
    """
    films = list(films)
    tables = {film.name: pd.read_parquet(project.film(film).tracks) for film in films}
    return correct_films(tables, match_project(project, films, read_corrections(project.corrections)))


def match_project(project: Project, films: Iterable[Path], corrections: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions with `matched`: the number of the track that each is about now, -1 for none."""
    matched = pd.Series(-1, index=corrections.index, dtype="int64")
    for film in films:
        own = corrections[corrections["video"] == film.name]
        if len(own):
            matched[own.index] = match_corrections(own, boxes_of(project, film, own["frame"]))
    return corrections.assign(matched=matched)


def boxes_of(project: Project, film: Path, frames: Iterable[int]) -> pd.DataFrame:
    """Read the boxes of some frames of a film: `frame`, `track`, `left`, `top`, `right`, `bottom`."""
    columns = ["frame", "track", "left", "top", "right", "bottom"]
    wanted = [("frame", "in", sorted(set(frames)) or [-1])]
    return pd.read_parquet(project.film(film).detections, columns=columns, filters=wanted)


def _same(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    kept = [name for name in after.columns if name != "embedding"]
    return kept == [name for name in before.columns if name != "embedding"] and before[kept].equals(after[kept])


def _changes(video: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    table = after.assign(video=video, was=labels(before).to_numpy())
    table = table.assign(**{"is": labels(after).to_numpy()})
    return table.loc[table["was"] != table["is"], CHANGE_COLUMNS].reset_index(drop=True)
