"""Projects whose films have been looked at, as tables only: many films, quickly made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelib.project import FilmFiles, Project, write_table, write_text

CAST = ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Édith Clarke"]
NAMES = [*CAST, "unknown"]


def write_film(project: Project, film: str, tracks: pd.DataFrame, *, seconds: float = 0.0) -> FilmFiles:
    """Write what 05 leaves of a film: `tracks` has person, cluster, start and end (exclusive), in seconds."""
    files = FilmFiles(project.film_summary.parent / Path(film).stem)
    rows = tracks.assign(track=range(len(tracks)), until=tracks["end"], end=tracks["end"] - 0.04)
    for name, value in {"confidence": np.float32(0.9), "shot": 0, "scene": 0}.items():
        rows = rows if name in rows else rows.assign(**{name: value})
    write_table(rows, files.tracks)
    write_text(film, files.source)
    duration = seconds or float(tracks["end"].max() if len(tracks) else 0)
    write_text(json.dumps({"made": {"weights": "w" * 64}, "duration": duration}), files.followed)
    return files


def random_tracks(seed: int, count: int = 60, *, dimension: int = 8) -> pd.DataFrame:
    """Return made-up tracks; the times are whole frames of 25 a second."""
    random = np.random.default_rng(seed)
    person = random.choice(NAMES, count)
    start = np.sort(random.integers(0, 4000, count)) / 25
    cluster = np.where(person == "unknown", random.choice(["", "Unknown 1", "Unknown 2"], count), "")
    shot = (start // 8).astype(int)
    return pd.DataFrame(
        {
            "person": person,
            "cluster": cluster,
            "start": start,
            "end": start + random.integers(5, 200, count) / 25,
            "shot": shot,
            "scene": shot // 4,
            "embedding": list(random.normal(size=(count, dimension)).astype(np.float32)),
        }
    )


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[..., Project]:
    """Return a factory of projects with made-up films, called `film 0.mp4` and so on."""

    def make(films: int = 3, *, name: str = "archive", seed: int = 0) -> Project:
        project = Project(name, tmp_path / "data", tmp_path / "output")
        project.videos.mkdir(parents=True)
        for number in range(films):
            write_film(project, f"film {number}.mp4", random_tracks(seed + number))
        return project

    return make
