"""Hits as pictures, and as files for other programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.archive.opened import Archive
from facelib.films.tables import read_film_table, read_shot_table
from facelib.project import FilmFiles, Project, write_table, write_text


def project_of(archive: Archive, name: str) -> Project:
    """Return a project of an index by its name.

    Raises:
        KeyError: When it is not among them.
    """
    return {part.name: part.project for part in archive.parts}[name]


def files_of(archive: Archive, project: str, film: str) -> FilmFiles:
    """Return the files of a film of an index.

    Raises:
        KeyError: When the film or the project is not in it.
    """
    films = archive.films
    folder = films.loc[(films["project"] == project) & (films["film"] == film), "folder"]
    if folder.empty:
        raise KeyError(f"expected a film of {project!r} in the index, got {film!r}")
    return FilmFiles(project_of(archive, project).film_summary.parent / str(folder.iloc[0]))


def hit_pictures(archive: Archive, hits: pd.DataFrame) -> list[bytes]:
    """Return for each hit the picture of the shot in which it begins, as JPEG; empty where there is none."""
    pictures = [b""] * len(hits)
    numbered = hits.assign(place=range(len(hits)))
    for (project, film), own in numbered.groupby(["project", "film"], sort=False):
        files = files_of(archive, str(project), str(film))
        if not (files.shots.is_file() and files.keyframes.is_file()):
            continue
        shots = read_shot_table(files.shots, needs=["shot", "start"])
        at = np.searchsorted(shots["start"].to_numpy(), own["start"].to_numpy() + 1e-6, "right") - 1
        wanted = shots["shot"].to_numpy()[np.clip(at, 0, None)].tolist() if len(shots) else []
        kept = read_film_table(files.keyframes, ["shot", "picture"], filters=[("shot", "in", set(wanted))])
        by_shot = dict(zip(kept["shot"].tolist(), kept["picture"].tolist(), strict=True))
        for place, shot in zip(own["place"].tolist(), wanted, strict=False):
            pictures[place] = by_shot.get(shot, b"") or b""
    return pictures


def with_timecodes(hits: pd.DataFrame) -> pd.DataFrame:
    """Return hits with `start_timecode` and `end_timecode`, such as `00:01:02.040`, behind their times."""
    from facelib.films.appearances import timecode  # loads every network's library, which a search does without

    named = {f"{edge}_timecode": hits[edge].map(timecode) for edge in ("start", "end")}
    return hits.assign(**named)


def write_hits(hits: pd.DataFrame, path: str | Path) -> None:
    """Write a list of hits for other programs: `.csv`, `.json` (a list of objects) or `.parquet`.

    Raises:
        ValueError: When the file's name ends otherwise.
        OSError: When it cannot be written.
    """
    path = Path(path)
    if path.suffix == ".json":
        write_text(as_json(hits) + "\n", path)
    elif path.suffix in (".csv", ".parquet"):
        write_table(with_timecodes(hits) if {"start", "end"} <= set(hits) else hits, path)
    else:
        raise ValueError(f"expected a file name that ends in .csv, .json or .parquet, got {path.name!r}")


def as_json(table: pd.DataFrame) -> str:
    """Return a table as a JSON list of objects, one per line; times have microseconds."""
    rows = json.loads(table.to_json(orient="records", double_precision=6))
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    return f"[\n{lines}\n]" if rows else "[]"
