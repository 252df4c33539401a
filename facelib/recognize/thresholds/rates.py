"""Error rates at every threshold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelib.recognize.thresholds.trials import Trials, trials


def curve(outcome: Trials) -> pd.DataFrame:
    """Return the error rates at every threshold where one of them changes, ascending.

    The columns `fpir` and `fnir` are the detection error tradeoff; `facelib.plots.draw_det` draws it.

    Returns:
        `threshold`; `right`, `wrong`, `rejected`, fractions of the genuine trials that sum to 1 (named
        rightly, named as another person, not named); `fnir` = 1 - `right`; `fpir`, the fraction of the
        impostor trials that is given a name. Rates are NaN where there are no such trials.
        The first row is the threshold that names nobody, 0 unless a face lies there.
    """
    distances = outcome.distances
    finite = distances[np.isfinite(distances)]
    thresholds = np.unique(np.concatenate([[0.0], finite, outcome.impostor_distances]))
    count = len(outcome.genuine)
    named = np.searchsorted(np.sort(distances[:, 0]), thresholds, side="right")
    # The count of right names goes up or down by one where a further face comes within the threshold.
    truly = outcome.right
    before = np.concatenate([np.zeros((count, 1), bool), truly[:, :-1]], axis=1)
    change = (truly.astype(np.int64) - before) * np.isfinite(distances)
    order = np.argsort(distances, axis=None)
    total = np.concatenate([[0], np.cumsum(change.ravel()[order])])
    right = total[np.searchsorted(distances.ravel()[order], thresholds, side="right")]
    false_names = np.searchsorted(np.sort(outcome.impostor_distances), thresholds, side="right")
    genuine, impostors = count or math.nan, len(outcome.impostor) or math.nan
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "right": right / genuine,
            "wrong": (named - right) / genuine,
            "rejected": (count - named) / genuine,
            "fpir": false_names / impostors,
            "fnir": (count - right) / genuine,
        }
    )


def leave_one_out(vectors: ArrayLike, names: ArrayLike, *, k: int = 5, groups: ArrayLike | None = None) -> pd.Series:
    """Return how often a face is nearest to its own person, each left out in turn as in `trials`, no face rejected.

    Returns:
        `faces` (number of trials), `nearest` (fraction whose nearest face is the person's: 1-NN) and
        `majority` (fraction whose `k` nearest faces vote for the person). Fractions are NaN without trials.

    Raises:
        ValueError: As `trials`.
    """
    outcome = trials(vectors, names, k=k, groups=groups)
    some = len(outcome.genuine) > 0
    return pd.Series(
        {
            "faces": float(len(outcome.genuine)),
            "nearest": float(outcome.right[:, 0].mean()) if some else math.nan,
            "majority": float(outcome.named_right(np.finfo(float).max).mean()) if some else math.nan,
        }
    )
