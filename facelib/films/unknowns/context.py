"""Unknown people grouped by what surrounds their faces: lone tracks, and groups with few informative faces."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from facelib.films.naming import LOOK_COLUMNS, read_looks
from facelib.films.naming.context import describe_tracks
from facelib.films.naming.evidence import IntArray, distances_to_people, face_evidence, informative, usual_distances
from facelib.films.naming.joint import name_jointly
from facelib.films.naming.places import PLACE_COLUMNS, tracks_of_one_place
from facelib.films.spans import frames_shared
from facelib.films.tables import read_shot_table
from facelib.films.unknowns.tables import is_usable
from facelib.project import FilmFiles
from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN

_PROBABLE = 0.6  # of a group, for a track that joins it
_FEW = 2  # informative faces with which a group may still be a part of another
_MOST = 0.5  # of a group's seconds that another must have
_AROUND = 32  # tracks before and after those of a group among which it is named
_CAST = "cast: "  # before the names of the cast, which are no groups


def read_join_by_context(
    files: FilmFiles, tracks: pd.DataFrame, *, threshold: float, settled: Collection[str] = ()
) -> pd.DataFrame:
    """Return the tracks of a film as `join_by_context` does; as they are where it lacks the other tables.

    Raises:
        OSError: When a table cannot be read.
    """
    around = _surroundings(files, LOOK_COLUMNS)
    return tracks if around is None else join_by_context(tracks, *around, threshold=threshold, settled=settled)


def _surroundings(files: FilmFiles, columns: list[str]) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Return some columns of a film's looks, and its shots; None where they are missing, or of a former version."""
    if not (files.looks.is_file() and files.shots.is_file()):
        return None
    shots = read_shot_table(files.shots)
    if not ({*columns} <= {*pq.read_schema(files.looks).names} and {"scene", "setup"} <= {*shots}):
        return None
    return read_looks(files.looks, columns), shots


def join_by_context(
    tracks: pd.DataFrame, looks: pd.DataFrame, shots: pd.DataFrame, *, threshold: float, settled: Collection[str] = ()
) -> pd.DataFrame:
    """Join unknown tracks to the groups of their film, as tracks of the cast are named: by face, clothes and place.

    First the tracks that have no group. Then each group with at most two informative faces is named without itself: it
    becomes part of the group that has most of its tracks, unless the two share a frame. Groups with more such faces
    were told apart by these, and stay; brothers in the same clothes would become one.

    Args:
        tracks: Of one film, the columns of `tracks.parquet`, `cluster` filled from faces. The cast is not changed.
        looks: The columns `LOOK_COLUMNS`.
        shots: `shot`, `scene`, `setup`.
        threshold: Of the grouping, between embeddings of length 1.
        settled: Groups that become no part of another, such as those of other films.

    Returns:
        A copy with other labels in `cluster`.
    """
    unknown = (tracks["person"] == UNKNOWN).to_numpy(bool)
    labels = np.where(unknown, tracks["cluster"], _CAST + tracks["person"].astype(str)).astype(object)
    seen = tracks["track"].isin(looks["track"]).to_numpy(bool) & np.array(
        [is_usable(vector) for vector in tracks["embedding"]], bool
    )
    if not (unknown & seen).any() or not (unknown & seen & (labels != "")).any():
        return tracks
    film = _FilmGroups(tracks[seen].reset_index(drop=True), labels[seen], looks, shots, threshold)
    film.join_lone()
    film.join_groups(settled)
    labels[seen] = film.labels
    return tracks.assign(cluster=pd.Series(np.where(unknown, labels, ""), index=tracks.index, dtype="str"))


