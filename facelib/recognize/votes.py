"""How the votes of neighbours name a face, for the recognizers and for the fitting of thresholds."""

from __future__ import annotations

from typing import Literal

import numpy as np

from facelib.embed.neighbours import FloatMatrix, IntArray

VoteWeights = Literal["uniform", "distance"]
"""How much a neighbour's vote counts: all the same, or one over its distance."""


def vote_weights(distances: FloatMatrix, weights: VoteWeights) -> FloatMatrix:
    """Return how much the vote of a neighbour at each distance counts."""
    return 1 / np.maximum(distances, 1e-9) if weights == "distance" else np.ones_like(distances)


def winners(distances: FloatMatrix, people: IntArray, *, weights: VoteWeights) -> IntArray:
    """Return who wins when only the nearest `j + 1` neighbours vote, for every `j`.

    Which neighbours vote depends on the threshold, and the winner changes only where another one comes
    within it: these `k` winners therefore answer for every threshold at once.

    Args:
        distances: `(n, k)`, ascending.
        people: `(n, k)`, the neighbours' people.
        weights: `"distance"` gives a near neighbour more votes than a far one.

    Returns:
        `(n, k)`: the position, among the `k`, of the winning person's nearest neighbour.
        Of people with equally many votes the one with the nearest face wins.

    Examples:
        >>> distances = np.array([[0.30, 0.35, 0.40]])
        >>> winners(distances, np.array([[7, 4, 4]]), weights="uniform").tolist()
        [[0, 0, 1]]
    """
    vote = vote_weights(distances, weights)
    votes = np.zeros(people.shape)
    result = np.empty(people.shape, np.intp)
    for last in range(people.shape[1]):
        same = people[:, : last + 1] == people[:, last, None]
        # Every position of one person carries that person's full count, so that argmax finds the nearest of them.
        added = votes[np.arange(len(votes)), same.argmax(axis=1)] + vote[:, last]
        votes[:, : last + 1] = np.where(same, added[:, None], votes[:, : last + 1])
        # The smallest edge counts as equal: sums of the same weights differ in their last digits.
        best = votes[:, : last + 1].max(axis=1, keepdims=True)
        result[:, last] = (votes[:, : last + 1] >= best * (1 - 1e-12)).argmax(axis=1)
    return result
