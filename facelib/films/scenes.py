"""Scenes: neighbouring shots of one place, and the camera set-ups they alternate between."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facelib.faces import FloatArray, Image
from facelib.films.colour import is_colourless

WIDTH, HEIGHT = 32, 18  # cells of a background picture
_BINS = (6, 8, 8)
_SAME_CELL = 14.0  # CIE Lab units: below it, two cells are the same but for noise
_SAME_LIGHT = 8.0  # the same without colour, where one coordinate of the three is left
_LEAST_ALIKE = 0.58  # share of the cells that are the same in shots of one set-up; raising it finds more set-ups
_USUAL_OVERLAP = 0.35  # of the colour histograms of two places, 0 to 1; what is above it counts
_REACH, _WINDOW = 3, 60.0  # shots and seconds between two that are compared, at most


def small_picture(image: Image) -> Image:
    """Return an RGB picture as `(18, 32, 3)` uint8: the place without its details."""
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def background(pictures: Sequence[Image]) -> Image:
    """Return the median of a shot's small pictures, in which passers-by vanish."""
    return np.asarray(np.median(np.stack(pictures), axis=0), np.uint8)


def find_setups(backgrounds: Sequence[Image], *, reach: int = 64) -> NDArray[np.int32]:
    """Number the camera set-ups, `(shots,)`, 0-based by first use: shots whose backgrounds agree in place share one.

    Args:
        backgrounds: One per shot, `(18, 32, 3)` uint8 RGB.
        reach: How many of the set-ups used last a shot is compared with; so time grows with the number of shots.
    """
    setups = np.empty(len(backgrounds), np.int32)
    known: dict[int, tuple[FloatArray, bool]] = {}  # the first picture of each set-up, the most recently used last
    count = 0
    for shot, picture in enumerate(backgrounds):
        seen = lab, grey = _lab(picture), is_colourless(picture)
        alike = [
            _agreement(first, lab, _SAME_LIGHT if grey and was_grey else _SAME_CELL)
            for first, was_grey in known.values()
        ]
        if alike and max(alike) >= _LEAST_ALIKE:
            setup = list(known)[int(np.argmax(alike))]
        else:
            setup, count = count, count + 1
        setups[shot] = setup
        known[setup] = known.pop(setup, seen)
        if len(known) > reach:
            del known[next(iter(known))]
    return setups


def find_scenes(
    backgrounds: Sequence[Image], starts: Sequence[float], *, least_coherence: float = 0.09
) -> NDArray[np.int32]:
    """Number the scenes: a cut separates two where hardly any shot before it looks like one after it.

    Cameras alternate, so the shots up to three apart on both sides of a cut are compared by their colours. The mean
    overlap of these pairs beyond that usual for two places is the coherence of the cut. Source: Kender and Yeo, "Video
    scene segmentation via continuous video coherence" (CVPR 1998). By `benchmarks/scenes.py` the shots of one scene
    stay together, and 82 % of the changes between joined films are found.

    Args:
        backgrounds: One per shot, `(18, 32, 3)` uint8 RGB.
        starts: When each shot starts, seconds, ascending.
        least_coherence: Of a cut within a scene. Raising it finds more scenes.

    Returns:
        `(shots,)`, 0-based, never descending.
    """
    count = len(backgrounds)
    histograms = [_colours(_lab(picture)).ravel() for picture in backgrounds]
    times = np.asarray(starts, np.float64)
    coherence, pairs = np.zeros(max(count - 1, 0)), np.zeros(max(count - 1, 0))
    for apart in range(1, min(_REACH, count - 1) + 1):
        overlap = np.array(
            [np.minimum(*pair).sum() for pair in zip(histograms[:-apart], histograms[apart:], strict=True)]
        )
        more = np.where(times[apart:] - times[:-apart] <= _WINDOW, np.maximum(overlap - _USUAL_OVERLAP, 0), 0)
        for cut in range(apart):  # each pair spans this many cuts
            part = slice(cut, cut + len(more))
            coherence[part] += more
            pairs[part] += 1
    breaks = coherence < least_coherence * pairs
    return np.concatenate([[0], np.cumsum(breaks)])[:count].astype(np.int32)


def _agreement(one: FloatArray, other: FloatArray, same_cell: float) -> float:
    """Return the largest share of cells that agree, also when the camera has swung by a cell or two."""
    best = 0.0
    for down in (-1, 0, 1):
        for across in (-2, -1, 0, 1, 2):
            difference = _shifted(one, down, across) - _shifted(other, -down, -across)
            same = np.einsum("ijk,ijk->ij", difference, difference) < same_cell**2
            best = max(best, np.count_nonzero(same) / same.size)
    return best


def _shifted(picture: FloatArray, down: int, across: int) -> FloatArray:
    rows, columns = slice(max(0, down), HEIGHT + min(0, down)), slice(max(0, across), WIDTH + min(0, across))
    return picture[rows, columns]


def _lab(picture: Image) -> FloatArray:
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _colours(lab: FloatArray) -> NDArray[np.float64]:
    limits = ((0, 100), (-40, 40), (-40, 40))
    values = np.clip(lab.reshape(-1, 3), [0, -40, -40], [100, 40, 40])
    counts, _ = np.histogramdd(values, _BINS, limits)
    counts = cv2.GaussianBlur(counts.reshape(_BINS[0], -1), (1, 3), 0).reshape(_BINS)
    return np.asarray(counts / counts.sum(), np.float64)
