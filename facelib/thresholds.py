"""The threshold of an open-set recognizer: trials on the gallery itself, error rates, a wanted error.

Two kinds of trials. Genuine: each face against the gallery without that face. Impostor: each face against
the gallery without any face of its person, which makes the person a stranger. FPIR (false positive
identification rate) is the fraction of impostor trials that end with a name, FNIR (false negative
identification rate) the fraction of genuine trials that do not end with the right name
(ISO/IEC 19795-1; Grother et al., NIST IR 8271).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances

from facelib.recognize.calibration import platt
from facelib.recognize.votes import Weights, nearest, winners

FEWEST_PEOPLE = 10
"""With fewer people, one or two of whom may look alike or very unlike, strangers cannot be judged by the cast."""

_ERRORS_NEEDED = 3
_BLOCK = 2**23  # distances held at once
Interval = tuple[float, float]
FloatVector = NDArray[np.floating[Any]]
IntVector = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """The outcome of every trial, for every threshold at once.

    Attributes:
        people: The names, sorted; the other fields number them from 0.
        genuine: `(g,)`, the person of each genuine trial; people with a single face have none.
        distances: `(g, k)`, ascending distances to the nearest gallery faces; infinite where there are fewer.
        right: `(g, k)`, whether the name is right when exactly the nearest `j + 1` faces are within the threshold.
        impostor: `(i,)`, the person of each impostor trial; none when there is only one person.
        impostor_distances: `(i,)`, distance to the nearest face of anybody else: the trial ends with a name
            as soon as the threshold reaches it.
    """

    people: tuple[str, ...]
    genuine: IntVector
    distances: FloatVector
    right: NDArray[np.bool_]
    impostor: IntVector
    impostor_distances: FloatVector

    def named(self, threshold: float) -> NDArray[np.bool_]:
        """Return which genuine trials end with a name at this threshold, be it right or wrong: `(g,)`."""
        return np.asarray(self.distances[:, 0] <= threshold)

    def named_right(self, threshold: float) -> NDArray[np.bool_]:
        """Return which genuine trials end with the right name at this threshold: `(g,)`."""
        within = (self.distances <= threshold).sum(axis=1)
        return np.asarray(self.right[np.arange(len(within)), np.maximum(within, 1) - 1] & (within > 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A threshold and how often it errs; rates are NaN where there are no trials.

    Attributes:
        threshold: The largest distance that is given a name.
        wanted_fpir: The fraction of strangers given a name that was asked for.
        from_data: Whether the threshold comes from the trials, and not from the embedder's own figure.
        fpir: The fraction of impostor trials given a name.
        fnir: The fraction of genuine trials not given the right name.
        threshold_interval: 95 % interval of the threshold that the trials alone would give.
        fpir_interval: 95 % interval of `fpir` at `threshold`.
        fnir_interval: 95 % interval of `fnir` at `threshold`.
        impostor_trials: Number of impostor trials.
        genuine_trials: Number of genuine trials.
        people: Number of people.
        advice: What to make of the figures, in words.
    """

    threshold: float
    wanted_fpir: float
    from_data: bool
    fpir: float
    fnir: float
    threshold_interval: Interval
    fpir_interval: Interval
    fnir_interval: Interval
    impostor_trials: int
    genuine_trials: int
    people: int
    advice: str


