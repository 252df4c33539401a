import cv2
import numpy as np
import pytest

from facelib.detect.base import Options, checked, padded, planar, resized, shrunk, suppress

BOXES = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [2, 2, 6, 6], [50, 50, 60, 60]], np.float32)
SCORES = np.array([-0.5, 0.9, 0.95, -3.0], np.float32)


@pytest.mark.parametrize(
    ("overlap", "of", "kept"),
    [
        (0.3, "union", [2, 1, 3]),  # the first box loses to the second; the small one inside shares too little
        (0.9, "union", [2, 1, 0, 3]),  # nearly nothing goes
        (0.3, "smaller", [2, 3]),  # what lies inside the small box's neighbours counts in full
    ],
)
def test_the_best_of_overlapping_boxes_stays(overlap, of, kept):
    assert suppress(BOXES, SCORES, overlap=overlap, of=of).tolist() == kept


@pytest.mark.parametrize("of", ["union", "smaller"])
def test_no_boxes_stay_of_none(of):
    assert suppress(np.empty((0, 4), np.float32), np.empty(0, np.float32), overlap=0.5, of=of).tolist() == []


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (None, "NoneType"),
        ("face.jpg", "str"),
        (np.zeros((4, 4), np.uint8), r"\(4, 4\)"),  # grey
        (np.zeros((4, 4, 4), np.uint8), r"\(4, 4, 4\)"),  # with transparency
        (np.zeros((4, 4, 3), np.float32), "float32"),
        (np.zeros((0, 4, 3), np.uint8), r"\(0, 4, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_was_given(image, told):
    with pytest.raises(ValueError, match=told):
        checked(image)


def test_a_view_is_made_contiguous():
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)[:, ::-1]
    assert checked(image).flags.c_contiguous
    assert np.array_equal(checked(image), image)


@pytest.mark.parametrize(
    ("shape", "limit", "small", "factor"),
    [
        ((100, 200, 3), None, (100, 200), 1),
        ((100, 200, 3), 200, (100, 200), 1),
        ((100, 200, 3), 400, (100, 200), 1),  # never enlarged
        ((100, 200, 3), 50, (25, 50), 0.25),
        ((1, 1000, 3), 100, (1, 100), 0.1),  # no side vanishes
    ],
)
def test_a_picture_is_brought_to_its_working_size(shape, limit, small, factor):
    got, taken = shrunk(np.zeros(shape, np.uint8), limit)
    assert got.shape[:2] == small
    assert taken == factor


def test_a_strong_reduction_takes_the_mean():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::2] = 200
    assert set(np.unique(resized(stripes, 0.25))) == {100}


@pytest.mark.parametrize("given", [{"smallest_face": 0}, {"smallest_face": -1}, {"smallest_face": float("nan")}])
def test_a_smallest_face_of_no_size_is_refused(given):
    with pytest.raises(ValueError, match="smallest_face"):
        Options(**given)


def test_a_working_size_of_nothing_is_refused():
    with pytest.raises(ValueError, match="working_size"):
        Options(working_size=0)


def test_a_network_takes_the_picture_as_opencv_makes_it():
    picture = np.random.default_rng(0).integers(0, 256, (33, 40, 3), dtype=np.uint8)
    given = planar(padded(picture))
    assert given.shape == (1, 3, 64, 64) and given.dtype == np.float32
    assert np.array_equal(given, cv2.dnn.blobFromImage(padded(picture)))
    assert np.array_equal(given[0, 2, :33, :40], picture[..., 2]) and not given[0, :, 33:].any()