class _FilmGroups:
    """The tracks of a film, and the group of each; empty for one without."""

    def __init__(
        self, tracks: pd.DataFrame, labels: NDArray[np.object_], looks: pd.DataFrame, shots: pd.DataFrame, limit: float
    ) -> None:
        vectors = np.stack(tracks["embedding"].to_list()).astype(np.float32)
        self.vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        self.labels, self.limit = labels.copy(), limit
        self.seconds = (tracks["end"] - tracks["start"]).to_numpy(np.float64)
        self.meeting = frames_shared(tracks["shot"], tracks["start_frame"], tracks["end_frame"])
        alike = tracks.assign(embedding=list(self.vectors))
        everybody = self._recognizer(np.arange(len(tracks)))
        self.seen = describe_tracks(alike, everybody, looks, shots)
        self.tells = informative(self.seen)
        self.order = self.seen.in_order()

    def join_lone(self) -> None:
        """Give a track without a group that of the surroundings, the most certain first."""
        rows = np.arange(len(self.labels))
        names, probability = self._named(rows)
        lone = rows[(self.labels == "") & (probability >= _PROBABLE)]
        for row in lone[np.argsort(-probability[lone], kind="stable")].tolist():
            if not names[row].startswith(_CAST) and not self._meet(rows == row, self.labels == names[row]):
                self.labels[row] = names[row]

    def join_groups(self, settled: Collection[str]) -> None:
        """Make groups with few informative faces a part of others; those with the least time first."""
        groups = pd.Series(self.seconds).groupby(self.labels).sum().sort_values(kind="stable").index
        for group in groups:
            own = self.labels == group
            if group == "" or group.startswith(_CAST) or group in settled or self.tells[own].sum() > _FEW:
                continue
            near = self._near(own)
            if (self.labels[near[~own[near]]] != "").any():
                self._join(own, near)

    def _join(self, own: NDArray[np.bool_], near: IntArray) -> None:
        names, probability = self._named(near, without=own)
        mine = own[near] & (probability >= _PROBABLE)
        votes = pd.Series(self.seconds[near][mine]).groupby(names[mine]).sum()
        if votes.empty or votes.max() < _MOST * self.seconds[own].sum():
            return
        best = str(votes.idxmax())
        if not best.startswith(_CAST) and not self._meet(own, self.labels == best):
            self.labels[own] = best

    def _named(
        self, rows: IntArray, *, without: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
        """Return the most probable group of some tracks, of those that these tracks have, and its probability."""
        recognizer = self._recognizer(rows if without is None else rows[~without[rows]])
        threshold, strangers = usual_distances(recognizer)
        distances = distances_to_people(self.vectors[rows], recognizer)
        tracks = replace(self.seen.take(rows), distances=distances)
        probability = name_jointly(tracks, face_evidence(tracks, threshold=threshold, strangers=strangers)).probability
        best = probability.argmax(axis=1)
        names = np.asarray(recognizer.classes_[best], object)
        return names, np.asarray(probability[np.arange(len(rows)), best], np.float32)

    def _recognizer(self, rows: IntArray) -> OpenSetKNN:
        known = rows[self.labels[rows] != ""]
        return OpenSetKNN(k=1, threshold=self.limit).fit(self.vectors[known], self.labels[known].astype(str))

    def _near(self, own: NDArray[np.bool_]) -> IntArray:
        """Return the tracks of a group and those before and after them."""
        places = np.flatnonzero(own[self.order])
        around = np.unique(np.clip(places[:, None] + np.arange(-_AROUND, _AROUND + 1), 0, len(own) - 1))
        return np.sort(self.order[around])

    def _meet(self, some: NDArray[np.bool_], others: NDArray[np.bool_]) -> bool:
        """Return whether two groups share a frame."""
        first, second = self.meeting.T
        return bool(((some[first] & others[second]) | (some[second] & others[first])).any())


def read_one_place(files: FilmFiles, tracks: pd.DataFrame, *, threshold: float) -> list[list[int]]:
    """Return the unknown tracks of a film that `tracks_of_one_place` finds; none where it lacks the other tables.

    Raises:
        OSError: When a table cannot be read.
    """
    unknown = tracks[tracks["person"] == UNKNOWN]
    around = None if unknown.empty else _surroundings(files, PLACE_COLUMNS)
    return [] if around is None else tracks_of_one_place(unknown, *around, threshold=threshold)
