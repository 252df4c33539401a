"""Agglomerative clustering under constraints, without a matrix of all pairs: of tracklets, and of unknown people."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.intp]
Matrix = NDArray[np.float64]

_BLOCK = 2**22  # values held at once: 32 MB


class Clusters(Protocol):
    """Growing groups, each identified by its first row."""

    def alike(self, rows: IntArray, others: IntArray) -> Matrix:
        """Return the similarity of groups, `(rows, others)`, symmetric; -inf for those that must not join."""

    def join(self, first: int, second: int) -> None:
        """Move all of group `second` into group `first`."""


class Agglomeration:
    """Joins the two most similar groups, repeatedly, while any are similar enough.

    Args:
        groups: One for each of `count` rows at first.
        count: How many.
        least: The least similarity of two groups that join.
        reducible: Whether a joined group is never more similar to a third one than the more similar of its parts was,
            as in average linkage. Then all pairs that are each other's nearest join at once, which gives the same
            groups as joining one pair at a time (Bruynooghe, "Classification ascendante hiérarchique des grands
            ensembles de données", 1977).
        settled: The number of first rows that are existing groups, which never join each other.

    Attributes:
        group: `(count,)`, the first row of the group that each row is in.
    """

    def __init__(
        self, groups: Clusters, count: int, *, least: float, reducible: bool = False, settled: int = 0
    ) -> None:
        self.groups, self.least, self.reducible, self.settled = groups, least, reducible, settled
        self.group = np.arange(count)
        self._members: dict[int, list[int]] = {}
        self._open = np.ones(count, bool)
        self._nearest = np.full(count, -1)
        self._best = np.full(count, -np.inf)

    def join(self, first: int, second: int) -> None:
        """Join two groups, whatever their similarity; `first` is the lower row."""
        self.groups.join(first, second)
        self._open[second] = False
        moved = [second, *self._members.pop(second, [])]
        self._members.setdefault(first, []).extend(moved)
        self.group[moved] = first

    def run(self) -> IntArray:
        """Join similar groups, and return the group of each row; ties are joined in the order of rows."""
        self._search(np.flatnonzero(self._open))
        while self._join_nearest():
            pass
        return self.group

    def _join_nearest(self) -> bool:
        rows = np.flatnonzero(self._open)
        if self.reducible:  # a group with none similar enough is finished: joining makes none more similar to it
            self._open[rows[self._best[rows] < self.least]] = False
            rows = np.flatnonzero(self._open)
        if not len(rows) or self._best[rows].max() < self.least:
            return False
        firsts, seconds = self._pairs(rows)
        for first, second in zip(firsts.tolist(), seconds.tolist(), strict=True):
            self.join(first, second)
        self._renew(firsts, seconds)
        return True

    def _pairs(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Return the groups to join now."""
        partner = self._nearest[rows]
        mutual = (self._nearest[partner] == rows) & (rows < partner) & (self._best[rows] >= self.least)
        if self.reducible and mutual.any():
            return rows[mutual], partner[mutual]
        top = rows[np.argmax(self._best[rows])]
        first, second = np.sort([top, self._nearest[top]]).reshape(2, 1)
        return first, second

    def _renew(self, firsts: IntArray, seconds: IntArray) -> None:
        """Update the nearest group of those that joined, and of those whose nearest has joined another."""
        rows = np.flatnonzero(self._open)
        joined = np.isin(rows, firsts)
        lost = ~joined & np.isin(self._nearest[rows], np.concatenate([firsts, seconds]))
        heirs = {row: int(self.group[self._nearest[row]]) for row in rows[lost].tolist()}
        self._search(rows[joined], heirs)
        self._search(np.array(sorted(heirs), np.intp))

    def _search(self, rows: IntArray, heirs: dict[int, int] | None = None) -> None:
        """Find the nearest open group of each of some groups.

        The heirs are, by group whose nearest has joined another, the joined group. Where that is as similar as its part
        was, no other can be more similar, and the group is removed from the dictionary.
        """
        there = np.flatnonzero(self._open)
        for own, others in (
            (rows[rows < self.settled], there[there >= self.settled]),
            (rows[rows >= self.settled], there),
        ):
            if not len(own) or not len(others):
                self._best[own] = -np.inf
                continue
            for block in np.array_split(own, math.ceil(len(own) * len(others) / _BLOCK)):
                alike = self.groups.alike(block, others)
                alike[block[:, None] == others] = -np.inf
                columns = alike.argmax(axis=1)
                self._nearest[block] = others[columns]
                self._best[block] = alike[np.arange(len(block)), columns]
                if heirs is not None:
                    self._tell(block, others, alike, heirs)

    def _tell(self, rows: IntArray, others: IntArray, alike: Matrix, heirs: dict[int, int]) -> None:
        """Update the nearest of other groups by those that have just joined."""
        place = {row: column for column, row in enumerate(others.tolist())}
        number = {row: i for i, row in enumerate(rows.tolist())}
        for row, heir in list(heirs.items()):
            if heir in number and row in place and alike[number[heir], place[row]] >= self._best[row]:
                self._nearest[row], self._best[row] = heir, alike[number[heir], place[row]]
                del heirs[row]
        if self.reducible:
            return
        for i, row in enumerate(rows.tolist()):
            more = alike[i] > self._best[others]
            self._nearest[others[more]], self._best[others[more]] = row, alike[i][more]
            for other in others[more].tolist():
                heirs.pop(other, None)
