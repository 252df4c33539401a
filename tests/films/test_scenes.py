"""Shots of one place are one scene, and shots from one place of the camera one set-up."""

import numpy as np
import pytest

from facelib.films.scenes import HEIGHT, WIDTH, background, find_scenes, find_setups, small_picture


def place(seed, *, colour=(120, 100, 80), swing=0):
    """A small picture of a place: patches about one colour; `swing` cells to the right."""
    rng = np.random.default_rng(seed)
    patches = rng.normal(0, 30, (6, 12, 3)).repeat(4, axis=0).repeat(4, axis=1)
    picture = np.clip(np.array(colour) + patches, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(picture[:HEIGHT, 4 + swing : 4 + swing + WIDTH])


def test_small_pictures_and_backgrounds_have_one_size():
    image = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    assert small_picture(image).shape == (HEIGHT, WIDTH, 3)
    assert background([small_picture(image)] * 3).shape == (HEIGHT, WIDTH, 3)


def test_who_walks_through_leaves_no_trace():
    pictures = [place(1).copy() for _ in range(9)]
    for column, picture in enumerate(pictures):
        picture[:, 3 * column : 3 * column + 3] = 0
    assert np.array_equal(background(pictures), place(1))


def test_setups_come_back():
    shots = [place(1), place(2), place(1), place(3), place(2, swing=1)]
    assert find_setups(shots).tolist() == [0, 1, 0, 2, 1]


BLUE, GREEN = (60, 80, 160), (70, 140, 60)


@pytest.mark.parametrize(
    ("shots", "starts", "scenes"),
    [
        ([(1, BLUE), (2, BLUE), (1, BLUE)], [0, 5, 10], [0, 0, 0]),
        ([(1, BLUE), (2, GREEN), (1, BLUE)], [0, 5, 10], [0, 0, 0]),  # what lies between two like shots belongs to them
        ([(1, BLUE), (2, BLUE), (3, GREEN), (4, GREEN)], [0, 5, 10, 15], [0, 0, 1, 1]),
        ([(1, BLUE), (3, GREEN), (1, BLUE)], [0, 100, 200], [0, 1, 2]),  # too long ago
        ([(1, BLUE)], [0], [0]),
        ([], [], []),
    ],
)
def test_scenes(shots, starts, scenes):
    pictures = [place(seed, colour=colour) for seed, colour in shots]
    assert find_scenes(pictures, starts).tolist() == scenes


def test_no_shots_have_no_setups():
    assert find_setups([]).tolist() == []
