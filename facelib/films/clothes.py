"""Clothes as colour histograms of the upper body under a face."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from facelib.faces import Faces, FloatArray, Image

BINS = (4, 12, 12)  # lightness, green to red, blue to yellow
_SIDE = 24  # pixels of the side of the patch, whatever the size of the face
_LEAST_SHARE = 0.3  # of the upper body, which must be inside the picture


def clothes(image: Image, faces: Faces) -> list[FloatArray | None]:
    """Describe the colours below each face, from the collar to the waist.

    A soft histogram of CIE Lab colours over a window twice as wide as the face, whose middle counts most, as a unit
    vector of square roots: the product of two is their Bhattacharyya coefficient. Lightness is kept coarse, since
    light changes from shot to shot and the colour of a shirt does not.

    Args:
        image: `(height, width, 3)` uint8 RGB, the picture the faces were found in.
        faces: Any number of faces.

    Returns:
        For each face `(576,)` float32, or None where too little of the body is in the picture.
    """
    return [_describe(image, box) for box in faces.boxes]


def hellinger_distance(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the Hellinger distance, 0 to 1, of every row of `first` to every row of `second`, `(m, n)`.

    Rows of NaN, where nothing is known of the clothes, give NaN.
    """
    return np.asarray(np.sqrt(np.clip(1 - first @ second.T, 0, 1)))


def mean_clothes(described: list[FloatArray]) -> FloatArray:
    """Return the mean of several views of one person's clothes, `(576,)`; NaN when there is none."""
    if not described:
        return np.full(int(np.prod(BINS)), np.nan, np.float32)
    mean = np.mean(described, axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def colour_word(described: FloatArray) -> str:
    """Return the commonest colour of clothes in a word, such as `blue`; empty where nothing is known."""
    if not np.isfinite(described).all():
        return ""
    share = (described**2).reshape(BINS)
    peak = np.unravel_index(int(share.argmax()), BINS)
    # The mean of the bins around the fullest one is more exact than the bin itself.
    near = tuple(slice(max(0, at - 1), at + 2) for at in peak)
    part = share[near] / share[near].sum()
    light, red, yellow = (
        float(part.sum(axis=axes) @ (np.arange(BINS[axis])[near[axis]] + 0.5)) / BINS[axis]
        for axis, axes in enumerate(((1, 2), (0, 2), (0, 1)))
    )
    return _word(light * 100, red * 96 - 48, yellow * 96 - 48)


def _word(light: float, red: float, yellow: float) -> str:
    if np.hypot(red, yellow) < 6:
        return "black" if light < 28 else "grey" if light < 65 else "white"
    angle = np.degrees(np.arctan2(yellow, red)) % 360
    if 48 < angle < 100 and light < 45:
        return "brown"
    colours = ((48, "red"), (65, "orange"), (105, "yellow"), (190, "green"), (305, "blue"), (335, "purple"))
    return next((word for end, word in colours if angle < end), "red")


def _describe(image: Image, box: FloatArray) -> FloatArray | None:
    left, top, right, bottom = (float(edge) for edge in box)
    width, height = right - left, bottom - top
    x0, x1 = left - 0.5 * width, right + 0.5 * width
    y0, y1 = bottom + 0.2 * height, bottom + 2.0 * height
    inside = (max(0, int(x0)), max(0, int(y0)), min(image.shape[1], round(x1)), min(image.shape[0], round(y1)))
    wide, high = inside[2] - inside[0], inside[3] - inside[1]
    if wide < 2 or high < 2 or wide * high < _LEAST_SHARE * (x1 - x0) * (y1 - y0):
        return None
    patch = image[inside[1] : inside[3], inside[0] : inside[2]]
    small = cv2.resize(patch, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return _histogram(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3))


def _histogram(lab: NDArray[np.float32]) -> FloatArray:
    # Strong colours are rare: tanh gives the many dull ones finer bins.
    values = np.column_stack([lab[:, 0], 60 * np.tanh(lab[:, 1:] / 60)])
    limits = ((0, 100), (-48, 48), (-48, 48))
    counts, _ = np.histogramdd(np.clip(values, [0, -48, -48], [100, 48, 48]), BINS, limits, weights=_middle())
    for axis in range(3):
        counts = gaussian_filter1d(counts, 0.8, axis=axis, mode="nearest")
    return np.asarray(np.sqrt(counts.ravel() / counts.sum()), np.float32)


def _middle() -> NDArray[np.float64]:
    """Return the weight of each pixel of the patch: what lies beside a person is background."""
    down, across = np.mgrid[0:_SIDE, 0:_SIDE] / (_SIDE - 1) - 0.5
    weights: NDArray[np.float64] = np.exp(-(across**2) / (2 * 0.35**2) - (down + 0.1) ** 2 / (2 * 0.6**2)).ravel()
    return weights
