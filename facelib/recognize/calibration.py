"""From a score to a probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def logistic(score: NDArray[Any], slope: NDArray[Any] | float, intercept: NDArray[Any] | float) -> NDArray[Any]:
    """Return `1 / (1 + exp(-(intercept + slope * score)))`, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh((intercept + slope * score) / 2)))


def platt(scores: NDArray[Any], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit the probability of being right as a logistic function of a score.

    The target outputs are moved in from 0 and 1, the less the more trials, so that even trials without a
    single mistake give a finite slope. Source: Platt, "Probabilistic outputs for support vector machines" (1999).

    Args:
        scores: `(n,)`.
        right: `(n,)`; both right and wrong trials must occur.

    Returns:
        `(slope, intercept)` for `logistic`.

    Raises:
        ValueError: When all trials are right or all are wrong.
    """
    from sklearn.linear_model import LogisticRegression  # here, for who only reads a description

    rights, wrongs = int(right.sum()), int((~right).sum())
    if not rights or not wrongs:
        raise ValueError(f"expected both right and wrong trials, got {rights!r} right and {wrongs!r} wrong")
    wanted = np.where(right, (rights + 1) / (rights + 2), 1 / (wrongs + 2))
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    standard = ((scores - centre) / spread).reshape(-1, 1)
    # A wanted output of 0.98 is 0.98 of a trial that is right and 0.02 of one that is wrong.
    model = LogisticRegression(C=1e6, max_iter=1000)
    model.fit(
        np.concatenate([standard, standard]),
        np.repeat([1, 0], len(wanted)),
        sample_weight=np.concatenate([wanted, 1 - wanted]),
    )
    slope = float(model.coef_[0, 0]) / spread
    return slope, float(model.intercept_[0]) - slope * centre
