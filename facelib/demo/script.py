"""What happens in the demo's film: its shots, who is in them, and how they move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from facelib.demo.figures import Figure
from facelib.demo.scene import Backdrop, Box, Pose, backdrop, place, to_uint8, visible
from facelib.faces import FloatArray, Image

WIDTH, HEIGHT = 640, 360
SHOTS = 10

SeenFace = tuple[int, int, int, int, str]
"""Left, top, right and bottom of a face in whole pixels, cut at the picture's border, and whose it is."""


@dataclass(frozen=True, slots=True)
class Actor:
    """One person in one shot, who moves from one place to another and turns the head meanwhile.

    Attributes:
        figure: Number of the figure: 0 and 1 are the cast, the others are strangers.
        start: Middle x, middle y and height of the face in the first frame, in pixels.
        end: The same in the last frame.
        tilt: Largest turn within the picture, in degrees.
        turn: Largest turn to the side, in degrees.
        swings: How often the head goes to and fro within the shot.
        mirror: Whether the person is mirrored.
    """

    figure: int
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    tilt: float = 8.0
    turn: float = 20.0
    swings: float = 1.0
    mirror: bool = False

    def pose(self, done: float) -> Pose:
        """Return the pose when `done` of the shot (0 to 1) is over."""
        eased = done * done * (3 - 2 * done)
        x, y, height = (a + (b - a) * eased for a, b in zip(self.start, self.end, strict=True))
        phase = 2 * np.pi * self.swings * done + self.figure
        bob = 0.03 * height * np.sin(2 * phase)
        return Pose(x, y + bob, height, self.tilt * np.sin(phase), self.turn * np.sin(0.7 * phase + 1), self.mirror)


@dataclass(frozen=True, slots=True)
class Shot:
    """One shot: what stands behind, who is there from back to front, and the factor of the light on R, G and B."""

    backdrop: Backdrop
    actors: tuple[Actor, ...]
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)


def shots() -> tuple[Shot, ...]:
    """Return the film's ten shots.

    The second begins with another face just where the first one's ended, so that whoever tracks across
    cuts is found out. In the ninth a face comes into the picture from outside.
    """
    return (
        Shot("studio", (Actor(0, (230, 150, 95), (330, 165, 150)),)),
        Shot("curtain", (Actor(1, (330, 165, 150), (400, 175, 105), tilt=10),), (1.0, 0.94, 0.9)),
        Shot(
            "cafe",
            (Actor(0, (180, 165, 92), (205, 155, 112)), Actor(1, (455, 170, 112), (430, 165, 98))),
            (1.0, 0.95, 0.88),
        ),
        Shot("stars", ()),
        Shot("wall", (Actor(2, (430, 165, 84), (300, 160, 128)),), (1.0, 0.96, 0.92)),
        Shot(
            "lawn",
            (Actor(3, (170, 165, 100), (190, 160, 116)), Actor(0, (470, 175, 118), (440, 150, 96), mirror=True)),
        ),
        Shot("pad", (Actor(1, (300, 190, 190), (350, 170, 128), tilt=14, turn=24, mirror=True),), (0.92, 0.95, 1.06)),
        Shot("workshop", (Actor(4, (460, 185, 74), (420, 165, 92)), Actor(1, (180, 215, 66), (220, 190, 84)))),
        Shot("gravel", (Actor(0, (-70, 165, 60), (520, 170, 72), tilt=5, swings=2),), (0.95, 0.98, 1.05)),
        Shot(
            "studio",
            (
                Actor(2, (322, 130, 70), (318, 125, 76), tilt=5),
                Actor(0, (110, 165, 84), (125, 160, 92), mirror=True),
                Actor(1, (530, 185, 92), (515, 180, 86), tilt=6),
            ),
            (0.86, 0.84, 0.95),
        ),
    )


def frames(
    figures: tuple[Figure, ...], *, frames_per_shot: int, seed: int = 0
) -> Iterator[tuple[Image, list[SeenFace]]]:
    """Yield every frame of the film and its ground truth; the two of the cast stand before the strangers in `figures`.

    A shot has at least 2 frames.

    Yields:
        `(360, 640, 3)` uint8 RGB, and the faces of which at least half lies in the picture.
    """
    rng = np.random.default_rng([seed, 2])
    grain = np.repeat(rng.normal(0, 2.2, (2 * HEIGHT, 2 * WIDTH, 1)).astype(np.float32), 3, axis=2)
    for number, shot in enumerate(shots()):
        plate = backdrop(shot.backdrop)
        for step in range(frames_per_shot):
            done = step / (frames_per_shot - 1)
            canvas = _pan(plate, done, backwards=number % 2 == 1)
            for actor in shot.actors:
                place(canvas, figures[actor.figure], actor.pose(done), light=np.array(shot.light, np.float32))
            y, x = rng.integers(HEIGHT), rng.integers(WIDTH)
            canvas += grain[y : y + HEIGHT, x : x + WIDTH]
            faces = [(actor.pose(done).box, figures[actor.figure].person) for actor in shot.actors]
            seen = [(*_cut(box), person) for box, person in faces if visible(box, WIDTH, HEIGHT) >= 0.5]
            yield to_uint8(canvas), seen


def _pan(plate: Image, done: float, *, backwards: bool) -> FloatArray:
    """Return the part of the backdrop that a slowly moving camera sees, float32."""
    along = 1 - done if backwards else done
    zoom = 1.0 + 0.06 * done
    x, y = (plate.shape[1] - WIDTH / zoom) * (0.25 + 0.5 * along), (plate.shape[0] - HEIGHT / zoom) * 0.4
    matrix = np.array([[zoom, 0, -x * zoom], [0, zoom, -y * zoom]])
    return cv2.warpAffine(plate, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR).astype(np.float32)


def _cut(box: Box) -> tuple[int, int, int, int]:
    """Return the sides of a box in whole pixels, cut at the picture's border."""
    left, top, right, bottom = (
        round(float(min(max(side, 0), most))) for side, most in zip(box, (WIDTH, HEIGHT) * 2, strict=True)
    )
    return left, top, right, bottom
