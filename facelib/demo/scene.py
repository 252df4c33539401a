"""Setting the demo's people into pictures: where a face goes, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from facelib.demo.figures import Figure, sample
from facelib.faces import FloatArray, Image

Backdrop = Literal["cafe", "wall", "lawn", "stars", "pad", "workshop", "gravel", "studio", "curtain"]
Box = tuple[float, float, float, float]

# Of a backdrop the picture of scikit-image, how much it is blurred in pixels, and the tint laid over it.
_PHOTOGRAPHS: dict[Backdrop, tuple[str, float, tuple[float, float, float]]] = {
    "cafe": ("coffee", 9.0, (0.95, 0.9, 0.85)),
    "wall": ("brick", 1.6, (1.2, 0.86, 0.72)),
    "lawn": ("grass", 3.0, (0.75, 1.05, 0.5)),
    "stars": ("hubble_deep_field", 1.8, (1.3, 1.4, 1.9)),
    "pad": ("rocket", 3.0, (1.1, 1.0, 1.0)),
    "gravel": ("gravel", 4.0, (0.95, 0.98, 1.1)),
    "workshop": ("stereo_motorcycle", 6.0, (1.0, 1.0, 1.0)),
}


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a face is in a picture and how it is held.

    Attributes:
        x: Middle of the face in pixels of the picture, as `y`.
        height: Of the face, brows to chin, likewise.
        angle: Turn within the picture in degrees, positive is clockwise.
        turn: Turn to the side in degrees, imitated by a narrower face and a mild perspective.
        mirror: Whether left and right are exchanged.
    """

    x: float
    y: float
    height: float
    angle: float = 0.0
    turn: float = 0.0
    mirror: bool = False

    @property
    def box(self) -> Box:
        """Left, top, right, bottom of the face in pixels of the picture: a square, as detectors give it."""
        half = self.height / 2
        return self.x - half, self.y - half, self.x + half, self.y + half


def to_picture(figure: Figure, pose: Pose) -> NDArray[np.float64]:
    """Return the 3x3 matrix from pixels of the figure to pixels of the picture."""
    turn, angle = np.deg2rad(pose.turn), np.deg2rad(pose.angle)
    middle_x, middle_y = figure.centre
    to_middle = np.array([[1, 0, -middle_x], [0, 1, -middle_y], [0, 0, 1]])
    flip = np.diag([-1.0 if pose.mirror else 1.0, 1.0, 1.0])
    # The far side of a turned head is smaller; 0.12 a face's width shows it without bending the body.
    turned = np.array([[np.cos(turn), 0, 0], [0, 1, 0], [0.12 * np.sin(turn) / figure.side, 0, 1]])
    cosine, sine, scale = np.cos(angle), np.sin(angle), pose.height / figure.side
    tilted = np.array([[scale * cosine, -scale * sine, pose.x], [scale * sine, scale * cosine, pose.y], [0, 0, 1]])
    return np.asarray(tilted @ turned @ flip @ to_middle)


def place(picture: FloatArray, figure: Figure, pose: Pose, *, light: FloatArray | float = 1.0) -> None:
    """Set a person into a picture, in place.

    Args:
        picture: `(height, width, 3)` float32, RGB from 0 to 255.
        figure: The person.
        pose: Where and how.
        light: Factor on the person's colours: one number, or `(3,)` for R, G and B.
    """
    halvings = max(0, int(np.log2(figure.side / pose.height)))
    image, alpha = _halved(figure, halvings)
    matrix = to_picture(figure, pose) @ np.diag([2.0**halvings, 2.0**halvings, 1.0])
    left, top, right, bottom = _covered(alpha, matrix, picture)
    if left >= right or top >= bottom:
        return
    matrix = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]]) @ matrix
    size = (right - left, bottom - top)
    person = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpPerspective(alpha, matrix, size, flags=cv2.INTER_LINEAR)
    part = picture[top:bottom, left:right]
    # NumPy takes several times as long for a number a pixel, or a colour, with whole pictures.
    lit = np.arange(256, dtype=np.float32)[:, None, None] * np.broadcast_to(np.asarray(light, np.float32), 3)
    change: FloatArray = np.asarray(cv2.LUT(person, lit), np.float32)
    change -= part
    change *= np.asarray(cv2.merge([share, share, share]), np.float32)
    part += change


