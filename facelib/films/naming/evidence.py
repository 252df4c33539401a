"""The observations of each track, and their evidence for or against a name as log odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from facelib.embed.pose import turned_away
from facelib.embed.shapes import DLIB_SHAPE
from facelib.faces import FloatArray
from facelib.films.naming.settings import Recognizer
from facelib.nets.figures import EvidenceShape
from facelib.recognize import OpenSetSVM

IntArray = NDArray[np.intp]

AGAINST = -2.0
"""Evidence of a face below which nothing around it gives it the name; if so for all, it is a stranger's."""

TELLS, LARGE_ENOUGH = 0.4, 35.0
"""Largest turn and least height (pixels) of a face that can show whose it is not."""

SHOWS = 1.0
"""Evidence of a face from which it can show that somebody is in a scene."""

_LEAST, _LEAST_TURNED = -8.0, -1.0  # evidence against a name
_STRANGER = AGAINST - 0.5  # of the face of a certain stranger
_MANY = 10.0  # pictures of a person, beyond which more of them hardly bring one nearer
_SHARP = 0.08  # quality of a face from which its evidence is whole
_CLEAR, _DIM = 0.12, 0.02  # quality of a face from which it says most, and at which it says least
_SEEN = 0.9  # probability from which somebody counts as seen in a scene
_ABSENT, _AMONG_THE_CAST = 1.5, 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The observations of `n` tracks, as parallel arrays.

    Attributes:
        distances: `(n, k)`, from the track's embedding to each of `k` people.
        size: `(n,)`, height of the face, pixels of the film.
        quality: `(n,)`, 0 to 1, of its best face.
        turn: `(n,)`, 0 to 1, how uninformative its faces are, turned away or cut by the edge; see `turned`.
        clothes: `(n, 576)` unit vectors; NaN where they are not seen.
        hair: The same, of the hair.
        middle: `(n, 2)`, where the face is, pixels of the film.
        shot: `(n,)`.
        scene: `(n,)`; scenes are named independently.
        setup: `(n,)`; shots from one camera position share it.
        frames: `(n, 2)`, first and last, inclusive.
        time: `(n,)`, seconds, the middle of each.
    """

    distances: FloatArray
    size: FloatArray
    quality: FloatArray
    turn: FloatArray
    clothes: FloatArray
    hair: FloatArray
    middle: FloatArray
    shot: NDArray[np.int64]
    scene: NDArray[np.int64]
    setup: NDArray[np.int64]
    frames: NDArray[np.int64]
    time: FloatArray

    def __len__(self) -> int:
        return len(self.distances)

    def take(self, rows: IntArray) -> Tracks:
        """Return some of the tracks."""
        return Tracks(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    def bare(self) -> Tracks:
        """Return the tracks without clothes and hair, which take most of the memory."""
        nothing = np.zeros((len(self), 0), np.float32)
        return replace(self, clothes=nothing, hair=nothing)

    def in_order(self) -> IntArray:
        """Return the rows sorted by scene and time, ties by the observations, so that input order does not matter."""
        seen = (self.distances.sum(axis=1), self.size, *self.middle.T, *self.frames.T)
        return np.lexsort((*seen, self.time, self.scene))


def turned(looks: pd.DataFrame) -> FloatArray:
    """Return how uninformative each look is, being turned away or cut by the picture's edge, 0 to 1, `(n,)`.

    Args:
        looks: `yaw`, `pitch` (degrees) and `cut`; what is not known counts as frontal and whole.
    """
    seen = looks.reindex(columns=["yaw", "pitch", "roll", "cut"]).to_numpy(np.float64)
    return turned_away(seen[:, :3], seen[:, 3])


def muteness(tracks: Tracks) -> FloatArray:
    """Return how uninformative the faces are, being small or turned, 0 to 1, `(n,)`."""
    small = np.clip(np.log(52 / np.maximum(tracks.size, 1)) / np.log(52 / 19), 0, 1)
    return np.asarray(1 - (1 - small) * (1 - tracks.turn), np.float32)


def dimness(tracks: Tracks) -> FloatArray:
    """Return how uninformative the faces are by their quality, blurred ones too, 0 to 1, `(n,)`."""
    beyond = np.log(_CLEAR / np.maximum(tracks.quality, 1e-3)) / np.log(_CLEAR / _DIM)
    return np.asarray(np.clip(beyond, 0, 1), np.float32)


def informative(tracks: Tracks) -> NDArray[np.bool_]:
    """Return which faces can show that they are a stranger's, being large, sharp and frontal enough, `(n,)`."""
    return (tracks.turn < TELLS) & (tracks.size > LARGE_ENOUGH) & (tracks.quality >= _SHARP)


