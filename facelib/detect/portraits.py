"""Faces in portraits: pictures of any size, each about one person."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from facelib.detect.base import Detector
from facelib.faces import Faces, Image

_SURE = 0.85  # CenterFace's scores: 0.87 to 0.96 for the upright faces of 24 portraits, 0.52 to 0.82 upside down
_CLEARLY = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture of a person, turned upright, with the faces in it.

    Attributes:
        image: `(height, width, 3)` uint8 RGB: the given picture after `quarter_turns`.
        faces: In pixels of `image`.
        quarter_turns: Counter-clockwise turns by 90 degrees of the given picture, 0 to 3.
        upright: Whether the main face stands upright; if not, it cannot be aligned.
    """

    image: Image
    faces: Faces
    quarter_turns: int = 0
    upright: bool = True

    @property
    def main(self) -> Faces:
        """The face that the picture is about, one at most."""
        if not len(self.faces):
            return self.faces
        height, width = self.image.shape[:2]
        return self.faces[main_face(self.faces, width=width, height=height)]

    def faces_as_given(self) -> Faces:
        """Return the faces in pixels of the picture as it was given."""
        corners = np.concatenate([self.faces.boxes.reshape(-1, 2, 2), self.faces.landmarks], axis=1)
        height = self.image.shape[0]
        for turn in range(self.quarter_turns):  # back, clockwise
            side = height if turn % 2 == 0 else self.image.shape[1]
            corners = np.stack([side - corners[..., 1], corners[..., 0]], axis=-1)
        boxes = np.concatenate([corners[:, :2].min(axis=1), corners[:, :2].max(axis=1)], axis=1)
        return Faces.of(boxes, self.faces.scores, corners[:, 2:])


def find_portrait(image: Image, detector: Detector, *, working_size: int = 1000) -> Portrait:
    """Find the faces of a portrait of any size; a picture whose main face lies sideways is turned upright.

    The person of a portrait is seldom small in it, so a copy whose longer side is at most
    `working_size` pixels is searched, which also misses many bystanders; when it shows no face,
    one of twice its size is. Cameras that do not record how they were held leave faces lying sideways, which no
    network was trained on: two of them look alike to it, whoever they show.

    Args:
        image: `(height, width, 3)` uint8 RGB.
        detector: Its smallest face is in pixels of the copy.
        working_size: Longer side in pixels. Raising it finds more and smaller faces, and takes longer.
    """
    given = Portrait(image, _find_faces(image, detector, working_size))
    turns = _turns_to_upright(given.main)
    if len(given.faces) and not turns and given.main.scores[0] >= _SURE:
        return given
    # A face upside down is found with a low score or not at all, and its landmarks may seem upright.
    tried = (turns,) if turns else (2,) if len(given.faces) else (2, 1, 3)
    enough = 0.0 if turns else given.main.scores[0] + _CLEARLY if len(given.faces) else _SURE - _CLEARLY
    for other in tried:
        turned = np.ascontiguousarray(np.rot90(image, other))
        found = Portrait(turned, _find_faces(turned, detector, working_size), other)
        if len(found.faces) and not _turns_to_upright(found.main) and found.main.scores[0] >= enough:
            return found
    return Portrait(image, given.faces, upright=not turns)


def _turns_to_upright(face: Faces) -> int:
    """Return how many quarter turns counter-clockwise bring one face upright; 0 where its landmarks are unknown."""
    if not len(face) or not np.isfinite(face.landmarks).all():
        return 0
    points = face.landmarks[0]
    right, down = points[3:5].mean(axis=0) - points[:2].mean(axis=0)  # from the eyes to the mouth
    return round(-math.atan2(right, down) / (math.pi / 2)) % 4


def _find_faces(image: Image, detector: Detector, working_size: int) -> Faces:
    factor = min(1.0, working_size / max(image.shape[:2]))
    found = Faces.empty()
    for scale in (factor, 2 * factor):
        found = detector.detect(_resized(image, scale)).scaled(1 / scale)
        if len(found):
            break
    return found


def main_face(faces: Faces, *, width: int, height: int) -> int:
    """Return which face a picture is about: a large one in the middle before a larger one at the border.

    Its area less twice the squared distance of its centre from the picture's, all in pixels, as FaceNet's alignment
    chooses.

    Raises:
        ValueError: When there is no face.
    """
    if not len(faces):
        raise ValueError("expected at least one face to choose from, got none")
    centre = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    away = ((centre - np.array([width, height], np.float32) / 2) ** 2).sum(axis=1)
    return int((faces.widths * faces.heights - 2 * away).argmax())


def _resized(image: Image, factor: float) -> Image:
    if factor == 1:
        return image
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)
