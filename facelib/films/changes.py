"""How far the colours and the light of two pictures of a film differ."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from facelib.faces import Image

LEAST_CUT = 27.0  # mean change of hue, saturation and lightness that is a cut: the default of PySceneDetect 0.7


class PictureChange(NamedTuple):
    """The mean difference of two pictures, 0 to 255; as PySceneDetect's `ContentDetector` measures it.

    Once of hue, saturation and lightness, once of lightness alone.
    """

    colour: float
    light: float


NO_CHANGE = PictureChange(0.0, 0.0)


def tones(picture: Image) -> Image:
    """Return what is compared of a picture, `(h, w, 3)` uint8: hue, saturation and the largest of red, green and blue.

    Args:
        picture: `(h, w, 3)` uint8, in BGR order.
    """
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV), np.uint8)


def picture_change(before: Image, after: Image) -> PictureChange:
    """Return how far two pictures of one size differ, given their `tones`."""
    pixels = before.shape[0] * before.shape[1]
    hue, saturation, light = (total / pixels for total in cv2.sumElems(cv2.absdiff(before, after))[:3])
    return PictureChange((hue + saturation + light) / 3, light)
