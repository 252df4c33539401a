"""Clothes and hair as colour histograms of what lies below and above a face."""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import Faces, FloatArray, Image
from facelib.films.colour import is_black_and_white

Window = tuple[float, float, float, float]
_Described = list[FloatArray | None]

BINS = (4, 12, 12)  # lightness, green to red, blue to yellow
_LIMITS = ((0, 100), (-48, 48), (-48, 48))  # of the bins, in CIE Lab units
_STRETCH = 0.96  # of lightness to the range of a colour
_BLOCK = 4096  # pairs of tracks that are compared at once
_SIDE = 24  # pixels of the side of the patch, whatever the size of the face
_LEAST_BODY, _LEAST_HAIR = 0.3, 0.5  # of the window, which must be inside the picture
_PROFILE_WIDTH = 0.72  # of a face's height: the box of a profile is narrower than the head
_BODY_BEHIND, _HAIR_BEHIND = 0.5, 0.35  # of the height: how far behind a profile's face the middle of the window lies


def clothes_and_hair(image: Image, faces: Faces, poses: FloatArray) -> tuple[_Described, _Described]:
    """Describe the colours below each face, from the collar to the chest, and those at the top of each head.

    A soft histogram of CIE Lab colours over a window, for clothes 1.6 times as wide as the face, whose middle counts
    most, as a unit vector of square roots: the product of two is their Bhattacharyya coefficient. Lightness is kept
    coarse, since light changes from shot to shot and the colour of a shirt does not. Who is seen in profile has the
    body, and the back of the head, behind the face, so the windows move there: on the labelled films the area under
    the ROC curve of the distance of two tracks' clothes rose from 0.959 to 0.977, from 0.861 to 0.937 and from 0.753 to
    0.761. In black and white the lightness stands in the place of the colour as well, so that it is told in 12 steps:
    see `_without_colour`.

    Many people share a colour of hair, so that likeness proves nothing; but dark hair is not fair hair, whichever way
    the head is turned.

    Args:
        image: `(height, width, 3)` uint8 RGB, the picture the faces were found in.
        faces: Any number of faces.
        poses: `(n, 3)` of them, from `facelib.embed.pose.head_pose`; NaN counts as frontal.

    Returns:
        The clothes and the hair, for each face `(576,)` float32, or None where too little is in the picture.
    """
    sides = list(zip(faces.boxes, _sideways(poses), strict=True))
    bodies = [_window(box, _BODY_BEHIND * side, 0.8, 1.25, 2.5) for box, side in sides]
    heads = [_window(box, _HAIR_BEHIND * side, 0.3, -0.2, 0.05 + 0.05 * abs(side)) for box, side in sides]
    grey = is_black_and_white(image)
    return (
        [_describe(image, window, _LEAST_BODY, _BODY_WEIGHTS, grey=grey) for window in bodies],
        [_describe(image, window, _LEAST_HAIR, _HAIR_WEIGHTS, grey=grey) for window in heads],
    )


