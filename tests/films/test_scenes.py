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


@pytest.mark.parametrize("tone", [(1, 1, 1), (1.1, 0.98, 0.76)])
def test_set_ups_without_colour_differ_by_their_light(tone):
    """Half of the cells of two places in black and white are nearer than cells of one place may lie in colour."""
    shots = [np.clip(place(seed)[..., :1] * tone, 0, 255).astype(np.uint8) for seed in (1, 2, 1, 3)]
    assert find_setups(shots).tolist() == [0, 1, 0, 2]


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


def test_a_set_up_that_was_long_left_is_a_new_one():
    shots = [place(1), *(place(seed) for seed in range(2, 6)), place(1)]
    assert find_setups(shots).tolist() == [0, 1, 2, 3, 4, 0]
    assert find_setups(shots, reach=3).tolist() == [0, 1, 2, 3, 4, 5]
    assert find_setups([place(1), place(2), place(1), place(3), place(4), place(1)], reach=3).tolist() == [
        0,
        1,
        0,
        2,
        3,
        0,
    ]


def test_scenes_of_other_colours_one_after_the_other_are_parted():
    colours = [(60, 80, 160), (70, 140, 60), (160, 60, 60), (150, 150, 150)]
    shots = [place(10 * scene + camera % 2, colour=colours[scene]) for scene in range(4) for camera in range(5)]
    starts = [4.0 * shot for shot in range(20)]
    assert find_scenes(shots, starts).tolist() == [scene for scene in range(4) for _ in range(5)]
    assert set(find_scenes(shots, starts, least_coherence=0.0).tolist()) == {0}


def test_one_place_that_comes_back_is_another_scene():
    """A film that returns to a place much later does not tie all that lies between into one scene."""
    shots = [place(seed, colour=colour) for colour in (BLUE, GREEN, BLUE) for seed in (1, 2, 3, 4)]
    assert find_scenes(shots, [2.0 * shot for shot in range(12)]).tolist() == [0] * 4 + [1] * 4 + [2] * 4
