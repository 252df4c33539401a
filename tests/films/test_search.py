"""The search of sampled frames finds what a search of all whole pictures finds, with less work."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from facelib.detect import load_detector
from facelib.faces import iou
from facelib.films.media.decode import FilmFrame, read_frames
from facelib.films.search import Sampler, search_faces
from facelib.films.shots import split_shots
from facelib.nets.runtime import Network


@pytest.fixture(scope="module")
def detector():
    return load_detector("centerface", smallest_face=16, working_size=640)


@pytest.fixture
def pixels(monkeypatch):
    """How many pixels each run of a network looks at."""
    counts: list[int] = []
    run = Network.run

    def counting(self, array, outputs=None):
        counts.append(array.shape[2] * array.shape[3])
        return run(self, array, outputs)

    monkeypatch.setattr(Network, "run", counting)
    return counts


def portraits(places):
    """Pictures of 640x360 with the astronaut's face at a place, left and top, or without where that is None."""
    face = cv2.resize(np.asarray(data.astronaut(), np.uint8)[20:270, 90:340], (160, 160), interpolation=cv2.INTER_AREA)
    for place in places:
        picture = np.full((360, 640, 3), 90, np.uint8)
        if place is not None:
            x, y = (round(value) for value in place)
            picture[y : y + 160, x : x + 160] = face
        yield picture


def searched(film, detector, seconds=0.1, whole=0.5):
    return list(search_faces(split_shots(read_frames(film)), detector, Sampler(seconds), seconds_between_whole=whole))


STILL = [(200, 100)] * 50
CASES = {
    "still": STILL,
    "moving slowly": [(100 + i, 80) for i in range(50)],
    "moving by its width in half a second": [(20 + 8 * i, 80) for i in range(50)],
    "coming between two whole pictures": [None] * 17 + [(200, 100)] * 33,
    "going between two whole pictures": [(200, 100)] * 33 + [None] * 17,
    "gone for a while": [(200, 100)] * 12 + [None] * 25 + [(200, 100)] * 13,
    "nobody": [None] * 50,
    "coming after a calm stretch": [None] * 73 + [(200, 100)] * 31,
    "going after a calm stretch": [(200, 100)] * 73 + [None] * 31,
}


@pytest.mark.parametrize("name", CASES)
def test_a_face_is_found_in_every_sample(make_film, detector, name):
    frames = searched(make_film(pictures=list(portraits(CASES[name]))), detector)
    assert [frame.index for frame in frames] == list(range(len(CASES[name])))
    for frame in frames:
        if frame.sample is None:
            continue
        whole = detector.detect(frame.sample.picture)
        assert len(frame.sample.faces) == len(whole), frame.index
        if len(whole):
            assert iou(frame.sample.faces.boxes, whole.boxes)[0, 0] > 0.75, frame.index


def test_a_still_face_costs_little(make_film, detector, pixels):
    samples = [frame for frame in searched(make_film(pictures=list(portraits(STILL))), detector) if frame.sample]
    assert len(samples) >= 19
    assert sum(pixels) < 0.3 * len(samples) * max(pixels)
    assert max(pixels) == 640 * 352  # of 640x360: without padding


@pytest.mark.parametrize(
    ("frames", "wholes"),
    [
        (80, 5),  # at 0, 0.5, 1.5 and 2.5 seconds, and at the end
        (70, 4),  # not at 2.5 seconds, so near to the end
    ],
)
def test_no_whole_picture_is_searched_shortly_before_the_end(make_film, detector, pixels, frames, wholes):
    searched(make_film(pictures=list(portraits(STILL[:1] * frames))), detector)
    assert pixels.count(640 * 352) == wholes


def test_only_pictures_that_are_searched_are_converted(make_film, detector, pixels, monkeypatch):
    converted: list[int] = []
    convert = FilmFrame.picture

    def counting(self, longest):
        converted.append(self.index)
        return convert(self, longest)

    monkeypatch.setattr(FilmFrame, "picture", counting)
    searched(make_film(pictures=list(portraits(STILL))), detector)
    assert sorted(set(converted)) == sorted(converted) and len(converted) == len(pixels)


def test_every_sample_is_searched_whole_unless_asked_otherwise(make_film, detector, pixels):
    film = make_film(pictures=list(portraits(STILL[:12])))
    samples = [frame for frame in searched(film, detector, whole=0.0) if frame.sample]
    assert len(pixels) == len(samples) and len(set(pixels)) == 1


def test_a_detector_without_parts_searches_every_sample(make_film):
    mtcnn = load_detector("mtcnn")
    for frame in searched(make_film(pictures=list(portraits(STILL[:12]))), mtcnn):
        if frame.sample is not None:
            np.testing.assert_array_equal(frame.sample.faces.boxes, mtcnn.detect(frame.sample.frame.image()).boxes)


@pytest.mark.parametrize(("seconds", "every", "wanted"), [(0.0, 0, 12), (0.0, 5, 4), (10.0, 0, 3), (0.2, 0, 4)])
def test_samples_are_the_ends_and_those_on_the_grid(make_film, seconds, every, wanted):
    sampler = Sampler(seconds, every)
    taken = [item.frame.index for item in split_shots(read_frames(make_film(pictures=list(portraits(STILL[:12])))))
             if sampler.takes(item)]  # fmt: skip
    assert len(taken) == wanted and {0, 11} <= set(taken)
