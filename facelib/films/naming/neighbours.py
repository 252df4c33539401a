"""Compare tracks with those near in time, by clothes and places, a block at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facelib.faces import FloatArray
from facelib.films.clothes import hellinger_distance
from facelib.films.naming.evidence import IntArray, Tracks, place_evidence
from facelib.films.naming.likeness import LikenessModel, Moments

LikenessMoments = tuple[Moments, Moments]
"""Of the distances of one person in two shots, and of two people."""

_PATIENCE = 180.0  # seconds after which the evidence of clothes and places falls to a third
_BLOCK = 256  # tracks compared at once
_REACH = 384  # tracks before and after a block that it is compared with
_NEAREST = 5  # bearers of a label that a track is compared with


@dataclass(frozen=True, slots=True, eq=False)
class Bearers:
    """Which track has which label at present.

    Attributes:
        label: `(n,)`, -1 for a track without one.
        weight: `(n,)` float32, how probable it is.
        shown: `(n,)` bool, whether the track's own face shows it.
    """

    label: IntArray
    weight: FloatArray
    shown: NDArray[np.bool_]

    @classmethod
    def none(cls, count: int) -> Bearers:
        """Return so many tracks without a label."""
        return cls(np.full(count, -1), np.zeros(count, np.float32), np.zeros(count, bool))

    def shown_elsewhere(self, rows: slice, labels: IntArray) -> NDArray[np.bool_]:
        """Return whether the face of a track besides the row's own shows each label, `(rows, labels)`."""
        faces = np.bincount(self.label[self.shown], minlength=int(labels.max(initial=0)) + 1)[labels]
        own = (self.label[rows, None] == labels) & self.shown[rows, None]
        return np.asarray(faces - own > 0, bool)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The evidence for the tracks of a block from clothes, hair and places of the tracks with `m` labels.

    Attributes:
        labels: `(m,)`, ascending.
        clothes: `(block, m)`, logarithm of odds.
        hair: `(block, m)`, the same.
        place: `(block, m)`, the same.
        witness: `(block, m)`, the track with the most similar clothes; -1: none.
    """

    labels: IntArray
    clothes: FloatArray
    hair: FloatArray
    place: FloatArray
    witness: IntArray


def blocks_of(film: Tracks, rows: IntArray, pairs: IntArray) -> list[TrackBlock]:
    """Split the tracks of a scene into blocks.

    Memory and time grow with the number of tracks, not with its square.

    Args:
        film: All tracks of a film.
        rows: Those of one scene, sorted by time.
        pairs: `(p, 2)`, the tracks of the scene that share a frame, each pair once.
    """
    count, scene = len(rows), film.bare().take(rows)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    blocks = []
    for start in range(0, count, _BLOCK):
        block = slice(start, min(start + _BLOCK, count))
        near = slice(max(0, start - _REACH), min(block.stop + _REACH, count))
        own = both[slice(*np.searchsorted(both[:, 0], [block.start, block.stop]))]
        seen = film.clothes[rows[near]], film.hair[rows[near]]  # copied for one block at a time
        blocks.append(TrackBlock(scene, block, near, seen, own))
    return blocks


class TrackBlock:
    """Some tracks, and those near in time that they are compared with."""

    def __init__(
        self, tracks: Tracks, rows: slice, columns: slice, seen: tuple[FloatArray, FloatArray], together: IntArray
    ) -> None:
        self.tracks, self.rows, self.columns = tracks, rows, columns
        own = np.arange(rows.start, rows.stop)
        near = together[(together[:, 1] >= columns.start) & (together[:, 1] < columns.stop)]
        first = np.concatenate([own, near[:, 0]]) - rows.start
        second = np.concatenate([own, near[:, 1]]) - columns.start
        here = slice(rows.start - columns.start, rows.stop - columns.start)
        self.clothes, self.hair = (_Likened(trait, here, (first, second)) for trait in seen)

    def moments(self, label: IntArray, sure: NDArray[np.bool_]) -> tuple[LikenessMoments, LikenessMoments]:
        """Return the moments of the distances of clothes, and of hair, among the tracks whose label is sure."""
        rows, columns = (np.flatnonzero(sure[part]) for part in (self.rows, self.columns))
        one, other = rows + self.rows.start, columns + self.columns.start
        once = one[:, None] < other
        same = label[one, None] == label[other]
        shots = self.tracks.shot
        in_two_shots = once & same & (shots[one, None] != shots[other])
        near = np.ix_(rows, columns)
        clothes, hair = (
            (Moments.of(trait.apart[near][in_two_shots]), Moments.of(trait.apart[near][once & ~same]))
            for trait in (self.clothes, self.hair)
        )
        return clothes, hair

    def compare(self, bearers: Bearers, clothes: LikenessModel, hair: LikenessModel) -> Compared:
        """Compare the tracks with those of each label: the five most similar in clothes and in hair, the nearest place.

        A label that no other track's face shows says nothing: what its bearers know, they have from this track.
        """
        label = bearers.label[self.columns]
        members = np.flatnonzero(label >= 0)
        members = members[np.argsort(label[members], kind="stable")]
        labels, starts, counts = np.unique(label[members], return_index=True, return_counts=True)
        if not len(labels):
            nothing = np.zeros((self.rows.stop - self.rows.start, 0), np.float32)
            return Compared(labels, nothing, nothing, nothing, nothing.astype(np.intp))
        there = members + self.columns.start
        weight = bearers.weight[there]
        fade = np.exp(-np.abs(self.tracks.time[self.rows, None] - self.tracks.time[there]) / _PATIENCE)
        groups = members, starts, counts
        worn, witness = self.clothes.evidence(groups, weight, fade, clothes)
        head, _ = self.hair.evidence(groups, weight, fade, hair)
        place = self._place(there, starts, weight * fade)
        heard = bearers.shown_elsewhere(self.rows, labels)
        return Compared(labels, worn * heard, head * heard, place * heard, np.where(witness >= 0, there[witness], -1))

    def _place(self, there: IntArray, starts: IntArray, weight: FloatArray) -> FloatArray:
        """Return the evidence of the place for each label: that of the nearest bearer."""
        beside = place_evidence(self.tracks, self.rows, there) * weight
        best = np.maximum.reduceat(np.nan_to_num(beside, nan=-np.inf), starts, axis=1)
        return np.where(np.isfinite(best), best, 0).astype(np.float32)


class _Likened:
    """How far apart one trait, clothes or hair, of the tracks of a block and of its neighbours lies."""

    def __init__(self, seen: FloatArray, block: slice, apart: tuple[IntArray, IntArray]) -> None:
        distances = hellinger_distance(seen[block], seen)
        distances[apart] = np.nan
        self.order = np.argsort(distances, axis=1, kind="stable").astype(np.int16)
        self.apart = distances.astype(np.float16)  # most of the memory of naming; exact to 0.0003

    def evidence(
        self, groups: tuple[IntArray, IntArray, IntArray], weight: FloatArray, fade: FloatArray, model: LikenessModel
    ) -> tuple[FloatArray, IntArray]:
        """Return the evidence for each label, and the most similar of its members.

        The groups are the members sorted by label, where each label begins, and how many it has; `weight`,
        `(members,)`, is how probable their labels are; `fade`, `(block, members)`, is by the time between.
        """
        members, starts, counts = groups
        apart = self.apart[:, members].astype(np.float32)
        alike = model.evidence(apart) * fade
        nearest, there = self._nearest(members, starts, counts)
        rows = np.arange(len(apart))[:, None, None]
        known = there & np.isfinite(apart[rows, nearest])
        weights = np.where(known, weight[nearest], 0.0)
        total = weights.sum(axis=2)
        values = (weights * alike[rows, nearest]).sum(axis=2)
        mean = np.divide(values, total, out=np.zeros_like(total), where=total > 0)
        witness = np.where(known[..., 0], nearest[..., 0], -1)
        return (mean * np.minimum(1, total)).astype(np.float32), witness

    def _nearest(self, members: IntArray, starts: IntArray, counts: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
        """Return the members of each label most similar to each track, `(block, labels, 5)`, and which exist."""
        place = np.full(self.apart.shape[1], -1, np.int16)
        place[members] = np.arange(len(members))
        by_likeness = place[self.order]
        by_likeness = by_likeness[by_likeness >= 0].reshape(len(self.apart), len(members))
        group = np.repeat(np.arange(len(starts), dtype=np.int16), counts)
        by_label = np.argsort(group[by_likeness], axis=1, kind="stable")  # a radix sort: quick for short integers
        offsets = np.arange(_NEAREST)
        there = offsets < counts[:, None]
        chosen = np.minimum(starts[:, None] + offsets, len(members) - 1)
        picked = by_label[:, chosen.ravel()]
        nearest = np.take_along_axis(by_likeness, picked, axis=1).reshape(len(self.apart), *chosen.shape)
        return nearest.astype(np.intp), np.broadcast_to(there, nearest.shape)
