"""Average linkage under constraints, without a matrix of all distances."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facelib.films.agglomerate import Agglomeration, IntArray

RATIO = 0.95
"""The grouping's threshold by the recognizer's, for vectors of length 1: 0.97 for dlib, 0.93 for mobilefacenet."""

_DIGITS = 9  # beyond which similarities count as equal, so that the number of threads cannot decide a tie
_BLOCK = 1024  # groups that are compared at once
_POOR_SHARE = 0.5  # of the threshold, within which two faces of worth 0 may still be one person


def link(
    vectors: ArrayLike,
    *,
    threshold: float,
    worth: ArrayLike | None = None,
    together: Sequence[Iterable[int]] = (),
    apart: Iterable[tuple[int, int]] = (),
    sums: ArrayLike = (),
    sizes: ArrayLike = (),
) -> IntArray:
    """Group vectors by agglomerative clustering: the two nearest groups join, while near enough and allowed.

    The distance of two groups is the root of the mean squared Euclidean distance over all pairs of their members,
    each brought to length 1 (average linkage). Groups with members that must stay apart never join. The mean over pairs
    is computed from the groups' sums, so that memory grows linearly with the number of vectors. Ties are joined in the
    order of the vectors.

    Poor faces all look alike: blurred and small ones of two people are often nearer to each other than two good ones
    of one person, though not nearer to good ones of others. So two vectors of worth 0 must be twice as near, while
    one of them joins good ones as any other does.

    Existing groups never join each other. Those that are too far from every vector are left out after one matrix
    product, so that time hardly grows with their number.

    Args:
        vectors: `(n, d)` embeddings, finite, none of length 0.
        threshold: The largest distance at which groups join; at 0 only what is `together` joins, at 2 all that may.
        worth: `(n,)`, from 0 for uninformative faces to 1 for good ones; None takes 1 for all.
        together: Rows that are one group whatever their distances, even if they are `apart`; the sets do not overlap.
        apart: Pairs of rows that must not be in one group.
        sums: `(g, d + 1)`, of existing groups, each the sum of its members' unit vectors followed by that of
            1 - `worth`.
        sizes: `(g,)`, how many members they have.

    Returns:
        `(n,)`, the group of each row: the number of an existing one, or `g` plus the number of its first row.

    Raises:
        ValueError: When a vector is not finite or of length 0, or the threshold is NaN or negative.

    Examples:
        >>> link([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], threshold=0.5).tolist()
        [0, 0, 2, 2]
        >>> link([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], threshold=0.5, apart=[(0, 1)]).tolist()
        [0, 1, 2, 2]
        >>> link([[1, 0.1], [0, 1]], threshold=0.5, sums=[[3, 0, 0]], sizes=[3]).tolist()
        [0, 2]
    """
    matrix = np.asarray(vectors, np.float64)
    if not threshold >= 0:
        raise ValueError(f"expected threshold, a distance, to be 0 or more, got {threshold!r}")
    if not len(matrix):
        return np.empty(0, np.intp)
    lengths = np.linalg.norm(matrix, axis=1)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise ValueError("expected finite embeddings of a length above 0, got others; leave those out")
    poor = np.zeros(len(matrix)) if worth is None else 1 - np.clip(np.asarray(worth, np.float64), 0, 1)
    own = np.column_stack([matrix / lengths[:, None], poor])
    there, members = np.asarray(sums).reshape(-1, own.shape[1]), np.asarray(sizes, np.float64)
    near = _near_groups(there, members, own, threshold)
    rows = np.concatenate([there[near].astype(np.float64), own])
    groups = _AverageLinkage(rows, np.append(members[near], np.ones(len(own))), threshold, settled=len(near))
    pairs = ((first + len(near), second + len(near)) for first, second in apart)
    found = groups.joined([[row + len(near) for row in one] for one in together], pairs)[len(near) :]
    return np.append(near, len(there) + np.arange(len(own)))[found]


def _near_groups(
    sums: NDArray[Any], sizes: NDArray[np.float64], own: NDArray[np.float64], threshold: float
) -> IntArray:
    """Return the groups that some row could join, and no more than a few others.

    Average linkage is reducible: what is formed of several rows is never nearer to a group than the nearest of them.
    """
    signs, least = _measure_of(threshold, own.shape[1])
    weighted, least = (own * signs).T.astype(np.float32), least - 1e-4  # more than float32 rounds off
    best = np.full(len(sums), -np.inf)
    for first in range(0, len(sums), _BLOCK):
        block = slice(first, first + _BLOCK)
        best[block] = (sums[block].astype(np.float32) @ weighted).max(axis=1, initial=-np.inf) / sizes[block]
    return np.flatnonzero(best >= least)


def _measure_of(threshold: float, width: int) -> tuple[NDArray[np.float64], float]:
    """Return what the product of two groups' means is weighted with to give their similarity, and the least that joins.

    |x - y|^2 + c * poor(x) * poor(y), meant over all pairs, is 2 - 2 * (mean x . mean y) + c * (mean poor) *
    (mean poor): the last is one more coordinate, whose product counts negatively.
    """
    threshold = min(threshold, 2.0)
    signs = np.ones(width)
    signs[-1] = -(1 - _POOR_SHARE**2) * threshold**2 / 2
    return signs, 1 - threshold**2 / 2 if threshold else math.inf


class _AverageLinkage:
    """Groups of average linkage: the sum of each one's members, and the groups it must stay apart from."""

    def __init__(
        self, sums: NDArray[np.float64], sizes: NDArray[np.float64], threshold: float, *, settled: int
    ) -> None:
        self.sums, self.sizes = sums, sizes
        self.signs, least = _measure_of(threshold, sums.shape[1])
        self.foes: dict[int, set[int]] = {}
        self.engine = Agglomeration(self, len(sums), least=least, reducible=True, settled=settled)

    def joined(self, together: Sequence[Iterable[int]], apart: Iterable[tuple[int, int]]) -> IntArray:
        """Return the group of each row."""
        for one, other in apart:
            self._set_apart(int(one), int(other))
        for rows in together:
            first, *others = sorted(int(row) for row in rows)
            for row in others:
                self.engine.join(first, row)
        return self.engine.run()

    def _set_apart(self, first: int, second: int) -> None:
        if first != second:
            self.foes.setdefault(first, set()).add(second)
            self.foes.setdefault(second, set()).add(first)

    def join(self, first: int, second: int) -> None:
        self.sums[first] += self.sums[second]
        self.sizes[first] += self.sizes[second]
        for foe in self.foes.pop(second, set()):
            self.foes[foe].discard(second)
            self._set_apart(first, foe)

    def alike(self, rows: IntArray, others: IntArray) -> NDArray[np.float64]:
        near = np.round((self._means(rows) * self.signs) @ self._means(others).T, _DIGITS)
        for i in np.flatnonzero(np.isin(rows, np.array([*self.foes], np.intp))).tolist():
            foes = np.array([*self.foes[int(rows[i])]], np.intp)
            columns = np.searchsorted(others, foes)
            found = columns < len(others)
            columns, foes = columns[found], foes[found]
            near[i, columns[others[columns] == foes]] = -np.inf
        return near

    def _means(self, rows: IntArray) -> NDArray[np.float64]:
        return np.asarray(self.sums[rows] / self.sizes[rows, None], np.float64)
