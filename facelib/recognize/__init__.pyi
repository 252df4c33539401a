from .base import OpenSetRecognizer
from .info import RecognizerInfo, read_recognizer_info
from .knn import OpenSetKNN
from .store import load_recognizer, save_recognizer
from .svm import OpenSetSVM

__all__ = [
    "OpenSetKNN",
    "OpenSetRecognizer",
    "OpenSetSVM",
    "RecognizerInfo",
    "load_recognizer",
    "read_recognizer_info",
    "save_recognizer",
]
