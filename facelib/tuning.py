"""From a gallery to a recognizer: trials, the threshold, its error rates, and the saved file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from facelib.faces import FloatArray
from facelib.gallery import Gallery
from facelib.recognize import OpenSetKNN, OpenSetSVM, RecognizerInfo, save_recognizer
from facelib.recognize.store import Kind
from facelib.recognize.svm import Kernel
from facelib.recognize.votes import Weights
from facelib.thresholds import Fitted, Trials, confidence_model, curve, fit_threshold, measure_threshold, trials

_FOLDS = 5
_SVM_FALLBACK = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tuning:
    """A gallery tried against itself, ready for a recognizer at any threshold.

    Thresholds are in the recognizer's own unit: the largest distance for KNN, the smallest probability for SVM.

    Attributes:
        gallery: The known faces.
        estimator: The recognizer's options, not fitted; its threshold is the fitted one.
        fitted: The threshold for the wanted error, and how often it errs.
        outcome: The trials; those of an SVM hold `1 - probability` in the place of distances.
        confidence: Slope and intercept of the probability that a name is right, by distance.
    """

    gallery: Gallery
    estimator: OpenSetKNN | OpenSetSVM
    fitted: Fitted
    outcome: Trials
    confidence: tuple[float, float]

    @property
    def kind(self) -> Kind:
        """`"knn"` or `"svm"`."""
        return "svm" if isinstance(self.estimator, OpenSetSVM) else "knn"

    @property
    def at_least(self) -> bool:
        """Whether a face's score must reach the threshold, as a probability must, and not stay below it."""
        return self.kind == "svm"

    @property
    def unit(self) -> str:
        """What the threshold is, as the title of an axis."""
        return "smallest probability given a name" if self.kind == "svm" else "largest distance given a name"

    @property
    def score(self) -> str:
        """What a face is judged by, as the title of an axis."""
        return "probability of the likeliest person" if self.kind == "svm" else "distance to the nearest known face"

    @property
    def curve(self) -> pd.DataFrame:
        """The error rates at every threshold where one changes; see `facelib.thresholds.curve` for the columns."""
        table = curve(self.outcome)
        return table if self.kind == "knn" else table[::-1].assign(threshold=lambda rows: 1 - rows["threshold"])

    @property
    def genuine(self) -> NDArray[np.float64]:
        """The score of each face of the cast against the rest of the gallery, in the threshold's unit."""
        return self._own_unit(self.outcome.distances[:, 0])

    @property
    def impostor(self) -> NDArray[np.float64]:
        """The score of each face against the gallery without its person, in the threshold's unit."""
        return self._own_unit(self.outcome.impostor_distances)

    def measured(self, threshold: float | None = None) -> Fitted:
        """Return how often a threshold errs; None stands for the fitted one."""
        if threshold is None:
            return self.fitted
        return _in_unit(self.kind, measure_threshold(self.outcome, float(self._own_unit(threshold))))

    def by_person(self, threshold: float | None = None) -> pd.DataFrame:
        """Return what becomes of each person's faces at a threshold, worst first: where to look at the pictures.

        Returns:
            The columns `person`, `faces` (genuine trials), `right`, `wrong`, `rejected`, and `taken_for_others`, the
            number of faces given another's name when the person is not in the gallery.
        """
        at = float(self._own_unit(self.fitted.threshold if threshold is None else threshold))
        count = len(self.outcome.people)
        named, right = self.outcome.named(at), self.outcome.named_right(at)
        strangers = self.outcome.impostor[self.outcome.impostor_distances <= at]
        columns = {
            "faces": self.outcome.genuine,
            "right": self.outcome.genuine[right],
            "wrong": self.outcome.genuine[named & ~right],
            "rejected": self.outcome.genuine[~named],
            "taken_for_others": strangers,
        }
        table = pd.DataFrame({name: np.bincount(codes, minlength=count) for name, codes in columns.items()})
        table.insert(0, "person", list(self.outcome.people))
        return table.sort_values(["wrong", "rejected"], ascending=False, kind="stable", ignore_index=True)

    def save(self, path: str | Path, threshold: float | None = None) -> Path:
        """Fit the recognizer on the whole gallery and write it, with its description beside it.

        Args:
            path: The project's `recognizer`.
            threshold: None takes the fitted one.

        Raises:
            ValueError: When the threshold is out of range.
            OSError: When the folder cannot be written.
        """
        measured = self.measured(threshold)
        estimator = type(self.estimator)(**{**self.estimator.get_params(), "threshold": measured.threshold})
        estimator.fit(self.gallery.vectors, self.gallery.names)
        save_recognizer(estimator, path, self._info(measured))
        return Path(path)

    def _info(self, measured: Fitted) -> RecognizerInfo:
        return RecognizerInfo(
            kind=self.kind,
            k=self.estimator.k if isinstance(self.estimator, OpenSetKNN) else 1,
            threshold=measured.threshold,
            wanted_fpir=self.fitted.wanted_fpir,
            fpir=measured.fpir,
            fnir=measured.fnir,
            fpir_interval=measured.fpir_interval,
            fnir_interval=measured.fnir_interval,
            impostor_trials=measured.impostor_trials,
            genuine_trials=measured.genuine_trials,
            detector=self.gallery.detector,
            embedder=self.gallery.embedder,
            weights_sha256=self.gallery.weights_sha256,
            facelib_version=version("facelib"),
            pictures=tuple(str(picture) for picture in self.gallery.pictures),
            confidence_slope=self.confidence[0],
            confidence_intercept=self.confidence[1],
        )

    def _own_unit(self, distances: ArrayLike) -> NDArray[np.float64]:
        """Turn distances of the trials into the threshold's unit, and back: for an SVM both are `1 - value`."""
        values = np.asarray(distances, np.float64)
        return values if self.kind == "knn" else 1 - values