def face_evidence(
    tracks: Tracks,
    *,
    threshold: float,
    strangers: float,
    shape: EvidenceShape = DLIB_SHAPE,
    pictures: ArrayLike | None = None,
) -> FloatArray:
    """Return the logarithm of the odds that a face is a person's rather than a stranger's, `(n, k)`.

    Small faces, and turned ones, lie farther from their own pictures and hardly nearer to others'. Measured on film
    clips made smaller: with dlib's embedding a face of 100 pixels lies at 0.35 from its own person's pictures and one
    of 20 at 0.59, while strangers lie at 0.65 in all sizes; for the turn see `turned`. So the even point moves from
    near the threshold towards the strangers' distance as the face shrinks from 52 to 19 pixels or turns from 30 to 70
    degrees, and the evidence weakens: with dlib's by 26 to 47 a unit of distance for frontal faces, by 8 to 12 for
    profiles. A turned face far from everybody need not be a stranger's: the least evidence rises to -1. Blur does the
    same: by quality, the even point of labelled samples of 52 pixels and more lies at 1.06 thresholds from 0.2 on, at
    1.22 from 0.08 to 0.12, at 1.38 from 0.04 to 0.06 and at 1.49 below 0.02, frontal ones among them. Of few pictures
    none may be like the face: on LFW the even point of dlib's lies 0.13 thresholds farther with one picture of a person
    than with ten, and falls with the logarithm of their number.

    Args:
        tracks: With distances to the mean of a person's three nearest pictures.
        threshold: The distance to the nearest picture within which a good face is named.
        strangers: How far strangers' faces usually lie.
        shape: Of the embedder, see `facelib.embed.shapes.evidence_shape`.
        pictures: `(k,)`, how many each person has; None counts as ten or more.
    """
    room = max(strangers - threshold, 1e-6)
    hard = np.maximum(muteness(tracks), dimness(tracks))
    even = threshold + _between(shape.even, hard) * room
    slope = _between(shape.slope, hard) / room * np.clip(tracks.quality / _SHARP, 0.4, 1)
    least = _LEAST + (_LEAST_TURNED - _LEAST) * tracks.turn
    count = np.full(tracks.distances.shape[1], _MANY) if pictures is None else np.asarray(pictures, np.float64)
    farther = shape.few * threshold * (1 - np.log(np.clip(count, 1, _MANY)) / np.log(_MANY))
    evidence = slope[:, None] * (even[:, None] + farther - tracks.distances)
    return np.asarray(np.clip(evidence, least[:, None], -_LEAST), np.float32)


def _between(ends: tuple[float, float], hard: FloatArray) -> FloatArray:
    return np.asarray(ends[0] + (ends[1] - ends[0]) * hard, np.float32)


def as_strangers(face: FloatArray, rows: Sequence[int]) -> FloatArray:
    """Return the evidence with some tracks as certain strangers, whatever their faces say, `(n, k)`."""
    found = face.copy()
    found[[*rows]] = np.minimum(face[[*rows]], _STRANGER)
    return found


def presence(probability: FloatArray, face: FloatArray, tracks: Tracks) -> FloatArray:
    """Return the evidence for each name of a scene's tracks from who is known to be there, `(n, k)`.

    Who was not certainly seen there is less likely to be there, one of the cast or a stranger. So the name of
    somebody whom no informative track, nor any other one, certainly shows loses up to 1.5. A track shows somebody only
    where its own face says so: else two profiles of one stranger, in the same clothes, would confirm each other. And
    the more of the informative faces are the cast's, the more the names of uninformative faces gain, up to half as
    much; nothing where half of them and more are strangers'.
    """
    telling = informative(tracks)
    own = np.where(face >= SHOWS, probability, 0)
    best, next_best = (np.sort(own, axis=0)[::-1][rank : rank + 1] for rank in (0, 1))
    if not len(next_best):
        next_best = np.zeros_like(best)
    shown = np.where(~telling[:, None] & (own == best), next_best, best)  # no profile confirms itself
    cast = probability.sum(axis=1)[telling]
    strangers = (1 - cast).sum() / max(len(cast), 1)
    trusted = _surely(cast.max(initial=0)) * max(0.0, 1 - 2 * strangers)
    gain = np.where(telling, 0, trusted)[:, None]
    return np.asarray(_AMONG_THE_CAST * gain - _ABSENT * (1 - _surely(shown)), np.float32)


def _surely(probability: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(probability / _SEEN, 1), np.float32)


def place_evidence(tracks: Tracks, rows: slice, columns: IntArray) -> FloatArray:
    """Return the evidence of the place that two tracks are one person; NaN except in two shots of one set-up."""
    one, other = tracks.middle[rows], tracks.middle[columns]
    size = (tracks.size[rows, None] + tracks.size[columns]) / 2
    squares = (one[:, :1] - other[:, 0]) ** 2 + (one[:, 1:] - other[:, 1]) ** 2
    apart = squares / np.maximum(size, 1) ** 2
    comparable = (tracks.setup[rows, None] == tracks.setup[columns]) & (tracks.shot[rows, None] != tracks.shot[columns])
    return np.asarray(np.where(comparable, 2.5 * np.exp(-apart / 2) - 0.5, np.nan), np.float32)


def distances_to_people(vectors: FloatArray, recognizer: Recognizer) -> FloatArray:
    """Return the mean distance to each person's three nearest pictures, `(n, people)`.

    A person whose own threshold is stricter than the common one lies farther away by the difference.
    """
    found = np.empty((len(vectors), len(recognizer.classes_)), np.float32)
    for person in range(len(recognizer.classes_)):
        apart = cdist(vectors, recognizer.vectors_[recognizer.codes_ == person])
        count = min(3, apart.shape[1])
        found[:, person] = np.partition(apart, count - 1, axis=1)[:, :count].mean(axis=1)
    return found if isinstance(recognizer, OpenSetSVM) else found + recognizer.offsets.astype(np.float32)


def usual_distances(recognizer: Recognizer, shape: EvidenceShape = DLIB_SHAPE) -> tuple[float, float]:
    """Return within which distance a good face is named, and how far strangers lie, in the embedding's own units."""
    threshold = float(recognizer.farthest if isinstance(recognizer, OpenSetSVM) else recognizer.threshold)
    # The median of some hundred faces is as good as that of all.
    some = np.unique(np.linspace(0, len(recognizer.vectors_) - 1, 400).astype(int))
    apart = distances_to_people(recognizer.vectors_[some], recognizer)
    apart[np.arange(len(some)), recognizer.codes_[some]] = np.inf
    others = float(np.median(apart.min(axis=1)))  # infinite in a gallery of one person
    if not np.isfinite(threshold):
        threshold = 0.7 * others
    return threshold, float(np.clip(others / threshold, *shape.strangers) * threshold)
