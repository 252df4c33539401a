"""The user's corrections of tracks: stored, applied to every table, and enrolled."""

from facelib.films.corrections.apply import (
    Corrected,
    automatic,
    correct_films,
    current,
    labels,
    match_corrections,
    match_project,
    rename_groups,
)
from facelib.films.corrections.enrol import Enrolled, enrol

__all__ = [
    "Corrected",
    "Enrolled",
    "automatic",
    "correct_films",
    "current",
    "enrol",
    "labels",
    "match_corrections",
    "match_project",
    "rename_groups",
]