def hellinger_distance(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the Hellinger distance, 0 to 1, of every row of `first` to every row of `second`, `(m, n)`.

    Rows of NaN, where nothing is known of the clothes, give NaN.
    """
    return np.asarray(np.sqrt(np.clip(1 - first @ second.T, 0, 1)))


def pair_distances(seen: FloatArray, one: NDArray[np.intp], other: NDArray[np.intp]) -> FloatArray:
    """Return the Hellinger distance of each pair of rows of `seen`, `(k,)`; NaN where nothing is known of one.

    Args:
        seen: `(n, 576)`, clothes or hair. A block of pairs is copied at a time.
        one: `(k,)`, row numbers.
        other: `(k,)`, those of the other row of each pair.
    """
    apart = np.empty(len(one), np.float32)
    for first in range(0, len(one), _BLOCK):
        some = slice(first, first + _BLOCK)
        alike = np.einsum("ij,ij->i", seen[one[some]], seen[other[some]])
        apart[some] = np.sqrt(np.clip(1 - alike, 0, 1))
    return apart


def track_colours(looks: pd.DataFrame, tracks: pd.Series, trait: str) -> FloatArray:
    """Return the mean clothes or hair of each track's samples, `(n, 576)`; NaN where they are not seen."""
    found = np.tile(mean_colours([]), (len(tracks), 1))
    if trait not in looks:
        return found
    rows, worn = looks.groupby("track").indices, looks[trait].to_numpy()
    for i, track in enumerate(tracks):
        seen = [np.asarray(worn[row], np.float32) for row in rows.get(track, ()) if len(worn[row])]
        if seen:
            found[i] = mean_colours(seen)
    return found


def mean_colours(described: list[FloatArray]) -> FloatArray:
    """Return the mean of several views of one person's clothes or hair, `(576,)`; NaN when there is none."""
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
    # No cloth is as green as what stands for the colours of a picture without any; green ones differ by their yellow.
    grey = red < -40 and abs(yellow - _STRETCH * (light - 50)) < 20
    if grey or np.hypot(red, yellow) < 6:
        return "black" if light < 28 else "grey" if light < 65 else "white"
    angle = np.degrees(np.arctan2(yellow, red)) % 360
    if 48 < angle < 100 and light < 45:
        return "brown"
    colours = ((48, "red"), (65, "orange"), (105, "yellow"), (190, "green"), (305, "blue"), (335, "purple"))
    return next((word for end, word in colours if angle < end), "red")


def _sideways(poses: FloatArray) -> FloatArray:
    """Return how far each face looks to the picture's side, `(n,)`: -1 to the left, 0 frontal, 1 to the right."""
    yaw = np.nan_to_num(poses[:, 0])
    return np.asarray(np.sin(np.radians(np.clip(yaw, -90, 90))), np.float32)


def _window(box: FloatArray, behind: float, half: float, above: float, below: float) -> Window:
    """Return a window about a face: half as wide as `half` widths, between two heights of the face below its top."""
    left, top, right, bottom = (float(edge) for edge in box)
    height = bottom - top
    middle, half = (left + right) / 2 - behind * height, half * max(right - left, _PROFILE_WIDTH * height)
    return middle - half, top + above * height, middle + half, top + below * height


def _describe(
    image: Image, window: Window, least: float, weights: NDArray[np.float64], *, grey: bool
) -> FloatArray | None:
    patch = _patch(image, window, least)
    return None if patch is None else _histogram(patch, weights, grey=grey)


def _patch(image: Image, window: Window, least: float) -> NDArray[np.float32] | None:
    """Return the pixels of a window in CIE Lab, `(576, 3)`; None where too little of it is in the picture."""
    x0, y0, x1, y1 = window
    inside = (max(0, int(x0)), max(0, int(y0)), min(image.shape[1], round(x1)), min(image.shape[0], round(y1)))
    wide, high = inside[2] - inside[0], inside[3] - inside[1]
    if wide < 2 or high < 2 or wide * high < least * (x1 - x0) * (y1 - y0):
        return None
    patch = image[inside[1] : inside[3], inside[0] : inside[2]]
    small = cv2.resize(patch, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)


def _histogram(lab: NDArray[np.float32], weights: NDArray[np.float64], *, grey: bool) -> FloatArray:
    # Strong colours are rare: tanh gives the many dull ones finer bins.
    chroma = _without_colour(lab[:, 0]) if grey else 60 * np.tanh(lab[:, 1:] / 60)
    low, high = np.transpose(_LIMITS)
    values = np.clip(np.column_stack([lab[:, 0], chroma]), low, high)
    # NumPy's and SciPy's own functions for bins and for smoothing give the same numbers in four times the time.
    bins = np.minimum((values - low) / (high - low) * BINS, np.subtract(BINS, 1)).astype(np.intp)
    counts = np.bincount(np.ravel_multi_index(bins.T, BINS), weights, minlength=int(np.prod(BINS)))
    across, red, yellow = _SMOOTHING
    smooth = red @ (across @ counts.reshape(BINS[0], -1)).reshape(BINS) @ yellow.T
    return np.asarray(np.sqrt(smooth.ravel() / smooth.sum()), np.float32)


def _smoothing(bins: int) -> NDArray[np.float64]:
    """Return what spreads a row of counts over the bins beside each, `(bins, bins)`: Gaussian, with a sigma of 0.8."""
    offsets = np.arange(-3, 4)
    weights = np.exp(-0.5 * (offsets / 0.8) ** 2)
    rows = np.arange(bins)[:, None]
    spread = np.zeros((bins, bins))
    np.add.at(spread, (rows, np.clip(rows + offsets, 0, bins - 1)), weights / weights.sum())
    return spread


def _without_colour(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what stands for the colours of pixels without any, `(n, 2)`: their lightness, beyond the greenest clothes.

    Four steps of lightness part two people's clothes in black and white by an area under the ROC curve of 0.74, twelve
    by 0.86 to 0.90 (`benchmarks/RESULTS.md`), at distances as usual as in colour.
    """
    return np.column_stack([np.full_like(light, _LIMITS[1][0]), _STRETCH * (light - 50)])


def _middle(across: float, down: float, centre: float) -> NDArray[np.float64]:
    """Return the weight of each pixel of a patch: what lies at its sides is background.

    The spreads, and how far below the middle the heaviest row lies, are shares of its width and height.
    """
    y, x = np.mgrid[0:_SIDE, 0:_SIDE] / (_SIDE - 1) - 0.5
    weights: NDArray[np.float64] = np.exp(-(x**2) / (2 * across**2) - (y - centre) ** 2 / (2 * down**2)).ravel()
    return weights


_SMOOTHING = tuple(_smoothing(bins) for bins in BINS)
_BODY_WEIGHTS = _middle(0.35, 0.6, -0.1)
_HAIR_WEIGHTS = _middle(0.3, 0.35, 0.0)
