"""People who look like somebody of the cast, told apart by what a scene shows of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import FloatArray
from facelib.films.linkage import RATIO, link
from facelib.films.naming.evidence import AGAINST, IntArray, Tracks, distances_to_people, informative, muteness
from facelib.films.naming.places import PLACE_COLUMNS, tracks_of_one_place
from facelib.films.naming.settings import Recognizer
from facelib.films.spans import frames_shared

# Measured on the labelled films: means of three informative tracks of one person lie within 0.12 of each other in
# distance from the person's pictures in 95 of 100 draws, at a threshold of 0.48; brothers 0.15 to 0.26 farther.
_FARTHER = 0.25  # of the threshold
_FEWEST, _FEWEST_NEARER = 3, 2  # informative tracks of the group that is doubted, and of the one that it is doubted for


class Impostor(NamedTuple):
    """A track that looks like somebody of the cast, where another group of tracks of the scene does so much more.

    Attributes:
        row: Of the track.
        person: The number of the person that it looks like.
        distance: Of its group from the person's pictures.
        nearest: That of the group which is the person.
    """

    row: int
    person: int
    distance: float
    nearest: float


def find_impostors(
    tracks: pd.DataFrame,
    seen: Tracks,
    face: FloatArray,
    recognizer: Recognizer,
    looks: pd.DataFrame,
    shots: pd.DataFrame,
    *,
    threshold: float,
) -> list[Impostor]:
    """Find the tracks of people who are not of the cast but look like somebody who is, and who is in the scene as well.

    Within the threshold a brother cannot be told from the person by one face. But a scene shows its people in one
    light, and many times: its tracks are grouped as those of unknown people are, by place and clothes and by face. Of
    the groups whose mean face is nearest to one person, the nearest one is this person, and one much farther away is
    somebody else.

    Args:
        tracks: `track`, `shot`, `start_frame`, `end_frame`, `embedding`; rows numbered from 0.
        seen: Their observations.
        face: `(n, k)`, from `face_evidence`; certain strangers are not looked at.
        recognizer: Knows the people.
        looks: The film's `looks.parquet`; without a column of `PLACE_COLUMNS`, tracks are grouped by face alone.
        shots: `shot`, `scene`, `setup`.
        threshold: The distance within which a good face is named.
    """
    vectors = np.stack(tracks["embedding"].to_list()).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    rows = np.flatnonzero((face.max(axis=1) >= AGAINST) & np.isfinite(lengths) & (lengths > 0))
    if not len(rows):
        return []
    usual = float(np.median(np.linalg.norm(recognizer.vectors_, axis=1)))
    limit = min(RATIO * threshold / max(usual, 1e-6), 2.0)
    groups = _grouped(tracks.iloc[rows].reset_index(drop=True), seen.take(rows), looks, shots, limit)
    table = _nearest_people(vectors[rows], groups, informative(seen)[rows], recognizer)
    table["scene"] = seen.scene[rows[table.index]]
    table["nearest"] = table.groupby(["scene", "person"])["distance"].transform("min")
    farther = table["distance"] - table["nearest"] > _FARTHER * threshold
    others = table.loc[farther & (table["count"] >= _FEWEST), ["person", "distance", "nearest"]]
    theirs = np.flatnonzero(np.isin(groups, others.index))
    found = others.loc[groups[theirs]].itertuples(index=False, name=None)
    return [Impostor(row, *values) for row, values in zip(rows[theirs].tolist(), found, strict=True)]


def _nearest_people(
    vectors: NDArray[np.float64], groups: IntArray, tells: NDArray[np.bool_], recognizer: Recognizer
) -> pd.DataFrame:
    """Return `count` (of informative tracks), `person` and `distance` of each group that is seen often enough."""
    counts = np.bincount(groups[tells], minlength=len(groups))
    large = np.flatnonzero(counts >= _FEWEST_NEARER)
    means = [vectors[tells & (groups == group)].mean(axis=0) for group in large]
    apart = distances_to_people(np.reshape(means, (-1, vectors.shape[1])), recognizer)
    return pd.DataFrame(
        {"count": counts[large], "person": apart.argmin(axis=1), "distance": apart.min(axis=1)}, index=large
    )


def _grouped(tracks: pd.DataFrame, seen: Tracks, looks: pd.DataFrame, shots: pd.DataFrame, limit: float) -> IntArray:
    """Return the group of each track within its scene: the number of its first row."""
    row = pd.Series(np.arange(len(tracks)), index=tracks["track"])
    known = {*PLACE_COLUMNS} <= {*looks}
    ties = tracks_of_one_place(tracks, looks, shots, threshold=limit) if known else []
    together = [row[one].tolist() for one in ties]
    meeting = frames_shared(tracks["shot"], tracks["start_frame"], tracks["end_frame"])
    vectors, worth = np.stack(tracks["embedding"].to_list()), 1 - muteness(seen)
    groups = np.arange(len(tracks))
    for scene in np.unique(seen.scene):
        own = np.flatnonzero(seen.scene == scene)
        here = [np.searchsorted(own, one).tolist() for one in together if seen.scene[one[0]] == scene]
        apart = np.searchsorted(own, meeting[seen.scene[meeting[:, 0]] == scene]).tolist()
        groups[own] = own[link(vectors[own], threshold=limit, worth=worth[own], together=here, apart=apart)]
    return groups
