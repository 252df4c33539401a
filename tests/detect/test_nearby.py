"""Faces found in parts of a picture are those found in the whole."""

from __future__ import annotations

import numpy as np
import pytest

from facelib.detect import load_detector
from facelib.detect.nearby import detect_near
from facelib.faces import iou


@pytest.fixture(scope="module")
def detector():
    return load_detector("centerface", smallest_face=16)


@pytest.fixture(scope="module")
def wide(two_sizes):
    """A picture of 1120x600 in which two faces lie far from each other."""
    picture, boxes = two_sizes
    canvas = np.full((600, 1120, 3), 90, np.uint8)
    canvas[:300, :560] = picture
    return canvas, boxes


def test_the_whole_picture_and_its_parts_agree(detector, wide):
    picture, boxes = wide
    whole, parts = detector.detect(picture), detect_near(detector, picture, boxes)
    assert len(parts) == len(whole) == 2
    assert (iou(whole.boxes, parts.boxes).max(axis=1) > 0.95).all()
    assert np.abs(whole.scores - parts.scores).max() < 0.05
    assert np.abs(whole.landmarks - parts.landmarks).max() < 2


@pytest.mark.parametrize("wanted", [0, 1])
def test_only_what_is_near_a_box_is_found(detector, wide, wanted):
    picture, boxes = wide
    found = detect_near(detector, picture, boxes[[wanted]])
    assert (iou(found.boxes, boxes) > 0.5).tolist() == [[number == wanted for number in range(2)]]


def test_no_boxes_no_faces(detector, wide):
    assert len(detect_near(detector, wide[0], np.empty((0, 4), np.float32))) == 0


def test_a_face_that_a_part_cuts_is_left_out(detector, wide):
    picture, boxes = wide
    left, top, _, _ = boxes[0]
    corner = np.array([[left - 20, top - 20, left + 44, top + 44]], np.float32)  # reaches its forehead only
    found = detect_near(detector, picture, corner)
    assert all(overlap > 0.8 for overlap in iou(found.boxes, boxes[[0]]).ravel())


@pytest.mark.parametrize("working_size", [None, 640, 1120, 2240])
def test_parts_are_searched_at_the_scale_of_the_whole(wide, working_size):
    picture, boxes = wide
    detector = load_detector("centerface", smallest_face=10, working_size=working_size)
    if working_size == 640:
        picture, boxes = np.ascontiguousarray(picture[:300, :560]), boxes
    whole, parts = detector.detect(picture), detect_near(detector, picture, boxes)
    assert (iou(whole.boxes, parts.boxes).max(axis=1) > 0.9).all()
