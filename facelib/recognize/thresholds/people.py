"""A threshold for each person: stricter for people whom strangers resemble."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.recognize.thresholds.evidence import enough_to_fit, people_tried, trials_needed
from facelib.recognize.thresholds.fitting import fit_threshold, threshold_at, threshold_of
from facelib.recognize.thresholds.lookups import FloatVector, IntVector
from facelib.recognize.thresholds.trials import Offsets, Trials

FEWEST_STRANGERS = 100
"""Of fewer people who play strangers, nobody can say which distance 1 % of them undercut."""

_SHARE = 0.01
_FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class OwnThresholds:
    """Thresholds of single people of a cast.

    Attributes:
        table: As `fit_per_person` returns it.
        offsets: For `trials`: how far each is from the common threshold.
        pairs: The pairs of look-alikes who cause them: the names, and the threshold that the two would ask for.
    """

    table: pd.DataFrame
    offsets: Offsets
    pairs: tuple[tuple[str, str, float], ...] = ()


def fit_per_person(
    outcome: Trials, *, wanted_fpir: float = 0.01, fallback: float, shrink: float = 0.5, seed: int = 0
) -> pd.DataFrame:
    """Fit thresholds of their own for the people of a gallery, at the wanted FPIR over all of them.

    How near strangers come to a person depends on the person, and on how many pictures there are of them. Of each
    person the distance is taken that 1 % of the strangers undercut; `shrink` of its difference from the median
    person's moves the person's threshold, and a part common to all is then chosen so that the wanted share of strangers
    is named by anybody. On Labeled Faces in the Wild, with 500 strangers given, that halves the faces of the cast
    missed at FPIR 1 %. It needs `FEWEST_STRANGERS` people as strangers, so mostly a folder of them. Source of the
    idea: Auckenthaler et al., "Score normalization for text-independent speaker verification systems" (2000).

    Args:
        outcome: From `trials`, without offsets.
        wanted_fpir: As in `fit_threshold`.
        fallback: As in `fit_threshold`, and everybody's threshold is that one where the trials are too few for one.
        shrink: 0 to 1. Raising it lets thresholds differ more, on less evidence.
        seed: Of the folds; see `fit_offsets`.

    Returns:
        One row per person, sorted by name: `person`, `faces` (in the gallery), `threshold`, `from_data` (else the
        threshold is the common part alone), `trials` (impostor trials against this person) and `alike` (the threshold
        of `fit_threshold`, one for all).

    Raises:
        ValueError: When `wanted_fpir` or `shrink` is out of range.
    """
    alike = fit_threshold(outcome, wanted_fpir=wanted_fpir, fallback=fallback, resamples=1).threshold
    offsets = fit_offsets(outcome, wanted_fpir=wanted_fpir, shrink=shrink, seed=seed)
    tried, common = np.isfinite(outcome.others.to_people).sum(axis=0), alike
    if offsets.people.any():
        nearest = (outcome.others.to_people + offsets.impostors).min(axis=1)
        common += threshold_at(np.sort(nearest), wanted_fpir)
        common -= threshold_of(outcome, wanted_fpir)
    fitted = _enough(tried) & offsets.people.any()
    return threshold_table(outcome, np.maximum(common - offsets.people, 0.0), fitted, alike)


def threshold_table(outcome: Trials, own: FloatVector, fitted: NDArray[np.bool_], alike: float) -> pd.DataFrame:
    """Return thresholds of people as a table, see `fit_per_person`."""
    return pd.DataFrame(
        {
            "person": list(outcome.people),
            "faces": np.bincount(outcome.gallery, minlength=len(own)),
            "threshold": own,
            "from_data": fitted,
            "trials": np.isfinite(outcome.others.to_people).sum(axis=0),
            "alike": alike,
        }
    )


def fit_offsets(outcome: Trials, *, wanted_fpir: float = 0.01, shrink: float = 0.5, seed: int = 0) -> Offsets:
    """Return what to add to each person's distances, so that one threshold does for all of them.

    Offsets would look too good when tested on the trials they were made from. So each fifth of the people tested as
    strangers, and of the pictures of strangers, is tested with offsets made from the other four fifths.

    Args:
        outcome: From `trials`, without offsets. Too few of them, or of people, give offsets of 0.
        wanted_fpir: The rate that the trials are to show; it only decides whether they are enough.
        shrink: As in `fit_per_person`.
        seed: Of the folds.

    Raises:
        ValueError: When `shrink` is out of range.
    """
    if not 0 <= shrink <= 1:
        raise ValueError(f"expected shrink, a fraction, between 0 and 1, got {shrink!r}")
    against, people = outcome.others.to_people, outcome.impostor
    found = Offsets(np.zeros(len(outcome.people)), np.zeros(against.shape))
    if not enough_to_fit(outcome, wanted_fpir) or people_tried(outcome) < FEWEST_STRANGERS:
        return found
    fold = (np.random.default_rng(seed).permutation(people_tried(outcome)) % _FOLDS)[people]
    for number in range(_FOLDS):
        judging = fold != number
        found.impostors[~judging] = _offsets(against[judging], people[judging], shrink)
    return Offsets(_offsets(against, people, shrink), found.impostors)


def _offsets(against: FloatVector, people: IntVector, shrink: float) -> NDArray[np.float64]:
    """Return the offsets by the distances that 1 % of the strangers undercut; 0 for people with too few trials.

    Each person tested as a stranger counts once, whatever the number of faces: otherwise one person of the cast who
    looks like another would decide alone.
    """
    fitted = _enough(np.isfinite(against).sum(axis=0))
    if not fitted.any():
        return np.zeros(against.shape[1])
    weight = 1 / np.bincount(people)[people]
    near = np.array([_undercut(one, weight) for one in against.T])
    return np.where(fitted, shrink * (np.median(near[fitted]) - near), 0.0)


def _undercut(distances: FloatVector, weight: FloatVector) -> float:
    """Return the distance that 1 % of the trials, by weight, undercut; 0 without trials."""
    tried = np.isfinite(distances)
    if not tried.any():
        return 0.0
    order = np.argsort(distances[tried])
    total = np.cumsum(weight[tried][order])
    return float(distances[tried][order][np.searchsorted(total, _SHARE * total[-1])])


def _enough(tried: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return who was tried often enough for a distance that 1 % undercut, be it with a fold left out."""
    return np.asarray(tried >= (trials_needed(_SHARE) or 0) * (1 - 1 / _FOLDS))
