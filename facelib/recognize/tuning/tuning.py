"""A gallery tested against itself, ready for a recognizer at any k and threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from facelib.gallery import Gallery
from facelib.recognize import OpenSetKNN, OpenSetSVM, RecognizerInfo, save_recognizer
from facelib.recognize.info import RecognizerKind
from facelib.recognize.thresholds import Fitted, Trials, curve, fit_threshold, measure_threshold
from facelib.recognize.tuning.setting import Setting

MOST_UNNAMED = 0.5
"""The largest fraction of the cast's faces that a threshold may leave without a name, or it is not saved."""

FEWEST_TO_REFUSE = 10
"""Of fewer trials of the cast's faces no threshold is refused."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tuning:
    """A gallery tested against itself, ready for a recognizer at any k and threshold.

    Thresholds are in the recognizer's own unit: the largest distance for KNN, the smallest probability for SVM. Where
    people have thresholds of their own, `threshold` is that of a person without one, and moving it moves all alike.

    Attributes:
        gallery: The known faces.
        estimator: The recognizer's options, not fitted; its threshold is the fitted one.
        fitted: The threshold for the wanted FPIR, and its error rates.
        outcome: The trials at the recognizer's k; those of an SVM hold `1 - probability` in the place of distances.
        every: The same trials for every k up to `largest_k`.
        confidence: Slope and intercept of the probability that a name is right, by distance.
        fallback: The limit of a threshold that could not be fitted, as a distance of the trials.
        strangers: The faces of strangers, for their pictures; None where there are none, or only embeddings.
        per_person: Of `fit_per_person`, with thresholds in the recognizer's unit; None for one threshold for all.
        near_duplicates: How many faces were not tried against others of the same source, for being so like them.
        aliases: Pairs of names that look like one person's, who were no strangers to each other in the trials.
    """

    gallery: Gallery
    estimator: OpenSetKNN | OpenSetSVM
    fitted: Fitted
    outcome: Trials
    every: Trials
    confidence: tuple[float, float]
    fallback: float
    strangers: Gallery | None = None
    per_person: pd.DataFrame | None = None
    near_duplicates: int = 0
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> RecognizerKind:
        """`"knn"` or `"svm"`."""
        return "svm" if isinstance(self.estimator, OpenSetSVM) else "knn"

    @property
    def at_least(self) -> bool:
        """Whether a face's score must reach the threshold, as a probability must, and not stay below it."""
        return self.kind == "svm"

    @property
    def k(self) -> int:
        """How many of the nearest faces vote; 1 for an SVM."""
        return self.estimator.k if isinstance(self.estimator, OpenSetKNN) else 1

    @property
    def largest_k(self) -> int:
        """The largest k that can be looked up; 1 for an SVM, which has none."""
        return int(self.every.distances.shape[1]) if self.kind == "knn" else 1

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
        """The error rates at every threshold where one changes; see `thresholds.curve` for the columns."""
        return self.curve_at(self.k)

    @property
    def genuine(self) -> NDArray[np.float64]:
        """The score of each face of the cast against the rest of the gallery, in the threshold's unit."""
        return self._own_unit(self.outcome.distances[:, 0])

    @property
    def impostor(self) -> NDArray[np.float64]:
        """The score of each impostor trial, in the threshold's unit."""
        return self._own_unit(self.outcome.impostor_distances)

    def at(self, k: int | None = None, threshold: float | None = None) -> Setting:
        """Look up what a choice of k and threshold does to every face; takes milliseconds. None takes the own one.

        Raises:
            ValueError: When `k` is out of range, or the threshold is NaN.
        """
        chosen = self.fitted.threshold if threshold is None else threshold
        if math.isnan(chosen):
            raise ValueError("expected a threshold, got nan")
        return Setting(
            k=self.k if k is None else k,
            threshold=chosen,
            trials=self._trials(k),
            distance=float(self._own_unit(chosen)),
            at_least=self.at_least,
        )

    def curve_at(self, k: int) -> pd.DataFrame:
        """Return the error rates at every threshold for another k, the threshold ascending.

        Raises:
            ValueError: When `k` is out of range.
        """
        table = curve(self._trials(k))
        return table if self.kind == "knn" else table[::-1].assign(threshold=lambda rows: 1 - rows["threshold"])

    def fit(self, wanted_fpir: float, *, k: int | None = None, seed: int = 0) -> Fitted:
        """Return the threshold for another wanted FPIR, and its error rates.

        Raises:
            ValueError: When `k` or `wanted_fpir` is out of range.
        """
        found = fit_threshold(self._trials(k), wanted_fpir=wanted_fpir, fallback=self.fallback, seed=seed)
        return in_unit(self.kind, found)

    def measured(self, threshold: float | None = None, *, k: int | None = None) -> Fitted:
        """Return the error rates at a threshold; None stands for the fitted one."""
        if threshold is None and k in (None, self.k):
            return self.fitted
        at = self.fitted.threshold if threshold is None else threshold
        return in_unit(self.kind, measure_threshold(self._trials(k), float(self._own_unit(at))))

    def by_person(self, threshold: float | None = None, *, k: int | None = None) -> pd.DataFrame:
        """Count how each person's faces are named at a threshold, the person with most mistakes first.

        Returns:
            The columns `person`, `faces` (genuine trials), `right`, `wrong`, `rejected`, `taken_for_others`, the
            number of faces given another's name when the person is not in the gallery, and `note`. Where nothing was
            tried, as with a person of one picture, there is no number, and `note` says why.
        """
        at = float(self._own_unit(self.fitted.threshold if threshold is None else threshold))
        outcome, count = self._trials(k), len(self.outcome.people)
        named, right = outcome.named(at), outcome.named_right(at)
        cast = (outcome.impostor < count) & (outcome.impostor_distances <= at)
        columns = {
            "faces": outcome.genuine,
            "right": outcome.genuine[right],
            "wrong": outcome.genuine[named & ~right],
            "rejected": outcome.genuine[~named],
            "taken_for_others": outcome.impostor[cast],
        }
        numbers = {name: np.bincount(codes, minlength=count) for name, codes in columns.items()}
        table = pd.DataFrame(numbers).astype("Int64")
        untried = table["faces"] == 0
        table.loc[untried, ["right", "wrong", "rejected"]] = pd.NA
        stood_in = np.bincount(outcome.impostor[outcome.impostor < count], minlength=count)
        table.loc[stood_in == 0, "taken_for_others"] = pd.NA
        table.insert(0, "person", list(outcome.people))
        several = pd.Series(self.gallery.names).value_counts().reindex(outcome.people, fill_value=0).to_numpy() > 1
        alike, alone = "the pictures are nearly the same", "no second picture to compare with"
        table["note"] = np.where(untried, "not tested: " + np.where(several, alike, alone).astype(object), "")
        return table.sort_values(["wrong", "rejected"], ascending=False, kind="stable", ignore_index=True)

    def thresholds(self, threshold: float | None = None) -> dict[str, float] | None:
        """Return each person's threshold when the common one is `threshold`; None when all have that one."""
        if self.per_person is None:
            return None
        at = self.fitted.threshold if threshold is None else threshold
        moved = self.per_person["threshold"] + (at - self.fitted.threshold)
        own = moved.clip(0, 1 if self.kind == "svm" else None)
        return dict(zip(self.per_person["person"], own.astype(float).tolist(), strict=True))

    def unnamed(self, threshold: float | None = None, *, k: int | None = None) -> float:
        """Return the fraction of the cast's faces that a threshold leaves without any name; NaN without trials."""
        counts = self.at(k, threshold).counts
        return counts.rejected / counts.cast if counts.cast else math.nan

    def save(
        self,
        path: str | Path,
        threshold: float | None = None,
        *,
        k: int | None = None,
        most_unnamed: float = MOST_UNNAMED,
        by_hand: bool = False,
    ) -> Path:
        """Fit the recognizer on the whole gallery and write it, with its description beside it.

        Args:
            path: The project's `recognizer`.
            threshold: None takes the fitted one.
            k: None takes the recognizer's own.
            most_unnamed: The largest fraction, 0 to 1, of the cast's faces that the threshold may leave without a name;
                1 saves whatever comes. Fewer than `FEWEST_TO_REFUSE` trials of the cast's faces never refuse.
            by_hand: Whether its user chose the threshold: then it stays until that is undone; see `threshold_by_hand`.

        Raises:
            ValueError: When the threshold or `k` is out of range, or more of the cast is left without a name.
            OSError: When the folder cannot be written.
        """
        measured = self.measured(threshold, k=k)
        refusal = self.refusal(threshold, k=k, most_unnamed=most_unnamed)
        if refusal:
            raise ValueError(refusal)
        options = {"threshold": measured.threshold, "thresholds": self.thresholds(measured.threshold)}
        if k is not None and self.kind == "knn":
            options["k"] = k
        estimator = type(self.estimator)(**{**self.estimator.get_params(), **options})
        estimator.fit(self.gallery.vectors, self.gallery.names)
        save_recognizer(estimator, path, self._info(measured, self.k if k is None else k, by_hand))
        return Path(path)

    def refusal(
        self, threshold: float | None = None, *, k: int | None = None, most_unnamed: float = MOST_UNNAMED
    ) -> str:
        """Return why `save` would refuse a threshold: it leaves too many without a name; else an empty text."""
        measured = self.measured(threshold, k=k)
        unnamed, tried = self.unnamed(measured.threshold, k=k), measured.genuine_trials
        if tried < FEWEST_TO_REFUSE or not unnamed > most_unnamed:
            return ""
        worst = self.by_person(measured.threshold, k=k).sort_values("rejected", ascending=False, kind="stable")
        missed = [
            f"{person} ({rejected} of {faces})"
            for person, rejected, faces in zip(worst["person"], worst["rejected"], worst["faces"], strict=True)
            if faces and rejected
        ]
        return (
            f"expected a threshold that leaves at most {most_unnamed:.0%} of the cast's faces without a name, got "
            f"{measured.threshold:.4f}, which leaves {unnamed:.0%} of {tried}: {', '.join(missed[:5])}. Look at their "
            f"pictures with the doctor of notebook 02, add more of them, or take a threshold nearer to the embedder's "
            f"own; most_unnamed=1 saves it all the same"
        )

    def _info(self, measured: Fitted, k: int, by_hand: bool) -> RecognizerInfo:
        return RecognizerInfo(
            kind=self.kind,
            k=k,
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
            strangers=self.outcome.strangers,
            per_person=self.per_person is not None,
            threshold_from="hand" if by_hand else self._threshold_from(measured),
            unnamed=self.unnamed(measured.threshold, k=k),
            aliases=self.aliases,
        )

    def _threshold_from(self, measured: Fitted) -> str:
        if measured.threshold != self.fitted.threshold:
            return "parameter"
        return "trials" if self.fitted.from_data else "embedder"

    def _trials(self, k: int | None) -> Trials:
        if k is None or k == self.k:
            return self.outcome
        if not 1 <= k <= max(self.largest_k, self.k):
            raise ValueError(f"expected k between 1 and {self.largest_k}, got {k!r}; tune with a larger largest_k")
        return self.every.nearest(k)

    def _own_unit(self, distances: ArrayLike) -> NDArray[np.float64]:
        """Turn distances of the trials into the threshold's unit, and back: for an SVM both are `1 - value`."""
        values = np.asarray(distances, np.float64)
        return values if self.kind == "knn" else 1 - values


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


def in_unit(kind: RecognizerKind, measured: Fitted) -> Fitted:
    """Return figures of trials in the recognizer's unit: an SVM's thresholds are probabilities."""
    if kind == "knn":
        return measured
    low, high = measured.threshold_interval
    return replace(measured, threshold=1 - measured.threshold, threshold_interval=(1 - high, 1 - low))
