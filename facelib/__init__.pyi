from .detect import load_detector
from .embed import load_embedder
from .faces import Faces, Frame
from .films.annotate import annotate_film
from .films.identify import identify_films
from .gallery import build_gallery
from .images import UnreadablePicture, read_image
from .project import Project
from .project.names import UNKNOWN
from .recognize import OpenSetKNN, OpenSetSVM, load_recognizer
from .recognize.tuning import tune

__all__ = [
    "UNKNOWN",
    "Faces",
    "Frame",
    "OpenSetKNN",
    "OpenSetSVM",
    "Project",
    "UnreadablePicture",
    "annotate_film",
    "build_gallery",
    "identify_films",
    "load_detector",
    "load_embedder",
    "load_recognizer",
    "read_image",
    "tune",
]

__version__: str
