"""Clothes and hair are told by their colours, whatever the light, the size of the picture and the turn of the head."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from facelib.embed.pose import head_pose
from facelib.faces import Faces
from facelib.films.clothes import (
    _BODY_WEIGHTS,
    BINS,
    _histogram,
    clothes_and_hair,
    colour_word,
    hellinger_distance,
    mean_colours,
)

RED, BLUE, YELLOW = (180, 25, 30), (40, 60, 170), (225, 205, 90)


def figure(colour, *, size=40, light=1.0, background=(90, 110, 90)):
    """A head over a body of one colour, with some noise; returns the picture and the head's box."""
    rng = np.random.default_rng(3)
    image = np.full((size * 5, size * 6, 3), background, np.float32)
    left, top = size * 5 // 2, size
    image[top : top + size, left : left + size] = (220, 180, 150)
    image[top + size + size // 8 :, left - size // 2 : left + size * 3 // 2] = colour
    image = image * light + rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), Faces.of([[left, top, left + size, top + size]])


def clothes(image, faces):
    return clothes_and_hair(image, faces, head_pose(faces.landmarks))[0]


def hair(image, faces):
    return clothes_and_hair(image, faces, head_pose(faces.landmarks))[1]


def described(colour, **options):
    (found,) = clothes(*figure(colour, **options))
    return found


def test_one_row_a_face_of_length_one():
    found = described(RED)
    assert found.shape == (576,)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("grey", [False, True])
def test_histograms_are_those_of_numpy_smoothed_by_scipy(grey):
    lightness, colours = np.random.default_rng(0).uniform((0, -90, -90), (100, 90, 90), (2, 576, 3)).astype(np.float32)
    lab = np.concatenate(
        [colours[:286], lightness[:286] * (1, 0, 0), [[0, 0, 0], [25, 8, -8], [75, 200, -200], [100, 0, 0]]]
    )
    chroma = np.stack([np.full(576, -48), 0.96 * (lab[:, 0] - 50)], 1) if grey else 60 * np.tanh(lab[:, 1:] / 60)
    values = np.clip(np.column_stack([lab[:, 0], chroma]), (0, -48, -48), (100, 48, 48))
    wanted, _ = np.histogramdd(values, BINS, ((0, 100), (-48, 48), (-48, 48)), weights=_BODY_WEIGHTS)
    for axis in range(3):
        wanted = gaussian_filter1d(wanted, 0.8, axis=axis, mode="nearest")
    found = _histogram(lab.astype(np.float32), _BODY_WEIGHTS, grey=grey)
    np.testing.assert_allclose(found, np.sqrt(wanted.ravel() / wanted.sum()), atol=1e-7)


def test_the_same_shirt_is_nearer_than_another_in_other_light_and_size():
    views = [described(RED), described(RED, light=0.8), described(RED, size=17)]
    others = [described(BLUE), described(YELLOW, light=0.8)]
    same = hellinger_distance(np.stack(views), np.stack(views))
    assert same.max() < hellinger_distance(np.stack(views), np.stack(others)).min() - 0.2


@pytest.mark.parametrize(
    ("colour", "word"),
    [(RED, "red"), (BLUE, "blue"), (YELLOW, "yellow"), ((15, 15, 15), "black"), ((240, 240, 240), "white"),
     ((60, 120, 60), "green"), ((110, 75, 45), "brown"), ((130, 130, 130), "grey"), ((130, 50, 140), "purple")],
)  # fmt: skip
def test_colours_have_words(colour, word):
    assert colour_word(described(colour)) == word


def without_colour(level, **options):
    """A shirt of a level of grey, in a picture in black and white."""
    image, faces = figure((level,) * 3, **options)
    (found,) = clothes(image.mean(axis=2, keepdims=True).repeat(3, axis=2).astype(np.uint8), faces)
    return found


@pytest.mark.parametrize(("level", "word"), [(15, "black"), (130, "grey"), (240, "white")])
def test_clothes_without_colour_have_words(level, word):
    assert colour_word(without_colour(level)) == word


@pytest.mark.parametrize(("dark", "light"), [(60, 100), (100, 140), (140, 180)])
def test_clothes_without_colour_are_told_by_their_lightness(dark, light):
    """As far apart as usual for two people, and one shirt in other light or size as near as usual for one."""
    views = [without_colour(dark), without_colour(dark, light=0.9), without_colour(dark, size=17)]
    assert hellinger_distance(np.stack(views), np.stack(views)).max() < 0.3
    assert hellinger_distance(np.stack(views), without_colour(light)[None]).min() > 0.55


