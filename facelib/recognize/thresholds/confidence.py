"""The confidence of a name, by its distance."""

from __future__ import annotations

import math

import numpy as np

from facelib.recognize.calibration import platt
from facelib.recognize.thresholds.evidence import FEWEST_PEOPLE
from facelib.recognize.thresholds.trials import Trials


def confidence_model(outcome: Trials, *, fallback: float) -> tuple[float, float]:
    """Fit the probability that a name is right as a function of its distance: `(slope, intercept)` for `logistic`.

    Strangers count as often as faces of the cast: each face is one genuine and one impostor trial, and a folder of
    strangers, which may be of any size, is not used. With fewer than `FEWEST_PEOPLE` people, or when wrong names are
    not farther away in the trials, the model gives 0.5 at `fallback` and 0.9 at four fifths of it.
    """
    strange = outcome.impostor_distances[: len(outcome.impostor) - outcome.strangers]
    distances = np.concatenate([outcome.distances[:, 0], strange])
    right = np.concatenate([outcome.right[:, 0], np.zeros(len(strange), bool)])
    if len(outcome.people) >= FEWEST_PEOPLE and right.any() and not right.all():
        slope, intercept = platt(distances, right)
        if slope < 0:
            return slope, intercept
    slope = -math.log(9) / (0.2 * fallback)
    return slope, -slope * fallback
