"""Names by a support vector machine."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

from facelib.project.names import UNKNOWN
from facelib.recognize.base import OpenSetRecognizer
from facelib.recognize.calibration import logistic, platt

Kernel = Literal["linear", "rbf"]
_FOLDS = (3, 5)
_MOST_SHARED = 5000  # faces whose kernel, 200 MB, is computed once for all people
_MOST_STEPS = 1_000_000  # of training one machine: 4,000 faces of 20 people who all look alike take 146,000 with C=1


class OpenSetSVM(OpenSetRecognizer):
    """Name a face by a support vector machine with probabilities, or answer `unknown`.

    One machine per person learns that person against all others of the cast, and its output is calibrated
    over cross-validation to the probability that the face is that person's. These probabilities are not
    forced to sum to one, so a face that no machine recognises stays unknown. The machines know strangers
    only from the rest of the cast, so with few people `OpenSetKNN` is the safer choice:
    at probability 0.5 linear machines of 5, 6 and 10 people named 38 %, 6 % and 12 % of strangers (at 0.9 about 1 %,
    losing 6 % to 53 % of the cast), where a KNN at distance 0.5 named 0 %, 1 % and 2 %. `farthest` prevents that.

    Args:
        kernel: `"linear"` draws planes, `"rbf"` curved borders around each person.
        C: How strongly a gallery face on the wrong side is penalised. Raising it follows the gallery closer.
        threshold: The smallest probability, 0 to 1, that is given a name. Raising it names fewer faces,
            and fewer strangers.
        farthest: The largest distance to the nearest gallery face of a person at which a face can be that person's;
            beyond it the probability is 0. The embedder's own threshold keeps strangers out.
        unknown_label: The answer for a stranger. With labels that are numbers choose a number such as
            -1 to have answers of one dtype.
        thresholds: A smallest probability of their own for some people, by name; the others keep `threshold`. A face is
            then given to the person whose own threshold its probability exceeds by most.

    Attributes:
        machines_: The support vector machines, one per person.
        slopes_: `(people,)`, with `intercepts_` the calibration of each machine.
        intercepts_: `(people,)`.

    Examples:
        >>> around = np.random.default_rng(0).normal(0, 0.1, (9, 2))
        >>> svm = OpenSetSVM(farthest=0.5).fit([*around, *(around + 1)], ["Ada"] * 9 + ["Grace"] * 9)
        >>> svm.predict([[0, 0], [1, 1], [9, 9]]).tolist()
        ['Ada', 'Grace', 'unknown']
        >>> (svm.predict_proba([[0, 0], [9, 9]]) > 0.5).tolist()
        [[True, False], [False, False]]
    """

    def __init__(
        self,
        kernel: Kernel = "linear",
        C: float = 1.0,
        threshold: float = 0.5,
        farthest: float = math.inf,
        unknown_label: Any = UNKNOWN,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.threshold = threshold
        self.farthest = farthest
        self.unknown_label = unknown_label
        self.thresholds = thresholds

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on a gallery: `(m, d)` embeddings, all by one network, and `(m,)` names of at least two people.

        Raises:
            ValueError: When the gallery is empty, holds NaN, has fewer than two people, or disagrees with
                the names in length, when an option is outside its range, and when `C` is so large that training
                does not end.
        """
        if self.kernel not in ("linear", "rbf"):
            raise ValueError(f"expected kernel to be 'linear' or 'rbf', got {self.kernel!r}")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"expected threshold, a probability, between 0 and 1, got {self.threshold!r}")
        if not 0 < self.C < math.inf:
            raise ValueError(f"expected C, the penalty, to be finite and above 0, got {self.C!r}")
        if not self.farthest > 0:
            raise ValueError(f"expected farthest, a distance, to be above 0, got {self.farthest!r}")
        self._check_thresholds(most=1)
        super().fit(X, y)
        if len(self.classes_) < 2:
            raise ValueError(
                f"expected two people (classes) or more, got 1 class, {self.classes_.tolist()!r}: "
                f"a support vector machine needs others to tell a person from; OpenSetKNN works with one"
            )
        machine = SVC(kernel=self.kernel, C=self.C, class_weight="balanced", max_iter=_MOST_STEPS)
        self.machines_ = OneVsRestClassifier(machine)
        try:
            with (
                warnings.catch_warnings(action="error", category=ConvergenceWarning),
                # Checked already, and each of the many small trainings would check it again, which takes as long.
                config_context(assume_finite=True, skip_parameter_validation=True),
            ):
                scores, codes = self._unseen_scores()
                self.machines_.fit(self.vectors_, self.codes_)
        except ConvergenceWarning as error:
            raise ValueError(
                f"expected each machine to be trained in {_MOST_STEPS} steps, C={self.C!r} and {len(self.codes_)} "
                f"faces take more; lower C, or move faces that are under a wrong name"
            ) from error
        pairs = [platt(scores[:, code], codes == code) for code in range(len(self.classes_))]
        self.slopes_, self.intercepts_ = (np.array(column) for column in zip(*pairs, strict=True))
        return self

    def _unseen_scores(self) -> tuple[NDArray[Any], NDArray[np.intp]]:
        """Return the machines' outputs for faces they were not trained on, `(m, people)`, and whose faces these are."""
        fewest, most = _FOLDS
        counts = np.bincount(self.codes_)
        # A person with one or two pictures must be in every fold, so these pictures count several times.
        rows = np.concatenate(
            [np.resize(np.flatnonzero(self.codes_ == code), max(count, fewest)) for code, count in enumerate(counts)]
        )
        folds = StratifiedKFold(int(np.clip(counts.min(), fewest, most)))
        codes = self.codes_[rows]
        return self._by_machines_without(folds, self.vectors_[rows].astype(np.float64), codes), codes

    def _by_machines_without(
        self, folds: StratifiedKFold, vectors: NDArray[np.float64], codes: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return what `cross_val_predict` would, `(m, people)`, sooner: the kernel is computed once for all people."""
        scores = np.empty((len(codes), len(self.classes_)))
        for train, test in folds.split(vectors, codes):
            known, tried = vectors[train], vectors[test]
            if shared := len(known) <= _MOST_SHARED:
                known, tried = self._kernel(known, known), self._kernel(tried, known)
            for code in range(1 if len(self.classes_) == 2 else 0, len(self.classes_)):
                own = (codes[train] == code).astype(np.intp)
                balanced = dict(enumerate(len(own) / (2 * np.bincount(own))))
                kernel = "precomputed" if shared else self.kernel
                machine = SVC(kernel=kernel, C=self.C, class_weight=balanced, max_iter=_MOST_STEPS)
                scores[test, code] = machine.fit(known, own).decision_function(tried)
        return _by_person(scores[:, 1]) if len(self.classes_) == 2 else scores

    def _kernel(self, one: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the kernel of faces with those that a machine is trained on, as `SVC` computes it."""
        if self.kernel == "linear":
            return one @ known.T
        return np.asarray(rbf_kernel(one, known, gamma=1 / (known.shape[1] * (known.var() or 1))))

    def probabilities(self, X: ArrayLike) -> NDArray[Any]:
        """Return, for each face and each of `classes_`, the probability that it is that person: `(n, people)`.

        Each column is calibrated for itself; rows do not sum to one.
        """
        check_is_fitted(self)
        vectors = validate_data(self, X, dtype=(np.float64, np.float32), reset=False, ensure_min_samples=0)
        if not len(vectors):
            return np.empty((0, len(self.classes_)))
        scores = _by_person(self.machines_.decision_function(vectors))
        probability = logistic(scores, self.slopes_, self.intercepts_)
        if math.isinf(self.farthest):
            return probability
        return np.where(self._compare(X, 1).to_people <= self.farthest, probability, 0.0)

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return `probabilities` of `(n, d)` embeddings, scaled down where their sum exceeds one: `(n, people)`.

        Columns are in the order of `classes_`; what a row lacks to one is the probability of a stranger. `predict`
        compares each of `probabilities` with the threshold.
        """
        probability = self.probabilities(X)
        return np.asarray(probability / np.maximum(probability.sum(axis=1, keepdims=True), 1))

    def decide(self, X: ArrayLike) -> pd.DataFrame:
        """Name faces and tell how close the decision was; see `OpenSetRecognizer.decide` for the columns.

        Distances are those to the gallery, as `OpenSetKNN` gives them; the column `probability`, which
        decides here, comes in addition.
        """
        probability = self.probabilities(X)
        own = self._own_thresholds()
        best = (probability - own if self.thresholds else probability).argmax(axis=1)
        highest = probability[np.arange(len(best)), best]
        table = self._decision(best, highest >= own[best], self._compare(X, 1))
        return table.assign(probability=highest)

    def nearest_of_people(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the row of the nearest gallery face of each of `classes_`: `(n, people)`."""
        return self._compare(X, 1).people_rows


def _by_person(scores: NDArray[Any]) -> NDArray[Any]:
    """Return decision values with one column per person; of two people scikit-learn gives one column only."""
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
