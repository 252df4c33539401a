"""The log of decisions for films, from `facelib.project.decisions`."""

from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections, now, read_corrections
from facelib.project.names import NOT_A_FACE, checked_name, group_number, is_group

__all__ = [
    "CORRECTION_COLUMNS",
    "NOT_A_FACE",
    "append_corrections",
    "checked_name",
    "group_number",
    "is_group",
    "now",
    "read_corrections",
]
