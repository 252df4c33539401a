"""All tracks of a scene named together: from faces, clothes and places, with nobody twice in one frame."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax

from facelib.faces import FloatArray
from facelib.films.clothes import hellinger_distance
from facelib.films.naming.likeness import Likeness, fit_likeness

_SURE = 0.9  # a name this probable teaches how alike one person's clothes are
_ROUNDS = 8
_MESSAGES = 12
_NEAREST = 5  # so many looks of a person are compared with a track


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """What is known of `n` tracks, as parallel arrays.

    Attributes:
        distances: `(n, k)`, from the track's embedding to each of `k` people.
        size: `(n,)`, height of the face, pixels of the film.
        quality: `(n,)`, 0 to 1, of its best face.
        clothes: `(n, 576)` unit vectors; NaN where nothing is seen of them.
        middle: `(n, 2)`, where the face is, pixels of the film.
        shot: `(n,)`.
        scene: `(n,)`; nothing is carried from one scene to another.
        setup: `(n,)`; shots from one camera position share it.
        frames: `(n, 2)`, first and last, inclusive.
        time: `(n,)`, seconds, the middle of each.
    """

    distances: FloatArray
    size: FloatArray
    quality: FloatArray
    clothes: FloatArray
    middle: FloatArray
    shot: NDArray[np.int64]
    scene: NDArray[np.int64]
    setup: NDArray[np.int64]
    frames: NDArray[np.int64]
    time: FloatArray

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.distances)

    def take(self, rows: NDArray[np.intp]) -> Tracks:
        """Return some of the tracks."""
        return Tracks(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    def together(self) -> NDArray[np.bool_]:
        """Return which pairs are on screen in one frame: they are two people, `(n, n)`."""
        first, last = self.frames.T
        overlap = (first[:, None] <= last) & (first <= last[:, None]) & (self.shot[:, None] == self.shot)
        np.fill_diagonal(overlap, False)
        return np.asarray(overlap, np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """How probable each name is, and why.

    Attributes:
        probability: `(n, k)`; what is missing to 1 is the probability of being nobody of them.
        face: `(n, k)`, evidence of the face: logarithm of the odds.
        clothes: `(n, k)`, evidence of the clothes.
        place: `(n, k)`, evidence of the place.
        witness: `(n, k)`, the track whose clothes are most like this one's among those that bear the name; -1: none.
    """

    probability: FloatArray
    face: FloatArray
    clothes: FloatArray
    place: FloatArray
    witness: NDArray[np.intp]


def face_evidence(tracks: Tracks, *, threshold: float, strangers: float) -> FloatArray:
    """Return the logarithm of the odds that a face is a person's rather than a stranger's, `(n, k)`.

    Small faces lie farther from their own pictures and hardly nearer to others'. Measured on film clips made smaller:
    with dlib's embedding a face of 100 pixels lies at 0.35 from its own person's pictures and one of 20 at 0.59, while
    strangers lie at 0.65 in all sizes. So the even point moves from near the threshold towards the strangers' distance
    as the face shrinks from 52 to 19 pixels, and the evidence weakens.

    Args:
        tracks: With distances to the mean of a person's three nearest pictures.
        threshold: The distance to the nearest picture within which a good face is named.
        strangers: How far strangers' faces usually lie.
    """
    room = max(strangers - threshold, 1e-6)
    small = np.clip(np.log(52 / np.maximum(tracks.size, 1)) / np.log(52 / 19), 0, 1)
    even = threshold + (0.3 + 0.5 * small) * room
    slope = (7 - 5 * small) / room * np.clip(tracks.quality / 0.08, 0.4, 1)
    return np.asarray(np.clip(slope[:, None] * (even[:, None] - tracks.distances), -8, 8), np.float32)


def name_jointly(tracks: Tracks, face: FloatArray, *, patience: float = 180.0) -> Named:
    """Let names travel within each scene: from sure faces to like clothes and places.

    Every track starts from its face. In rounds, each track is compared with the looks of those that already bear a
    name, and with the faces that are surely nobody's: these are people too, whose clothes speak for them, so that a
    stranger's turned head is not given to the cast. How alike the clothes of one person are is learned from the scene
    itself, so that it holds for colourful and for drab ones. Two tracks in one frame never share a name.

    Args:
        tracks: All tracks of a film.
        face: `(n, k)`, from `face_evidence`.
        patience: Seconds after which clothes and places seen count a third.
    """
    count, people = face.shape
    result = Named(
        np.zeros((count, people), np.float32),
        face,
        np.zeros((count, people), np.float32),
        np.zeros((count, people), np.float32),
        np.full((count, people), -1, np.intp),
    )
    for scene in np.unique(tracks.scene):
        rows = np.flatnonzero(tracks.scene == scene)
        found = _Scene(tracks.take(rows), face[rows], patience).run()
        for one in fields(Named):
            values = getattr(found, one.name)
            if one.name == "witness":
                values = np.where(values >= 0, rows[values], -1)
            getattr(result, one.name)[rows] = values
    return result


class _Scene:
    """One scene's tracks, their labels (the cast, then the scene's own strangers) and the rounds."""

    def __init__(self, tracks: Tracks, face: FloatArray, patience: float) -> None:
        self.tracks, self.people = tracks, face.shape[1]
        self.face = np.hstack([face, _strangers(face, tracks.quality)])
        self.together = tracks.together()
        self.apart = hellinger_distance(tracks.clothes, tracks.clothes)
        np.fill_diagonal(self.apart, np.nan)
        self.apart[self.together] = np.nan
        self.fade = np.exp(-np.abs(tracks.time[:, None] - tracks.time) / patience).astype(np.float32)
        self.beside = _places(tracks) * self.fade
        self.seen_together = hellinger_distance(tracks.clothes, tracks.clothes)[np.triu(self.together)]

    def run(self) -> Named:
        clothes, place = np.zeros_like(self.face), np.zeros_like(self.face)
        witness = np.full(self.face.shape, -1, np.intp)
        chance = self._marginals(self.face)
        for _ in range(_ROUNDS):
            before = chance
            alike = self._likeness(chance).evidence(self.apart) * self.fade
            for label in range(self.face.shape[1]):
                bearer = np.where(chance[:, label] > 0.5, chance[:, label], 0.0)
                clothes[:, label], witness[:, label] = self._compare(alike, bearer)
                place[:, label] = self._place_evidence(bearer)
            chance = self._marginals(self.face + clothes + place)
            if np.abs(chance - before).max(initial=0) < 1e-3:
                break
        cast = slice(0, self.people)
        return Named(chance[:, cast], self.face[:, cast], clothes[:, cast], place[:, cast], witness[:, cast])

    def _likeness(self, chance: FloatArray) -> Likeness:
        """Learn how far apart one person's clothes lie in different shots, and two people's."""
        label, sure = chance[:, : self.people].argmax(axis=1), chance[:, : self.people].max(axis=1) >= _SURE
        pairs = np.triu(sure[:, None] & sure & np.isfinite(self.apart), 1)
        same = label[:, None] == label
        other_shot = self.tracks.shot[:, None] != self.tracks.shot
        different = np.concatenate([self.apart[pairs & ~same], self.seen_together])
        return fit_likeness(self.apart[pairs & same & other_shot], different[np.isfinite(different)])

    def _compare(self, alike: FloatArray, bearer: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return the evidence of the clothes for one label, and the track most alike among its bearers."""
        members = np.flatnonzero(bearer)
        if not len(members):
            return np.zeros(len(alike), np.float32), np.full(len(alike), -1, np.intp)
        known = np.isfinite(self.apart[:, members])
        order = np.argsort(np.where(known, self.apart[:, members], np.inf), axis=1, kind="stable")[:, :_NEAREST]
        weights = np.take_along_axis(np.where(known, bearer[members], 0.0), order, axis=1)
        values = np.take_along_axis(np.where(known, alike[:, members], 0.0), order, axis=1)
        total = weights.sum(axis=1)
        mean = np.divide((weights * values).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
        nearest = np.where(known.any(axis=1), members[order[:, 0]], -1)
        return mean * np.minimum(1, total), nearest

    def _place_evidence(self, bearer: FloatArray) -> FloatArray:
        """Return the evidence of the place for one label: that of the bearer who stood nearest."""
        near = np.where(bearer > 0, bearer * self.beside, np.nan)
        best = np.max(near, axis=1, initial=-np.inf, where=np.isfinite(near))
        return np.where(np.isfinite(best), best, 0).astype(np.float32)

    def _marginals(self, evidence: FloatArray) -> FloatArray:
        """Return the probability of each label; a name that another face of the frame bears is taken.

        By belief propagation: each face tells each other in its frames how free a name is, as far as the rest knows.
        """
        scores = np.hstack([evidence, np.zeros((len(evidence), 1), np.float32)]).astype(np.float64)
        of, to = np.nonzero(self.together)  # who tells whom
        back = np.lexsort((of, to))  # the message the other way
        gather = csr_matrix((np.ones(len(to)), (to, np.arange(len(to)))), shape=(len(scores), len(to)))
        told = np.zeros((len(of), evidence.shape[1]))
        for _ in range(_MESSAGES if len(of) else 0):
            cavity = scores[of]
            cavity[:, :-1] += (gather @ told)[of] - told[back]
            free = np.log(np.clip(1 - softmax(cavity, axis=1)[:, :-1], 1e-4, 1))
            told = (told + free) / 2  # half steps keep circles of faces from swinging
        scores[:, :-1] += gather @ told
        return np.asarray(softmax(scores, axis=1)[:, :-1], np.float32)


def _strangers(face: FloatArray, quality: FloatArray) -> FloatArray:
    """Return a label for each face that is surely none of the cast's: evidence for itself, and against all others."""
    seeds = np.flatnonzero(face.max(axis=1, initial=-np.inf) < -2)
    labels = np.full((len(face), len(seeds)), -1.0, np.float32)
    labels[seeds, np.arange(len(seeds))] = 1.5
    return labels[:, np.argsort(-quality[seeds], kind="stable")]


def _places(tracks: Tracks) -> FloatArray:
    """Return what the place says for two tracks being one person, `(n, n)`; NaN but for two shots of one set-up."""
    size = (tracks.size[:, None] + tracks.size) / 2
    apart = np.linalg.norm(tracks.middle[:, None] - tracks.middle, axis=2) / np.maximum(size, 1)
    comparable = (tracks.setup[:, None] == tracks.setup) & (tracks.shot[:, None] != tracks.shot)
    return np.asarray(np.where(comparable, 2.5 * np.exp(-(apart**2) / 2) - 0.5, np.nan), np.float32)
