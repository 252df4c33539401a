"""Calibration: of names with confidence 0.9, nine of ten should be right."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from facelib.evaluate.tracks import judge_tracks
from facelib.recognize.thresholds import trials

Answer = Literal["name", "unknown"]
"""What a track is called: one of the cast, or nobody of it."""

# Whether an answer is right, by the verdict of `judge_tracks`.
_NAMES = {"right": True, "wrong": False, "stranger named": False, "no face named": False}
_UNKNOWN = {"stranger": True, "not named": False}


def reliability(confidence: ArrayLike, right: ArrayLike, *, bins: int = 10) -> pd.DataFrame:
    """Compare how sure names are with how often they are right, in bins of equal width.

    Source: Murphy and Winkler, "Reliability of subjective probability forecasts" (1977); the intervals are Wilson's.

    Args:
        confidence: `(n,)`, 0 to 1.
        right: `(n,)`, whether each name is right.
        bins: Their number, 1 or more.

    Returns:
        A row a bin, empty ones too: `low`, `high` (its bounds), `names` (how many), `confidence` (their mean), `right`
        (the share that is), `right_low`, `right_high` (95 % interval of that share); NaN in an empty bin.

    Raises:
        ValueError: When a confidence is no probability, the lengths disagree, or there is no bin.
    """
    sure, truly = np.asarray(confidence, np.float64), np.asarray(right, bool)
    if sure.shape != truly.shape or sure.ndim != 1:
        raise ValueError(f"expected one confidence per name, got shapes {sure.shape!r} and {truly.shape!r}")
    if bins < 1:
        raise ValueError(f"expected at least 1 bin, got {bins!r}")
    if not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError(f"expected confidences between 0 and 1, got {float(sure[~((sure >= 0) & (sure <= 1))][0])!r}")
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="right") - 1, 0, bins - 1)
    count, sums, hits = (
        np.bincount(place, weights=w, minlength=bins).astype(float) for w in (np.ones(len(sure)), sure, truly)
    )
    some = np.where(count > 0, count, np.nan)
    low, high = _wilson(hits, some)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "names": count.astype(int),
            "confidence": sums / some,
            "right": hits / some,
            "right_low": low,
            "right_high": high,
        }
    )


def _wilson(hits: NDArray[np.float64], count: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the 95 % interval of a share, also near 0 and 1 (Wilson 1927)."""
    z = 1.959964
    share = hits / count
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return centre - half, centre + half


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error of `reliability`'s table: how far confidence and right names lie apart.

    The mean over the names of the difference in their bin; 0 is best, NaN when there is no name.
    Source: Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning" (AAAI 2015).
    """
    total = int(table["names"].sum())
    apart = (table["confidence"] - table["right"]).abs() * table["names"]
    return float(apart.sum() / total) if total else math.nan


def film_reliability(matches: pd.DataFrame, *, answer: Answer = "name") -> pd.DataFrame:
    """Return the reliability of the answers given to the tracks of films, by their `match_faces`.

    A name given to a stranger is wrong. The answer unknown is right for a stranger, whoever that is, and wrong for one
    of the cast.
    """
    tracks = judge_tracks(matches)
    verdicts = _NAMES if answer == "name" else _UNKNOWN
    given = tracks[tracks["verdict"].isin(verdicts)]
    return reliability(given["confidence"], given["verdict"].map(verdicts).astype(bool))


def gallery_reliability(
    vectors: NDArray[Any], names: NDArray[Any], confidence: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> pd.DataFrame:
    """Return the reliability of a recognizer's confidence on its own gallery, each face left out in turn.

    Each face is tried twice: against the rest of the gallery, and as a stranger, without its own person.

    Args:
        vectors: `(n, d)`, at least one.
        names: `(n,)`.
        confidence: From distances to probabilities: `RecognizerInfo.confidence`.
    """
    outcome = trials(vectors, names, k=1)
    strange = outcome.impostor_distances
    sure = confidence(np.concatenate([outcome.distances[:, 0], strange]).astype(np.float64))
    return reliability(sure, np.concatenate([outcome.right[:, 0], np.zeros(len(strange), bool)]))
