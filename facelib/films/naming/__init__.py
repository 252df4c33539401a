"""Names for tracks: by face and by context."""

from facelib.films.naming.looks import read_looks
from facelib.films.naming.settings import LOOK_COLUMNS, TRACK_COLUMNS, NamingSettings, Recognizer
from facelib.films.naming.tracks import name_tracks

__all__ = ["LOOK_COLUMNS", "TRACK_COLUMNS", "NamingSettings", "Recognizer", "name_tracks", "read_looks"]