def trials(vectors: ArrayLike, names: ArrayLike, *, k: int = 5, weights: Weights = "uniform") -> Trials:
    """Try every face of a gallery against the rest of it, as the recognizer itself would decide.

    Args:
        vectors: `(n, d)` embeddings.
        names: `(n,)`.
        k: As of `OpenSetKNN`.
        weights: As of `OpenSetKNN`.

    Raises:
        ValueError: When there is no face, the lengths disagree, or `k` is below 1.
    """
    matrix, labels = np.asarray(vectors), np.asarray(names)
    if matrix.ndim != 2 or not len(matrix) or len(matrix) != len(labels):
        raise ValueError(
            f"expected one embedding and one name a face, at least one face, "
            f"got arrays of shapes {matrix.shape!r} and {labels.shape!r}"
        )
    if k < 1:
        raise ValueError(f"expected k, the number of voting neighbours, to be 1 or more, got {k!r}")
    people, codes = np.unique(labels, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    blocks = np.array_split(order, math.ceil(len(order) * len(order) / _BLOCK))
    parts = [_trials_of(rows, matrix, codes, k, weights) for rows in blocks]
    distances, right, strangers = (np.concatenate(part) for part in zip(*parts, strict=True))
    genuine = (np.bincount(codes) > 1)[codes[order]]
    impostors = len(order) if len(people) > 1 else 0
    return Trials(
        people=tuple(str(person) for person in people),
        genuine=codes[order][genuine],
        distances=distances[genuine],
        right=right[genuine],
        impostor=codes[order][:impostors],
        impostor_distances=strangers[:impostors],
    )


def _trials_of(
    rows: IntVector, vectors: FloatVector, codes: IntVector, k: int, weights: Weights
) -> tuple[FloatVector, NDArray[np.bool_], FloatVector]:
    """Return `distances` and `right` of some faces' genuine trials, and the distances of their impostor trials."""
    block = pairwise_distances(vectors[rows], vectors).astype(float)
    same = codes[rows, None] == codes
    strangers = np.where(same, np.inf, block).min(axis=1)
    block[np.arange(len(rows)), rows] = np.inf  # leave the face itself out
    distances, columns = nearest(block, k)
    voters = codes[columns]
    position = winners(distances, voters, weights=weights)
    right = np.take_along_axis(voters, position, axis=1) == codes[rows, None]
    return distances, right, strangers


def curve(outcome: Trials) -> pd.DataFrame:
    """Return the error rates at every threshold where one of them changes, ascending.

    Returns:
        `threshold`; `right`, `wrong`, `rejected`, fractions of the genuine trials that sum to 1 (named
        rightly, named as another person, not named); `fnir` = 1 - `right`; `fpir`, the fraction of the
        impostor trials that is given a name. Rates are NaN where there are no such trials.
        The first row is threshold 0.
    """
    finite = outcome.distances[np.isfinite(outcome.distances)]
    thresholds = np.unique(np.concatenate([[0.0], finite, outcome.impostor_distances]))
    count = len(outcome.genuine)
    named = np.searchsorted(np.sort(outcome.distances[:, 0]), thresholds, side="right")
    # The count of right names goes up or down by one where a further face comes within the threshold.
    before = np.concatenate([np.zeros((count, 1), bool), outcome.right[:, :-1]], axis=1)
    change = (outcome.right.astype(np.int64) - before) * np.isfinite(outcome.distances)
    order = np.argsort(outcome.distances, axis=None)
    total = np.concatenate([[0], np.cumsum(change.ravel()[order])])
    right = total[np.searchsorted(outcome.distances.ravel()[order], thresholds, side="right")]
    false_names = np.searchsorted(np.sort(outcome.impostor_distances), thresholds, side="right")
    genuine, impostors = count or math.nan, len(outcome.impostor) or math.nan
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "right": right / genuine,
            "wrong": (named - right) / genuine,
            "rejected": (count - named) / genuine,
            "fpir": false_names / impostors,
            "fnir": (count - right) / genuine,
        }
    )


