"""How far two pictures differ."""

from __future__ import annotations

import numpy as np
import pytest

from facelib.films.colour import picture_change, tones

RED, GREEN, BLACK, WHITE = (0, 0, 255), (0, 255, 0), (0, 0, 0), (255, 255, 255)


@pytest.mark.parametrize(
    ("before", "after", "colour", "light"),
    [
        (RED, RED, 0, 0),
        (RED, GREEN, 20, 0),  # hues are 0 to 179
        (BLACK, WHITE, 85, 255),
        (WHITE, RED, 85, 0),
        (RED, BLACK, 170, 255),
    ],
)
def test_changes_of_plain_pictures(before, after, colour, light):
    pictures = (np.full((9, 16, 3), value, np.uint8) for value in (before, after))
    assert picture_change(*map(tones, pictures)) == pytest.approx((colour, light))


def test_half_a_picture_changes_half_as_much():
    before, after = np.zeros((2, 10, 16, 3), np.uint8)
    after[:5] = 255
    assert picture_change(tones(before), tones(after)) == pytest.approx((42.5, 127.5))
