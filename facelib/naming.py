"""Tracks to names: one name a track, or unknown."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

from facelib.faces import FloatArray
from facelib.recognize import UNKNOWN, RecognizerInfo

TRACK_COLUMNS = [
    "track", "shot", "start_frame", "end_frame", "start", "end", "person", "cluster", "confidence",
    "distance", "second_person", "margin", "evidence", "faces", "embedding",
]  # fmt: skip


class Recognizer(Protocol):
    """What can put names to embeddings: `OpenSetKNN` and `OpenSetSVM` do."""

    def decide(self, vectors: FloatArray) -> pd.DataFrame:
        """Return one row a vector: person, distance, second_person, margin, neighbour."""
        ...


def name_tracks(tracks: pd.DataFrame, recognizer: Recognizer, info: RecognizerInfo) -> pd.DataFrame:
    """Give every track of a film one name from its embedding.

    Nobody is twice in one frame: of two tracks with one name and a frame in common, the farther
    one becomes unknown.

    Args:
        tracks: As `facelib.film.Followed` holds them; may be empty.
        recognizer: Fitted on the gallery.
        info: What the recognizer was made from: the gallery's pictures and the calibration of its distances.

    Returns:
        The columns of `tracks.parquet`. `confidence` is the probability that the name, or the
        answer unknown, is right; `evidence` is the gallery picture nearest to the track.
    """
    if tracks.empty:
        named = tracks.reindex(columns=pd.Index(TRACK_COLUMNS))
        return named.astype(dict.fromkeys(["person", "cluster", "second_person", "evidence"], "str"))
    decided = recognizer.decide(np.stack(tracks["embedding"].to_list())).reset_index(drop=True)
    named = tracks.reset_index(drop=True).assign(
        person=decided["person"],
        cluster="",
        distance=decided["distance"].astype(np.float32),
        second_person=decided["second_person"].fillna(""),
        margin=decided["margin"].astype(np.float32),
        evidence=[info.pictures[row] for row in decided["neighbour"]],
    )
    named.loc[_doubles(named), "person"] = UNKNOWN
    likely = info.confidence(named["distance"].to_numpy())
    named["confidence"] = np.where(named["person"] == UNKNOWN, 1 - likely, likely).astype(np.float32)
    return named[TRACK_COLUMNS]


def _doubles(named: pd.DataFrame) -> list[int]:
    """Return the rows whose name a nearer track carries in the same frame."""
    losers: list[int] = []
    for _, tracks in named[named["person"] != UNKNOWN].sort_values("distance").groupby(["person", "shot"]):
        taken: list[tuple[int, int]] = []
        for row, start, end in zip(tracks.index, tracks["start_frame"], tracks["end_frame"], strict=True):
            if any(start <= other_end and other_start <= end for other_start, other_end in taken):
                losers.append(row)
            else:
                taken.append((start, end))
    return losers
