"""The threshold of the grouping: how near two tracks of one unknown person must be."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from facelib.films.linkage import RATIO

MEASURED = {"dlib": 0.33, "dlib-mirrored": 0.33, "mobilefacenet": 1.02}
"""Thresholds measured by `benchmarks/unknowns.py` on LFW: 62 people with all their pictures among 500 strangers."""

_FEWEST_PEOPLE = 40
"""With fewer people the gallery gives too large a threshold: of LFW, 20 give 0.35 for dlib, 45 give 0.335."""

FEWEST_PICTURES = 6
"""Of a person, to be two tracks or more."""

_TRACK = 5  # largest number of pictures in a simulated track
_MOST_TRACKS = 1500
_DRAWS = 5  # random splits into tracks
_NEARLY = 0.002  # lower thresholds whose B-cubed F is at most so much below the best are as good, and safer


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """A threshold for `group_unknowns`, and its results on the gallery; they are NaN where it was not tried.

    Attributes:
        threshold: The largest distance of two groups that join, between embeddings of length 1.
        from_data: Whether it was fitted on the gallery, rather than taken from the embedder.
        people: Number of people that were grouped.
        purity: Share of simulated tracks that are of the person most frequent in their group.
        groups: Number of groups, by number of people.
        b_cubed: B-cubed F of the groups.
        advice: How to read the figures, in words.
    """

    threshold: float
    from_data: bool
    people: int
    purity: float
    groups: float
    b_cubed: float
    advice: str


def grouping_threshold(embedder: str, threshold: float, *, length: float = 1.0) -> float:
    """Return the threshold for an embedder: the one measured for it, or 0.95 of the recognizer's.

    Args:
        embedder: Its name.
        threshold: The recognizer's, or the embedder's own: the Euclidean distance of one person's faces from others'.
        length: The usual length of its vectors, by which `threshold` is divided.

    Returns:
        A distance between vectors of length 1; 0, at which nothing is grouped, where `threshold` is not finite.

    Examples:
        >>> grouping_threshold("dlib", 0.48), round(grouping_threshold("another", 1.2), 3)
        (0.33, 1.14)
    """
    if embedder in MEASURED:
        return MEASURED[embedder]
    return RATIO * threshold / length if math.isfinite(threshold) else 0.0


def fit_grouping(vectors: ArrayLike, names: ArrayLike, *, embedder: str, fallback: float) -> Grouping:
    """Fit the threshold on a gallery, as though its people were unknown.

    Each person's pictures are split at random into tracks of 1 to 5, whose mean stands for the track, and the tracks
    are grouped by average linkage. The lowest threshold is taken at which the groups are nearly as good as possible
    (B-cubed F, Bagga and Baldwin, "Entity-based cross-document coreferencing using the vector space model", COLING
    1998), since a film has more strangers than a gallery has people. With fewer than `FEWEST_PEOPLE` people of
    `FEWEST_PICTURES` pictures the threshold is `grouping_threshold`'s.

    Args:
        vectors: `(n, d)` embeddings of the gallery's used faces.
        names: `(n,)`.
        embedder: The embedder's name.
        fallback: Its own threshold, or where that is NaN, the recognizer's.

    Raises:
        ValueError: When the lengths disagree.
    """
    matrix, labels = np.asarray(vectors, np.float64), np.asarray(names)
    if len(matrix) != len(labels):
        raise ValueError(f"expected one name per vector, got {len(matrix)!r} vectors and {len(labels)!r} names")
    people, counts = np.unique(labels, return_counts=True)
    people = people[counts >= FEWEST_PICTURES]
    length = float(np.median(np.linalg.norm(matrix, axis=1))) if len(matrix) else 1.0
    threshold = grouping_threshold(embedder, fallback, length=length)
    random = np.random.default_rng(0)
    trials = [_Trial(*_deal(matrix, labels, people, random)) for _ in range(_DRAWS if len(people) > 1 else 0)]
    fitted = len(people) >= _FEWEST_PEOPLE
    if fitted:
        low, high = np.quantile(np.concatenate([trial.heights for trial in trials]), [0.05, 1])
        grid = np.linspace(low, high, 80)
        rated = np.array([_mean_scores(trials, one)[2] for one in grid])
        threshold = float(grid[np.argmax(rated >= rated.max() - _NEARLY)])
        advice = f"Fitted on {len(people)} people of the gallery, dealt into tracks {_DRAWS} times."
    else:
        advice = (
            f"{len(people)} people of the gallery have {FEWEST_PICTURES} pictures or more, too few to fit on them how "
            f"near the tracks of one unknown person are: the embedder's figure is taken, {threshold:.4f}. "
            f"{_FEWEST_PEOPLE} people would do."
        )
    purity, groups, b_cubed = _mean_scores(trials, threshold) if trials else (math.nan, math.nan, math.nan)
    return Grouping(
        threshold=round(threshold, 4) if fitted else threshold,
        from_data=fitted,
        people=len(people),
        purity=purity,
        groups=groups,
        b_cubed=b_cubed,
        advice=advice,
    )


def _deal(
    matrix: NDArray[np.float64], labels: NDArray[np.generic], people: NDArray[np.generic], random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return simulated tracks, unit vectors, and the number of the person of each."""
    means: list[NDArray[np.float64]] = []
    whose: list[int] = []
    for number in random.permutation(len(people)).tolist():
        own = random.permutation(np.flatnonzero(labels == people[number]))
        cuts = np.cumsum(random.integers(1, _TRACK + 1, len(own)))
        for part in np.split(own, cuts[cuts < len(own)]):
            mean = matrix[part].mean(axis=0)
            means.append(mean / np.linalg.norm(mean))
            whose.append(number)
        if len(means) >= _MOST_TRACKS:
            break
    return np.array(means), np.array(whose)


class _Trial:
    """Simulated tracks, linked once, to be cut at any threshold."""

    def __init__(self, vectors: NDArray[np.float64], whose: NDArray[np.intp]) -> None:
        self.tree = linkage(pdist(vectors, "sqeuclidean"), "average")
        self.heights = np.sqrt(self.tree[:, 2])
        self.whose = np.unique(whose, return_inverse=True)[1]

    def scores(self, threshold: float) -> tuple[float, float, float]:
        """Return purity, groups by people, and B-cubed F."""
        groups = fcluster(self.tree, threshold**2, "distance") - 1
        table = np.zeros((self.whose.max() + 1, groups.max() + 1))
        np.add.at(table, (self.whose, groups), 1)
        total = table.sum()
        precision = float((table**2 / table.sum(axis=0)).sum() / total)
        recall = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / total)
        purity = float(table.max(axis=0).sum() / total)
        return purity, table.shape[1] / table.shape[0], 2 * precision * recall / (precision + recall)


def _mean_scores(trials: list[_Trial], threshold: float) -> tuple[float, float, float]:
    purity, groups, b_cubed = np.mean([trial.scores(threshold) for trial in trials], axis=0).tolist()
    return purity, groups, b_cubed
