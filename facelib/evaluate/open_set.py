"""Open-set identification with pictures: half of each person's are enrolled, the other half and strangers looked up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN


@dataclass(frozen=True, slots=True, eq=False)
class OpenSetScore:
    """How often the cast is missed when hardly a stranger gets a name.

    Attributes:
        trials: One row per seed: `seed`, `threshold` (the largest distance named), `fpir` (the fraction of strangers
            named), `fnir` (the fraction of probes of the cast without their name), `wrong` (with another's).
        people: Enrolled.
        probes: Pictures of the cast looked up.
        strangers: Pictures of others looked up.
    """

    trials: pd.DataFrame
    people: int
    probes: int
    strangers: int

    def __str__(self) -> str:
        """Return a one-line summary."""
        fnir = self.trials["fnir"]
        return (
            f"FNIR {fnir.mean():.4f} ({fnir.min():.4f} to {fnir.max():.4f} over {len(fnir)} draws) at "
            f"FPIR {self.trials['fpir'].max():.4f}: "
            f"{self.people} people, {self.probes} probes, {self.strangers} strangers"
        )


def open_set(
    vectors: NDArray[Any],
    names: ArrayLike,
    strangers: NDArray[Any],
    *,
    wanted_fpir: float = 0.01,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
) -> OpenSetScore:
    """Enrol half of each person's pictures, look up the other half and strangers, and count at a fixed FPIR.

    Args:
        vectors: `(n, d)`, of pictures of the cast; NaN where no face was found, which is a mistake of a probe.
        names: `(n,)`.
        strangers: `(m, d)`, of others; NaN where no face was found: those never get a name.
        wanted_fpir: The fraction of strangers that may be given a name, 0 to 1.
        seeds: Each draws the halves again.

    Raises:
        ValueError: When there is no stranger, or no person with two pictures.
    """
    labels = np.asarray(names)
    people, counts = np.unique(labels, return_counts=True)
    if not len(strangers) or counts.max(initial=0) < 2:
        most = int(counts.max(initial=0))
        raise ValueError(
            f"expected strangers, and people with two pictures, got {len(strangers)} strangers and {most} a person"
        )
    rows = [_open_set_once(vectors, labels, strangers, wanted_fpir, seed) for seed in seeds]
    table = pd.DataFrame(rows, columns=["seed", "threshold", "fpir", "fnir", "wrong"])
    return OpenSetScore(table, len(people), int((counts - counts // 2).sum()), len(strangers))


def _open_set_once(
    vectors: NDArray[Any], labels: NDArray[Any], strangers: NDArray[Any], wanted: float, seed: int
) -> list[float]:
    random, enrolled = np.random.default_rng(seed), np.zeros(len(labels), bool)
    for person in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == person))
        enrolled[rows[: len(rows) // 2]] = True
    found = np.isfinite(vectors).all(axis=1)
    knn = OpenSetKNN(k=5, threshold=math.inf).fit(vectors[enrolled & found], labels[enrolled & found])
    away = _nearest(knn, strangers)
    # As many strangers as are wanted lie nearer than the next one.
    spare = np.sort(away)[min(int(wanted * len(away) + 1e-9), len(away) - 1)]
    threshold = float(np.nextafter(spare, 0)) if np.isfinite(spare) else float(np.finfo(float).max)
    knn.threshold = threshold
    probes = ~enrolled
    answers = np.full(len(labels), "", object)
    answers[probes & found] = knn.predict(vectors[probes & found])
    right, named = answers[probes] == labels[probes], ~np.isin(answers[probes].astype(str), ["", UNKNOWN])
    fpir = float((away <= threshold).mean())
    return [seed, threshold, fpir, float(1 - right.mean()), float((~right & named).mean())]


def _nearest(knn: OpenSetKNN, vectors: NDArray[Any]) -> NDArray[np.float64]:
    """Return the distance of each vector to the nearest enrolled face; infinite for NaN."""
    away, found = np.full(len(vectors), np.inf), np.isfinite(vectors).all(axis=1)
    away[found] = knn.kneighbors(vectors[found], 1)[0][:, 0]
    return away