def fit_threshold(
    outcome: Trials, *, wanted_fpir: float = 0.01, fallback: float, seed: int = 0, resamples: int = 200
) -> Fitted:
    """Choose the largest threshold at which no more than the wanted fraction of strangers is given a name.

    Trials of few people are no evidence of how strangers look (two people of a cast may be very unlike
    each other), and a rate of 1 % cannot be read from 50 trials. With fewer than `FEWEST_PEOPLE` people, or
    fewer than `3 / wanted_fpir` impostor trials, the threshold is the smaller of the trials' and `fallback`.

    Args:
        outcome: From `trials`.
        wanted_fpir: The wanted fraction, 0 to 1. Raising it names more of the cast, and more strangers.
        fallback: The embedder's own threshold, measured on many people; NaN where nobody measured it, and then
            the trials' is taken, which is infinite for one person.
        seed: Of the bootstrap, which draws people with replacement.
        resamples: How many times it draws.

    Raises:
        ValueError: When `wanted_fpir` is not between 0 and 1.
    """
    if not 0 <= wanted_fpir < 1:
        raise ValueError(f"expected wanted_fpir, a fraction, to be at least 0 and below 1, got {wanted_fpir!r}")
    enough = len(outcome.people) >= FEWEST_PEOPLE and len(outcome.impostor) * wanted_fpir >= _ERRORS_NEEDED
    alone = _threshold_at(outcome.impostor_distances, wanted_fpir)
    threshold = alone if enough or math.isnan(fallback) else min(alone, fallback)
    return replace(
        measure_threshold(outcome, threshold, seed=seed, resamples=resamples),
        wanted_fpir=wanted_fpir,
        from_data=enough,
        threshold_interval=_threshold_interval(outcome, wanted_fpir, _draws(outcome, seed, resamples)),
        advice=_advice(outcome, alone, fallback, wanted_fpir),
    )


def measure_threshold(outcome: Trials, threshold: float, *, seed: int = 0, resamples: int = 200) -> Fitted:
    """Return how often a threshold of one's own choice errs.

    `wanted_fpir` and `threshold_interval` of the answer are NaN: nothing was wanted, and nothing fitted.

    Args:
        outcome: From `trials`.
        threshold: The largest distance that is given a name.
        seed: Of the bootstrap, which draws people with replacement.
        resamples: How many times it draws.

    Raises:
        ValueError: When the threshold is NaN or below 0.
    """
    if not threshold >= 0:
        raise ValueError(f"expected threshold, a distance, to be 0 or more, got {threshold!r}")
    false_names = outcome.impostor_distances <= threshold
    missed = ~outcome.named_right(threshold)
    draws = _draws(outcome, seed, resamples)
    return Fitted(
        threshold=threshold,
        wanted_fpir=math.nan,
        from_data=False,
        fpir=float(false_names.mean()) if len(false_names) else math.nan,
        fnir=float(missed.mean()) if len(missed) else math.nan,
        threshold_interval=(math.nan, math.nan),
        fpir_interval=_rate_interval(false_names, outcome.impostor, draws),
        fnir_interval=_rate_interval(missed, outcome.genuine, draws),
        impostor_trials=len(false_names),
        genuine_trials=len(missed),
        people=len(outcome.people),
        advice="This threshold was given, not fitted.",
    )


def _draws(outcome: Trials, seed: int, resamples: int) -> NDArray[np.int64]:
    """Return how often each person is drawn in each resample of the bootstrap: `(resamples, people)`."""
    count = len(outcome.people)
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)


def _threshold_at(distances: FloatVector, wanted: float, weights: NDArray[Any] | None = None) -> float:
    """Return the largest threshold, in steps of 0.0001, that names no more than the wanted fraction."""
    if not len(distances):
        return math.inf
    order = np.argsort(distances)
    weight = np.ones(len(distances)) if weights is None else weights[order].astype(float)
    # The tolerance forgives that 0.01 * 300 is a little less than 3.
    beyond = np.cumsum(weight) > wanted * weight.sum() + 1e-9
    first = float(distances[order][beyond.argmax()])
    return max(0.0, (math.ceil(round(first * 1e4, 6)) - 1) / 1e4)


