"""One person under two names: two folders of a cast whose faces are as near to each other as one person's are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances

from facelib.embed.neighbours import ALIKE, near_duplicate_groups
from facelib.project.names import is_same_name, same_names

ALIAS_COLUMNS = ["person", "other", "mixed", "near", "distance", "row", "other_row"]
# Measured with dlib's embedding on film_clips, himym, sitcom, table_ten and LFW, 1,976 pairs of people: `mixed` is at
# most 0.02 and the ratio at least 1.28, 1.07 among brothers, who are not near; no pair was taken for one person. Of a
# person's pictures set apart under another name 80 % to 100 % are found with half or three of the pictures, 70 % to
# 95 % with a single one.
_LEAST_MIXED = 0.2
_LEAST_NEAR = 0.5
_MOST_APART = 1.2
# Of the threshold: of 26,291 single pictures against another person of LFW 0.02 % lie within it.
_ALONE = 0.9
_BLOCK = 2**23  # distances held at once


def find_aliases(vectors: ArrayLike, names: ArrayLike, *, threshold: float) -> pd.DataFrame:
    """Find pairs of people of a cast who look like one person under two names.

    Usually a face's nearest other face is of its own person. Where one person has two names, the faces of both are
    mixed. A pair is reported when a fifth of its faces, or of the smaller
    folder's, lie at least as near to the other name as to their own, and half of the smaller folder's lie within the
    threshold of the other's. A single picture is judged by its distance alone. A picture that is in both folders
    says nothing about the others, so copies are judged only where there is nothing else. Names that differ only in
    case, spaces or Unicode form are reported whatever their faces are.

    Args:
        vectors: `(n, d)` embeddings.
        names: `(n,)`, the person each face is filed under.
        threshold: The embedder's own; with NaN, where nobody measured it, only the names are compared.

    Returns:
        One row per pair, most certain first: `person` (with more faces) and `other`; `mixed` (0 to 1, the share of
        the faces that lie at least as near to the other name), `near` (0 to 1, the share of the smaller folder within
        the threshold of the other), `distance` of the nearest two faces, and these: `row` and `other_row`.

    Raises:
        ValueError: When the lengths disagree.

    Examples:
        >>> names = ["Ada", "Ada", "Tob", "Tob", "Grace"]
        >>> find_aliases([[0.0], [0.3], [0.1], [0.4], [2.0]], names, threshold=0.5)[["person", "other"]].values.tolist()
        [['Ada', 'Tob']]
    """
    matrix, labels = np.asarray(vectors), np.asarray(names, dtype=str)
    groups = near_duplicate_groups(matrix, labels, threshold=threshold)
    people, codes = np.unique(labels, return_inverse=True)
    rows: list[tuple[Any, ...]] = []
    if len(people) > 1:
        own = _to_own(matrix, codes, groups)
        limit = np.where(np.isfinite(own), np.minimum(own, threshold), _ALONE * threshold)
        members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
        for first, second in _near_pairs(matrix, people, codes, threshold):
            larger, smaller = members[first], members[second]
            distances = np.asarray(pairwise_distances(matrix[smaller], matrix[larger]), np.float64)
            across, back = distances.min(axis=1), distances.min(axis=0)
            mixed, near = _likeness(across, back, limit[smaller], limit[larger], threshold)
            alike = near >= _LEAST_NEAR and (mixed >= _LEAST_MIXED or _as_one(matrix[smaller], matrix[larger]))
            if alike or is_same_name(people[first], people[second]):
                row = across.argmin()
                carrier = larger[distances[row].argmin()]
                rows.append((people[first], people[second], mixed, near, across.min(), carrier, smaller[row]))
    table = pd.DataFrame(rows, columns=pd.Index(ALIAS_COLUMNS))
    return table.sort_values(["mixed", "distance"], ascending=[False, True], ignore_index=True)


def _near_pairs(
    vectors: NDArray[Any], people: NDArray[Any], codes: NDArray[np.intp], threshold: float
) -> list[tuple[int, int]]:
    """Return the pairs of people with two faces within the threshold or with the same name, the larger folder first."""
    code = {str(name): place for place, name in enumerate(people)}
    pairs = [np.array([(code[one], code[other]) for one, other in same_names(code)], np.intp).reshape(-1, 2)]
    for rows in () if math.isnan(threshold) else np.array_split(np.arange(len(codes)), 1 + len(codes) ** 2 // _BLOCK):
        # In float64, or the threshold would be rounded to float32 before it is compared.
        near = np.asarray(pairwise_distances(vectors[rows], vectors), np.float64) <= threshold
        one, other = near.nonzero()
        pairs.append(np.unique(np.column_stack([codes[rows][one], codes[other]]), axis=0))
    rank = np.argsort(np.argsort(-np.bincount(codes), kind="stable"))
    ordered = np.unique(np.sort(rank[np.concatenate(pairs)], axis=1), axis=0)
    by_rank = np.argsort(rank)
    return [(int(by_rank[one]), int(by_rank[other])) for one, other in ordered.tolist() if one != other]


def _to_own(vectors: NDArray[Any], codes: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the distance of each face to the nearest of its person that is of another source; infinite without one."""
    own = np.full(len(codes), np.inf)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        apart = groups[rows, None] != groups[rows]
        own[rows] = np.where(apart, pairwise_distances(vectors[rows]), np.inf).min(axis=1)
    return own


def _likeness(
    across: NDArray[Any], back: NDArray[Any], limit: NDArray[Any], limit_back: NDArray[Any], threshold: float
) -> tuple[float, float]:
    """Return how mixed two people are, and how much of the smaller folder lies near the other.

    `across` are the distances of the smaller folder's faces to the other person, who count as mixed within `limit`;
    `back` and `limit_back` are those of the larger folder's.
    """
    if math.isnan(threshold) or across.min() > threshold:
        return 0.0, 0.0
    judged, judged_back = (_without_copies(distances, threshold) for distances in (across, back))
    mixed, mixed_back = (across <= limit)[judged], (back <= limit_back)[judged_back]
    share = max(mixed.mean(), np.concatenate([mixed, mixed_back]).mean())
    return float(share), float((across[judged] <= threshold).mean())


def _as_one(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether the faces of two names are about as near to each other as those of one name are."""
    within = [pairwise_distances(faces)[np.triu_indices(len(faces), 1)] for faces in (one, other)]
    own = np.concatenate(within)
    return bool(len(own)) and bool(np.median(pairwise_distances(one, other)) <= _MOST_APART * np.median(own))


def _without_copies(distances: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    """Return which faces are no copies of the other person's, or all of them where nothing else is left."""
    others = distances > ALIKE * threshold
    return others if others.any() else np.ones(len(distances), bool)
