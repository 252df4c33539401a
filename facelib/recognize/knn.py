"""Names by the nearest faces of the gallery."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from facelib.project.names import UNKNOWN
from facelib.recognize.base import OpenSetRecognizer
from facelib.recognize.votes import VoteWeights, vote_weights, winners


class OpenSetKNN(OpenSetRecognizer):
    """Name a face by the majority of its nearest gallery faces, or answer `unknown`.

    Of the `k` nearest gallery faces by Euclidean distance those within the threshold vote; with none
    within it the face is nobody's. Of people with equally many votes the one with the nearest face wins.

    Args:
        k: How many neighbours vote at most. 1 names by the nearest face alone; more forgive a wrong
            picture in the gallery. A value above the gallery's size means the whole gallery.
        threshold: The largest distance that still counts as the same person, in the units of the
            embedding. Raising it names more faces, and more strangers. The default suits dlib's
            embedding roughly; fit it with `facelib.recognize.thresholds`.
        weights: `"uniform"` gives each neighbour one vote, `"distance"` one over its distance.
        unknown_label: The answer for a stranger. With labels that are numbers choose a number such as
            -1 to have answers of one dtype.
        thresholds: A largest distance of their own for some people, by name, as `thresholds.fit_per_person`
            fits them; the others keep `threshold`. A face is then judged by how far it lies within each person's
            own: nearest, for the choice of the `k`, is what lies deepest within.

    Examples:
        >>> gallery = [[0.0, 0.0], [0.1, 0.0], [1.0, 1.0]]
        >>> knn = OpenSetKNN(k=1, threshold=0.5).fit(gallery, ["Ada", "Ada", "Grace"])
        >>> knn.predict([[0.2, 0.0], [1.0, 0.9], [5.0, 5.0]]).tolist()
        ['Ada', 'Grace', 'unknown']
    """

    def __init__(
        self,
        k: int = 5,
        threshold: float = 0.5,
        weights: VoteWeights = "uniform",
        unknown_label: Any = UNKNOWN,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self.k = k
        self.threshold = threshold
        self.weights = weights
        self.unknown_label = unknown_label
        self.thresholds = thresholds

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Enrol a gallery: `(m, d)` embeddings, all by one network, and `(m,)` names.

        Raises:
            ValueError: When the gallery is empty, holds NaN, or disagrees with the names in length, and
                when an option is outside its range.
        """
        if not isinstance(self.k, Integral) or self.k < 1:
            raise ValueError(
                f"expected k, the number of voting neighbours, to be a whole number from 1 on, got {self.k!r}"
            )
        if not self.threshold >= 0:
            raise ValueError(f"expected threshold, a distance, to be 0 or more, got {self.threshold!r}")
        if self.weights not in ("uniform", "distance"):
            raise ValueError(f"expected weights to be 'uniform' or 'distance', got {self.weights!r}")
        self._check_thresholds(most=math.inf)
        return super().fit(X, y)

    def kneighbors(self, X: ArrayLike, n_neighbors: int | None = None) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the distances to the nearest gallery faces and their rows, both `(n, n_neighbors)`, nearest first.

        `n_neighbors` is `k` unless given, and never more than the gallery has.
        """
        seen = self._compare(X, self.k if n_neighbors is None else n_neighbors)
        return seen.distances, seen.rows

    @property
    def offsets(self) -> NDArray[np.float64]:
        """What is added to distances to each of `classes_`, so that the common threshold decides: `(people,)`."""
        return self.threshold - self._own_thresholds() if self.thresholds else np.zeros(len(self.classes_))

    def decide(self, X: ArrayLike) -> pd.DataFrame:
        """Name faces and tell how close the decision was; see `OpenSetRecognizer.decide` for the columns.

        Examples:
            >>> knn = OpenSetKNN(k=1, threshold=0.3).fit([[0.0], [1.0]], ["Ada", "Grace"])
            >>> row = knn.decide([[0.4]]).loc[0]
            >>> row["person"], row["best_person"], round(float(row["distance"]), 2)
            ('unknown', 'Ada', 0.4)
        """
        check_is_fitted(self)
        offsets = self.offsets
        seen = self._compare(X, self.k, offsets=offsets)
        voters = self.codes_[seen.rows]
        positions = winners(seen.distances - offsets[voters], voters, weights=self.weights)
        within = (seen.distances <= self.threshold).sum(axis=1)
        each = np.arange(len(within))
        # With nobody within the threshold the nearest face shows who it would have been.
        position = positions[each, np.maximum(within, 1) - 1]
        return self._decision(self.codes_[seen.rows[each, position]], within > 0, seen)

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return each person's share of the votes for `(n, d)` embeddings: `(n, people)`, in the order of `classes_`.

        As scikit-learn's `RadiusNeighborsClassifier`: the neighbours within the threshold share one vote by
        `weights`, and a face with none within it, a stranger, has a row of zeros. The shares are not calibrated; to
        rank faces by how sure a name is take `decide(X)["distance"]`. Of equal shares that of the nearest face is
        larger by a hair, so that the largest is always the name that `predict` gives.

        Examples:
            >>> knn = OpenSetKNN(k=3, threshold=1).fit([[0.0], [0.5], [0.6]], ["Ada", "Grace", "Grace"])
            >>> knn.predict_proba([[0.2], [9.0]]).round(2).tolist()
            [[0.33, 0.67], [0.0, 0.0]]
        """
        check_is_fitted(self)
        offsets = self.offsets
        seen = self._compare(X, self.k, offsets=offsets)
        voters = self.codes_[seen.rows]
        votes = vote_weights(seen.distances - offsets[voters], self.weights) * (seen.distances <= self.threshold)
        votes = votes * (1 + 1e-9 * 0.5 ** np.arange(votes.shape[1]))
        shares = np.zeros((len(votes), len(self.classes_)))
        np.add.at(shares, (np.arange(len(votes))[:, None], voters), votes)
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(shares, total, out=shares, where=total > 0))
