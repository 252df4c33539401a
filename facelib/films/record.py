"""What is written beside a film's tables about their making; read without what makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from facelib.project import FilmFiles, Project
from facelib.project.spreadsheets import read_csv_table

SUMMARY_COLUMNS = [
    "film", "shots with faces", "tracks", "named", "by context", "unknown", "people", "no face", "problem", "notes",
]  # fmt: skip
EARLIER = "searched again: its tables were those of an earlier version of facelib"
"""What the notes on a film in the summary say then; its corrections stay."""


def read_record(files: FilmFiles) -> dict[str, Any]:
    """Return what a film's tables were made from, and what of the film they lack; empty where it is not known."""
    return read_facts(files.followed)


def read_facts(path: Path) -> dict[str, Any]:
    """Return what a JSON file records by name; nothing where there is no such file, or a damaged one."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def read_summary(project: Project) -> pd.DataFrame:
    """Return what was found in each film of the last runs, or why it was left out: texts.

    Returns:
        The columns `SUMMARY_COLUMNS`, empty where an earlier version wrote none; no rows where nothing was written yet,
        or what was is damaged: the next run writes it anew.
    """
    try:
        table = read_csv_table(project.film_summary, dtype="str")
    except (OSError, ValueError):
        table = pd.DataFrame(dtype="str")
    return table.reindex(columns=SUMMARY_COLUMNS, fill_value="").query("film != ''").reset_index(drop=True)


def length_of(files: FilmFiles, tracks: pd.DataFrame) -> float:
    """Return a film's length in seconds, from its file, else as far as it was read, else to the end of its tracks."""
    record = read_record(files)
    known = float(str(record.get("duration", 0))) or float(str(record.get("read_until", 0)))
    return known or float(tracks["end"].max() if len(tracks) else 0.0)


def weights_of(files: FilmFiles) -> str:
    """Return the SHA-256 of the weights that embedded a film's faces, empty where it is not known."""
    return _made_from(files, "weights")


def content_of(files: FilmFiles) -> str:
    """Return the SHA-256 of the film that its tables were made from, empty where it is not known."""
    return _made_from(files, "film")


def _made_from(files: FilmFiles, what: str) -> str:
    made = read_record(files).get("made")
    return str(made.get(what, "")) if isinstance(made, dict) else ""
