"""What a film was looked through with, kept beside the tables: unless that changes, it need not be decoded again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.films.index import TRACK_TYPES, FilmTracks, TrackingSettings, find_tracks
from facelib.project import FilmFiles, write_table, write_text
from facelib.recognize import UNKNOWN

_FORM = 2  # of the tables; a change of what the pass writes counts it up


def index_film(
    video: str | Path,
    files: FilmFiles,
    detector: Detector,
    embedder: Embedder,
    *,
    search: TrackingSettings | None = None,
    progress: bool = True,
) -> FilmTracks:
    """Return what `find_tracks` finds in a film, from its tables where they were made in the same way.

    Tables that are made anew name nobody: the `person` of each track is `unknown`.

    Raises:
        facelib.films.decode.UnreadableFilm: When the film cannot be decoded.
        OSError: When it is not there, or the tables cannot be written.
    """
    search = search or TrackingSettings()
    made = made_from(video, detector, embedder, search)
    found = read_index(files, made)
    if found is None:
        files.followed.unlink(missing_ok=True)  # it speaks of tables that are about to change
        found = find_tracks(video, files, detector, embedder, search=search, progress=progress)
        write_table(found.tracks.assign(person=UNKNOWN), files.tracks)
        write_index(files, found, made)
    return found


def made_from(video: str | Path, detector: Detector, embedder: Embedder, search: TrackingSettings) -> dict[str, object]:
    """Return everything on which it depends what `facelib.films.index.find_tracks` finds."""
    status = Path(video).stat()
    return {
        "form": _FORM,
        "size": status.st_size,
        "changed": status.st_mtime_ns,
        "detector": detector.description,
        "embedder": embedder.name,
        "weights": embedder.sha256,
        "search": asdict(search),
    }


def read_index(files: FilmFiles, made: dict[str, object]) -> FilmTracks | None:
    """Return what an earlier pass over the film found, or None when it was made from anything else than `made`."""
    tables = (files.tracks, files.detections, files.looks, files.shots, files.keyframes, files.times)
    if not all(path.is_file() for path in tables):
        return None
    try:
        record = json.loads(files.followed.read_text(encoding="utf-8"))
        if record["made"] != json.loads(json.dumps(made)):
            return None
        tracks = pd.read_parquet(files.tracks, columns=[*TRACK_TYPES, "embedding"])
        return FilmTracks(
            tracks,
            float(record["read_until"]),
            float(record["duration"]),
            int(record["dropped"]),
            str(record["problem"]),
            tuple(record["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError):  # damaged: look through the film again
        return None


def write_index(files: FilmFiles, followed: FilmTracks, made: dict[str, object]) -> None:
    """Keep what the tables were made from; call it when all of them are written."""
    names = ("read_until", "duration", "dropped", "problem", "notes")
    record = {"made": made, **{name: getattr(followed, name) for name in names}}
    write_text(json.dumps(record, indent=2), files.followed)


def weights_of(files: FilmFiles) -> str:
    """Return the SHA-256 of the weights that embedded a film's faces, empty where nothing says so."""
    try:
        return str(json.loads(files.followed.read_text(encoding="utf-8"))["made"]["weights"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
