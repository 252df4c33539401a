"""A gallery tested against support vector machines that have not seen the face tested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from tqdm.auto import tqdm

from facelib.faces import FloatArray
from facelib.recognize import OpenSetSVM
from facelib.recognize.thresholds import Lookups, Offsets, Trials
from facelib.recognize.thresholds.lookups import joined
from facelib.recognize.thresholds.trials import strangers_to_each_other

FOLDS = 5


def svm_trials(
    svm: OpenSetSVM,
    vectors: FloatArray,
    names: NDArray[np.str_],
    *,
    groups: ArrayLike | None = None,
    strangers: FloatArray | None = None,
    aliases: Iterable[tuple[str, str]] = (),
    seed: int = 0,
    progress: bool = True,
) -> Trials:
    """Try a gallery against support vector machines that have not seen the face tried.

    Leaving out one face at a time would train as many machines as there are faces. Genuine trials leave out a
    fifth of each person's faces at a time, and impostor trials a fifth of the people (one at a time below five);
    strangers are tried on machines trained with the whole gallery. The arguments are those of `thresholds.trials`; the
    machine gives the options, its thresholds of people are of no effect, see `with_offsets`.

    Returns:
        Trials with `1 - probability` as distances. People with one face have no genuine trial; a cast of two has
        no impostor trials by the cast, because one person alone cannot train a machine.
    """
    people, codes = np.unique(names, return_inverse=True)
    own, others = folds_of(codes, groups=groups, strange=strangers_to_each_other(people, aliases), seed=seed)
    machines = _Machines(svm, vectors, codes)
    extra = np.empty((0, vectors.shape[1]), vectors.dtype) if strangers is None else strangers
    rounds = [(own, number) for number in np.unique(own[own >= 0])]
    rounds += [(others, number) for number in np.unique(others[others >= 0])]
    parts: tuple[list[Lookups], list[Lookups]] = ([machines.none()], [machines.none()])
    for fold, number in tqdm(rounds, desc="training", unit=" machines", leave=False, disable=not progress):
        rows = np.flatnonzero(fold == number)
        parts[fold is others].append(machines.tried(vectors[rows], rows, codes[rows], fold != number))
    if len(extra):
        numbers = np.arange(len(extra))
        parts[True].append(machines.tried(extra, numbers, len(people) + numbers, np.ones(len(codes), bool)))
    return Trials(
        people=tuple(str(person) for person in people),
        gallery=codes,
        cast=_in_order(joined(parts[0])),
        others=_in_order(joined(parts[1])),
        strangers=len(extra),
    )


def folds_of(
    codes: NDArray[np.intp], *, groups: ArrayLike | None = None, strange: NDArray[np.bool_] | None = None, seed: int = 0
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Share faces out to the folds of a cross-validation.

    Args:
        codes: `(n,)`, the person of each face, numbered from 0.
        groups: `(n,)`, as in `thresholds.trials`; the faces of one group share a fold.
        strange: `(people, people)`, who is a stranger to whom; the others share a fold. None: everybody to everybody.
        seed: Of the draw.

    Returns:
        Two arrays `(n,)`: the fold in which a face is tried as one of the cast, -1 where nothing would be left of
        its person, and the fold in which it plays the stranger, the same for all of a person, -1 in a cast of two.
    """
    random = np.random.default_rng(seed)
    source = np.arange(len(codes)) if groups is None else np.asarray(groups)
    units, unit = np.unique(np.stack([codes, source]), axis=1, return_inverse=True)
    owner = units[0]
    order = random.permutation(len(owner))
    rank = np.empty(len(owner), np.intp)
    rank[order] = pd.Series(owner[order]).groupby(owner[order]).cumcount()
    own = np.where(np.bincount(owner)[owner] > 1, rank % FOLDS, -1)[unit.reshape(-1)]
    count = int(codes.max(initial=-1)) + 1
    person = np.arange(count) if strange is None else connected_components(~strange, directed=False)[1]
    apart = len(np.unique(person))
    if apart < 3:
        return own, np.full(len(codes), -1)
    return own, np.asarray(random.permutation(apart)[person[codes]] % min(FOLDS, apart), np.intp)


def with_offsets(outcome: Trials, offsets: Offsets) -> Trials:
    """Return the trials of machines with something added to each person's distances; nothing is trained again."""

    def moved(lookups: Lookups, added: NDArray[np.floating[Any]]) -> Lookups:
        scores = lookups.distances + np.take_along_axis(added, outcome.gallery[lookups.rows], axis=1)
        return _sorted(lookups.probes, lookups.people, scores, lookups.rows, lookups.to_people + added)

    own = np.broadcast_to(offsets.people, outcome.cast.to_people.shape)
    return replace(outcome, cast=moved(outcome.cast, own), others=moved(outcome.others, offsets.impostors))


class _Machines:
    """Trains support vector machines without some faces, and classifies these."""

    def __init__(self, svm: OpenSetSVM, vectors: FloatArray, codes: NDArray[np.intp]) -> None:
        self.options = svm.get_params() | {"unknown_label": -1, "thresholds": None}
        self.vectors, self.codes = vectors, codes
        self.count = int(codes.max(initial=-1)) + 1
        self.first = np.searchsorted(np.sort(codes), np.arange(self.count))
        self.first = np.argsort(codes, kind="stable")[self.first]

    def none(self) -> Lookups:
        """Return no lookup at all."""
        rows = np.empty((0, self.count), np.intp)
        scores = np.empty((0, self.count))
        return Lookups(rows[:, 0], rows[:, 0], scores, rows, rows, scores)

    def tried(
        self, probes: FloatArray, numbers: NDArray[np.intp], people: NDArray[np.intp], kept: NDArray[np.bool_]
    ) -> Lookups:
        """Train on the kept faces, and look up probes: one column per person, `1 - probability`."""
        machine = OpenSetSVM(**self.options).fit(self.vectors[kept], self.codes[kept])
        scores = np.full((len(probes), self.count), np.inf)
        rows = np.tile(self.first, (len(probes), 1))
        scores[:, machine.classes_] = 1 - machine.probabilities(probes)
        rows[:, machine.classes_] = np.flatnonzero(kept)[machine.nearest_of_people(probes)]
        return _sorted(numbers, people, scores, rows, scores)


def _sorted(
    numbers: NDArray[np.intp],
    people: NDArray[np.intp],
    scores: NDArray[np.float64],
    rows: NDArray[np.intp],
    to_people: NDArray[np.float64],
) -> Lookups:
    """Return lookups in which the likeliest person always wins, however many are likely enough."""
    order = np.argsort(scores, axis=1, kind="stable")
    return Lookups(
        numbers,
        people,
        np.take_along_axis(scores, order, axis=1),
        np.take_along_axis(rows, order, axis=1),
        np.zeros_like(rows),
        to_people,
    )


def _in_order(lookups: Lookups) -> Lookups:
    """Return lookups in the order of the gallery, strangers last."""
    return lookups.taken(np.lexsort((lookups.probes, lookups.people)))
