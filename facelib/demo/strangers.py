"""The strangers of the demo: faces of scikit-image's `lfw_subset` on drawn heads and bodies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from facelib.demo.figures import Figure, sample
from facelib.faces import FloatArray
from facelib.project.names import UNKNOWN

WIDTH, HEIGHT = 720, 1000
_SCALE = 9.0  # pixels of the figure for one pixel of the face's picture
CENTRE = (360.0, 250.0)  # where the middle of the face's oval comes to lie

Paint = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one face of `lfw_subset` becomes a person.

    Attributes:
        index: Number of the face in `lfw_subset`, of which the first 100 are faces.
        oval: Middle x, middle y, half width and half height of what is taken, in pixels of the 25x25 picture.
        box: Left, top and side of the face's square, in pixels of the 25x25 picture.
        skin: RGB of bright skin; darker grey becomes a darker tone of it.
        hair: RGB.
        coat: RGB.
        shirt: RGB.
        long_hair: Whether the hair falls to the shoulders.
    """

    index: int
    oval: tuple[float, float, float, float]
    box: tuple[float, float, float]
    skin: Paint
    hair: Paint
    coat: Paint
    shirt: Paint
    long_hair: bool = False


@cache
def strangers() -> tuple[Figure, ...]:
    """Return three strangers, always the same.

    They are among the faces of `lfw_subset` that the detectors find most surely, and lie far from
    both portraits, and from one another, in dlib's embedding.
    """
    recipes = (
        Recipe(
            index=63, oval=(12.4, 12.2, 9.4, 12.0), box=(2.8, 3.6, 19.0),
            skin=(250, 208, 176), hair=(30, 24, 22), coat=(58, 68, 86), shirt=(216, 218, 224),
        ),
        Recipe(
            index=46, oval=(11.2, 12.4, 9.4, 12.0), box=(1.8, 4.0, 19.0),
            skin=(250, 206, 172), hair=(22, 18, 17), coat=(124, 40, 50), shirt=(40, 34, 38), long_hair=True,
        ),
        Recipe(
            index=66, oval=(10.8, 12.0, 9.6, 12.2), box=(1.6, 4.6, 18.0),
            skin=(244, 200, 166), hair=(48, 36, 28), coat=(60, 84, 68), shirt=(206, 196, 172),
        ),
    )  # fmt: skip
    faces = sample("lfw_subset")
    return tuple(draw_stranger(recipe, faces[recipe.index]) for recipe in recipes)


def draw_stranger(recipe: Recipe, grey: NDArray[np.float64]) -> Figure:
    """Draw body, hair and neck from back to front, then lay the enlarged face on them."""
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    rng = np.random.default_rng(recipe.index)
    for part, colour, light in _parts(recipe, _toned(np.float32(0.52), recipe.skin)):
        grain = cv2.GaussianBlur(rng.normal(0, 1, part.shape).astype(np.float32), (0, 0), 1.2) * 0.06
        where = _extent(part)
        shades = np.asarray(colour, np.float32) * (light[where] + grain[where])[..., None]
        _lay(canvas[where], alpha[where], part[where], shades)
    face, oval = _enlarged(recipe, grey)
    _lay(canvas, alpha, oval, face)
    left, top = (CENTRE[axis] + (recipe.box[axis] - recipe.oval[axis]) * _SCALE for axis in (0, 1))
    side = recipe.box[2] * _SCALE
    return Figure(UNKNOWN, np.clip(canvas, 0, 255).astype(np.uint8), alpha, (left, top, left + side, top + side))


