"""Average linkage under constraints, without a matrix of all distances."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BLOCK = 2**22  # similarities held at once: 32 MB
_DIGITS = 9  # beyond which similarities count as equal, so that the number of threads cannot decide a tie
_POOR_SHARE = 0.5  # of the threshold, within which two worthless faces may still be one person

IntArray = NDArray[np.intp]


def link(
    vectors: ArrayLike,
    *,
    threshold: float,
    worth: ArrayLike | None = None,
    together: Sequence[Iterable[int]] = (),
    apart: Iterable[tuple[int, int]] = (),
) -> IntArray:
    """Group vectors bottom-up: the two nearest groups join, as long as they are near enough and may.

    The distance of two groups is the root of the mean squared Euclidean distance over all pairs of their members,
    each brought to length 1 (average linkage). Groups with members that are to stay apart never join. All pairs of
    groups that are each other's nearest join at once, which gives the same groups as joining one pair at a time
    (Bruynooghe, "Classification ascendante hiérarchique des grands ensembles de données", 1977; average linkage is
    reducible), and the mean over pairs comes from the groups' sums, so that memory grows with the number of vectors
    and not with its square. What is equally near is joined in the order of the vectors.

    Poor faces all look alike: blurred and small ones of two people are often nearer to each other than two good ones
    of one person, though not nearer to good ones of others. So two vectors of worth 0 must be twice as near, while
    one of them joins good ones as any other does.

    Args:
        vectors: `(n, d)` embeddings, finite, none of length 0.
        threshold: The largest distance at which groups join; at 0 only what is `together` joins, at 2 all that may.
        worth: `(n,)`, 0 for faces that tell nothing to 1 for good ones; None takes 1 for all.
        together: Rows that are one group whatever their distances, and even if they are `apart`; the sets must
            not overlap.
        apart: Pairs of rows that must not be in one group.

    Returns:
        `(n,)`, the group of each row: the number of its first row.

    Raises:
        ValueError: When a vector is not finite or of length 0, or the threshold is NaN or negative.

    Example:
        >>> link([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], threshold=0.5).tolist()
        [0, 0, 2, 2]
        >>> link([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], threshold=0.5, apart=[(0, 1)]).tolist()
        [0, 1, 2, 2]
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
    groups = _Groups(matrix / lengths[:, None], poor, min(threshold, 2.0), together, apart)
    while groups.join_nearest():
        pass
    return groups.group


class _Groups:
    """The groups while they grow: each is known by its first row, and holds the sum of its members."""

    def __init__(
        self,
        unit: NDArray[np.float64],
        poor: NDArray[np.float64],
        threshold: float,
        together: Sequence[Iterable[int]],
        apart: Iterable[tuple[int, int]],
    ) -> None:
        # |x - y|^2 + c * poor(x) * poor(y), meant over all pairs, is 2 - 2 * (mean x . mean y) + c * (mean poor) *
        # (mean poor): the last is one more coordinate, whose product counts negatively.
        self.sums = np.column_stack([unit, poor])
        self.signs = np.ones(self.sums.shape[1])
        self.signs[-1] = -(1 - _POOR_SHARE**2) * threshold**2 / 2
        self.limit = 1 - threshold**2 / 2 if threshold else math.inf
        self.sizes = np.ones(len(unit))
        self.group = np.arange(len(unit))
        self.members: dict[int, list[int]] = {}
        self.foes: dict[int, set[int]] = {}
        for first, second in apart:
            self._set_apart(int(first), int(second))
        self.open = np.ones(len(unit), bool)
        for rows in together:
            first, *others = sorted(int(row) for row in rows)
            for row in others:
                self._join(first, row)
        self.nearest = np.full(len(unit), -1)
        self.best = np.full(len(unit), -np.inf)
        self._search(np.flatnonzero(self.open))

    def _set_apart(self, first: int, second: int) -> None:
        if first != second:
            self.foes.setdefault(first, set()).add(second)
            self.foes.setdefault(second, set()).add(first)

    def _join(self, first: int, second: int) -> None:
        """Move all of group `second` into group `first`, the lower number."""
        self.sums[first] += self.sums[second]
        self.sizes[first] += self.sizes[second]
        self.open[second] = False
        moved = [second, *self.members.pop(second, [])]
        self.members.setdefault(first, []).extend(moved)
        self.group[moved] = first
        for foe in self.foes.pop(second, set()):
            self.foes[foe].discard(second)
            self._set_apart(first, foe)

    def join_nearest(self) -> bool:
        """Join every two open groups that are each other's nearest; tell whether there were any."""
        rows = np.flatnonzero(self.open)
        # A group with nobody in reach is finished: what others join to lies no nearer.
        self.open[rows[self.best[rows] < self.limit]] = False
        rows = np.flatnonzero(self.open)
        if not len(rows):
            return False
        partner = self.nearest[rows]
        mutual = (self.nearest[partner] == rows) & (rows < partner)
        firsts, seconds = rows[mutual], partner[mutual]
        if not len(firsts):  # only where rounding made a distance uneven in its two directions
            top = rows[np.argmax(self.best[rows])]
            firsts, seconds = np.sort([top, self.nearest[top]]).reshape(2, 1)
        for first, second in zip(firsts, seconds, strict=True):
            self._join(int(first), int(second))
        self._renew(firsts, seconds)
        return True

    def _renew(self, firsts: IntArray, seconds: IntArray) -> None:
        """Find the nearest group again of those that joined, and of those whose nearest has joined another."""
        rows = np.flatnonzero(self.open)
        new = np.isin(rows, firsts)
        lost = ~new & np.isin(self.nearest[rows], np.concatenate([firsts, seconds]))
        followers = rows[lost]
        # Where the joined group is as near as its part was, nothing else can be nearer.
        heirs = self.group[self.nearest[followers]]
        near = np.round(np.sum(self._means(followers) * self.signs * self._means(heirs), axis=1), _DIGITS)
        same = (near >= self.best[followers]) & ~self._are_foes(followers, heirs)
        self.nearest[followers[same]] = heirs[same]
        self._search(np.sort(np.concatenate([rows[new], followers[~same]])))

    def _are_foes(self, firsts: IntArray, seconds: IntArray) -> NDArray[np.bool_]:
        pairs = zip(firsts.tolist(), seconds.tolist(), strict=True)
        return np.array([second in self.foes.get(first, ()) for first, second in pairs], bool)

    def _means(self, rows: IntArray) -> NDArray[Any]:
        return self.sums[rows] / self.sizes[rows, None]

    def _search(self, rows: IntArray) -> None:
        """Find the nearest open group of each of some groups."""
        others = np.flatnonzero(self.open)
        targets = self._means(others).T
        place = np.full(len(self.open), -1)
        place[others] = np.arange(len(others))
        for block in np.array_split(rows, math.ceil(len(rows) * len(others) / _BLOCK) or 1):
            near = np.round((self._means(block) * self.signs) @ targets, _DIGITS)
            for i, row in enumerate(block.tolist()):
                kept_out = place[[row, *self.foes.get(row, ())]]
                near[i, kept_out[kept_out >= 0]] = -np.inf
            columns = near.argmax(axis=1)
            self.nearest[block] = others[columns]
            self.best[block] = near[np.arange(len(block)), columns]
