"""Scenes: neighbouring shots of one place, and the camera set-ups they alternate between."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facelib.faces import FloatArray, Image

WIDTH, HEIGHT = 32, 18  # cells of a background picture
_BINS = (6, 8, 8)
_SAME_CELL = 14.0  # CIE Lab units: less is the same thing in the same place, under the film's noise


def small_picture(image: Image) -> Image:
    """Return an RGB picture as `(18, 32, 3)` uint8: what is left of the place when details are gone."""
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def background(pictures: Sequence[Image]) -> Image:
    """Return the median of a shot's small pictures: who walks through it leaves no trace."""
    return np.asarray(np.median(np.stack(pictures), axis=0), np.uint8)


def find_setups(backgrounds: Sequence[Image], *, least_alike: float = 0.58) -> NDArray[np.int32]:
    """Number the camera set-ups: shots whose backgrounds agree in place share one.

    Args:
        backgrounds: One a shot, `(18, 32, 3)` uint8 RGB.
        least_alike: The share of cells that must be the same. Raising it finds more set-ups.

    Returns:
        `(shots,)`, 0-based, in order of first use.
    """
    lab = _lab(backgrounds)
    setups = np.full(len(lab), -1, np.int32)
    first: list[int] = []
    for shot, picture in enumerate(lab):
        alike = [_agreement(lab[other], picture) for other in first]
        if alike and max(alike) >= least_alike:
            setups[shot] = int(np.argmax(alike))
        else:
            setups[shot] = len(first)
            first.append(shot)
    return setups


def find_scenes(
    backgrounds: Sequence[Image], starts: Sequence[float], *, least_alike: float = 0.6, window: float = 60.0
) -> NDArray[np.int32]:
    """Number the scenes: all that lies between two shots of like colours belongs together.

    Cameras alternate: a shot that looks like one of a minute ago closes a loop, and what was shown in between is of the
    same scene. Source: Yeung, Yeo and Liu, "Segmentation of video by clustering and graph analysis" (CVIU 1998).

    Args:
        backgrounds: One a shot, `(18, 32, 3)` uint8 RGB.
        starts: When each shot starts, seconds, ascending.
        least_alike: Least overlap of two shots' colour histograms, 0 to 1. Raising it finds more scenes.
        window: Seconds over which shots are compared.

    Returns:
        `(shots,)`, 0-based, never descending.
    """
    histograms = [_colours(picture) for picture in _lab(backgrounds)]
    reach = np.arange(len(histograms))  # the last shot that each shot is tied to
    for shot, histogram in enumerate(histograms):
        for other in range(shot + 1, len(histograms)):
            if starts[other] - starts[shot] > window:
                break
            if np.minimum(histogram, histograms[other]).sum() >= least_alike:
                reach[shot] = other
    ends = np.maximum.accumulate(reach)
    breaks = np.concatenate([[False], ends[:-1] < np.arange(1, len(ends))]) if len(ends) else np.zeros(0, bool)
    return np.cumsum(breaks).astype(np.int32)


def _agreement(one: FloatArray, other: FloatArray) -> float:
    """Return the largest share of cells that agree, also when the camera has swung by a cell or two."""
    best = 0.0
    for down in (-1, 0, 1):
        for across in (-2, -1, 0, 1, 2):
            first, second = _shifted(one, down, across), _shifted(other, -down, -across)
            best = max(best, float((np.linalg.norm(first - second, axis=2) < _SAME_CELL).mean()))
    return best


def _shifted(picture: FloatArray, down: int, across: int) -> FloatArray:
    rows, columns = slice(max(0, down), HEIGHT + min(0, down)), slice(max(0, across), WIDTH + min(0, across))
    return picture[rows, columns]


def _lab(pictures: Sequence[Image]) -> list[FloatArray]:
    return [
        np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
        for picture in pictures
    ]


def _colours(lab: FloatArray) -> NDArray[np.float64]:
    limits = ((0, 100), (-40, 40), (-40, 40))
    values = np.clip(lab.reshape(-1, 3), [0, -40, -40], [100, 40, 40])
    counts, _ = np.histogramdd(values, _BINS, limits)
    counts = cv2.GaussianBlur(counts.reshape(_BINS[0], -1), (1, 3), 0).reshape(_BINS)
    return np.asarray(counts / counts.sum(), np.float64)