def _threshold_interval(outcome: Trials, wanted: float, draws: NDArray[Any]) -> Interval:
    if len(outcome.people) < 2:
        return (math.nan, math.nan)
    drawn = [_threshold_at(outcome.impostor_distances, wanted, draw[outcome.impostor]) for draw in draws]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _rate_interval(errors: NDArray[np.bool_], people: IntVector, draws: NDArray[Any]) -> Interval:
    """Return the 95 % interval of a rate, over people: faces of one person are no independent trials."""
    tried = np.unique(people)
    if len(tried) < 2:
        return (math.nan, math.nan)
    if not errors.any():  # no resample can show an error: take the exact binomial bound, a trial a person
        return 0.0, float(1 - 0.025 ** (1 / len(tried)))
    count = draws.shape[1]
    wrong, total = (np.bincount(people, weights=w, minlength=count) for w in (errors, np.ones(len(errors))))
    drawn = draws @ total
    rates = (draws @ wrong)[drawn > 0] / drawn[drawn > 0]
    low, high = np.quantile(rates, [0.025, 0.975])
    return float(low), float(high)


def _advice(outcome: Trials, measured: float, fallback: float, wanted: float) -> str:
    count, strangers = len(outcome.people), len(outcome.impostor)
    people = "1 person" if count == 1 else f"{count} people"
    shown = f"the trials alone would give {measured:.4f}" if strangers else "there are no trials of strangers"
    capped = (
        f"so the threshold is kept at or below the embedder's own, {fallback:.4f}"
        if math.isfinite(fallback)
        else "yet nobody measured a threshold for this embedder, and it is taken for want of better"
    )
    if count < FEWEST_PEOPLE:
        return (
            f"With {people} in the gallery {shown}, which is no evidence: fewer than {FEWEST_PEOPLE} people cannot "
            f"stand for all strangers, {capped}. To fit it, add pictures of at least {FEWEST_PEOPLE} people."
        )
    if strangers * wanted < _ERRORS_NEEDED:
        needed = f"about {math.ceil(_ERRORS_NEEDED / wanted)}" if wanted else "no number"
        return (
            f"{strangers} impostor trials of {people} are too few to see a wanted FPIR of {wanted:g}: {needed} would "
            f"do; {shown}, {capped}. Add pictures, or want a larger FPIR."
        )
    return f"Fitted on {strangers} impostor trials of {people}."


def leave_one_out(vectors: ArrayLike, names: ArrayLike, *, k: int = 5) -> pd.Series:
    """Return how often a face is nearest to its own person, each left out in turn, no face rejected.

    Returns:
        `faces` (number of trials), `nearest` (fraction whose nearest face is the person's: 1-NN) and
        `majority` (fraction whose `k` nearest faces vote for the person). Fractions are NaN without trials.

    Raises:
        ValueError: As `trials`.
    """
    outcome = trials(vectors, names, k=k)
    some = len(outcome.genuine) > 0
    return pd.Series(
        {
            "faces": float(len(outcome.genuine)),
            "nearest": float(outcome.right[:, 0].mean()) if some else math.nan,
            "majority": float(outcome.named_right(np.finfo(float).max).mean()) if some else math.nan,
        }
    )


def confidence_model(outcome: Trials, *, fallback: float) -> tuple[float, float]:
    """Fit the probability that a name is right as a function of its distance.

    Strangers count as often as faces of the cast: each face is one genuine and one impostor trial.
    With fewer than `FEWEST_PEOPLE` people, or when the trials do not show that far means wrong, the
    model is the one that says 0.5 at `fallback` and 0.9 at four fifths of it.

    Args:
        outcome: From `trials`.
        fallback: The embedder's own threshold.

    Returns:
        `(slope, intercept)`: confidence = 1 / (1 + exp(-(intercept + slope * distance))).
    """
    distances = np.concatenate([outcome.distances[:, 0], outcome.impostor_distances])
    right = np.concatenate([outcome.right[:, 0], np.zeros(len(outcome.impostor_distances), bool)])
    if len(outcome.people) >= FEWEST_PEOPLE and right.any() and not right.all():
        slope, intercept = platt(distances, right)
        if slope < 0:
            return slope, intercept
    slope = -math.log(9) / (0.2 * fallback)
    return slope, -slope * fallback
