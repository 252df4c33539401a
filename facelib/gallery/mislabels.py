"""Pictures in the wrong person's folder, found by comparing their embeddings with all others."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from facelib.embed.neighbours import find_neighbours

FEWEST_TO_JUDGE = 4
"""Of a person with fewer faces nobody can say which one is wrong."""


def find_mislabelled(vectors: ArrayLike, names: ArrayLike, *, spread: float = 0.2) -> pd.DataFrame:
    """Find faces that are likely to be in the wrong person's folder.

    A face is proposed when either of two rules says so. `cleanlab` (Northcutt et al., "Confident Learning", 2021)
    compares the name with out-of-sample probabilities: see `neighbour_shares`. Here it goes by
    the likeliest name, which found all of 10 % misfiled pictures where its stricter filters found 80 to 90 %.
    FaceRec's rule finds strangers to the whole cast; see `far_from_own`.

    Args:
        vectors: `(n, d)` embeddings.
        names: `(n,)`, the person each face is filed under.
        spread: Of FaceRec's rule: raising it proposes fewer.

    Returns:
        One row per face: `wrong` (bool), `doubt` (0 to 1, the share of the votes that the person does not get), and
        `likeliest`, the person with most votes. Nobody is proposed of people with fewer than four faces.
    """
    matrix, labels = np.asarray(vectors, float), np.asarray(names, dtype=object)
    people, codes = np.unique(labels, return_inverse=True)
    if not len(matrix):
        return pd.DataFrame({"wrong": np.zeros(0, bool), "doubt": np.zeros(0), "likeliest": np.zeros(0, dtype=object)})
    counts = np.bincount(codes)
    shares = neighbour_shares(matrix, codes)
    judged = (counts >= FEWEST_TO_JUDGE)[codes]
    wrong = (_label_issues(codes, shares) | far_from_own(matrix, codes, spread=spread)) & judged
    doubt = 1 - shares[np.arange(len(codes)), codes]
    return pd.DataFrame({"wrong": wrong, "doubt": doubt, "likeliest": people[shares.argmax(axis=1)]})


def neighbour_shares(vectors: NDArray[Any], codes: NDArray[np.intp], *, k: int = 10) -> NDArray[np.float64]:
    """Return the share of each person in the votes of the nearest other faces of each face, `(n, people)`.

    A neighbour's vote counts one over its distance, so that the few pictures of one person near by weigh more than the
    many of another far off; a copy counts no more than a nearest face usually does: it may be the misfiled one.

    Args:
        vectors: `(n, d)`.
        codes: `(n,)`, 0-based number of each face's person.
        k: Neighbours that vote. A person with fewer other faces than that would lose every vote, so no more vote
            than there are.
    """
    counts = np.bincount(codes)
    voters = np.clip(counts[codes] - 1, 1, k)
    seen = find_neighbours(vectors, vectors, codes, k=k + 1)
    others = seen.rows != np.arange(len(codes))[:, None]
    # Each face is its own nearest one, unless a copy of it comes first.
    votes = others & (others.cumsum(axis=1) <= voters[:, None])
    usual = np.median(np.where(votes, seen.distances, np.inf).min(axis=1, initial=np.inf))
    weights = votes / np.maximum(seen.distances, usual if 0 < usual < np.inf else 1.0)
    shares = np.zeros((len(codes), len(counts)))
    np.add.at(shares, (np.arange(len(codes))[:, None], codes[seen.rows]), weights)
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12))


def far_from_own(
    vectors: NDArray[Any], codes: NDArray[np.intp], *, spread: float = 0.2, centred: bool = True
) -> NDArray[np.bool_]:
    """Drop the face farthest from its person's mean until the spread of pairwise cosines is small enough, `(n,)`.

    The rule of FaceRec (Lisena et al., "FaceRec: an interactive framework for face recognition in video archives",
    2021). Its spread, the standard deviation, is of 0.1 there. Networks differ in how wide an angle all faces share:
    on pure galleries the spread is 0.02 with dlib, so that 0.1 finds nobody, and 0.15 with MobileFaceNet, where 0.1
    drops a quarter of the right pictures. So the middle of the cast is subtracted first, whereupon 0.2 found 63 % to
    all of the strangers in a gallery and 0 to 1 % of the right pictures with both.

    Args:
        vectors: `(n, d)`.
        codes: `(n,)`, 0-based number of each face's person. With a single person nothing is known of the middle of a
            cast, and nothing is dropped.
        spread: Raising it drops fewer. Never more than half of a person's faces are dropped.
        centred: Whether the middle of the cast is subtracted; False is the rule as it was published.
    """
    dropped = np.zeros(len(codes), bool)
    people = np.unique(codes)
    if centred and len(people) < 2:
        return dropped
    if centred:
        vectors = vectors - np.mean([vectors[codes == person].mean(axis=0) for person in people], axis=0)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    for person in people:
        rows = np.flatnonzero(codes == person)
        dropped[rows[_spread_out(unit[rows], vectors[rows], spread)]] = True
    return dropped


def _spread_out(unit: NDArray[Any], vectors: NDArray[Any], spread: float) -> NDArray[np.bool_]:
    """Return which faces of one person to drop so that the cosines of the others are similar."""
    # The spread of all pairs follows from sums over the faces, of which a face that is dropped is taken off.
    gone = np.zeros(len(unit), bool)
    total, squares, middle = unit.sum(axis=0), unit.T @ unit, vectors.sum(axis=0)
    for left in range(len(unit), max(FEWEST_TO_JUDGE - 1, math.ceil(len(unit) / 2)), -1):
        pairs, alone = left * (left - 1), np.trace(squares)
        mean = (total @ total - alone) / pairs
        if math.sqrt(max(((squares**2).sum() - alone) / pairs - mean**2, 0.0)) <= spread:
            break
        worst = np.where(gone, np.inf, unit @ middle).argmin()
        gone[worst] = True
        total, middle = total - unit[worst], middle - vectors[worst]
        squares -= np.outer(unit[worst], unit[worst])
    return gone


def _label_issues(codes: NDArray[np.intp], shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    if shares.shape[1] < 2:
        return np.zeros(len(codes), bool)
    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings(action="ignore"):  # of people with few pictures, who are not judged anyway
        issues = find_label_issues(codes, shares, filter_by="predicted_neq_given", n_jobs=1)
    return np.asarray(issues, bool)
