"""Tracks of unknown people that are surely one person's, read from the tables of a film."""

from __future__ import annotations

import pandas as pd
import pyarrow.parquet as pq

from facelib.films.naming import read_looks
from facelib.films.naming.places import PLACE_COLUMNS, tracks_of_one_place
from facelib.project import FilmFiles
from facelib.project.names import UNKNOWN


def read_one_place(files: FilmFiles, tracks: pd.DataFrame, *, threshold: float) -> list[list[int]]:
    """Return the unknown tracks of a film that are one person's by their surroundings, see `tracks_of_one_place`.

    Args:
        files: Of the film. Where tables are missing, or of a former version, nothing is known.
        tracks: The columns of `tracks.parquet`.
        threshold: As of `tracks_of_one_place`.

    Raises:
        OSError: When a table cannot be read.
    """
    unknown = tracks[tracks["person"] == UNKNOWN]
    if unknown.empty or not (files.looks.is_file() and files.shots.is_file()):
        return []
    shots = pd.read_csv(files.shots, keep_default_na=False)
    if not ({*PLACE_COLUMNS} <= {*pq.read_schema(files.looks).names} and {"scene", "setup"} <= {*shots}):
        return []
    looks = read_looks(files.looks, PLACE_COLUMNS)
    return tracks_of_one_place(unknown, looks, shots, threshold=threshold)
