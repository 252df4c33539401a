"""Colours of pictures: how far those of two differ, and whether a picture has any."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from facelib.faces import FloatArray, Image

LEAST_CUT = 27.0  # mean change of hue, saturation and lightness that is a cut: the default of PySceneDetect 0.7
_SIZE = (32, 18)  # pixels that a picture is reduced to
_SAMPLED = 90  # rows and columns, at least, of a larger picture that are looked at
_STEEPEST = 0.4  # tone: two colours lie on a line too, but a steeper one
_COLOURLESS = 2.5  # CIE Lab units: sepia reaches 2.1, the palest film in colour of `benchmarks/RESULTS.md` has 3.1


def chroma_spread(lab: FloatArray) -> float:
    """Return how far the colours of a picture usually lie from those of one tone, CIE Lab units.

    A tone is a colour that changes slowly with lightness: 0 in black and white, and nearly so in a toned print.

    Args:
        lab: `(..., 3)` float32, CIE Lab.
    """
    apart = lab.reshape(-1, 3) - lab.reshape(-1, 3).mean(axis=0)
    light, chroma = apart[:, 0], apart[:, 1:]
    slope = np.clip(light @ chroma / max(float(light @ light), 1e-6), -_STEEPEST, _STEEPEST)
    rest = chroma - np.outer(light, slope)
    return float(np.sqrt(np.mean(np.sum(rest**2, axis=1))))


def is_colourless(image: Image) -> bool:
    """Return whether a picture is in black and white or toned.

    Args:
        image: `(height, width, 3)` uint8, RGB or BGR.
    """
    return chroma_spread(_small_lab(image)) < _COLOURLESS


def is_black_and_white(image: Image) -> bool:
    """Return whether a picture has neither colours nor a tone.

    Args:
        image: `(height, width, 3)` uint8, RGB or BGR.
    """
    chroma = _small_lab(image)[..., 1:]
    return float(np.sqrt(np.mean(np.sum(chroma**2, axis=2)))) < _COLOURLESS


def _small_lab(image: Image) -> FloatArray:
    step = max(1, min(image.shape[:2]) // _SAMPLED)
    sampled = np.ascontiguousarray(image[::step, ::step])  # a tenth of the time that all pixels take
    small = cv2.resize(sampled, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32) / 255  # one pixel is noise
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)


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
