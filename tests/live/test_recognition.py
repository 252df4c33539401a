"""Faces that are seen for the first time: the cast is named at once, others must be seen again."""

from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest

import facelib
from facelib.detect import Detector
from facelib.faces import Faces
from facelib.films.media.decode import FilmFrame, read_frames
from facelib.films.media.losses import GARBLED_WORTH
from facelib.films.naming import NamingSettings
from facelib.live.frames import LiveFrame
from facelib.live.recognition import open_recognition

pytestmark = pytest.mark.real_data


class Mistaken:
    """A detector that takes a piece of the wall for a face, in the pictures where it is told to."""

    def __init__(self, detector: Detector) -> None:
        self._finder, self.mistakes = detector, False
        self.name, self.description, self.score = detector.name, detector.description, detector.score

    def at_score(self, score):
        self._finder = self._finder.at_score(score)
        return self

    def detect(self, image):
        if not self.mistakes:
            return self._finder.detect(image)
        return Faces.of([[40, 200, 140, 320]], [0.99], [[(65, 240), (115, 240), (90, 265), (70, 290), (110, 290)]])


@pytest.fixture
def recognize(cast_project):
    """Return a recognition of the project's cast, and its detector."""
    detector = Mistaken(facelib.load_detector("centerface"))
    return open_recognition(cast_project, detector, "", naming=NamingSettings(), seconds=0.1), detector


def pictures(film, *, garbled=False):
    """Give live pictures of a film, a tenth of a second apart."""
    for number, frame in enumerate(islice(read_frames(film), 0, None, 3)):
        raw = av.VideoFrame.from_ndarray(frame.image(), format="rgb24")
        raw.pts, raw.time_base = number, Fraction(1, 10)
        yield LiveFrame(FilmFrame(raw, number, number / 10, garbled=garbled), arrived=0.0)


def told(found):
    return [(one.kind, one.track, one.answer.person) for one in found.news]


def test_a_face_of_the_cast_is_named_in_the_first_picture_that_shows_it(recognize, clip):
    recognition, _ = recognize
    for frame in pictures(clip("christian_bale1")):
        found = recognition.look(frame, 0)
        if found.faces:
            break
    (face,) = found.faces

    assert face.person == "Christian Bale"
    assert told(found) == [("appeared", face.track, "unknown"), ("named", face.track, "Christian Bale")]
    assert recognition.evidence(face.track).sightings == 1


def test_little_is_left_of_the_quality_of_faces_in_garbled_pictures(recognize, clip):
    recognition, _ = recognize
    found = [recognition.look(frame, 0) for frame in islice(pictures(clip("jackie_chan1"), garbled=True), 6)]
    (track,) = {face.track for one in found for face in one.faces}
    evidence = recognition.evidence(track)
    assert len(evidence.best) > 1 and evidence.best[0].quality <= GARBLED_WORTH


def test_a_stranger_is_told_when_seen_again(recognize, clip):
    recognition, _ = recognize
    looked = [recognition.look(frame, 0) for frame in islice(pictures(clip("jackie_chan1")), 6)]

    first = next(i for i, found in enumerate(looked) if found.news)
    (face,) = looked[first].faces
    assert told(looked[first]) == [("appeared", face.track, "unknown")]
    assert recognition.evidence(face.track).sightings == 6 - first + 1  # once before it was told
    assert not looked[first - 1].faces
    assert all(not found.news for found in looked[first + 1 :])


@pytest.mark.parametrize("seconds", [0.1, 2.0])
def test_a_stranger_keeps_its_track_however_slow_the_machine_is(recognize, clip, seconds):
    recognition, _ = recognize
    images = [frame.image for frame in islice(pictures(clip("jackie_chan1")), 6)]
    frames = [LiveFrame.of(image, number=i, time_=seconds * i) for i, image in enumerate(images)]
    found = [recognition.look(frame, 0) for frame in frames]

    assert len({face.track for one in found for face in one.faces}) == 1
    assert [kind for one in found for kind, *_ in told(one)] == ["appeared"]


def test_what_is_seen_once_and_is_nobody_of_the_cast_is_never_told(recognize, clip):
    recognition, detector = recognize
    frames = list(islice(pictures(clip("christian_bale1")), 16))
    empty = Faces.of(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
    detector.mistakes = True
    found = [recognition.look(frames[0], 0)]
    detector.mistakes, detector.detect = False, lambda image: empty
    found += [recognition.look(frame, 0) for frame in frames[1:]]

    assert all((one.faces, one.news) == ((), ()) for one in found)
    assert recognition.end() == []
    assert recognition.evidence(0).sightings == 1  # it was seen, and named nobody
