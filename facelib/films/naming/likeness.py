"""The similarity of one person's clothes or hair, and of two people's, fitted to a scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from facelib.faces import FloatArray

# Of tracks, that a prior is worth. Where all are dressed alike the scene must outweigh it soon: with ten, clothes gave
# strangers the names of the cast in films with little colour (`benchmarks/RESULTS.md`).
_PAIRS = 5


@dataclass(frozen=True, slots=True)
class Moments:
    """Number, sum and sum of squares of values, which can be added.

    Examples:
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
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)


@dataclass(frozen=True, slots=True)
class LikenessModel:
    """Normal distributions of the Hellinger distance of clothes, or of hair.

    Attributes:
        same: Mean and standard deviation for one person in two shots.
        different: The same for two people.
        most: The most that likeness can say.
        least: The least, when two tracks are unlike.
    """

    same: tuple[float, float]
    different: tuple[float, float]
    most: float = 4.0
    least: float = -3.0

    def evidence(self, apart: FloatArray) -> FloatArray:
        """Return the log odds that tracks at these distances are one person's, `least` to `most`; 0 where NaN.

        Distances nearer or farther than usual count as usual. Clothes are never proof: people change them,
        and two people may wear the same.
        """
        near = (np.maximum(apart, self.same[0]) - self.same[0]) / self.same[1]
        far = (np.minimum(apart, self.different[0]) - self.different[0]) / self.different[1]
        odds = math.log(self.different[1] / self.same[1]) - near**2 / 2 + far**2 / 2
        return np.nan_to_num(np.clip(odds, self.least, self.most), nan=0.0).astype(np.float32)


CLOTHES = LikenessModel((0.27, 0.10), (0.55, 0.15))
"""What is usual for clothes, before a scene is seen."""

HAIR = LikenessModel((0.18, 0.09), (0.35, 0.14), most=0.0, least=-1.0)
"""What is usual for hair: that two people share its colour says nothing, and light changes it."""


def fit_likeness(same: Moments, different: Moments, *, usual: LikenessModel = CLOTHES) -> LikenessModel:
    """Fit both distributions to the Hellinger distances of pairs of tracks; what is usual is worth five pairs."""
    return LikenessModel(_fit(same, *usual.same), _fit(different, *usual.different), usual.most, usual.least)


def _fit(seen: Moments, mean: float, spread: float) -> tuple[float, float]:
    total = seen.count + _PAIRS
    fitted = (seen.total + _PAIRS * mean) / total
    # The sum of (value - fitted) ** 2, multiplied out.
    scatter = max(0.0, seen.squares - 2 * fitted * seen.total + seen.count * fitted**2)
    return fitted, math.sqrt((scatter + _PAIRS * spread**2) / total)
