"""Names for tracks: by the face, and by what surrounds it."""

from facelib.naming.rules import LOOK_COLUMNS, TRACK_COLUMNS, Recognizer, Rules
from facelib.naming.tracks import name_tracks

__all__ = ["LOOK_COLUMNS", "TRACK_COLUMNS", "Recognizer", "Rules", "name_tracks"]
