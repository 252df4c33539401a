"""Which names an annotated film shows, and how it was drawn."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from facelib.films.record import read_facts
from facelib.films.tables import read_film_table
from facelib.project import FilmFiles, Project, digest, write_text

_SHOWN = ["track", "start_frame", "end_frame", "person", "cluster"]


def remember_drawn(files: FilmFiles, tracks: pd.DataFrame, **options: Any) -> None:
    """Record which names the annotated film shows, and the options that it was drawn with."""
    kept = {name: value for name, value in options.items() if name not in ("progress", "report")}
    write_text(json.dumps({"shows": _shown(tracks), "options": kept}, default=list), files.drawn)


def drawn_options(files: FilmFiles) -> dict[str, Any] | None:
    """Return the options that the annotated film was drawn with, such as `blur`; None where they were not recorded."""
    options = read_facts(files.drawn).get("options")
    return options if isinstance(options, dict) else None


def films_behind(project: Project, films: Iterable[Path]) -> list[Path]:
    """Return the films whose annotated film is missing, or shows other names than their tracks have now."""
    behind = []
    for film in films:
        files = project.film(film)
        shows = read_facts(files.drawn).get("shows")
        if not files.annotated.is_file() or shows != _shown(read_film_table(files.tracks, _SHOWN)):
            behind.append(film)
    return behind


def _shown(tracks: pd.DataFrame) -> str:
    return digest(tracks[_SHOWN].astype({"person": str, "cluster": str}).to_numpy(dtype=object).tolist())
