"""The inputs of a film's index, kept beside its tables: unless they change, it need not be decoded again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.films.record import EARLIER, read_record
from facelib.films.tables import damage
from facelib.films.tracking import TRACK_TYPES, FilmTracks, TrackingSettings
from facelib.project import FilmFiles, digest, write_table, write_text

_FORM = 9  # version of the tables; raise it when the pass writes something else


def index_film(
    video: str | Path,
    files: FilmFiles,
    detector: Detector,
    embedder: Embedder,
    *,
    content: str,
    tracking: TrackingSettings | None = None,
    progress: bool = True,
) -> FilmTracks:
    """Return what `facelib.films.index.find_tracks` finds in a film, from its tables where these are up to date.

    `content` is the SHA-256 of the film's bytes, see `Project.digest`; the other arguments are those of `find_tracks`.

    Raises:
        facelib.films.media.decode.UnreadableFilm: When the film cannot be decoded.
        OSError: When it is not there, or the tables cannot be written.
    """
    tracking = tracking or TrackingSettings()
    made = made_from(content, detector, embedder, tracking)
    found = read_index(files, made)
    if found is None:
        before = read_record(files).get("made", {})
        from facelib.films.index import find_tracks  # takes a second to import: only where it is needed

        files.followed.unlink(missing_ok=True)  # it describes tables that are about to change
        found = find_tracks(video, files, detector, embedder, tracking=tracking, progress=progress)
        write_index(files, found, made)
        if before and before.get("form") != _FORM:
            found = replace(found, notes=(*found.notes, EARLIER))
    return replace(found, made=digest(made))


def made_from(content: str, detector: Detector, embedder: Embedder, tracking: TrackingSettings) -> dict[str, object]:
    """Return everything that the result of `facelib.films.index.find_tracks` depends on."""
    return {
        "form": _FORM,
        "film": content,
        "detector": detector.description,
        "embedder": embedder.name,
        "weights": embedder.sha256,
        "search": asdict(tracking),
    }


def read_index(files: FilmFiles, made: dict[str, object]) -> FilmTracks | None:
    """Return what an earlier pass over the film found, or None when it was not made from `made`."""
    record = read_record(files)
    if record.get("made") != json.loads(json.dumps(made)) or not all(path.is_file() for path in files.index):
        return None
    if damage(files):
        return None
    try:
        return _with_facts(pd.read_parquet(files.found, columns=[*TRACK_TYPES, "embedding"]), record)
    except (OSError, ValueError, KeyError, TypeError):  # damaged: index the film again
        return None


def _with_facts(tracks: pd.DataFrame, record: Mapping[str, Any]) -> FilmTracks:
    return FilmTracks(
        tracks,
        float(record["read_until"]),
        float(record["duration"]),
        int(record["dropped"]),
        str(record["problem"]),
        tuple(record["notes"]),
    )


def write_index(files: FilmFiles, found: FilmTracks, made: dict[str, object]) -> None:
    """Write the tracks and, when all other tables are there, what they were made from."""
    write_table(found.tracks, files.found)
    names = ("read_until", "duration", "dropped", "problem", "notes")
    record = {"made": made, **{name: getattr(found, name) for name in names}}
    write_text(json.dumps(record, indent=2), files.followed)