def _extent(part: FloatArray) -> tuple[slice, slice]:
    """Return the rows and columns that a part touches."""
    rows, columns = (np.flatnonzero(part.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _lay(canvas: FloatArray, alpha: FloatArray, part: FloatArray, colours: FloatArray) -> None:
    """Lay colours over the canvas where the part is, in place."""
    canvas += (colours - canvas) * np.where(alpha > 0, part, part > 0)[..., None]
    np.maximum(alpha, part, out=alpha)


def _parts(recipe: Recipe, skin: FloatArray) -> list[tuple[FloatArray, ArrayLike, FloatArray]]:
    """Return the parts of the body from back to front: where it is (0 to 1), its colour, its light (about 1)."""
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :]
    y = np.arange(HEIGHT, dtype=np.float32)[:, None]
    rounded = np.broadcast_to(1.08 - 0.5 * x**2 + 0.12 * x, (HEIGHT, WIDTH)).astype(np.float32)
    under_chin = (rounded * np.clip((y - 250) / 170, 0.55, 0.95)).astype(np.float32)
    torso = _shape("360,395 268,412 170,448 122,496 100,590 84,1100 636,1100 620,590 598,496 550,448 452,412", 26)
    opening = _shape("292,404 428,404 366,600 354,600", 4)
    collar = _shape("284,400 252,418 330,520 356,600 364,600 390,520 468,418 436,400 360,470", 4)
    neck = _shape("296,300 424,300 428,405 450,424 362,500 270,424 292,405", 5)
    hair = _oval((360, 218), (98, 124)) if not recipe.long_hair else _oval((360, 222), (112, 132))
    parts: list[tuple[FloatArray, ArrayLike, FloatArray]] = [
        (torso, recipe.coat, rounded),
        (opening, recipe.shirt, rounded),
        (neck, skin, under_chin),
        (collar, recipe.shirt, rounded),
        (hair, recipe.hair, rounded),
    ]
    if recipe.long_hair:
        outline = "246,220 236,330 232,430 262,470 300,440 306,330 414,330 420,440 458,470 488,430 484,330 474,220"
        falling = _shape(outline, 9)
        parts = [*parts[:2], (falling, recipe.hair, rounded), *parts[2:]]
    return parts


def _shape(outline: str, softness: float) -> FloatArray:
    """Return where a polygon is, from 0 to 1, its corners rounded by `softness` pixels, its edge soft."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [np.array([pair.split(",") for pair in outline.split()]).astype(np.int32)], 1.0)
    rounded = (cv2.GaussianBlur(mask, (0, 0), softness, borderType=cv2.BORDER_REPLICATE) > 0.5).astype(np.float32)
    return cv2.GaussianBlur(rounded, (0, 0), 2.0, borderType=cv2.BORDER_REPLICATE).astype(np.float32)


def _oval(centre: tuple[float, float], axes: tuple[float, float]) -> FloatArray:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    distance = np.hypot((x - centre[0]) / axes[0], (y - centre[1]) / axes[1])
    inside: FloatArray = np.clip((1.0 - distance) * min(axes) / 5.0, 0, 1).astype(np.float32)
    return inside


def _enlarged(recipe: Recipe, grey: NDArray[np.float64]) -> tuple[FloatArray, FloatArray]:
    """Return the face on the figure's canvas in colour, and where it is, fading out over its edge."""
    middle_x, middle_y, half_width, half_height = recipe.oval
    # The middle of the first pixel lies at 0 of the one picture, and half an enlarged pixel into the other.
    to_canvas = np.array([[_SCALE, 0, CENTRE[0] - middle_x * _SCALE], [0, _SCALE, CENTRE[1] - middle_y * _SCALE]])
    large = cv2.warpAffine(
        grey.astype(np.float32), to_canvas, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    large = large + 0.35 * (large - cv2.GaussianBlur(large, (0, 0), 0.8 * _SCALE))
    low, high = np.percentile(grey, (1, 99.5))
    large = np.clip((large - low) / (high - low), 0, 1).astype(np.float32)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    distance = np.hypot((x - CENTRE[0]) / (half_width * _SCALE), (y - CENTRE[1]) / (half_height * _SCALE))
    oval: FloatArray = np.clip((1.0 - distance) / 0.16, 0, 1).astype(np.float32)
    return _toned(large, recipe.skin), oval


def _toned(grey: NDArray[np.float32] | np.float32, skin: Paint) -> FloatArray:
    """Colour a grey picture (0 to 1) in tones of skin: black stays black, shadows are redder than lights."""
    powers = np.array([0.75, 1.05, 1.2], np.float32)
    return (np.asarray(grey)[..., None] ** powers * np.array(skin, np.float32)).astype(np.float32)
