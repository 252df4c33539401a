"""Occluded faces: no box is kept where a face was not detected and another covers its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from facelib.faces import shared_area

_SIDES = ["left", "top", "right", "bottom"]
_MISSED = 2  # samples in a row in which a face was not found: it may be occluded; a single one is a detector's miss
_SHARE = 0.05  # of an interpolated box that another face covers


def drop_hidden(found: pd.DataFrame, samples: Sequence[int]) -> pd.DataFrame:
    """Return the rows without the interpolated boxes of faces that others probably occlude.

    A face that was not found in two samples or more, and whose interpolated box another face partly covers, is probably
    behind that person.

    Args:
        found: The columns of `facelib.films.track.DETECTIONS`, of one shot.
        samples: The sampled frames, ascending.
    """
    looked = np.asarray(samples)
    lost = np.zeros(len(found), bool)
    for rows in found.groupby("track").indices.values():
        frames, seen = found["frame"].to_numpy()[rows], ~found["interpolated"].to_numpy()[rows]
        sampled = frames[seen]
        place = np.searchsorted(sampled, frames)  # the sample at or after each frame
        after = np.searchsorted(looked, sampled[np.minimum(place, len(sampled) - 1)])
        before = np.searchsorted(looked, sampled[np.maximum(place - 1, 0)], side="right")
        lost[rows] = ~seen & (after - before >= _MISSED)
    if not lost.any():
        return found
    pairs = found[lost].reset_index(names="row").merge(found, on="frame", suffixes=("", "_other"))
    pairs = pairs[pairs["track"] != pairs["track_other"]]
    own = pairs[_SIDES].to_numpy(np.float64)
    covered = shared_area(own, pairs[[f"{side}_other" for side in _SIDES]].to_numpy(np.float64))
    area = np.prod(own[:, 2:] - own[:, :2], axis=1)
    shown = np.ones(len(found), bool)
    shown[pairs.loc[covered > _SHARE * area, "row"].to_numpy(np.intp)] = False
    return found[shown].reset_index(drop=True)