def tune(
    gallery: Gallery,
    *,
    fallback: float,
    kind: Kind = "knn",
    k: int = 5,
    weights: Weights = "uniform",
    kernel: Kernel = "linear",
    C: float = 1.0,
    wanted_fpir: float = 0.01,
    seed: int = 0,
    progress: bool = True,
) -> Tuning:
    """Try a gallery against itself and fit the threshold for a wanted error.

    Args:
        gallery: The known faces; at least one is used.
        fallback: The embedder's own threshold, a distance: the limit where the cast is too small to fit one.
            For an SVM the limit is a probability of 0.5, and it is the farthest that a face may lie from a person's.
        kind: `"knn"`, the nearest faces vote; `"svm"`, one support vector machine a person.
        k: How many neighbours vote; see `OpenSetKNN`. An SVM takes no notice.
        weights: How votes count; see `OpenSetKNN`. An SVM takes no notice.
        kernel: See `OpenSetSVM`.
        C: See `OpenSetSVM`.
        wanted_fpir: The wanted fraction of strangers given a name, 0 to 1.
        seed: Of the bootstrap and, for an SVM, of the folds.
        progress: Show a bar for the ten trainings of an SVM.

    Raises:
        ValueError: When no face of the gallery is used, an SVM is wanted for one person, or an option is out
            of range.
    """
    if gallery.used.empty:
        raise ValueError(
            "expected a gallery with at least one face in use, got none; "
            "notebook 02_embed_faces lists the reason for each picture that is left out"
        )
    if kind not in ("knn", "svm"):
        raise ValueError(f"expected kind to be 'knn' or 'svm', got {kind!r}")
    farthest = math.inf if math.isnan(fallback) else fallback
    by_distance = trials(gallery.vectors, gallery.names, k=k, weights=weights)
    if kind == "knn":
        outcome, limit = by_distance, fallback
    else:
        svm = OpenSetSVM(kernel=kernel, C=C, farthest=farthest)
        outcome = svm_trials(svm, gallery.vectors, gallery.names, seed=seed, progress=progress)
        limit = 1 - _SVM_FALLBACK
    fitted = fit_threshold(outcome, wanted_fpir=wanted_fpir, fallback=limit, seed=seed)
    if not np.isfinite(fitted.threshold):
        raise ValueError(
            f"expected a threshold for the embedder {gallery.embedder!r}, got {fallback!r}: nobody measured one, and "
            f"a cast of {fitted.people} is no evidence; add people, or choose an embedder whose threshold is known"
        )
    fitted = _in_unit(kind, fitted)
    usual = (
        fallback
        if np.isfinite(fallback)
        else fit_threshold(by_distance, wanted_fpir=wanted_fpir, fallback=np.inf).threshold
    )
    return Tuning(
        gallery=gallery,
        estimator=(
            OpenSetKNN(k=k, threshold=fitted.threshold, weights=weights)
            if kind == "knn"
            else OpenSetSVM(kernel=kernel, C=C, threshold=fitted.threshold, farthest=farthest)
        ),
        fitted=fitted,
        outcome=outcome,
        confidence=confidence_model(by_distance, fallback=usual),
    )