@lru_cache(maxsize=16)  # those of a film
def _halved(figure: Figure, times: int) -> tuple[Image, FloatArray]:
    """Return a figure's picture and alpha made small: a warp reads four pixels only, however small its result is."""
    if times == 0:
        return figure.image, figure.alpha
    image, alpha = _halved(figure, times - 1)
    return cv2.pyrDown(image).astype(np.uint8), cv2.pyrDown(alpha).astype(np.float32)


def _covered(alpha: FloatArray, matrix: NDArray[np.float64], picture: FloatArray) -> tuple[int, int, int, int]:
    """Return the part of the picture that the figure can touch: left, top, right, bottom."""
    height, width = alpha.shape
    x, y, w = matrix @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]])
    left, right = np.clip([(x / w).min() - 1, (x / w).max() + 2], 0, picture.shape[1]).astype(int)
    top, bottom = np.clip([(y / w).min() - 1, (y / w).max() + 2], 0, picture.shape[0]).astype(int)
    return int(left), int(top), int(right), int(bottom)


def to_uint8(picture: NDArray[Any]) -> Image:
    """Return a picture with values beyond 0 to 255 cut off, as uint8."""
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def visible(box: Box, width: int, height: int) -> float:
    """Return how much of a box lies inside a picture, from 0 to 1."""
    left, top, right, bottom = box
    across = max(0.0, min(right, width) - max(left, 0.0)) / (right - left)
    down = max(0.0, min(bottom, height) - max(top, 0.0)) / (bottom - top)
    return across * down


def backdrop(name: Backdrop, *, width: int = 800, height: int = 450) -> Image:
    """Return a backdrop: an out-of-focus picture of scikit-image, or a lit texture or colour.

    Raises:
        ValueError: When there is no backdrop of that name.
    """
    if name not in get_args(Backdrop):
        raise ValueError(f"expected a backdrop, one of {get_args(Backdrop)!r}, got {name!r}")
    if name in {"studio", "curtain"}:
        return _lit(np.ones((height, width, 3), np.float32) * _paint(name, width))
    photograph, blur, tint = _PHOTOGRAPHS[name]
    picture = sample(photograph)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    factor = max(width / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    large = cv2.resize(np.asarray(picture[..., :3], np.float32), size, interpolation=cv2.INTER_CUBIC)
    y, x = (size[1] - height) // 2, (size[0] - width) // 2
    soft = cv2.GaussianBlur(large[y : y + height, x : x + width], (0, 0), blur)
    return _lit((soft * np.array(tint, np.float32)).astype(np.float32))


def _paint(name: Backdrop, width: int) -> FloatArray:
    """Return the colours of one row of a painted backdrop, `(width, 3)`."""
    across = np.linspace(0, 1, width, dtype=np.float32)[:, None]
    if name == "studio":
        return (np.array([70, 110, 150]) * (1 - across) + np.array([120, 160, 180]) * across).astype(np.float32)
    folds = 0.75 + 0.2 * np.sin(across * 60) + 0.05 * np.sin(across * 143 + 1)
    return (np.array([150, 38, 46]) * folds).astype(np.float32)


def _lit(picture: FloatArray) -> Image:
    """Light a backdrop from the upper left, darker to the corners."""
    height, width = picture.shape[:2]
    y, x = (axis.astype(np.float32) for axis in np.ogrid[:height, :width])
    light = 1.12 - 0.55 * np.hypot(x / width - 0.4, y / height - 0.35) ** 1.5
    return to_uint8(picture * cv2.merge([light, light, light]))
