from .base import OpenSetRecognizer
from .knn import OpenSetKNN
from .store import RecognizerInfo, load_recognizer, save_recognizer
from .svm import OpenSetSVM

__all__ = [
    "OpenSetKNN",
    "OpenSetRecognizer",
    "OpenSetSVM",
    "RecognizerInfo",
    "load_recognizer",
    "save_recognizer",
]
