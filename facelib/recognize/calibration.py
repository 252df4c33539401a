"""From a score to a probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_STEPS = 100
_FLAT = 1e-9  # a slope of the mean loss that counts as none


def logistic(score: NDArray[Any], slope: NDArray[Any] | float, intercept: NDArray[Any] | float) -> NDArray[Any]:
    """Return `1 / (1 + exp(-(intercept + slope * score)))`, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh((intercept + slope * score) / 2)))


def platt(scores: NDArray[Any], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit the probability of being right as a logistic function of a score: `(slope, intercept)` for `logistic`.

    The target outputs are moved in from 0 and 1, the less the more trials, so that even trials without a
    single mistake give a finite slope. Source: Platt, "Probabilistic outputs for support vector machines" (1999), by
    Newton's method as in Lin, Lin and Weng, "A note on Platt's probabilistic outputs" (2007).

    Args:
        scores: `(n,)`.
        right: `(n,)`; both right and wrong trials must occur.

    Raises:
        ValueError: When all trials are right or all are wrong.
    """
    rights, wrongs = int(right.sum()), int((~right).sum())
    if not rights or not wrongs:
        raise ValueError(f"expected both right and wrong trials, got {rights!r} right and {wrongs!r} wrong")
    wanted = np.where(right, (rights + 1) / (rights + 2), 1 / (wrongs + 2))
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    inputs = np.column_stack([(scores - centre) / spread, np.ones(len(scores))])

    def loss(at: NDArray[Any]) -> float:
        return float(np.logaddexp(0, inputs @ at).sum() - wanted @ inputs @ at)

    found = np.array([0.0, np.log((rights + 1) / (wrongs + 1))])
    for _ in range(_MOST_STEPS):
        likely = logistic(inputs @ found, 1.0, 0.0)
        gradient = inputs.T @ (likely - wanted)
        if np.abs(gradient).max() < _FLAT * len(wanted):
            break
        curvature = (inputs.T * (likely * (1 - likely))) @ inputs + _FLAT * np.eye(2)
        step, share = np.linalg.solve(curvature, gradient), 1.0
        while share > _FLAT and loss(found - share * step) > loss(found) * (1 + _FLAT):
            share /= 2
        found = found - share * step
    slope = float(found[0]) / spread
    return slope, float(found[1]) - slope * centre
