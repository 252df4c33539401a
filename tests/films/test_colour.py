"""Black and white and toned pictures have no colour, pale ones in colour have some."""

import numpy as np
import pytest

from facelib.films.colour import is_colourless


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
        (np.zeros((18, 32, 3), np.uint8), True),
        (np.full((1, 1, 3), 255, np.uint8), True),
    ],
)
def test_pictures_without_colour(image, colourless):
    assert is_colourless(image) == colourless
