"""Name the tracks of one film by face and context, and cache the result by its inputs."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

import numpy as np
import pandas as pd

from facelib import __version__
from facelib.embed.shapes import evidence_shape
from facelib.films.naming import NamingSettings, Recognizer, name_tracks, read_looks
from facelib.films.tables import read_shot_table, read_whole
from facelib.films.tracking import FilmTracks
from facelib.project import FilmFiles, digest, write_table
from facelib.recognize import RecognizerInfo

_FORM = 6  # version of the table; raise it when naming gives something else


def name_film(
    found: FilmTracks,
    files: FilmFiles,
    recognizer: Recognizer,
    info: RecognizerInfo,
    *,
    settings: NamingSettings | None = None,
) -> pd.DataFrame:
    """Name the tracks of a film, and write them to `named.parquet`; nothing of the film itself is read.

    A table made from the same tracks, recognizer and settings is reused.

    Returns:
        The columns of `tracks.parquet` and `until`; `cluster` is empty, since unknown people are grouped over all
        films, see `facelib.films.settle`. `attrs["made"]` is the SHA-256 of its inputs.

    Raises:
        OSError: When a table cannot be read or written.
    """
    settings = settings or NamingSettings()
    shape, _ = evidence_shape(info.embedder, info.weights_sha256)
    inputs = _content(vars(recognizer)), _content(asdict(info)), asdict(settings), asdict(shape)
    made = digest(_FORM, __version__, found.made, *inputs)
    kept = read_whole(files.named)
    if kept is not None and found.made and kept.attrs.get("made") == made:
        return kept
    looks = read_looks(files.looks)
    shots = read_shot_table(files.shots)
    table = name_tracks(found.tracks, recognizer, info, looks=looks, shots=shots, settings=settings)
    table = table.assign(until=found.tracks["until"].to_numpy())
    table.attrs = {"made": made}
    write_table(table, files.named)
    return table


def _content(value: object) -> object:
    """Return a value as JSON can hold it, arrays by their digest."""
    if isinstance(value, np.ndarray):
        plain = value.dtype == object
        made = digest(value.tolist()) if plain else hashlib.sha256(value.tobytes()).hexdigest()
        return [str(value.dtype), list(value.shape), made]
    if isinstance(value, dict):
        return {str(key): _content(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_content(one) for one in value]
    return value if isinstance(value, str | int | float | bool) or value is None else repr(value)
