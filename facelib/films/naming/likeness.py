"""The similarity of one person's clothes, and of two people's, fitted to a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from facelib.faces import FloatArray

# The prior, worth ten pairs: mean and standard deviation of the Hellinger distance.
_SAME, _DIFFERENT, _PAIRS = (0.27, 0.10), (0.55, 0.15), 10


@dataclass(frozen=True, slots=True)
class Moments:
    """Number, sum and sum of squares of values, which can be added.

    Example:
        >>> Moments.of([1.0, 2.0]) + Moments.of([3.0])
        Moments(count=3, total=6.0, squares=14.0)
    """

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: ArrayLike) -> Moments:
        """Return the moments of some values, ignoring NaN."""
        known = np.asarray(values, np.float64).ravel()
        known = known[np.isfinite(known)]
        return cls(len(known), float(known.sum()), float(known @ known))

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both together."""
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)


@dataclass(frozen=True, slots=True)
class ClothesModel:
    """Normal distributions of the distance of clothes.

    Attributes:
        same: Mean and standard deviation for one person in two shots.
        different: The same for two people.
    """

    same: tuple[float, float]
    different: tuple[float, float]

    def evidence(self, apart: FloatArray) -> FloatArray:
        """Return the log odds that clothes at these distances are one person's, -3 to 4; 0 where NaN.

        Distances nearer or farther than usual count as usual. Clothes are never proof: people change them,
        and two people may wear the same.
        """
        near = (np.maximum(apart, self.same[0]) - self.same[0]) / self.same[1]
        far = (np.minimum(apart, self.different[0]) - self.different[0]) / self.different[1]
        odds = math.log(self.different[1] / self.same[1]) - near**2 / 2 + far**2 / 2
        return np.nan_to_num(np.clip(odds, -3, 4), nan=0.0).astype(np.float32)


def fit_likeness(same: Moments, different: Moments) -> ClothesModel:
    """Fit both distributions to pairs of tracks.

    Args:
        same: Of the Hellinger distances of pairs that are surely one person.
        different: Of pairs that are surely two people.
    """
    return ClothesModel(_fit(same, *_SAME), _fit(different, *_DIFFERENT))


def _fit(seen: Moments, mean: float, spread: float) -> tuple[float, float]:
    total = seen.count + _PAIRS
    fitted = (seen.total + _PAIRS * mean) / total
    # The sum of (value - fitted) ** 2, multiplied out.
    scatter = max(0.0, seen.squares - 2 * fitted * seen.total + seen.count * fitted**2)
    return fitted, math.sqrt((scatter + _PAIRS * spread**2) / total)