def figures(measured: Fitted) -> pd.DataFrame:
    """Return the error rates at a threshold as a table for a notebook.

    Returns:
        One row each for strangers given a name and for faces of the cast not given theirs: `figure`, `rate`, `low`
        and `high` (95 % interval over people), `trials`.
    """
    rows = [
        ("strangers given a name (FPIR)", measured.fpir, *measured.fpir_interval, measured.impostor_trials),
        ("cast not given their name (FNIR)", measured.fnir, *measured.fnir_interval, measured.genuine_trials),
    ]
    return pd.DataFrame(rows, columns=["figure", "rate", "low", "high", "trials"])


def svm_trials(
    svm: OpenSetSVM, vectors: FloatArray, names: NDArray[np.str_], *, seed: int = 0, progress: bool = True
) -> Trials:
    """Try a gallery against support vector machines that have not seen the face tried.

    Leaving out one face at a time would train as many machines as there are faces. Genuine trials leave out a
    fifth of each person's faces at a time, and impostor trials a fifth of the people (one at a time below five).

    Args:
        svm: The options; it is not fitted itself.
        vectors: `(n, d)`.
        names: `(n,)`.
        seed: Which faces go together.
        progress: Show a bar over the trainings.

    Returns:
        Trials with `1 - probability` as distances. People with one face have no genuine trial; a cast of two has
        no impostor trials, because one person alone cannot train a machine.
    """
    people, codes = np.unique(names, return_inverse=True)
    random = np.random.default_rng(seed)
    order = random.permutation(len(codes))
    shuffled = pd.Series(codes[order])
    rank = np.empty(len(codes), int)
    rank[order] = shuffled.groupby(shuffled).cumcount()
    several = np.bincount(codes)[codes] > 1
    fold = np.where(several, rank % _FOLDS, -1)
    group = (
        random.permutation(len(people))[codes] % min(_FOLDS, len(people))
        if len(people) > 2
        else np.full_like(codes, -1)
    )
    own, right = _held_out(svm, vectors, codes, fold, progress=progress)
    strange, _ = _held_out(svm, vectors, codes, group, progress=progress)
    return Trials(
        people=tuple(str(person) for person in people),
        genuine=codes[fold >= 0],
        distances=own[fold >= 0, None],
        right=right[fold >= 0, None],
        impostor=codes[group >= 0],
        impostor_distances=strange[group >= 0],
    )


def _held_out(
    svm: OpenSetSVM, vectors: FloatArray, codes: NDArray[np.intp], part: NDArray[np.intp], *, progress: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Train without each part and try it; return `1 - probability` of the best name, and whether it is right."""
    distance, right = np.full(len(codes), np.nan), np.zeros(len(codes), bool)
    parts = np.unique(part[part >= 0])
    for number in tqdm(parts, desc="training", unit="machine", disable=not progress):
        tried = part == number
        machine = OpenSetSVM(**(svm.get_params() | {"unknown_label": -1})).fit(vectors[~tried], codes[~tried])
        probability = machine.probabilities(vectors[tried])
        distance[tried] = 1 - probability.max(axis=1)
        right[tried] = machine.classes_[probability.argmax(axis=1)] == codes[tried]
    return distance, right


def _in_unit(kind: Kind, measured: Fitted) -> Fitted:
    """Return figures of trials in the recognizer's unit: an SVM's thresholds are probabilities."""
    if kind == "knn":
        return measured
    low, high = measured.threshold_interval
    return replace(measured, threshold=1 - measured.threshold, threshold_interval=(1 - high, 1 - low))
