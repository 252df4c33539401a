"""Which faces of the cast's pictures can be trusted: the rules behind `used` and `reason`."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Reason = Literal["", "no face", "several faces", "duplicate", "outlier", "unreadable", "sideways", "disabled"]
MEASURED_REASONS = ("no face", "unreadable", "sideways")
"""Reasons that lie in a picture itself."""
REASONS: tuple[str, ...] = tuple(reason for reason in get_args(Reason) if reason)

# Measured with dlib's embedding on 3,906 pictures of 83 people: 0.2 % of them lie farther than this many thresholds
# from the mean of their person's others; of strangers mixed into a tenth to a third of a person's pictures 93 % to
# 100 % do.
_OUTLIER_FACTOR = 1.1
_FEWEST_TO_JUDGE = 4
_FEWEST_TO_CHOOSE = 3


def curate(table: pd.DataFrame, *, threshold: float, disabled: Collection[str] = ()) -> pd.DataFrame:
    """Decide which faces of a gallery are used, and say why the others are not.

    The first rule that applies gives the reason. `unreadable`, `no face` and `sideways` are taken from the table.
    `disabled`: the user said so. `duplicate`: the same file came before in this person's folder; a file that
    stands in the folders of two people is used for neither, since one of them is wrong.
    `several faces`: of several faces in a picture the one is used that lies within the threshold of the mean of
    its person's faces that are alone in their pictures, provided that no other does; else none is.
    `outlier`: a face alone in its picture, yet far from the mean of its person's others, when there are four or
    more others to go by. Dropping is done from the farthest on and never takes more than half.

    Args:
        table: One row per face, with `picture`, `sha256`, `face`, `person`, `embedding`, `reason`.
        threshold: The embedder's own: the distance at which two faces stop being one person's. With NaN, where
            nobody measured it, there are no outliers, and no face is chosen among several.
        disabled: Pictures not to be used, as in the column `picture`.

    Returns:
        The table with `used` and `reason` decided again.
    """
    measured = table["reason"].isin(MEASURED_REASONS)
    reason = table["reason"].where(measured, "").to_numpy(dtype=object)
    open_rows = (table["face"].to_numpy() >= 0) & (reason == "")
    off = open_rows & table["picture"].isin(list(disabled)).to_numpy()
    reason[off] = "disabled"
    open_rows &= ~off
    repeated = _duplicates(table, open_rows)
    reason[repeated] = "duplicate"
    open_rows &= ~repeated
    count = table[open_rows].groupby("picture")["face"].transform("size").reindex(table.index, fill_value=0).to_numpy()
    people = table["person"].to_numpy()
    for person in np.unique(people[open_rows]):
        alone = np.flatnonzero(open_rows & (people == person) & (count == 1))
        several = np.flatnonzero(open_rows & (people == person) & (count > 1))
        vectors = _stack(table, alone)
        keep = inliers(vectors, threshold=threshold)
        reason[alone[~keep]] = "outlier"
        reason[several] = "several faces"
        for _, rows in table.iloc[several].groupby("picture").indices.items():
            chosen = _fitting(_stack(table, several[rows]), vectors[keep], threshold)
            if chosen is not None:
                reason[several[rows[chosen]]] = ""
    return table.assign(used=reason == "", reason=reason.astype(str))


def inliers(vectors: NDArray[Any], *, threshold: float) -> NDArray[np.bool_]:
    """Return which of one person's faces fit the rest, `(n,)`: all of them when there are too few to judge.

    Args:
        vectors: `(n, d)` embeddings.
        threshold: The embedder's own. Raising it drops fewer, NaN none.
    """
    keep = np.ones(len(vectors), bool)
    while keep.sum() > max(_FEWEST_TO_JUDGE, len(vectors) / 2):
        rows = np.flatnonzero(keep)
        others = len(rows) - 1
        means = (vectors[rows].sum(axis=0) - vectors[rows]) / others
        distances = _as_if_many(np.linalg.norm(vectors[rows] - means, axis=1), others)
        if not distances.max() > _OUTLIER_FACTOR * threshold:
            break
        keep[rows[distances.argmax()]] = False
    return keep


def _duplicates(table: pd.DataFrame, open_rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    candidates = table[open_rows]
    first = candidates.groupby("sha256")["picture"].transform("first")
    owners = candidates.groupby("sha256")["person"].transform("nunique")
    repeated = (candidates["picture"] != first) | (owners > 1)
    return repeated.reindex(table.index, fill_value=False).to_numpy(dtype=bool)


def _fitting(faces: NDArray[Any], own: NDArray[Any], threshold: float) -> int | None:
    """Return which one of a picture's faces is the person's; None when none is, or more than one, or it is unknown."""
    if len(own) < _FEWEST_TO_CHOOSE:
        return None
    distances = _as_if_many(np.linalg.norm(faces - own.mean(axis=0), axis=1), len(own))
    fits = np.flatnonzero(distances <= threshold)
    return int(fits[0]) if len(fits) == 1 else None


def _as_if_many(distances: NDArray[Any], count: int) -> NDArray[Any]:
    """Return distances to a mean of `count` faces as they would be to a mean of many.

    The mean of few faces is itself off by the scatter of a face over the square root of their number.
    """
    return distances / math.sqrt(1 + 1 / count)


def _stack(table: pd.DataFrame, rows: NDArray[np.intp]) -> NDArray[Any]:
    column = table["embedding"].to_numpy()
    return np.stack([np.asarray(column[row], np.float32) for row in rows]) if len(rows) else np.empty((0, 1))
