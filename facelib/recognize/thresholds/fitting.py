"""The threshold for a wanted FPIR, its error rates, and what is needed to know them better."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facelib.recognize.calibration import platt
from facelib.recognize.thresholds.evidence import FEWEST_PEOPLE, advice_on, enough_to_fit, weight_of
from facelib.recognize.thresholds.lookups import FloatVector, IntVector
from facelib.recognize.thresholds.trials import Trials

Interval = tuple[float, float]
_STEP = 1e-4
MEASURED_FPIR = 0.01
"""The rate that the embedders' own thresholds were measured for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A threshold and its error rates, which are NaN where there are no trials.

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
        advice: How reliable the figures are, in words.
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


def fit_threshold(
    outcome: Trials, *, wanted_fpir: float = 0.01, fallback: float, seed: int = 0, resamples: int = 200
) -> Fitted:
    """Choose the largest threshold at which about the wanted fraction of strangers is given a name.

    Trials of few people are no evidence of how strangers look (two people of a cast may be very unlike each other, or
    very alike), and a rate of 1 % cannot be read from 50 trials. With fewer than `FEWEST_PEOPLE` people, strangers
    included, or fewer than `3 / wanted_fpir` impostor trials, the threshold is `fallback`. With more it moves from
    there to the one that the trials alone would give, by how many there are; see `evidence.weight_of`. A rate below
    that of `fallback` lowers it by as much as it lowers the trials' own.

    Args:
        outcome: From `trials`.
        wanted_fpir: The wanted fraction, 0 to 1. Raising it names more of the cast, and more strangers.
        fallback: The embedder's own threshold, measured on many people for 1 %; NaN where nobody measured it, and
            then the trials' is taken, which is infinite for one person.
        seed: Of the bootstrap, which draws people with replacement.
        resamples: How many times it draws.

    Raises:
        ValueError: When `wanted_fpir` is not between 0 and 1.
    """
    if not 0 <= wanted_fpir < 1:
        raise ValueError(f"expected wanted_fpir, a fraction, to be at least 0 and below 1, got {wanted_fpir!r}")
    enough = enough_to_fit(outcome, wanted_fpir)
    alone = threshold_of(outcome, wanted_fpir)
    threshold = _chosen(outcome, wanted_fpir, alone, fallback)
    return replace(
        measure_threshold(outcome, threshold, seed=seed, resamples=resamples),
        wanted_fpir=wanted_fpir,
        from_data=enough,
        threshold_interval=_threshold_interval(outcome, wanted_fpir, _draws(outcome, seed, resamples)),
        advice=advice_on(outcome, alone, fallback, wanted_fpir, threshold),
    )


def _chosen(outcome: Trials, wanted: float, alone: float, fallback: float) -> float:
    """Return the threshold between the embedder's own and the one that the trials alone would give."""
    if math.isnan(fallback):
        return alone
    judged = max(wanted, MEASURED_FPIR)
    weight = weight_of(outcome, judged)
    if not weight:
        return fallback
    there = threshold_of(outcome, judged)
    return max(0.0, fallback + weight * (there - fallback) + alone - there)


def measure_threshold(outcome: Trials, threshold: float, *, seed: int = 0, resamples: int = 200) -> Fitted:
    """Return the error rates at a given threshold.

    `wanted_fpir` and `threshold_interval` of the answer are NaN: nothing was wanted, and nothing fitted. The seed and
    the number of resamples are of the bootstrap, which draws people with replacement.

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
    """Return how often each person, and each stranger, is drawn in each resample: `(resamples, people)`."""
    random = np.random.default_rng(seed)
    cast, strangers = (
        random.multinomial(count, np.full(count, 1 / count), size=resamples)
        if count
        else np.empty((resamples, 0), np.int64)
        for count in (len(outcome.people), outcome.strangers)
    )
    return np.concatenate([cast, strangers], axis=1)


def threshold_of(outcome: Trials, wanted_fpir: float) -> float:
    """Return the threshold that the trials alone would give; infinite without any."""
    return threshold_at(np.sort(outcome.impostor_distances), wanted_fpir)


def threshold_at(ascending: FloatVector, wanted: float, weight: NDArray[Any] | None = None) -> float:
    """Return the largest threshold, in steps of 0.0001, that names no more than the wanted fraction."""
    if not len(ascending):
        return math.inf
    # The tolerance forgives that 0.01 * 300 is a little less than 3.
    if weight is None:
        first = float(ascending[min(int(wanted * len(ascending) + 1e-9), len(ascending) - 1)])
    else:
        beyond = np.cumsum(weight) > wanted * weight.sum() + 1e-9
        first = float(ascending[beyond.argmax()])
    if math.isinf(first):  # of a trial against an empty gallery
        return math.inf
    return max(0.0, (math.ceil(round(first / _STEP, 6)) - 1) * _STEP)


def _threshold_interval(outcome: Trials, wanted: float, draws: NDArray[Any]) -> Interval:
    if len(outcome.people) + outcome.strangers < 2 or not len(outcome.impostor):
        return (math.nan, math.nan)
    order = np.argsort(outcome.impostor_distances)
    ascending, people = outcome.impostor_distances[order], outcome.impostor[order]
    drawn = [threshold_at(ascending, wanted, draw[people].astype(float)) for draw in draws if draw[people].any()]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def _rate_interval(errors: NDArray[np.bool_], people: IntVector, draws: NDArray[Any]) -> Interval:
    """Return the 95 % interval of a rate, over people: faces of one person are no independent trials."""
    tried = np.unique(people)
    if len(tried) < 2:
        return (math.nan, math.nan)
    if not errors.any():  # no resample can show an error: take the exact binomial bound, one trial per person
        return 0.0, float(1 - 0.025 ** (1 / len(tried)))
    count = draws.shape[1]
    wrong, total = (np.bincount(people, weights=w, minlength=count) for w in (errors, np.ones(len(errors))))
    drawn = draws @ total
    rates = (draws @ wrong)[drawn > 0] / drawn[drawn > 0]
    low, high = np.quantile(rates, [0.025, 0.975])
    return float(low), float(high)


def confidence_model(outcome: Trials, *, fallback: float) -> tuple[float, float]:
    """Fit the probability that a name is right as a function of its distance: `(slope, intercept)` for `logistic`.

    Strangers count as often as faces of the cast: each face is one genuine and one impostor trial, and a folder of
    strangers, which may be of any size, is not used. With fewer than `FEWEST_PEOPLE` people, or when wrong names are
    not farther away in the trials, the model gives 0.5 at `fallback` and 0.9 at four fifths of it.
    """
    strange = outcome.impostor_distances[: len(outcome.impostor) - outcome.strangers]
    distances = np.concatenate([outcome.distances[:, 0], strange])
    right = np.concatenate([outcome.right[:, 0], np.zeros(len(strange), bool)])
    if len(outcome.people) >= FEWEST_PEOPLE and right.any() and not right.all():
        slope, intercept = platt(distances, right)
        if slope < 0:
            return slope, intercept
    slope = -math.log(9) / (0.2 * fallback)
    return slope, -slope * fallback
