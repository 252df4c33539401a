"""The evidence about a tracked face, and the name it keeps until the evidence changes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from facelib.embed.pose import view_weights
from facelib.faces import FloatArray, Image
from facelib.films.naming import NamingSettings, Recognizer
from facelib.project.names import UNKNOWN
from facelib.recognize import RecognizerInfo

MOST_SIGHTS = 8
"""How many of a track's best faces are used to name it, as in a film."""

_RECENT = 4  # the last faces, which tell whether it still is the same one
_DOUBT = 0.2  # of probability may be lost before a name is taken back
_AWAY = 0.5  # turn from which a face says nothing about whose it is
_CLEAR = 0.25  # quality from which a face unlike its track's others shows that it is somebody else's
_UNLIKE = 1.3  # of the embedder's threshold: so far apart are hardly two faces of one person
_NEARER = 0.95  # of the present holder's distance, to take over a name; otherwise two similar faces would swap it


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who a face is.

    Attributes:
        person: A name of the cast, or `unknown`.
        confidence: 0 to 1: the probability that this is right.
        distance: To the nearest picture of the best person; NaN where nothing is measured yet.
    """

    person: str = UNKNOWN
    confidence: float = 0.0
    distance: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One face of a track, embedded.

    Attributes:
        quality: 0 to 1, see `facelib.embed.quality.quality`.
        embedding: `(d,)` float32.
        turned: 0 to 1, how uninformative it is, being turned away or cut, see `facelib.embed.pose.turned_away`.
    """

    quality: float
    embedding: FloatArray
    turned: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class EnrolmentPicture:
    """The best face of a track with its surroundings, as a picture of the cast can be made of it.

    Attributes:
        image: `(height, width, 3)` uint8 RGB.
        box: `(4,)` float32, left, top, right, bottom in pixels of `image`.
        landmarks: `(5, 2)` float32, likewise.
        score: The detector's.
        quality: 0 to 1.
    """

    image: Image
    box: FloatArray
    landmarks: FloatArray
    score: float
    quality: float


@dataclass(slots=True, eq=False)
class Evidence:
    """The evidence for the identity of a track.

    Attributes:
        track: Its number.
        best: Its best faces, best first.
        recent: Its last faces, oldest first.
        answer: Who it is.
        enrolled: The name the user gave it, or nothing.
        portrait: Its best face to be shown and enrolled.
        seen: When it was last found, in the session's time.
        embedded: When a face of it was last embedded, likewise.
        sightings: How often it was found.
        told: Whether its appearance has been reported.
    """

    track: int
    best: list[Sight] = field(default_factory=list)
    recent: deque[Sight] = field(default_factory=lambda: deque(maxlen=_RECENT))
    answer: Verdict = field(default_factory=Verdict)
    enrolled: str = ""
    portrait: EnrolmentPicture | None = None
    seen: float = 0.0
    embedded: float = -math.inf
    sightings: int = 0
    told: bool = False

    @property
    def believed(self) -> bool:
        """Whether it is certainly a face: found twice, or once and so like one of the cast that it has the name."""
        return self.sightings > 1 or self.answer.person != UNKNOWN

    def wants(self, quality: float) -> bool:
        """Return whether a face of this quality would be among its best."""
        return len(self.best) < MOST_SIGHTS or quality > self.best[-1].quality

    def add(self, sight: Sight) -> None:
        """Take one more face."""
        self.recent.append(sight)
        self.best = sorted([*self.best, sight], key=lambda one: -one.quality)[:MOST_SIGHTS]

    def forget_old(self) -> None:
        """Drop all but the last faces."""
        self.best = sorted(self.recent, key=lambda one: -one.quality)
        self.enrolled, self.portrait = "", None


@dataclass(frozen=True, slots=True)
class _Vote:
    """The verdict of some faces of one track: the best person and its probability."""

    person: str
    confidence: float
    distance: float
    share: float
    within: bool

    def is_sure(self, naming: NamingSettings) -> bool:
        enough = self.confidence >= naming.confidence_threshold and self.share >= naming.dominant_ratio
        return self.within and enough


