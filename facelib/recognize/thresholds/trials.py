"""A gallery tested with its own faces and with strangers: each face as one of the cast, and as a stranger."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import pairwise_distances

from facelib.embed.neighbours import nearest
from facelib.recognize.thresholds.lookups import FloatVector, IntVector, Lookups, joined
from facelib.recognize.votes import VoteWeights, winners

_BLOCK = 2**21  # distances held at once


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """What is added to the distances to each person's faces, which gives people thresholds of their own.

    Attributes:
        people: `(people,)`, in the order of the sorted names, as the recognizer will have them.
        impostors: `(i, people)`, for each impostor trial, made without that trial.
    """

    people: FloatVector
    impostors: FloatVector


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """The outcome of every trial, for every threshold at once.

    Attributes:
        people: The names in the gallery, sorted; the other fields number them from 0.
        gallery: `(m,)`, the person of each gallery face.
        cast: The genuine trials: faces of the cast against the rest of the gallery, without distances to each person.
        others: The impostor trials: the cast's faces against the gallery without their person, then strangers
            against all of it, each of whom counts as a person of its own.
        strangers: How many of the impostor trials are by strangers; they come last.
    """

    people: tuple[str, ...]
    gallery: IntVector
    cast: Lookups
    others: Lookups
    strangers: int = 0

    @property
    def genuine(self) -> IntVector:
        """The person of each genuine trial, `(g,)`; people with a single face, or source group, have none."""
        return self.cast.people

    @property
    def distances(self) -> FloatVector:
        """Ascending distances of the genuine trials to the nearest gallery faces, `(g, k)`."""
        return self.cast.distances

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the name is right when exactly the nearest `j + 1` faces are within the threshold, `(g, k)`."""
        return np.asarray(self.gallery[self.cast.carriers] == self.genuine[:, None])

    @property
    def impostor(self) -> IntVector:
        """The person of each impostor trial, `(i,)`; strangers are numbered past the people."""
        return self.others.people

    @property
    def impostor_distances(self) -> FloatVector:
        """Distance to the nearest face of anybody else, `(i,)`: a name is given once the threshold reaches it."""
        return np.asarray(self.others.distances[:, 0])

    def named(self, threshold: float) -> NDArray[np.bool_]:
        """Return which genuine trials end with a name at this threshold, be it right or wrong: `(g,)`."""
        return np.asarray(self.cast.voters(threshold) > 0)

    def named_right(self, threshold: float) -> NDArray[np.bool_]:
        """Return which genuine trials end with the right name at this threshold: `(g,)`."""
        carrier = self.gallery[self.cast.carrier(threshold)]
        return np.asarray((carrier == self.genuine) & self.named(threshold))

    def nearest(self, k: int) -> Trials:
        """Return the same trials with at most `k` voters; nothing is computed again."""
        return replace(self, cast=self.cast.nearest(k), others=self.others.nearest(k))


def trials(
    vectors: ArrayLike,
    names: ArrayLike,
    *,
    k: int = 5,
    weights: VoteWeights = "uniform",
    groups: ArrayLike | None = None,
    people_groups: ArrayLike | None = None,
    strangers: ArrayLike | None = None,
    offsets: Offsets | None = None,
    aliases: Iterable[tuple[str, str]] = (),
    copies: float = 0.0,
) -> Trials:
    """Try every face of a gallery against the rest of it, as the recognizer itself would decide.

    Args:
        vectors: `(n, d)` embeddings.
        names: `(n,)`.
        k: As in `OpenSetKNN`; the outcome for any smaller k is `Trials.nearest`.
        weights: As in `OpenSetKNN`.
        groups: `(n,)`, the source group of each face, as `near_duplicate_groups` gives them: a genuine trial leaves
            out every face of its person and group. None leaves out the face alone.
        people_groups: `(n,)`, people who are left out together in an impostor trial, as in a cross-validation by
            folds of people. None leaves out the person alone.
        strangers: `(s, d)` embeddings of people who are not in the gallery, as further impostor trials.
        offsets: Of `fit_offsets` on these trials without offsets; None adds nothing.
        aliases: Pairs of names that may be one person's, as `facelib.gallery.find_aliases` finds them: they are no
            strangers to each other, and an impostor trial of one leaves out the other too.
        copies: The distance within which the faces of two people are of one picture. No impostor trial is held
            against a copy of its own face: the picture is filed under two names, and one of them is wrong.

    Raises:
        ValueError: When there is no face, the lengths disagree, or `k` is below 1.
    """
    matrix, labels = np.asarray(vectors), np.asarray(names)
    _check(matrix, labels, k)
    people, codes = np.unique(labels, return_inverse=True)
    own = np.arange(len(codes)) if groups is None else _checked(groups, len(codes), "groups")
    away = codes if people_groups is None else _checked(people_groups, len(codes), "people_groups")
    apart = np.empty((0, matrix.shape[1]), matrix.dtype) if strangers is None else np.asarray(strangers)
    _check_strangers(apart, matrix)
    strange = strangers_to_each_other(people, aliases)
    gallery = _Gallery(matrix, codes, own, away, strange, copies, k, weights)
    order = np.argsort(codes, kind="stable")
    tried = len(order) if len(np.unique(away)) > 1 else 0
    shift = np.zeros(len(people)) if offsets is None else offsets.people
    cast = [gallery.as_cast(order[rows], shift) for rows in _blocks(len(order), len(order))]

    def shifts(rows: IntVector) -> FloatVector:
        return np.zeros((len(rows), len(people))) if offsets is None else offsets.impostors[rows]

    others = [gallery.as_others(order[rows], shifts(rows)) for rows in _blocks(tried, len(order))]
    others += [gallery.as_strangers(apart, rows, shifts(tried + rows)) for rows in _blocks(len(apart), len(order))]
    return Trials(
        people=tuple(str(person) for person in people),
        gallery=codes,
        cast=joined(cast),
        others=joined(others),
        strangers=len(apart),
    )


