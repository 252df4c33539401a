"""The rows of one film in the index: who is on screen when, its tracks, their faces as vectors, and its shots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from facelib.archive.tables import APPEARANCES, SHOTS, TRACKS, FilmRows
from facelib.films.appearances import appearances, with_ends
from facelib.films.corrections import labels
from facelib.films.record import read_record, weights_of
from facelib.films.tables import read_film_table, read_shot_table
from facelib.project import FilmFiles
from facelib.project.names import NOT_A_FACE, UNKNOWN

_NEEDS = ["track", "shot", "scene", "start", "end", "person", "cluster", "confidence"]


def rows_of(files: FilmFiles, entry: int, *, longest_gap: float = 1.0) -> FilmRows:
    """Read a film's tables and return its rows.

    Args:
        files: `tracks.parquet` must be there; `shots.csv` gives the extent of shots and scenes where it is.
        entry: The number that the film's rows carry.
        longest_gap: Seconds up to which the gap between two stretches of one person is closed.

    Raises:
        OSError: When a table cannot be read.
        ValueError: When one is damaged.
    """
    table = with_ends(read_film_table(files.tracks, needs=_NEEDS)).assign(cluster=lambda one: one["cluster"].fillna(""))
    table = table[table["person"] != NOT_A_FACE]
    groups = set(table.loc[(table["person"] == UNKNOWN) & (table["cluster"] != ""), "cluster"])
    tracks = table.assign(person=labels(table), end=table["until"], film=entry)
    tracks = tracks.assign(group=tracks["person"].isin(groups)).sort_values(["person", "start", "track"])
    seen = appearances(table, longest_gap=longest_gap, unknown=True)
    seen = seen.assign(film=entry, group=seen["person"].isin(groups), track=_longest_tracks(seen, tracks))
    vectors = _vectors(tracks)
    seconds = max(float(read_record(files).get("duration", 0.0)), float(table["until"].max() if len(table) else 0.0))
    return FilmRows(
        appearances=_arrow(seen.sort_values(["person", "start"]), APPEARANCES),
        tracks=_arrow(tracks, TRACKS),
        shots=_arrow(_shots(files, tracks, seconds).assign(film=entry), SHOTS),
        vectors=vectors,
        network=f"{weights_of(files)}:{vectors.shape[1] - 1}" if vectors.size else "",
        seconds=seconds,
    )


def _arrow(table: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    columns = [pa.array(table[field.name].to_numpy(), type=field.type, from_pandas=True) for field in schema]
    return pa.table(columns, schema=schema)


def _longest_tracks(seen: pd.DataFrame, tracks: pd.DataFrame) -> list[int]:
    """Return the longest track of each stretch."""
    lengths: dict[Any, float] = dict(zip(tracks["track"], tracks["end"] - tracks["start"], strict=True))
    return [max(map(int, str(text).split()), key=lambda track: lengths[track]) for text in seen["tracks"]]


def _vectors(tracks: pd.DataFrame) -> NDArray[np.float32]:
    """Return the embeddings as rows, each with the square of its length behind it."""
    found = {row: one for row, one in enumerate(tracks.get("embedding", ())) if np.ndim(one) == 1}
    length = max(map(len, found.values()), default=0)
    if not length:
        return np.empty((len(tracks), 0), np.float32)
    vectors = np.full((len(tracks), length + 1), np.nan, np.float32)
    for row, one in found.items():
        if len(one) == length:
            vectors[row, :-1] = one
    vectors[:, -1] = np.einsum("ij,ij->i", vectors[:, :-1], vectors[:, :-1])
    return vectors


def _shots(files: FilmFiles, tracks: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Return `shot`, `scene`, `start` and `end` of each shot; of a film without `shots.csv`, of those with faces."""
    if not files.shots.is_file():
        spans = tracks.groupby("shot").agg(scene=("scene", "first"), start=("start", "min"), end=("end", "max"))
        return spans.reset_index()
    table = read_shot_table(files.shots, needs=["shot", "start", "end"])
    if table.empty:
        return table.assign(scene=0)
    # A shot lasts until the next one begins; in the file, `end` is the time of its last frame.
    end = np.append(table["start"].to_numpy()[1:], max(seconds, float(table["end"].iloc[-1])))
    return table.assign(end=end, scene=table.get("scene", 0))
