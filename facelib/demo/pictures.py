"""The demo's gallery: varied pictures of the cast, and the faults that a gallery usually has."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from facelib.demo.figures import Figure
from facelib.demo.scene import Backdrop, Pose, backdrop, place, to_picture, to_uint8
from facelib.faces import FloatArray, Image
from facelib.images import encode_jpeg

PICTURES = 24


def gallery(cast: tuple[Figure, Figure], *, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield the gallery's files: path relative to `people/`, and content.

    Each of the two has 24 pictures with one face of 80 to 250 pixels, varied in turn, scale, light, blur,
    noise, mirroring and crop. On top come four faults: in the first one's folder a duplicate of a picture and
    a picture with both people, in the second one's a truncated file and a picture without a face.
    """
    for which, figure in enumerate(cast):
        stem = f"{figure.person}/{figure.person.lower().replace(' ', '_')}"
        for number in range(1, PICTURES + 1):
            rng = np.random.default_rng([seed, which, number])
            content = as_jpeg(vary(figure, rng, own_background=number % 2 == 1, grey=number % 11 == 6), rng)
            yield f"{stem}_{number:02}.jpg", content
            if (which, number) == (0, 5):
                yield f"{stem}_05_copy.jpg", content
        rng = np.random.default_rng([seed, which, 0])
        if which == 0:
            yield f"{figure.person}/two_people.jpg", as_jpeg(_together(cast), rng)
        else:
            yield f"{figure.person}/broken_download.jpg", content[: len(content) * 2 // 5]
            yield f"{figure.person}/no_face.jpg", as_jpeg(backdrop("workshop", width=480, height=320), rng)


def as_jpeg(picture: Image, rng: np.random.Generator) -> bytes:
    """Return a picture as JPEG of some quality."""
    return encode_jpeg(picture, quality=int(rng.integers(65, 95)))


def vary(figure: Figure, rng: np.random.Generator, *, own_background: bool, grey: bool) -> Image:
    """Return one varied picture; one that keeps its own background is cropped closer, as the portrait ends there."""
    tallest = min(240.0, 1.7 * figure.side)
    face = float(np.exp(rng.uniform(np.log(84), np.log(tallest))))
    if own_background:
        width, height = face * rng.uniform(1.9, 2.5), face * rng.uniform(2.0, 2.6)
        x, y = width * rng.uniform(0.45, 0.55), face * rng.uniform(0.95, 1.2)
    else:
        width, height = max(250.0, face * rng.uniform(2.1, 3.6)), max(250.0, face * rng.uniform(2.1, 3.2))
        width, height = min(width, 510.0), min(height, 500.0)
        x, y = rng.uniform(face * 0.85, width - face * 0.85), rng.uniform(face * 0.9, height - face * 1.05)
    pose = Pose(x, y, face, rng.uniform(-16, 16), rng.uniform(-28, 28), bool(rng.random() < 0.5))
    canvas = np.zeros((round(height), round(width), 3), np.float32)
    if own_background:
        size = (canvas.shape[1], canvas.shape[0])
        matrix = to_picture(figure, pose)
        canvas[:] = cv2.warpPerspective(figure.image, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    else:
        names: tuple[Backdrop, ...] = ("cafe", "wall", "lawn", "pad", "workshop", "gravel", "studio", "curtain")
        canvas[:] = backdrop(names[rng.integers(len(names))], width=canvas.shape[1], height=canvas.shape[0])
        place(canvas, figure, pose)
    return _exposed(canvas, face, rng, grey=grey)


def _exposed(picture: FloatArray, face: float, rng: np.random.Generator, *, grey: bool) -> Image:
    """Return the picture as a camera might have taken it: light from a side, exposure, tint, blur and noise."""
    height, width = picture.shape[:2]
    y, x = (axis.astype(np.float32) for axis in np.ogrid[:height, :width])
    direction = rng.uniform(0, 2 * np.pi)
    slope = np.cos(direction) * (x / width - 0.5) + np.sin(direction) * (y / height - 0.5)
    light = 1 + rng.uniform(0, 0.7) * slope
    lit = np.clip(picture / 255 * cv2.merge([light, light, light]), 0, 1)
    lit = lit ** rng.uniform(0.75, 1.4) * rng.uniform(0.8, 1.1)
    lit *= np.tile(1 + rng.uniform(-0.08, 0.08, 3), (height, width, 1))
    blurred = cv2.GaussianBlur(lit, (0, 0), 0.2 + face * rng.uniform(0, 0.012))
    if grey:
        blurred[:] = blurred.mean(axis=2, keepdims=True)
    noisy = blurred * 255 + rng.normal(0, rng.uniform(0.5, 8), (height, width, 1 if grey else 3))
    return to_uint8(noisy)


def _together(cast: tuple[Figure, Figure]) -> Image:
    canvas = backdrop("studio", width=500, height=340).astype(np.float32)
    place(canvas, cast[0], Pose(150, 140, 96, angle=4))
    place(canvas, cast[1], Pose(350, 150, 104, angle=-3))
    return to_uint8(canvas)
