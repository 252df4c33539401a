"""Names of growing tracks, with a gallery of two people that lie two apart."""

import numpy as np
import pytest

from facelib.films.naming import NamingSettings
from facelib.live.evidence import Evidence, Namer, Sight
from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN
from tests.recognizing import make_info

ADA, GRACE, NOBODY = (np.array(place, np.float32) for place in ((0, 0), (2, 0), (0, 3)))


def off(distance):
    """Return a face that lies so far from Ada's."""
    return ADA + np.array([0, distance], np.float32)


@pytest.fixture
def namer():
    vectors = np.array([ADA, ADA + 0.01, GRACE, GRACE + 0.01], np.float32)
    info = make_info(pictures=("a", "b", "c", "d"), confidence_slope=-10.0, confidence_intercept=5.0)
    recognizer = OpenSetKNN(k=1, threshold=0.5).fit(vectors, ["Ada", "Ada", "Grace", "Grace"])
    return Namer(recognizer, info, NamingSettings(), alike=0.5)


def see(track, *places, quality=0.5):
    for place in places:
        track.add(Sight(quality, np.asarray(place, np.float32)))


def named(namer, *tracks):
    namer.name(list(tracks))
    return [track.answer.person for track in tracks]


def test_without_a_face_nobody_is_named(namer):
    track = Evidence(0)

    assert named(namer, track) == [UNKNOWN]
    assert named(namer) == []


def test_a_face_of_the_cast_gets_its_name_and_a_stranger_none(namer):
    ada, stranger = Evidence(0), Evidence(1)
    see(ada, ADA + 0.1)
    see(stranger, NOBODY)

    assert named(namer, ada, stranger) == ["Ada", UNKNOWN]
    assert ada.answer.confidence == pytest.approx(1 / (1 + np.exp(-5 + 10 * ada.answer.distance)), abs=1e-3)
    assert stranger.answer.confidence > 0.99


def test_a_name_outlives_worse_faces(namer):
    track = Evidence(0)
    see(track, ADA)
    assert named(namer, track) == ["Ada"]

    # By themselves these would be named nobody: 0.45 away, a probability of about 0.6.
    see(track, *[off(0.45)] * 20)

    assert namer.info.confidence(0.45) < 0.7
    assert named(namer, track) == ["Ada"]
    fresh = Evidence(1)
    see(fresh, *[off(0.45)] * 8)
    assert named(namer, fresh) == [UNKNOWN]


def see_turned(track, *places, quality=0.5):
    for place in places:
        track.add(Sight(quality, np.asarray(place, np.float32), 1.0))


def test_a_head_that_turns_away_keeps_its_name(namer):
    """Seen from the side she lies as far from her pictures as a stranger."""
    track, straight = Evidence(0), Evidence(1)
    see(track, ADA, ADA)
    see(straight, ADA, ADA)
    assert named(namer, track) == ["Ada"]
    see_turned(track, *[off(1.2)] * 12)
    see(straight, *[off(1.2)] * 12)
    assert named(namer, track) == ["Ada"]
    assert named(namer, straight) == [UNKNOWN]  # straight faces so far away are somebody else's


def test_a_name_is_taken_back_when_it_is_no_longer_likely(namer):
    track = Evidence(0)
    see(track, ADA, quality=0.1)
    assert named(namer, track) == ["Ada"]

    see(track, *[off(0.7)] * 8, quality=0.2)

    assert named(namer, track) == [UNKNOWN]


def test_one_face_of_another_does_not_change_a_name(namer):
    track = Evidence(0)
    see(track, ADA, ADA, ADA, ADA, GRACE)

    assert named(namer, track) == ["Ada"]


def test_a_name_turns_when_the_last_faces_are_anothers(namer):
    track = Evidence(0)
    see(track, *[ADA] * 30, quality=0.9)
    assert named(namer, track) == ["Ada"]

    see(track, *[GRACE] * 4, quality=0.3)  # worse than those before, which would outvote them for ever

    assert named(namer, track) == ["Grace"]
    assert named(namer, track) == ["Grace"]  # and stays so


def test_a_stranger_does_not_inherit_a_name(namer):
    track = Evidence(0)
    see(track, *[ADA] * 30, quality=0.9)
    named(namer, track)

    see(track, *[NOBODY] * 4, quality=0.4)

    assert named(namer, track) == [UNKNOWN]


def test_who_turns_away_keeps_the_name(namer):
    track = Evidence(0)
    see(track, *[ADA] * 30, quality=0.9)
    named(namer, track)

    see(track, *[NOBODY] * 10, quality=0.05)  # a profile is like nobody's face

    assert named(namer, track) == ["Ada"]


def test_nobody_is_two_faces_at_once(namer):
    first, nearer, enrolled = Evidence(0), Evidence(1), Evidence(2)
    see(first, ADA + 0.1)
    see(nearer, ADA)

    assert named(namer, first, nearer) == [UNKNOWN, "Ada"]

    see(enrolled, NOBODY)
    enrolled.enrolled = "Ada"
    assert named(namer, first, nearer, enrolled) == [UNKNOWN, UNKNOWN, "Ada"]


def test_two_alike_do_not_pass_the_name_to_and_fro(namer):
    first, second = Evidence(0), Evidence(1)
    answers = []
    for step in range(8):
        see(first, off(0.200 + 0.004 * (step % 2)))
        see(second, off(0.204 - 0.004 * (step % 2)))
        answers.append(named(namer, first, second))

    assert answers == [["Ada", UNKNOWN]] * 8


def test_what_its_user_said_stands_until_another_comes(namer):
    track = Evidence(0)
    see(track, *[NOBODY] * 5)
    track.enrolled = "Edith"

    assert named(namer, track) == ["Edith"]
    assert track.answer.confidence == 1

    see(track, *[GRACE] * 4)

    assert named(namer, track) == ["Grace"]


def test_its_best_faces_are_kept_and_bounded():
    track = Evidence(0)
    for quality in np.linspace(0.1, 0.9, 50):
        see(track, ADA, quality=float(quality))

    assert len(track.best) == 8
    assert min(sight.quality for sight in track.best) > 0.75
    assert not track.wants(0.5)
    assert track.wants(0.95)
