"""What is kept beside a recognizer, without fitting one."""

import math
from typing import Any

from facelib.recognize import RecognizerInfo


def make_info(**known: Any) -> RecognizerInfo:
    """Return what a fit would tell: what is given, and otherwise what says least."""
    nothing: dict[str, Any] = {
        "kind": "knn", "k": 1, "threshold": 0.5, "wanted_fpir": 0.01, "fpir": 0.01, "fnir": 0.1,
        "fpir_interval": (math.nan, math.nan), "fnir_interval": (math.nan, math.nan), "impostor_trials": 0,
        "genuine_trials": 0, "detector": "", "embedder": "dlib", "weights_sha256": "", "facelib_version": "0",
    }  # fmt: skip
    return RecognizerInfo(**nothing | known)
