"""The base of all open-set recognizers: the gallery, and the form of the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from facelib.embed.neighbours import Neighbours, find_neighbours


class OpenSetRecognizer(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A gallery of named embeddings; subclasses say how a name is chosen.

    Attributes:
        classes_: The people, sorted.
        vectors_: `(m, d)`, the gallery in the order given to `fit`.
        codes_: `(m,)`, each gallery face's person as an index into `classes_`.
        n_features_in_: `d`.
    """

    unknown_label: Any
    threshold: float
    # Recognizers that were saved before there were thresholds of people lack the attribute.
    thresholds: Mapping[str, float] | None = None

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Enrol a gallery.

        Args:
            X: `(m, d)` embeddings, all by one network.
            y: `(m,)` names.

        Raises:
            ValueError: When the gallery is empty, holds NaN, or disagrees with the names in length, or lacks a name.
        """
        vectors, names = validate_data(self, X, y, dtype=(np.float64, np.float32))
        names = column_or_1d(names, warn=True)
        if pd.isna(names).any():
            row = int(pd.isna(names).argmax())
            raise ValueError(f"expected a name for each face, got {names[row]!r} in row {row}")
        if names.dtype.kind == "f":  # of other names it only says, and often, that there are many
            check_classification_targets(names)
        self.classes_, self.codes_ = np.unique(names, return_inverse=True)
        self.vectors_ = vectors
        if self.unknown_label in self.classes_.tolist():
            raise ValueError(
                f"expected no person called {self.unknown_label!r}, which is the answer for strangers; "
                f"rename the person, or choose another unknown_label"
            )
        return self

    def decide(self, X: ArrayLike) -> pd.DataFrame:
        """Name faces and tell how close the decision was.

        Args:
            X: `(n, d)` embeddings; none at all is allowed.

        Returns:
            One row per face: `person` (a name, or `unknown_label`), `best_person` (the name without any threshold),
            `distance` (to the nearest gallery face of `best_person`), `second_person`, `second_distance` (the nearest
            gallery face of anybody else; None and NaN in a gallery of one person), `margin` (`second_distance -
            distance`; negative when a majority outvoted the nearest face) and `neighbour` (row of the gallery whose
            face carried the name).
        """
        raise NotImplementedError

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the `(n,)` names, `unknown_label` for faces of nobody in the gallery.

        Names that are text give text. With labels of another kind the array is of their dtype as long as
        it can hold the answer, else of objects.
        """
        decided = self.decide(X)
        known = decided["best_person"].to_numpy() == decided["person"].to_numpy()
        codes = np.searchsorted(self.classes_, decided["best_person"].to_numpy(dtype=self.classes_.dtype))
        names = self.classes_[codes]
        if known.all():
            return names
        unknown = np.asarray(self.unknown_label)
        if unknown.dtype.kind == names.dtype.kind and names.dtype.kind in "Uif":
            return np.where(known, names, unknown)
        answer = names.astype(object)
        answer[~known] = self.unknown_label
        return answer

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return how likely each of `(n, d)` embeddings is each person's: `(n, people)`, in the order of `classes_`.

        A row sums to at most one; what it lacks is the probability of a stranger:
        `unknown = 1 - predict_proba(X).sum(axis=1)`. There is no column for strangers, so that columns stay those
        of `classes_`, as scikit-learn's metrics expect.
        """
        raise NotImplementedError

    def _compare(self, X: ArrayLike, k: int, *, offsets: NDArray[Any] | None = None) -> Neighbours:
        """Return the `k` nearest gallery faces of every probe."""
        check_is_fitted(self)
        vectors = validate_data(self, X, dtype=(np.float64, np.float32), reset=False, ensure_min_samples=0)
        return find_neighbours(vectors, self.vectors_, self.codes_, k=k, offsets=offsets)

    def _check_thresholds(self, *, most: float) -> None:
        """Refuse thresholds of people that are out of range, or that a common one cannot stand beside."""
        for person, threshold in (self.thresholds or {}).items():
            if not (0 <= threshold <= most and math.isfinite(threshold)):
                raise ValueError(f"expected a finite threshold of {person!r} between 0 and {most:g}, got {threshold!r}")
        if self.thresholds and not np.isfinite(self.threshold):
            raise ValueError(
                f"expected a finite threshold for those without one of their own in thresholds, got {self.threshold!r}"
            )

    def _own_thresholds(self) -> NDArray[np.float64]:
        """Return the threshold of each of `classes_`: `(people,)`."""
        own = self.thresholds or {}
        return np.array([own.get(person, self.threshold) for person in self.classes_.tolist()], np.float64)

    def _decision(self, best: NDArray[np.intp], known: NDArray[np.bool_], seen: Neighbours) -> pd.DataFrame:
        """Return the table of `decide` for the people `best` (indices into `classes_`)."""
        each = np.arange(len(best))
        distance = seen.to_people[each, best].astype(float)
        others = seen.to_people.astype(float)
        others[each, best] = np.inf
        second = others.argmin(axis=1)
        second_distance = others[each, second]
        alone = len(self.classes_) < 2
        people = self.classes_.astype(object)
        names = people[best]
        return pd.DataFrame(
            {
                "person": pd.Series(np.where(known, names, self.unknown_label), dtype=object),
                "best_person": pd.Series(names, dtype=object),
                "distance": distance,
                "second_person": pd.Series([None] * len(best) if alone else people[second], dtype=object),
                "second_distance": np.full(len(best), np.nan) if alone else second_distance,
                "margin": np.full(len(best), np.nan) if alone else second_distance - distance,
                "neighbour": seen.people_rows[each, best],
            }
        )
