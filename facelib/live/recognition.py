"""Faces of live pictures found, followed and named, one picture after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facelib.detect import Detector
from facelib.detect import load_detector as open_detector
from facelib.embed import Embedder
from facelib.embed import load_embedder as open_embedder
from facelib.embed.pose import cut_off, head_pose, turned_away
from facelib.embed.quality import quality
from facelib.faces import Faces, FloatArray, Image
from facelib.films.media.losses import GARBLED_WORTH
from facelib.films.naming import NamingSettings, Recognizer
from facelib.films.track import ShotTracker, Track
from facelib.images import crop
from facelib.live.evidence import EnrolmentPicture, Evidence, Namer, Sight, Verdict
from facelib.live.frames import LiveFrame
from facelib.live.records import ChangeKind, LiveFace
from facelib.project import Project
from facelib.recognize import RecognizerInfo, load_recognizer

REMEMBERED = 60.0
"""Seconds for which a face that has left can still be enrolled."""

_FAINT = 0.6  # of the least score: so faint a face may still continue a track, never begin one
_MOST_EMBEDDED = 12  # faces of one picture: a crowd may not hold everything up
_SECONDS_BETWEEN_SIGHTS = 0.25  # a track whose best faces are known is still looked at so often
_PORTRAIT_MARGIN = 0.6
_UPRIGHT = [(60, 65), (100, 65), (80, 85), (65, 105), (95, 105)]  # landmarks of no particular face
_FEWEST_FORGOTTEN = 200  # tracks after which, when nobody is there, the tracker starts again


def open_recognition(
    project: Project, detector: str | Path | Detector, embedder: str | Path, *, naming: NamingSettings, seconds: float
) -> Recognition:
    """Open all that is needed to recognize a project's people.

    Args:
        project: Its recognizer names the faces.
        detector: A name, the path of an ONNX file, or an open detector.
        embedder: A name or a path; empty takes the network that the recognizer was fitted for.
        naming: When a face is given a name.
        seconds: The usual time between two pictures.

    Raises:
        FileNotFoundError: When the project has no recognizer yet, or weights are missing.
        ValueError: When the recognizer is damaged, or of another network than `embedder`.
    """
    recognizer, info = load_recognizer(project.recognizer)
    try:
        opened = open_embedder(embedder or info.embedder)
    except (FileNotFoundError, ValueError) as error:
        if embedder:
            raise
        raise type(error)(
            f"expected the embedder {info.embedder!r}, for which the recognizer was fitted, got: {error}; "
            f"pass the path of its ONNX file as embedder"
        ) from error
    info.check_embedder(opened)
    finder = open_detector(detector) if isinstance(detector, str | Path) else detector
    return Recognition(finder, opened, Namer(recognizer, info, naming, alike=opened.threshold), seconds=seconds)


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """A change of one face; see `facelib.live.records.Change`."""

    kind: ChangeKind
    track: int
    answer: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Recognized:
    """What was found in one picture.

    Attributes:
        frame: The picture.
        scene: In which stretch between two cuts it lies.
        faces: Those found in it that are followed.
        news: What has changed with it.
    """

    frame: LiveFrame
    scene: int
    faces: tuple[LiveFace, ...]
    news: tuple[News, ...]


class Recognition:
    """Finds, follows and names the faces of pictures in the order of their times; not for two threads at one time.

    `seconds` is the usual time between two pictures.
    """

    def __init__(self, detector: Detector, embedder: Embedder, namer: Namer, *, seconds: float = 0.0) -> None:
        self.embedder, self.namer = embedder, namer
        self._finder, self._sure = detector.at_score(_FAINT * detector.score), detector.score
        self._seconds = max(seconds, 0.04)
        self._scene, self._next = 0, 0
        self._tracker = self._new_tracker()
        self._looked: float | None = None  # the time of the last picture since the tracker was made
        self._known: dict[int, Evidence] = {}
        self._present: dict[int, Evidence] = {}

    def look(self, frame: LiveFrame, scene: int) -> Recognized:
        """Find, follow and name the faces of the next picture.

        The frame must be later than all before; `scene` counts up with each cut, where tracks end.
        """
        news = self._cut(scene) if scene != self._scene else []
        image = frame.image
        faces = self._finder.detect(image)
        if self._looked is not None:  # a slow machine may take seconds from one picture to the next
            self._tracker.expect(max(self._seconds, frame.time - self._looked))
        self._looked = frame.time
        tracks = self._tracker.update(frame.number, frame.time, faces)
        self._trim(tracks)
        before = {number: track.answer for number, track in self._present.items() if track.told}
        followed = [(i, self._evidence(one.number, frame.time)) for i, one in enumerate(tracks) if one is not None]
        self._present |= {track.track: track for _, track in followed}
        self._embed(frame, faces, followed)
        news += self._leave(frame.time)
        self.namer.name(list(self._present.values()))
        news += self._news(before)
        shown = (_face(track, faces.boxes[i]) for i, track in followed if faces.scores[i] >= self._sure and track.told)
        return Recognized(frame, scene, tuple(sorted(shown, key=lambda face: face.track)), tuple(news))

    def end(self) -> list[News]:
        """Report everybody as gone."""
        return self._cut(self._scene + 1)

    @property
    def people(self) -> list[str]:
        """The people the recognizer knows, sorted."""
        return [str(person) for person in self.namer.recognizer.classes_]

    def warm_up(self) -> None:
        """Run each network once, because its first run is slow."""
        self._finder.detect(np.zeros((360, 640, 3), np.uint8))
        self.embedder.embed(np.zeros((160, 160, 3), np.uint8), Faces.of([[40, 40, 120, 120]], None, [_UPRIGHT]))

    def evidence(self, track: int) -> Evidence:
        """Return what is known of a track that is followed, or was within the last minute.

        Raises:
            ValueError: When nothing is.
        """
        if track not in self._known:
            raise ValueError(
                f"expected the number of a face that is followed or was within the last {REMEMBERED:g} seconds, "
                f"got {track!r}; there are {sorted(self._known)!r}"
            )
        return self._known[track]

    def renew(self, recognizer: Recognizer, info: RecognizerInfo) -> None:
        """Name with another recognizer from now on."""
        self.namer.recognizer, self.namer.info = recognizer, info

    def _new_tracker(self) -> ShotTracker:
        # A face of the cast is to be named in the first picture that shows it; others wait for a second: `believed`.
        return ShotTracker(
            self._scene, self._next, seconds_between_samples=self._seconds, sure_score=self._sure, sightings=1
        )

    def _cut(self, scene: int) -> list[News]:
        self._scene = scene
        self._begin_anew()
        left = [News("left", track.track, track.answer) for track in self._present.values() if track.told]
        self._present.clear()
        return left

    def _begin_anew(self) -> None:
        self._next += len(self._tracker.tracks)
        self._tracker, self._looked = self._new_tracker(), None

    def _trim(self, tracks: Iterable[Track | None]) -> None:
        """Keep the tracker small, however long the session lasts: it needs no more than each track's last face."""
        for track in tracks:
            if track is not None:
                del track.frames[:-1], track.boxes[:-1], track.scores[:-1]
        del self._tracker.samples[:-2]
        if not self._present and len(self._tracker.tracks) > _FEWEST_FORGOTTEN:
            self._begin_anew()

    def _evidence(self, track: int, time: float) -> Evidence:
        evidence = self._known.setdefault(track, Evidence(track))
        evidence.seen = time
        evidence.sightings += 1
        return evidence

    def _embed(self, frame: LiveFrame, faces: Faces, followed: list[tuple[int, Evidence]]) -> None:
        """Embed the faces that add evidence, those of the tracks with least evidence first."""
        if not followed:
            return
        image, time, places = frame.image, frame.time, [i for i, _ in followed]
        worth = quality(image, faces[places]) * (GARBLED_WORTH if frame.raw.garbled else 1)
        wanted = [
            (len(track.best), -float(worth[row]), row)
            for row, (_, track) in enumerate(followed)
            if track.wants(float(worth[row])) or time - track.embedded >= _SECONDS_BETWEEN_SIGHTS
        ]
        rows = [row for _, _, row in sorted(wanted)[:_MOST_EMBEDDED]]
        if not rows:
            return
        chosen = faces[[places[row] for row in rows]]
        vectors = self.embedder.embed(image, chosen)
        away = turned_away(head_pose(chosen.landmarks), cut_off(chosen, *image.shape[:2]))
        for row, vector, turned in zip(rows, vectors, away.tolist(), strict=True):
            (i, track), value = followed[row], float(worth[row])
            track.add(Sight(value, vector, turned))
            track.embedded = time
            if track.portrait is None or value > track.portrait.quality:
                track.portrait = _portrait(image, faces, i, value)

    def _leave(self, time: float) -> list[News]:
        gone = [track for track in self._present.values() if time - track.seen > self._tracker.patience]
        for track in gone:
            del self._present[track.track]
        for number in [n for n, track in self._known.items() if time - track.seen > REMEMBERED]:
            del self._known[number]
        return [News("left", track.track, track.answer) for track in gone if track.told]

    def _news(self, before: dict[int, Verdict]) -> list[News]:
        news: list[News] = []
        for number, track in self._present.items():
            if not track.believed:
                continue
            former = before.get(number, Verdict())
            if not track.told:
                track.told = True
                news.append(News("appeared", number, former))
            if track.answer.person != former.person:
                news.append(News("named", number, track.answer))
        return news


def _face(track: Evidence, box: FloatArray) -> LiveFace:
    answer = track.answer
    return LiveFace(track.track, box, answer.person, answer.confidence, answer.distance, enrolled=bool(track.enrolled))


def _portrait(image: Image, faces: Faces, index: int, worth: float) -> EnrolmentPicture:
    box = faces.boxes[index]
    extra = _PORTRAIT_MARGIN * float(max(box[2] - box[0], box[3] - box[1]))
    origin = np.array([max(0, int(box[0] - extra)), max(0, int(box[1] - extra))], np.float32)
    return EnrolmentPicture(
        crop(image, box, margin=_PORTRAIT_MARGIN),
        box - np.tile(origin, 2),
        faces.landmarks[index] - origin,
        float(faces.scores[index]),
        worth,
    )
