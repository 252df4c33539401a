"""Open-set recognition: names for face embeddings, or `unknown`, as scikit-learn estimators."""

from facelib.project.names import UNKNOWN
from facelib.recognize.base import OpenSetRecognizer
from facelib.recognize.knn import OpenSetKNN
from facelib.recognize.store import RecognizerInfo, load_recognizer, save_recognizer
from facelib.recognize.svm import OpenSetSVM

__all__ = [
    "UNKNOWN",
    "OpenSetKNN",
    "OpenSetRecognizer",
    "OpenSetSVM",
    "RecognizerInfo",
    "load_recognizer",
    "save_recognizer",
]
