import numpy as np
import pytest

from facelib.detect import cnn, load_detector
from facelib.faces import iou
from facelib.images import read_image


def overlaps(image, smallest):
    """Return how far each face that dlib finds overlaps one of ours, having seen that there are as many."""
    reference = load_detector("cnn", engine="dlib", smallest_face=smallest).detect(image)
    faces = load_detector("cnn", smallest_face=smallest).detect(image)
    assert len(faces) == len(reference)
    assert np.abs(np.sort(reference.scores) - np.sort(faces.scores)).max(initial=0) < 0.02
    return iou(reference.boxes, faces.boxes).max(axis=1, initial=0).tolist()


def test_dlib_finds_the_same_face(portrait):
    (overlap,) = overlaps(np.ascontiguousarray(portrait[30:210, 120:320]), 80)
    assert overlap > 0.75  # two neighbouring windows score nearly alike here


def test_dlib_finds_no_more_where_there_is_nothing():
    assert overlaps(np.zeros((100, 120, 3), np.uint8), 80) == []


@pytest.mark.real_data
def test_dlib_finds_the_same_faces_in_real_pictures(shared_data):
    found = []
    for path in sorted((shared_data / "lfw/strangers").glob("*/*.jpg"))[:10]:
        found += overlaps(read_image(path), 80)
    assert len(found) >= 10
    assert np.median(found) > 0.95
    assert np.mean(np.array(found) > 0.8) >= 0.9  # two windows may score alike to the third digit


def test_dlib_finds_the_same_face_when_it_doubles_the_picture(portrait):
    small = np.ascontiguousarray(portrait[::3, ::3][:90, 20:120])
    reference, faces = (
        load_detector("cnn", engine=engine, smallest_face=40).detect(small) for engine in ("dlib", "onnx")
    )
    assert len(faces) == len(reference) == 1
    assert iou(reference.boxes, faces.boxes)[0, 0] > 0.7  # dlib doubles a picture its own way


@pytest.mark.parametrize(
    ("smallest", "allowed", "times"),
    [
        (200, np.inf, 0),
        (80, np.inf, 0),
        (79, np.inf, 1),
        (40, np.inf, 1),
        (39, np.inf, 2),
        (5, np.inf, 4),
        (5, 4.5, 2),  # the working size stops it
        (40, 1.9, 0),
    ],
)
def test_dlib_doubles_until_the_face_fills_its_window(smallest, allowed, times):
    assert cnn.doublings(80 / smallest, allowed) == times


@pytest.mark.parametrize(("working", "found"), [(None, 1), (300, 1), (75, 0)])
def test_the_working_size_bounds_the_enlargement(portrait, working, found):
    small = np.ascontiguousarray(portrait[30:210:4, 60:360:4])  # 75 pixels wide, a face of 27
    for name in ("cnn", "hog"):
        assert len(load_detector(name, smallest_face=20, working_size=working).detect(small)) == found


def test_a_picture_worked_through_in_bands_gives_the_same(portrait, monkeypatch):
    tall = np.concatenate([portrait, portrait[::-1], portrait])
    detector = load_detector("cnn", smallest_face=60)
    whole = detector.detect(tall)
    monkeypatch.setattr(cnn, "BAND_PIXELS", 100_000)
    assert sum(1 for _ in cnn.bands(tall)) > 3
    banded = detector.detect(tall)
    assert len(whole) >= 2
    assert np.allclose(whole.boxes, banded.boxes)
    assert np.allclose(whole.scores, banded.scores, atol=1e-4)


@pytest.mark.parametrize("height", [62, 500, 1000, 1001, 1003, 1007])
def test_bands_give_every_row_once(height, monkeypatch):
    monkeypatch.setattr(cnn, "BAND_PIXELS", 1)
    picture = np.zeros((height, 70, 3), np.uint8)
    scores = (height - 29) // 8 + 1
    seen = []
    for first, lower, upper, band in cnn.bands(picture):
        count = (len(band) - 29) // 8 + 1  # rows of scores that three steps of two, with five pixels each, give
        seen += [first + row for row in range(count)][lower:upper]
    assert seen == list(range(scores))
