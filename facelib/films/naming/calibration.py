"""How sure an answer is: probabilities that keep their word on labelled films."""

from __future__ import annotations

import numpy as np

from facelib.faces import FloatArray
from facelib.recognize.calibration import logistic

# Fitted by `benchmarks/confidence.py` on 297 tracks of four films that were left unknown, with people of the cast left
# out in turn; each film by itself left out of the fit, the calibration error falls from 0.17 to 0.06.
_INTERCEPT, _NOBODY, _MUTE = 0.11, 0.36, -1.01


def stranger_confidence(nobody: FloatArray, mute: FloatArray) -> FloatArray:
    """Return the probability that a track left unknown truly shows nobody of the cast, `(n,)`.

    A turned or small face that gets no name is most often one of the cast that could not be told.

    Args:
        nobody: `(n,)`, the probability of nobody of the cast, as the evidence of the scene has it.
        mute: `(n,)`, 0 to 1, how little the face tells, see `facelib.films.naming.evidence.muteness`.
    """
    bounded = np.clip(np.asarray(nobody, np.float64), 1e-4, 1 - 1e-4)
    odds = np.log(bounded / (1 - bounded))
    return np.asarray(logistic(_NOBODY * odds + _MUTE * mute, 1.0, _INTERCEPT), np.float32)
