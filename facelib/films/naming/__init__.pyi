from .looks import read_looks
from .settings import LOOK_COLUMNS, TRACK_COLUMNS, NamingSettings, Recognizer
from .tracks import name_tracks

__all__ = ["LOOK_COLUMNS", "TRACK_COLUMNS", "NamingSettings", "Recognizer", "name_tracks", "read_looks"]
