"""Portraits: searched at a working size, and turned upright where the face lies sideways."""

import numpy as np
import pytest

from facelib import Faces, load_detector
from facelib.detect.portraits import Portrait, find_portrait, main_face
from facelib.faces import iou


class Blind:
    """A detector that finds nothing."""

    def detect(self, image):
        return Faces.empty()


@pytest.fixture(scope="module")
def detector():
    return load_detector()


@pytest.mark.parametrize("turns", range(4))
def test_a_face_is_turned_upright_and_found_where_it_was(portrait, detector, turns):
    upright = find_portrait(portrait, detector)
    given = np.ascontiguousarray(np.rot90(portrait, turns))
    found = find_portrait(given, detector)
    assert (found.quarter_turns, found.upright) == (-turns % 4, True)
    assert np.array_equal(found.image, portrait)
    assert iou(found.main.boxes, upright.main.boxes)[0, 0] > 0.95
    # Turned by hand, the face in the given picture is the one in the upright picture.
    left, top, right, bottom = found.faces_as_given().boxes[0].round().astype(int)
    cut = np.rot90(given[top:bottom, left:right], found.quarter_turns)
    left, top, right, bottom = found.faces.boxes[0].round().astype(int)
    assert np.array_equal(cut, found.image[top:bottom, left:right])


def test_landmarks_follow_the_turn(portrait, detector):
    found = find_portrait(np.ascontiguousarray(np.rot90(portrait)), detector)
    eyes = found.faces_as_given().landmarks[0, :2]
    assert abs(np.diff(eyes[:, 1])[0]) > 3 * abs(np.diff(eyes[:, 0])[0])  # one above the other


def test_without_a_face_nothing_is_turned(portrait):
    found = find_portrait(portrait, Blind())
    assert (len(found.faces), len(found.main), found.quarter_turns, found.upright) == (0, 0, 0, True)
    assert len(found.faces_as_given()) == 0


def test_a_face_that_is_found_only_sideways_is_said_to_be():
    eyes_left_of_the_mouth = [[[20, 60], [20, 40], [30, 50], [40, 60], [40, 40]]]
    face = Faces.of([[10, 30, 50, 70]], [0.9], eyes_left_of_the_mouth)

    class Stubborn:
        def detect(self, image):
            return face

    found = find_portrait(np.zeros((100, 100, 3), np.uint8), Stubborn())
    assert not found.upright and found.quarter_turns == 0 and len(found.faces) == 1


def test_unknown_landmarks_turn_nothing():
    class Boxes:
        def detect(self, image):
            return Faces.of([[10, 30, 50, 70]])

    assert find_portrait(np.zeros((100, 100, 3), np.uint8), Boxes()).quarter_turns == 0


def test_the_main_face_is_large_and_in_the_middle():
    faces = Faces.of([[0, 0, 45, 45], [30, 30, 70, 70]])
    assert main_face(faces, width=100, height=100) == 1
    assert Portrait(np.zeros((100, 100, 3), np.uint8), faces).main.boxes[0, 0] == 30
    with pytest.raises(ValueError, match="at least one face"):
        main_face(Faces.empty(), width=1, height=1)
