"""How well faces were grouped by person."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import contingency_matrix

from facelib.evaluate.matching import NOT_NAMES


@dataclass(frozen=True, slots=True)
class ClusterScore:
    """How well groups fit people; every rate is from 0 to 1, 1 is best, and NaN when nothing was grouped.

    Attributes:
        items: How many were grouped.
        people: How many people they are of.
        clusters: How many groups there are.
        purity: Weighted cluster purity: the fraction of items that are of the person most frequent in their group.
            It rises with the number of groups, so report both. Source: Tapaswi et al., "Total cluster:
            a person agnostic clustering method for broadcast videos" (ICVGIP 2014).
        nmi: Normalised mutual information of groups and people (Strehl and Ghosh 2002), by the arithmetic mean.
        precision: B-cubed precision: for a mean item, the fraction of its group that is of the same person. Source:
            Bagga and Baldwin, "Entity-based cross-document coreferencing using the vector space model" (1998).
        recall: B-cubed recall: for a mean item, the fraction of its person that is in the same group.
    """

    items: int
    people: int
    clusters: int
    purity: float
    nmi: float
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of B-cubed precision and recall."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def score_clusters(people: ArrayLike, clusters: ArrayLike) -> ClusterScore:
    """Compare groups with people, `(n,)` each.

    Raises:
        ValueError: When the lengths disagree.

    Examples:
        >>> score_clusters(["Ada", "Ada", "Bo"], [1, 1, 1]).purity.__round__(3)
        0.667
    """
    truly, given = np.asarray(people), np.asarray(clusters)
    if truly.shape != given.shape or truly.ndim != 1:
        raise ValueError(f"expected one group an item, got shapes {truly.shape!r} and {given.shape!r}")
    if not len(truly):
        return ClusterScore(0, 0, 0, *[math.nan] * 4)
    counts = contingency_matrix(truly, given).astype(float)
    pairs, total = counts**2, counts.sum()
    return ClusterScore(
        items=len(truly),
        people=counts.shape[0],
        clusters=counts.shape[1],
        purity=float(counts.max(axis=0).sum() / total),
        nmi=float(normalized_mutual_info_score(truly, given)),
        precision=float((pairs / counts.sum(axis=0)).sum() / total),
        recall=float((pairs / counts.sum(axis=1, keepdims=True)).sum() / total),
    )


def track_clusters(judged: pd.DataFrame) -> ClusterScore:
    """Compare how the tracks of films were grouped with whose they are, as `judge_tracks` has them.

    Tracks with one name, or in one `Unknown` cluster, are a group, over all films; a track with neither is a group of
    its own. Only tracks on faces whose identity the truth tells count: of strangers, those it tells apart.
    """
    known = judged[judged["identity"] != ""]
    alone = known["film"].astype(str) + " track " + known["track"].astype(str)
    group = known["cluster"].where(known["cluster"] != "", alone)
    group = group.where(known["name"].isin(NOT_NAMES), "named " + known["name"].astype(str))
    return score_clusters(known["identity"].to_numpy(str), group.to_numpy(str))
