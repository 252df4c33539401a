"""The arithmetic of naming by neighbours, shared by the recognizers and by the fitting of thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked

VoteWeights = Literal["uniform", "distance"]
"""How much a neighbour's vote counts: all the same, or one over its distance."""

FloatMatrix = NDArray[np.floating[Any]]
IntArray = NDArray[np.intp]
_CHUNK_MIB = 128


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """What `n` probes see in a gallery.

    Attributes:
        distances: `(n, k)`, ascending Euclidean distances to the nearest `k` gallery faces, offsets added.
        rows: `(n, k)`, the rows of these faces in the gallery; of equal distances the earlier row comes first.
        to_people: `(n, people)`, the distance to the nearest face of each person, without offsets.
        people_rows: `(n, people)`, the rows of those faces.
    """

    distances: FloatMatrix
    rows: IntArray
    to_people: FloatMatrix
    people_rows: IntArray


def nearest(distances: FloatMatrix, k: int) -> tuple[FloatMatrix, IntArray]:
    """Return the `k` smallest entries of each row, ascending, and their columns; equal ones in order of column."""
    k = min(k, distances.shape[1])
    columns = np.argpartition(distances, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(distances, columns, axis=1)
    order = np.lexsort((columns, found), axis=1)
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(columns, order, axis=1)


def find_neighbours(
    probes: FloatMatrix, gallery: FloatMatrix, people: IntArray, *, k: int, offsets: FloatMatrix | None = None
) -> Neighbours:
    """Compare probes with a whole gallery, by brute force in pieces that fit into memory.

    Args:
        probes: `(n, d)`.
        gallery: `(m, d)`, at least one row.
        people: `(m,)`, 0-based number of each gallery face's person, every number up to the largest occurring.
        k: How many neighbours to return; no more than `m` are.
        offsets: `(people,)`, added to the distances to each person's faces before the nearest are chosen.
    """
    shift = 0.0 if offsets is None else offsets[people]
    members = np.split(np.argsort(people, kind="stable"), np.cumsum(np.bincount(people))[:-1])
    if not len(probes):
        none, nobody = np.empty((0, min(k, len(gallery)))), np.empty((0, len(members)))
        return Neighbours(none, none.astype(np.intp), nobody, nobody.astype(np.intp))

    def reduce(block: FloatMatrix, _start: int) -> tuple[FloatMatrix, IntArray, FloatMatrix, IntArray]:
        block = block.astype(np.float64, copy=False)  # or a threshold would be rounded to float32 before it is compared
        closest = np.stack([rows[block[:, rows].argmin(axis=1)] for rows in members], axis=1)
        return *nearest(block + shift, k), np.take_along_axis(block, closest, axis=1), closest

    blocks = list(pairwise_distances_chunked(probes, gallery, reduce_func=reduce, working_memory=_CHUNK_MIB))
    return Neighbours(*(np.concatenate(part) for part in zip(*blocks, strict=True)))


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

    Example:
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
