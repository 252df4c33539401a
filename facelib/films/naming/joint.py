"""All tracks of a scene named together: from faces, clothes, hair and places, with nobody twice in one frame."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from facelib.faces import FloatArray
from facelib.films.clothes import pair_distances
from facelib.films.naming.evidence import AGAINST, SHOWS, IntArray, Tracks, muteness, presence
from facelib.films.naming.likeness import CLOTHES, HAIR, LikenessModel, Moments, fit_likeness
from facelib.films.naming.messages import LabelOptions, marginals
from facelib.films.naming.neighbours import Bearers, Compared, blocks_of
from facelib.films.spans import frames_shared

_SURE = 0.9  # probability from which names are used to fit how similar one person's clothes are
_SHOWN = 0.7  # probability from which a face shows a name to other tracks
_ROUNDS = 8
_HOPELESS = -9.0  # log odds so far below "nobody" that an option cannot matter, whatever the other names
_TELLS = 0.5  # muteness up to which a face can contradict its place
_DOUBTED = -0.5  # evidence of such a face below which its place gives it no name, nor its name to another track
_STRANGER, _ITSELF = -1.0, 1.5  # evidence that a face is a certain stranger, and that a stranger's own face is
_ALTERNATIVES = 32  # strangers considered per track at most: those with the most evidence


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """The probability of each name, and the evidence.

    Attributes:
        probability: `(n, k)`; the rest to 1 is the probability of being none of them.
        face: `(n, k)`, evidence of the face: logarithm of the odds.
        clothes: `(n, k)`, evidence of the clothes.
        hair: `(n, k)`, evidence of the hair.
        place: `(n, k)`, evidence of the place.
        witness: `(n, k)`, the track with this name whose clothes are most similar; -1: none.
    """

    probability: FloatArray
    face: FloatArray
    clothes: FloatArray
    hair: FloatArray
    place: FloatArray
    witness: IntArray


def name_jointly(tracks: Tracks, face: FloatArray) -> Named:
    """Propagate names within each scene of a film, from certain faces to similar clothes and places.

    Every track starts from its face. In rounds, each track is compared with the clothes, hair and places of tracks near
    in time that already have a name, and of certain strangers, so that a stranger's turned head is not given to the
    cast. How similar one person's clothes and hair are is fitted to the scene itself, so that it holds for colourful
    and for drab ones. Two tracks in one frame never share a name. Time and memory grow with the number of tracks; their
    order does not matter.
    """
    count = len(face)
    result = _nothing_known(face)
    order = tracks.in_order()
    scenes = np.split(order, np.flatnonzero(np.diff(tracks.scene[order])) + 1) if count else []
    for rows in scenes:
        found = _Scene(tracks, rows, face[rows]).run()
        for one in fields(Named):
            values = getattr(found, one.name)
            if one.name == "witness":
                values = np.where(values >= 0, rows[values], -1)
            getattr(result, one.name)[rows] = values
    return result


class _Scene:
    """Names one scene: its tracks in the order of time, and their labels (the cast, then its strangers)."""

    def __init__(self, film: Tracks, rows: IntArray, face: FloatArray) -> None:
        self.tracks, self.face, self.people = film.bare().take(rows), face, face.shape[1]
        self.presence = np.zeros_like(face)
        self.doubted = (face < _DOUBTED) & (muteness(self.tracks) < _TELLS)[:, None]
        sure = face.max(axis=1, initial=-np.inf) < AGAINST
        self.stranger = np.where(sure, np.cumsum(sure) - 1, -1)  # the number of the one that a face certainly is
        self.pairs = frames_shared(self.tracks.shot, *self.tracks.frames.T)
        self.blocks = blocks_of(film, rows, self.pairs)
        together = rows[self.pairs].T
        self.seen_together = [Moments.of(pair_distances(seen, *together)) for seen in (film.clothes, film.hair)]

    def run(self) -> Named:
        found = _nothing_known(self.face)
        nobody = Bearers.none(len(self.face))
        bearers = self._round(found, nobody, (CLOTHES, HAIR))
        for _ in range(_ROUNDS):
            self.presence = presence(found.probability, self.face, self.tracks)
            before, weight = found.probability.copy(), bearers.weight
            bearers = self._round(found, bearers, self._likeness(found.probability))
            changed = np.abs(found.probability - before).max(initial=0)
            if max(changed, np.abs(bearers.weight - weight).max(initial=0)) < 1e-3:
                break
        return found

    def _round(self, found: Named, bearers: Bearers, likeness: tuple[LikenessModel, LikenessModel]) -> Bearers:
        """Compare all tracks with those that have labels, compute the marginals, and fill in the result."""
        parts = []
        for block in self.blocks:
            compared = block.compare(bearers, *likeness)
            self._fill(found, block.rows, compared)
            parts.append(self._options(found, block.rows, block.columns, compared))
        track, label, evidence = (np.concatenate(part) for part in zip(*parts, strict=True))
        options = LabelOptions(track, label, len(self.face))
        probability = marginals(options, evidence, self.pairs)
        found.probability[:] = 0
        cast = label < self.people
        found.probability[track[cast], label[cast]] = probability[cast]
        borne = probability > 0.5
        borne[cast] &= self._passed_on(found)[track[cast], label[cast]]
        now = Bearers.none(len(self.face))
        now.label[track[borne]], now.weight[track[borne]] = label[borne], probability[borne]
        now.shown[track[borne]] = True  # a stranger's is
        named = borne & cast
        by_face = self.face[track[named], label[named]] >= SHOWS
        now.shown[track[named]] = by_face & (probability[named] >= _SHOWN)
        return now

    def _passed_on(self, found: Named) -> NDArray[np.bool_]:
        """Return which names may be passed on to other tracks, `(n, k)`: not those that the face contradicts.

        Nor those that neither the face nor another track says: else the tracks of a stranger in the same clothes would
        confirm each other's name, though no face has shown it.
        """
        around = found.clothes + found.hair + found.place
        return np.asarray(~self.doubted & ((self.face >= SHOWS) | (around > 0)), bool)

    def _fill(self, found: Named, rows: slice, compared: Compared) -> None:
        cast = compared.labels < self.people
        for name in ("clothes", "hair", "place", "witness"):
            values = getattr(found, name)
            values[rows] = -1 if name == "witness" else 0
            values[rows, compared.labels[cast]] = getattr(compared, name)[:, cast]

    def _options(
        self, found: Named, rows: slice, columns: slice, compared: Compared
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """Return the track, label and evidence of all options, sorted."""
        place = np.where(self.doubted[rows], np.minimum(found.place[rows], 0), found.place[rows])
        around = found.clothes[rows] + found.hair[rows] + place
        cast = found.face[rows] + around + self.presence[rows]
        track, label = np.nonzero((cast > _HOPELESS) & (found.face[rows] > AGAINST))
        others, other_labels, evidence = self._other_options(rows, columns, compared)
        both, labels = np.concatenate([track, others]), np.concatenate([label, other_labels])
        values = np.concatenate([cast[track, label], evidence])
        order = np.lexsort((labels, both))
        return both[order] + rows.start, labels[order], values[order]

    def _other_options(self, rows: slice, columns: slice, compared: Compared) -> tuple[IntArray, IntArray, FloatArray]:
        """Return the row in the block, the label and the evidence of the options among strangers."""
        mine = compared.labels >= self.people
        near = self.stranger[columns]
        labels = np.union1d(near[near >= 0] + self.people, compared.labels[mine])
        evidence = np.full((rows.stop - rows.start, len(labels)), _STRANGER, np.float32)
        own = np.flatnonzero(self.stranger[rows] >= 0)
        evidence[own, np.searchsorted(labels, self.stranger[rows][own] + self.people)] = _ITSELF
        found = np.searchsorted(labels, compared.labels[mine])
        evidence[:, found] += (compared.clothes + compared.hair + compared.place)[:, mine]
        track, chosen = _most_likely(evidence)
        return track, labels[chosen], evidence[track, chosen]

    def _likeness(self, probability: FloatArray) -> tuple[LikenessModel, LikenessModel]:
        """Fit the distances of one person's clothes and hair in different shots, and of two people's."""
        label, sure = probability.argmax(axis=1), probability.max(axis=1) >= _SURE
        seen = [block.moments(label, sure) for block in self.blocks]
        clothes, hair = (
            fit_likeness(
                sum((block[trait][0] for block in seen), Moments()),
                sum((block[trait][1] for block in seen), self.seen_together[trait]),
                usual=usual,
            )
            for trait, usual in enumerate((CLOTHES, HAIR))
        )
        return clothes, hair


def _nothing_known(face: FloatArray) -> Named:
    probability, clothes, hair, place = (np.zeros_like(face) for _ in range(4))
    return Named(probability, face, clothes, hair, place, np.full(face.shape, -1, np.intp))


def _most_likely(evidence: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the row and the column of each label with more evidence than a stranger would have.

    Otherwise "nobody" stands for all strangers: else a crowd would outvote every name.
    """
    likely = evidence > _STRANGER
    if evidence.shape[1] > _ALTERNATIVES:
        likely &= evidence >= -np.partition(-evidence, _ALTERNATIVES - 1, axis=1)[:, _ALTERNATIVES - 1, None]
    rows, columns = np.nonzero(likely)
    return rows, columns
