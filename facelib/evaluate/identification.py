"""Open-set identification: how often strangers get a name (FPIR) and the cast does not (FNIR), at every threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.evaluate.matching import NO_FACE, NOT_NAMES
from facelib.evaluate.truth import UNNAMED
from facelib.project.names import UNKNOWN

By = Literal["distance", "confidence"]
"""What a threshold is laid on: a track's distance to the gallery, or the confidence of its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Faces looked up in the gallery, each with the score at which it would get a name; larger is more certain.

    Attributes:
        genuine: `(g,)`, faces of the cast: the score of the right name, minus infinity where another name would be
            given, or the face was not found.
        impostor: `(i,)`, found faces of nobody in the cast, and things taken for faces: the score of any name.
    """

    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]


def searches(matches: pd.DataFrame, *, by: By = "distance") -> Searches:
    """Return one search for each face and frame of the films, for every threshold.

    By distance, each found face is given the person of the gallery picture nearest to its track (`evidence`), so that
    the whole range of thresholds can be told, as if the face alone decided. By confidence, only names that were
    given count, and raising the threshold takes some of them back.

    Args:
        matches: Of `match_faces`, with the columns `distance` and `evidence`, or `confidence`.
        by: The score.

    Raises:
        ValueError: When `by` is not known, or a column it needs is missing.
    """
    if by not in get_args(By):
        raise ValueError(f"expected by to be 'distance' or 'confidence', got {by!r}")
    needed = ["distance", "evidence"] if by == "distance" else ["confidence"]
    if missing := [name for name in needed if name not in matches]:
        raise ValueError(f"expected matches with {needed!r}, the columns of tracks.parquet; missing are {missing!r}")
    label = matches["label"]
    if by == "distance":
        # Whose picture it is: the name of its folder.
        proposed = matches["evidence"].map(lambda picture: PurePosixPath(picture).parent.name, na_action="ignore")
        score = -matches["distance"].astype(float)
    else:
        proposed = matches["name"]
        score = matches["confidence"].astype(float)
        score = score.mask(proposed.isin(NOT_NAMES))
    score = score.fillna(-math.inf)
    stranger = label.isin([UNKNOWN, NO_FACE])
    cast = ~stranger & (label != UNNAMED)
    found = matches["name"] != ""
    return Searches(
        genuine=np.asarray(score.where(proposed == label, -math.inf)[cast], np.float64),
        impostor=np.asarray(score[stranger & found], np.float64),
    )


def det_curve(tried: Searches) -> pd.DataFrame:
    """Return both error rates at every threshold where one of them changes, the strictest first.

    FPIR is the share of impostor searches that end with a name, FNIR the share of genuine searches that do not end
    with the right one (ISO/IEC 19795-1; Grother et al., NIST IR 8271). The curve of one against the other is the
    detection error tradeoff (Martin et al., "The DET curve in assessment of detection task performance", 1997).

    Returns:
        `threshold` (names with at least this score are given; the first is infinite), `fpir` and `fnir`, 0 to 1; NaN
        where there are no such searches.
    """
    scores = np.concatenate([tried.genuine, tried.impostor])
    steps = np.concatenate([[np.inf], np.unique(scores[np.isfinite(scores)])[::-1]])
    return pd.DataFrame(
        {
            "threshold": steps,
            "fpir": _share_at_least(tried.impostor, steps),
            "fnir": 1 - _share_at_least(tried.genuine, steps),
        }
    )


def _share_at_least(scores: NDArray[Any], steps: NDArray[Any]) -> NDArray[np.float64]:
    below = np.searchsorted(np.sort(scores), steps, side="left")
    return np.asarray((len(scores) - below) / (len(scores) or math.nan))


def fnir_at(curve: pd.DataFrame, fpir: float) -> float:
    """Return the least FNIR of a curve where FPIR is at most so much; NaN where it has no searches of a kind.

    Examples:
        >>> fnir_at(det_curve(Searches(np.array([0.9, 0.4]), np.array([0.5]))), 0.0)
        0.5
    """
    good = curve["fpir"] <= fpir
    return float(curve.loc[good, "fnir"].min()) if good.any() else math.nan
