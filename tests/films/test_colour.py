"""Black and white and toned pictures have no colour, pale ones in colour have some."""

import numpy as np
import pytest

from facelib.films.colour import is_black_and_white, is_colourless


def picture(tone=(1, 1, 1), *, chroma=0):
    """Lights and shadows in one tone; `chroma` of 255 between neighbouring cells."""
    rng = np.random.default_rng(0)
    light = rng.uniform(20, 220, (18, 32, 1))
    return np.clip(light * tone + rng.choice([-chroma, chroma], (18, 32, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("image", "colourless"),
    [
        (picture(), True),
        (picture((1.1, 0.98, 0.76)), True),  # sepia
        (picture((0.8, 0.95, 1.1)), True),  # a blue tone
        (picture(chroma=1), True),  # noise of the codec
        (picture(chroma=10), False),
        (picture((1.1, 0.98, 0.76), chroma=10), False),
        (np.repeat([[[40, 60, 170]], [[225, 205, 90]]], 9, axis=0).repeat(32, axis=1).astype(np.uint8), False),  # two
        (np.zeros((18, 32, 3), np.uint8), True),
        (np.full((1, 1, 3), 255, np.uint8), True),
    ],
)
def test_pictures_without_colour(image, colourless):
    assert is_colourless(image) == colourless
    assert is_colourless(image) or not is_black_and_white(image)


@pytest.mark.parametrize(
    ("image", "black_and_white"),
    [
        (picture(), True),
        (picture(chroma=1), True),
        (picture((1.1, 0.98, 0.76)), False),
        (picture(chroma=10), False),
        (np.zeros((18, 32, 3), np.uint8), True),
        (np.full((360, 640, 3), 130, np.uint8), True),
    ],
)
def test_a_toned_picture_is_not_in_black_and_white(image, black_and_white):
    assert is_black_and_white(image) == black_and_white
