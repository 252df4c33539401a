"""Tracks as units: whose face each one covers, and whether its name is right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from facelib.evaluate.matching import NOBODY, verdicts

_COLUMNS = ["film", "track", "label", "identity", "name", "cluster", "confidence", "faces", "purity", "verdict"]


@dataclass(frozen=True, slots=True)
class TrackScore:
    """Counts of tracks that lie in labelled frames.

    Attributes:
        tracks: All of them.
        cast: Those on a face of the cast.
        right: Of these, given that person's name.
        wrong: Of these, given another name.
        strangers: Those on a stranger's face.
        strangers_named: Of these, given a name.
        no_face: Those on no labelled face.
        no_face_named: Of these, given a name.
    """

    tracks: int = 0
    cast: int = 0
    right: int = 0
    wrong: int = 0
    strangers: int = 0
    strangers_named: int = 0
    no_face: int = 0
    no_face_named: int = 0

    @property
    def accuracy(self) -> float:
        """The fraction of tracks of cast and strangers whose answer is right, be it a name or `unknown`; 1 for none."""
        asked = self.cast + self.strangers
        return (self.right + self.strangers - self.strangers_named) / asked if asked else 1.0


def judge_tracks(matches: pd.DataFrame) -> pd.DataFrame:
    """Return whose face each track covers in most of its frames, and whether its name is right.

    Args:
        matches: Of `match_faces` or `join_films`; with no column `track` there are no tracks.

    Returns:
        One row per track: `film` (empty for one film alone), `track`, `label` and `identity` (of the truth), `name`,
        `cluster`, `confidence`, `faces` (labelled frames that it is in), `purity` (the share of these that are
        `label`'s), `verdict`: `right`, `wrong`, `not named`, `stranger`, `stranger named`, `no face`,
        `no face named`, or empty where the truth does not say whose face it is.
    """
    found = matches[matches["name"] != NOBODY]
    if found.empty or "track" not in found:
        return pd.DataFrame(columns=pd.Index(_COLUMNS)).astype({"confidence": float, "faces": int, "purity": float})
    found = found.assign(
        film=found.get("film", ""),
        cluster=found["cluster"].fillna("") if "cluster" in found else "",
        confidence=found.get("confidence", np.nan),
    )
    track = ["film", "track"]
    on = found.groupby([*track, "label", "identity"], sort=True).size().rename("most").reset_index()
    on = on.sort_values("most", kind="stable").drop_duplicates(track, keep="last")
    each = found.groupby(track).agg(
        name=("name", "first"), cluster=("cluster", "first"), confidence=("confidence", "first"), faces=("name", "size")
    )
    table = each.reset_index().merge(on, on=track)
    table["purity"] = table["most"] / table["faces"]
    table["verdict"] = verdicts(table["label"], table["name"])
    return table.astype({"track": int})[_COLUMNS]


def count_tracks(judged: pd.DataFrame) -> TrackScore:
    """Count the verdicts of `judge_tracks`."""
    n = Counter(judged["verdict"])
    return TrackScore(
        tracks=len(judged),
        cast=n["right"] + n["wrong"] + n["not named"],
        right=n["right"],
        wrong=n["wrong"],
        strangers=n["stranger"] + n["stranger named"],
        strangers_named=n["stranger named"],
        no_face=n["no face"] + n["no face named"],
        no_face_named=n["no face named"],
    )