class Namer:
    """Names growing tracks, with the same settings as the tracks of a film.

    A name is kept until its probability falls more than 0.2 below the one needed for a name, or until the last faces
    are certainly another person's, or clearly not those of this track; then only the last faces count.

    Args:
        recognizer: Fitted on the gallery.
        info: What it was made from.
        naming: When a face is given a name; context is not used.
        alike: The embedder's own threshold; NaN where nobody measured it.
    """

    def __init__(self, recognizer: Recognizer, info: RecognizerInfo, naming: NamingSettings, *, alike: float) -> None:
        self.recognizer, self.info, self.naming = recognizer, info, naming
        self._unlike = _UNLIKE * alike if math.isfinite(alike) else math.inf

    def name(self, tracks: Sequence[Evidence]) -> None:
        """Name every track again; no person twice among those seen last."""
        tracks = [track for track in tracks if track.best]
        if not tracks:
            return
        whole, lately = (
            self._verdicts([track.best for track in tracks]),
            self._verdicts([track.recent for track in tracks]),
        )
        for track, all_of_it, last in zip(tracks, whole, lately, strict=True):
            if self._has_turned(track, last):
                track.forget_old()
                track.answer, all_of_it = Verdict(), last
            track.answer = self._answer(track, all_of_it)
        now = max(track.seen for track in tracks)
        self._part([track for track in tracks if track.seen == now])

    def _verdicts(self, groups: Sequence[Iterable[Sight]]) -> list[_Vote]:
        """Ask the recognizer for the mean of each group and for each face in it, in one call."""
        sights = [list(group) for group in groups]
        vectors = [_mean(group) for group in sights] + [sight.embedding for group in sights for sight in group]
        decided = self.recognizer.decide(np.stack(vectors))
        best, answers = decided["best_person"].to_numpy(), decided["person"].to_numpy()
        distances = decided["distance"].to_numpy(np.float64)
        likely = self.info.confidence(distances)
        verdicts, first = [], len(sights)
        for row, group in enumerate(sights):
            weights = _weights(group)
            agree = best[first : first + len(group)] == best[row]
            first += len(group)
            share = float(weights[agree].sum() / weights.sum())
            within = bool(answers[row] == best[row])
            verdicts.append(_Vote(str(best[row]), float(likely[row]), float(distances[row]), share, within))
        return verdicts

    def _has_turned(self, track: Evidence, last: _Vote) -> bool:
        """Return whether the last faces of a track are another person's."""
        if len(track.recent) < _RECENT:
            return False
        named = track.enrolled or track.answer.person
        if named not in {UNKNOWN, last.person} and last.is_sure(self.naming):
            return True
        if min(sight.turned for sight in track.recent) > _AWAY:
            return False
        apart = float(np.linalg.norm(_mean(track.recent) - _mean(track.best)))
        return apart > self._unlike and min(sight.quality for sight in track.recent) >= _CLEAR

    def _answer(self, track: Evidence, verdict: _Vote) -> Verdict:
        if track.enrolled:
            return Verdict(track.enrolled, 1.0, verdict.distance)
        kept = (
            verdict.person == track.answer.person
            and verdict.share >= 0.5
            and verdict.confidence >= self.naming.confidence_threshold - _DOUBT
        )
        if kept or verdict.is_sure(self.naming):
            return Verdict(verdict.person, verdict.confidence, verdict.distance)
        return Verdict(UNKNOWN, 1 - verdict.confidence, verdict.distance)

    def _part(self, tracks: Sequence[Evidence]) -> None:
        """Leave each name to one track: the one the user named, else the nearest."""
        for person in {track.answer.person for track in tracks} - {UNKNOWN}:
            rivals = [track for track in tracks if track.answer.person == person]
            # The first track keeps the name until another is clearly nearer.
            rivals.sort(key=lambda track: track.track)
            owner = rivals[0]
            for rival in rivals[1:]:
                if not owner.enrolled and (rival.enrolled or rival.answer.distance < _NEARER * owner.answer.distance):
                    owner = rival
            for rival in rivals:
                if rival is not owner:
                    doubt = 1 - rival.answer.confidence if not rival.enrolled else 0.0
                    rival.answer = Verdict(UNKNOWN, doubt, rival.answer.distance)


def _mean(sights: Iterable[Sight]) -> FloatArray:
    """Return the mean of embeddings, weighted as a film's tracks are."""
    own = list(sights)
    return np.asarray(np.average([sight.embedding for sight in own], axis=0, weights=_weights(own)), np.float32)


def _weights(sights: Sequence[Sight]) -> FloatArray:
    return view_weights(np.array([one.quality for one in sights]), np.array([one.turned for one in sights]))
