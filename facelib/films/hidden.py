"""Occluded faces: no box is kept where a face was not detected, and is probably behind somebody or something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import BOX, shared_area

IntArray = NDArray[np.int64]

_MISSED = 2  # samples in a row in which a face was not found: it may be behind another
_NEARLY_ALWAYS = 0.8  # share of samples: a face that is found in so many and missed in one is hidden in that one
_SHARE = 0.05  # of an interpolated box that another face covers


def drop_hidden(found: pd.DataFrame, samples: Sequence[int]) -> pd.DataFrame:
    """Return the rows without the interpolated boxes of faces that are probably occluded.

    A face that was not found in two samples or more, and whose interpolated box another face partly covers, is probably
    behind that person. And a face that is found in four of five samples or more is probably hidden, by a hand or by
    hair, in a sample where it is not: the frames nearest to that sample get no box. A face that is often missed, being
    small or turned, keeps its boxes.

    Args:
        found: The columns of `facelib.films.tracking.DETECTIONS`, of one shot.
        samples: The sampled frames, ascending.
    """
    looked = np.asarray(samples)
    lost, hidden = np.zeros(len(found), bool), np.zeros(len(found), bool)
    for rows in found.groupby("track").indices.values():
        frames, seen = found["frame"].to_numpy()[rows], ~found["interpolated"].to_numpy()[rows]
        sampled = frames[seen]
        place = np.searchsorted(sampled, frames)  # the sample at or after each frame
        after = np.searchsorted(looked, sampled[np.minimum(place, len(sampled) - 1)])
        before = np.searchsorted(looked, sampled[np.maximum(place - 1, 0)], side="right")
        lost[rows] = ~seen & (after - before >= _MISSED)
        hidden[rows] = ~seen & _nearest_is_missed(frames, sampled, looked)
    found, lost = found[~hidden].reset_index(drop=True), lost[~hidden]
    if not lost.any():
        return found
    pairs = found[lost].reset_index(names="row").merge(found, on="frame", suffixes=("", "_other"))
    pairs = pairs[pairs["track"] != pairs["track_other"]]
    own = pairs[BOX].to_numpy(np.float64)
    covered = shared_area(own, pairs[[f"{side}_other" for side in BOX]].to_numpy(np.float64))
    area = np.prod(own[:, 2:] - own[:, :2], axis=1)
    shown = np.ones(len(found), bool)
    shown[pairs.loc[covered > _SHARE * area, "row"].to_numpy(np.intp)] = False
    return found[shown].reset_index(drop=True)


def _nearest_is_missed(frames: IntArray, sampled: IntArray, looked: IntArray) -> NDArray[np.bool_]:
    """Return which frames lie nearer to a sample that missed the face than to one that found it, `sampled`."""
    inside = looked[(looked >= sampled[0]) & (looked <= sampled[-1])]
    missed = np.setdiff1d(inside, sampled)
    if not len(missed) or len(sampled) < _NEARLY_ALWAYS * len(inside):
        return np.zeros(len(frames), bool)
    return np.asarray(_frames_to(frames, missed) < _frames_to(frames, sampled), bool)


def _frames_to(frames: IntArray, others: IntArray) -> IntArray:
    """Return how many frames lie between each frame and the nearest of others, which are ascending."""
    place = np.searchsorted(others, frames)
    after, before = (others[np.clip(place - step, 0, len(others) - 1)] for step in (0, 1))
    return np.asarray(np.minimum(np.abs(after - frames), np.abs(frames - before)), np.int64)
