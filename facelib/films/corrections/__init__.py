"""The user's corrections of tracks: stored, applied to every table, and enrolled."""

from facelib.films.corrections.apply import (
    Corrected,
    automatic,
    correct_films,
    current,
    labels,
    match_corrections,
    rename_groups,
)
from facelib.films.corrections.enrol import Enrolled, enrol
from facelib.films.corrections.log import (
    CORRECTION_COLUMNS,
    NOT_A_FACE,
    append_corrections,
    checked_name,
    group_number,
    is_group,
    read_corrections,
)

__all__ = [
    "CORRECTION_COLUMNS",
    "NOT_A_FACE",
    "Corrected",
    "Enrolled",
    "append_corrections",
    "automatic",
    "checked_name",
    "correct_films",
    "current",
    "enrol",
    "group_number",
    "is_group",
    "labels",
    "match_corrections",
    "read_corrections",
    "rename_groups",
]
