"""What is written beside a film's tables about their making; read without what makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from facelib.project import FilmFiles

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


def length_of(files: FilmFiles, tracks: pd.DataFrame) -> float:
    """Return a film's length in seconds, from its file, else as far as it was read, else to the end of its tracks."""
    record = read_record(files)
    known = float(str(record.get("duration", 0))) or float(str(record.get("read_until", 0)))
    return known or float(tracks["end"].max() if len(tracks) else 0.0)


def weights_of(files: FilmFiles) -> str:
    """Return the SHA-256 of the weights that embedded a film's faces, empty where it is not known."""
    made = read_record(files).get("made")
    return str(made.get("weights", "")) if isinstance(made, dict) else ""
