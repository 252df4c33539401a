"""Faces looked up in a gallery: who they would be named as, at every threshold and for every number of voters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatVector = NDArray[np.floating[Any]]
IntVector = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Lookups:
    """Probes and their nearest gallery faces, nearest first; everything else can be looked up from these.

    Attributes:
        probes: `(n,)`, the row of each probe: in the gallery, or in the table of strangers.
        people: `(n,)`, the person of each probe. People outside the gallery have numbers past the gallery's.
        distances: `(n, k)`, ascending distances to the nearest gallery faces; infinite where there are fewer.
        rows: `(n, k)`, the gallery rows of these faces.
        winner: `(n, k)`, the position, among the `k`, of the face that carries the name when exactly the nearest
            `j + 1` faces are within the threshold.
        to_people: `(n, people)`, the distance to the nearest face of each person; infinite for a person left out.
            Of the genuine trials of `trials` it is `(n, 0)`: nobody compares these person by person.
    """

    probes: IntVector
    people: IntVector
    distances: FloatVector
    rows: IntVector
    winner: IntVector
    to_people: FloatVector

    def __len__(self) -> int:
        return len(self.probes)

    @property
    def carriers(self) -> IntVector:
        """The gallery row that carries the name when the nearest `j + 1` faces are within the threshold: `(n, k)`."""
        return np.take_along_axis(self.rows, self.winner, axis=1)

    def nearest(self, k: int) -> Lookups:
        """Return the same lookups with at most `k` voters."""
        return replace(self, distances=self.distances[:, :k], rows=self.rows[:, :k], winner=self.winner[:, :k])

    def taken(self, chosen: NDArray[Any]) -> Lookups:
        """Return some of the lookups: a mask or rows, `(m,)`."""
        return Lookups(*(getattr(self, one.name)[chosen] for one in fields(self)))

    def voters(self, threshold: float) -> IntVector:
        """Return how many faces vote on each probe at this threshold: `(n,)`, 0 where it stays unknown."""
        return np.asarray((np.isfinite(self.distances) & (self.distances <= threshold)).sum(axis=1))

    def carrier(self, threshold: float) -> IntVector:
        """Return the gallery row that carries each name, `(n,)`; of an unknown probe, the nearest face's."""
        last = np.maximum(self.voters(threshold), 1) - 1
        each = np.arange(len(self))
        return np.asarray(self.rows[each, self.winner[each, last]])


def joined(parts: list[Lookups]) -> Lookups:
    """Return lookups one after the other; at least one part, all with the same number of neighbours and people."""
    return Lookups(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Lookups)))
