from .detect import load_detector
from .embed import load_embedder
from .faces import Faces, Frame
from .images import UnreadablePicture, read_image
from .project import Project
from .recognize import UNKNOWN, OpenSetKNN, OpenSetSVM

__all__ = [
    "UNKNOWN",
    "Faces",
    "Frame",
    "OpenSetKNN",
    "OpenSetSVM",
    "Project",
    "UnreadablePicture",
    "load_detector",
    "load_embedder",
    "read_image",
]

__version__: str
