"""How far faces lie from the people of the cast, and how far people usually lie from each other."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from facelib.embed.shapes import DLIB_SHAPE
from facelib.faces import FloatArray
from facelib.films.naming.settings import Recognizer
from facelib.nets.figures import EvidenceShape
from facelib.recognize import OpenSetSVM


def distances_to_people(vectors: FloatArray, recognizer: Recognizer) -> FloatArray:
    """Return the mean distance to each person's three nearest pictures, `(n, people)`.

    A person whose own threshold is stricter than the common one lies farther away by the difference.
    """
    found = np.empty((len(vectors), len(recognizer.classes_)), np.float32)
    for person in range(len(recognizer.classes_)):
        apart = cdist(vectors, recognizer.vectors_[recognizer.codes_ == person])
        count = min(3, apart.shape[1])
        found[:, person] = np.partition(apart, count - 1, axis=1)[:, :count].mean(axis=1)
    return found if isinstance(recognizer, OpenSetSVM) else found + recognizer.offsets.astype(np.float32)


def usual_distances(recognizer: Recognizer, shape: EvidenceShape = DLIB_SHAPE) -> tuple[float, float]:
    """Return within which distance a good face is named, and how far strangers lie, in the embedding's own units."""
    threshold = float(recognizer.farthest if isinstance(recognizer, OpenSetSVM) else recognizer.threshold)
    # The median of some hundred faces is as good as that of all.
    some = np.unique(np.linspace(0, len(recognizer.vectors_) - 1, 400).astype(int))
    apart = distances_to_people(recognizer.vectors_[some], recognizer)
    apart[np.arange(len(some)), recognizer.codes_[some]] = np.inf
    others = float(np.median(apart.min(axis=1)))  # infinite in a gallery of one person
    if not np.isfinite(threshold):
        threshold = 0.7 * others
    return threshold, float(np.clip(others / threshold, *shape.strangers) * threshold)