@pytest.mark.parametrize("colour", [(0, 128, 0), (0, 160, 60), (0, 140, 110)])
def test_the_greenest_clothes_are_not_taken_for_grey(colour):
    assert colour_word(described(colour)) == "green"


@pytest.mark.parametrize(
    "box",
    [
        [10, 60, 60, 98],  # nothing below it
        [-60, 10, -20, 40],  # outside the picture
        [10, 10, 11, 11],  # a single pixel
    ],
)
def test_a_body_out_of_the_picture_is_unknown(box):
    image = np.zeros((100, 100, 3), np.uint8)
    assert clothes(image, Faces.of([box]))[0] is None or box[2] - box[0] <= 1


def test_no_faces_and_no_clothes():
    assert clothes(np.zeros((10, 10, 3), np.uint8), Faces.empty()) == []
    nothing = mean_colours([])
    assert np.isnan(nothing).all()
    assert colour_word(nothing) == ""
    assert np.isnan(hellinger_distance(nothing[None], described(RED)[None])).all()


def test_the_mean_lies_between_the_views():
    one, other = described(RED), described(BLUE)
    mean = mean_colours([one, other])
    assert np.linalg.norm(mean) == pytest.approx(1, abs=1e-5)
    apart = hellinger_distance(mean[None], np.stack([one, other]))[0]
    assert (apart < hellinger_distance(one[None], other[None])[0, 0]).all()


def test_a_different_background_beside_the_body_changes_little():
    # A body half as wide as it should be: a child at the side, or somebody turned away.
    narrow = [figure(BLUE, background=ground) for ground in ((90, 110, 90), (200, 200, 60))]
    for image, faces in narrow:
        left, _, right, bottom = faces.boxes[0].astype(int)
        ground = image[2, 2]
        image[bottom:, : left + 4] = ground
        image[bottom:, right - 4 :] = ground
    views = np.stack([clothes(image, faces)[0] for image, faces in narrow])
    assert 0 < hellinger_distance(views, views)[0, 1] < hellinger_distance(views, described(RED)[None]).min() - 0.1


def profile(box, *, right):
    """A face with the landmarks of a profile that looks to the picture's right or left."""
    left, top, side = box[0], box[1], box[2] - box[0]
    across = np.array([0.55, 0.75, 1.0, 0.6, 0.75]) * side
    down = np.array([0.35, 0.35, 0.55, 0.8, 0.8]) * side
    points = np.column_stack([left + (across if right else side - across), top + down])
    if not right:
        points = points[[1, 0, 2, 4, 3]]
    return Faces.of([box], None, [points])


@pytest.mark.parametrize("right", [True, False])
def test_a_profiles_clothes_are_taken_behind_the_face(right):
    """The body stands behind the face of a profile, and something bright before it."""
    image = np.full((300, 400, 3), (225, 205, 90), np.uint8)
    body = slice(100, 200) if right else slice(200, 300)
    image[:, body] = BLUE
    box = [180, 60, 220, 100]
    (behind,) = clothes(image, profile(box, right=right))
    (straight,) = clothes(image, Faces.of([box]))
    blue = described(BLUE)
    assert colour_word(behind) == "blue"
    assert hellinger_distance(behind[None], blue[None]) < hellinger_distance(straight[None], blue[None]) - 0.1


def test_hair_is_told_above_the_face_and_dark_is_not_fair():
    dark, fair = (35, 25, 20), (215, 185, 120)
    found = {}
    for name, colour in (("dark", dark), ("fair", fair), ("dark again", dark)):
        image, faces = figure(BLUE)
        left, top, right, _ = faces.boxes[0].astype(int)
        image[top - 14 : top + 4, left - 4 : right + 4] = colour
        (found[name],) = hair(image, faces)
    apart = hellinger_distance(np.stack([found["dark"]]), np.stack([found["fair"], found["dark again"]]))[0]
    assert apart[0] > 0.6 > 0.2 > apart[1]


def test_hair_out_of_the_picture_is_unknown():
    image = np.zeros((100, 100, 3), np.uint8)
    assert hair(image, Faces.of([[20, -30, 60, 10]])) == [None]
    assert hair(image, Faces.empty()) == []
