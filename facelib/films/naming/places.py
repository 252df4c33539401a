"""Tracks that are certainly one person's: in one camera set-up, at one place, in the same clothes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import BOX, FloatArray
from facelib.films.clothes import pair_distances, track_colours
from facelib.films.naming.evidence import LARGE_ENOUGH, TELLS, turned
from facelib.films.spans import frames_shared

PLACE_COLUMNS = ["track", *BOX, "clothes", "hair", "yaw", "pitch", "cut"]
"""The columns of `looks.parquet` that are needed."""

# Measured on the labelled films, with nobody known: purity 0.913 without, 0.990 with this; groups for each person 1.46
# and 1.33; tracks without a group 0.28 and 0.24.
_CLOTHES, _HAIR = 0.25, 0.3  # largest Hellinger distance
_NEAR = 0.75  # of the faces' height, between their middles
_REACH = 32  # tracks of the set-up after each one that it is compared with


def tracks_of_one_place(
    tracks: pd.DataFrame, looks: pd.DataFrame, shots: pd.DataFrame, *, threshold: float
) -> list[list[int]]:
    """Find tracks that are one person's by their surroundings; profiles and small faces need not be recognised alone.

    Two tracks of one camera set-up in one scene, in different shots, are one person's where the faces stand at one
    place, clothes are the same and hair is not another; unless they share a frame with one another, or two frontal
    large faces lie farther apart than `threshold`.

    Args:
        tracks: Of one film: `track`, `shot`, `start_frame`, `end_frame`, `embedding`.
        looks: The columns `PLACE_COLUMNS`.
        shots: `shot`, `scene`, `setup`.
        threshold: Of the grouping, between embeddings of length 1.

    Returns:
        The numbers of the tracks of each person, ascending; those that stand alone are left out.
    """
    seen = looks[looks["track"].isin(tracks["track"])].reset_index(drop=True)
    tracks = tracks[tracks["track"].isin(seen["track"])].sort_values(["start_frame", "track"], ignore_index=True)
    if tracks.empty:
        return []
    one, other = _candidates(tracks, shots)
    apart = _Apart(tracks, seen)
    alike = np.flatnonzero(apart.by_surroundings(one, other))
    same = alike[~apart.by_face(one[alike], other[alike], threshold)]
    nearest = np.argsort(apart.clothes(one[same], other[same]), kind="stable")
    numbers = tracks["track"].to_numpy()
    meeting = frames_shared(tracks["shot"], tracks["start_frame"], tracks["end_frame"])
    groups = _joined(len(tracks), one[same][nearest], other[same][nearest], meeting)
    return [sorted(numbers[sorted(group)].tolist()) for group in groups if len(group) > 1]


def _candidates(tracks: pd.DataFrame, shots: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of pairs in one set-up and scene, in different shots, near in time."""
    of_shot = shots.set_index("shot").reindex(tracks["shot"])
    order = np.lexsort((np.arange(len(tracks)), of_shot["setup"], of_shot["scene"]))
    keys = of_shot[["scene", "setup"]].to_numpy()[order]
    shot = tracks["shot"].to_numpy()[order]
    pairs = [
        (order[:-step][good], order[step:][good])
        for step in range(1, min(_REACH, len(order) - 1) + 1)
        for good in [(keys[:-step] == keys[step:]).all(axis=1) & (shot[:-step] != shot[step:])]
    ]
    if not pairs:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    one, other = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return one, other


class _Apart:
    """How far apart the faces, clothes, hair and places of pairs of tracks lie."""

    def __init__(self, tracks: pd.DataFrame, looks: pd.DataFrame) -> None:
        views = looks.assign(
            x=(looks["left"] + looks["right"]) / 2,
            y=(looks["top"] + looks["bottom"]) / 2,
            size=looks["bottom"] - looks["top"],
            turn=turned(looks),
        ).groupby("track")
        middle = views[["x", "y", "size"]].median().reindex(tracks["track"])
        self.middle, self.size = middle[["x", "y"]].to_numpy(np.float64), middle["size"].to_numpy(np.float64)
        turn = views["turn"].mean().reindex(tracks["track"]).to_numpy()
        self.tells = (turn < TELLS) & (self.size > LARGE_ENOUGH)
        self.worn, self.hair = (track_colours(looks, tracks["track"], trait) for trait in ("clothes", "hair"))
        vectors = np.stack(tracks["embedding"].to_list()).astype(np.float64)
        self.vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def clothes(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> FloatArray:
        return pair_distances(self.worn, one, other)

    def by_surroundings(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.bool_]:
        away = np.linalg.norm(self.middle[one] - self.middle[other], axis=1)
        place = away <= _NEAR * (self.size[one] + self.size[other]) / 2
        near = np.flatnonzero(place)
        unlike = pair_distances(self.hair, one[near], other[near]) > _HAIR  # False where it is not seen
        place[near] = (self.clothes(one[near], other[near]) <= _CLOTHES) & ~unlike
        return np.asarray(place, bool)

    def by_face(self, one: NDArray[np.intp], other: NDArray[np.intp], threshold: float) -> NDArray[np.bool_]:
        telling = self.tells[one] & self.tells[other]
        both = np.flatnonzero(telling)
        apart = np.linalg.norm(self.vectors[one[both]] - self.vectors[other[both]], axis=1)
        telling[both] = apart > threshold
        return np.asarray(telling, bool)


def _joined(count: int, one: NDArray[np.intp], other: NDArray[np.intp], meeting: NDArray[np.intp]) -> list[set[int]]:
    """Join pairs in their order, none where two of the joined would share a frame."""
    group = {row: {row} for row in range(count)}
    foes: dict[int, set[int]] = {row: set() for row in range(count)}
    for first, second in meeting.tolist():
        foes[first].add(second)
        foes[second].add(first)
    of = list(range(count))
    for first, second in zip(one.tolist(), other.tolist(), strict=True):
        keep, lose = of[first], of[second]
        if keep == lose or group[keep] & foes[lose]:
            continue
        for row in group[lose]:
            of[row] = keep
        group[keep] |= group.pop(lose)
        foes[keep] |= foes.pop(lose)
    return list(group.values())
