"""How far the colours and the light of two pictures of a film differ."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from facelib.faces import Image

LEAST_CUT = 27.0  # mean change of hue, saturation and lightness that is a cut: the default of PySceneDetect 0.7

Tones = tuple[Image, Image, Image]
"""Hue, saturation and the largest of red, green and blue, each `(h, w)` uint8, as `tones` gives them."""


class PictureChange(NamedTuple):
    """The mean difference of two pictures, 0 to 255; as PySceneDetect's `ContentDetector` measures it.

    Attributes:
        colour: Of hue, saturation and lightness.
        light: Of lightness alone.
    """

    colour: float
    light: float


NO_CHANGE = PictureChange(0.0, 0.0)


def tones(picture: Image) -> Tones:
    """Return what is compared of a picture.

    Args:
        picture: `(h, w, 3)` uint8, in BGR order.
    """
    planes = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    hue, saturation, light = (np.asarray(plane, np.uint8) for plane in planes)
    return hue, saturation, light


def picture_change(before: Tones, after: Tones) -> PictureChange:
    """Return how far two pictures of one size differ."""
    hue, saturation, light = (cv2.norm(*pair, cv2.NORM_L1) / pair[0].size for pair in zip(before, after, strict=True))
    return PictureChange((hue + saturation + light) / 3, light)