def strangers_to_each_other(people: NDArray[Any], aliases: Iterable[tuple[str, str]]) -> NDArray[np.bool_]:
    """Return who of a cast counts as a stranger to whom: `(people, people)`.

    Args:
        people: `(people,)`, the names.
        aliases: Pairs of names that may be one person's; names outside the cast are ignored.
    """
    strange = ~np.eye(len(people), dtype=bool)
    places = {str(person): place for place, person in enumerate(people)}
    for one, other in aliases:
        if one in places and other in places:
            strange[places[one], places[other]] = strange[places[other], places[one]] = False
    return strange


def _check(matrix: NDArray[Any], labels: NDArray[Any], k: int) -> None:
    if matrix.ndim != 2 or not len(matrix) or len(matrix) != len(labels):
        raise ValueError(
            f"expected one embedding and one name per face, at least one face, "
            f"got arrays of shapes {matrix.shape!r} and {labels.shape!r}"
        )
    if k < 1:
        raise ValueError(f"expected k, the number of voting neighbours, to be 1 or more, got {k!r}")


def _checked(groups: ArrayLike, faces: int, what: str) -> NDArray[Any]:
    found = np.asarray(groups)
    if found.shape != (faces,):
        raise ValueError(f"expected {what} to number each of {faces} faces, got an array of shape {found.shape!r}")
    return found


def _check_strangers(apart: NDArray[Any], matrix: NDArray[Any]) -> None:
    if apart.ndim != 2 or apart.shape[1] != matrix.shape[1]:
        raise ValueError(
            f"expected strangers as a matrix of embeddings of length {matrix.shape[1]}, as the gallery's, "
            f"got an array of shape {apart.shape!r}; embed both with one network"
        )
    if not np.isfinite(apart).all():
        raise ValueError("expected strangers without NaN; leave out the pictures in which no face was found")


def _blocks(probes: int, faces: int) -> list[IntVector]:
    """Return the rows of the probes in blocks, so that a block's distances to all faces fit in memory."""
    return np.array_split(np.arange(probes), max(1, math.ceil(probes * faces / _BLOCK)))


@dataclass(frozen=True, slots=True, eq=False)
class _Gallery:
    vectors: FloatVector
    codes: IntVector
    groups: NDArray[Any]
    away: NDArray[Any]
    strange: NDArray[np.bool_]
    copies: float
    k: int
    weights: VoteWeights

    def as_cast(self, rows: IntVector, offsets: FloatVector) -> Lookups:
        """Look some faces up in the gallery without them and their source groups."""
        left_out = (self.codes[rows, None] == self.codes) & (self.groups[rows, None] == self.groups)
        left_out[np.arange(len(rows)), rows] = True
        distances = np.where(left_out, np.inf, self._distances(self.vectors[rows]))
        found = self._decided(distances, rows, self.codes[rows], np.broadcast_to(offsets, (len(rows), len(offsets))))
        tried = np.isfinite(found.to_people[np.arange(len(rows)), found.people])
        return replace(found, to_people=found.to_people[:, :0]).taken(tried)

    def as_others(self, rows: IntVector, offsets: FloatVector) -> Lookups:
        """Look some faces up in the gallery without their person."""
        distances = self._distances(self.vectors[rows])
        left_out = (self.away[rows, None] == self.away) | ~self.strange[self.codes[rows]][:, self.codes]
        left_out |= distances <= self.copies if self.copies else False
        found = self._decided(np.where(left_out, np.inf, distances), rows, self.codes[rows], offsets)
        return found.taken(np.isfinite(found.distances[:, 0]))

    def as_strangers(self, strangers: FloatVector, rows: IntVector, offsets: FloatVector) -> Lookups:
        """Look some strangers up in the whole gallery, each a person of its own."""
        return self._decided(self._distances(strangers[rows]), rows, offsets.shape[1] + rows, offsets)

    def _distances(self, probes: FloatVector) -> FloatVector:
        if not len(probes):
            return np.empty((0, len(self.vectors)))
        # In float64, or a threshold would be rounded to float32 before it is compared.
        return np.asarray(pairwise_distances(probes, self.vectors), np.float64)

    def _decided(self, distances: FloatVector, probes: IntVector, people: IntVector, offsets: FloatVector) -> Lookups:
        order = np.argsort(self.codes, kind="stable")
        starts = np.searchsorted(self.codes[order], np.arange(offsets.shape[1]))
        shifted = distances + offsets[:, self.codes]
        nearby, rows = nearest(shifted, self.k)
        position = winners(np.take_along_axis(distances, rows, axis=1), self.codes[rows], weights=self.weights)
        return Lookups(probes, people, nearby, rows, position, np.minimum.reduceat(shifted[:, order], starts, axis=1))
