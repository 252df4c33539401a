"""How well a face can be recognised: large, sharp and turned to the camera is best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facelib.embed.pose import away, cut_off, head_pose
from facelib.faces import Faces, FloatArray, Image
from facelib.images import sharpness

_LARGE = 110.0  # pixels of a face's width above which size no longer helps a 112 to 150 pixel network
_CRISP = 100.0  # the sharpness that counts half
_STRAIGHT, _PROFILE = 10.0, 75.0  # degrees away from the camera that count 1 and 0


def frontality(pose: FloatArray) -> FloatArray:
    """Return how frontal each face is: 1 frontal, 0 in profile.

    Args:
        pose: `(n, 3)` degrees, of `head_pose`; NaN counts 0.5.
    """
    beyond = away(pose) - _STRAIGHT
    return np.asarray(np.nan_to_num(np.clip(1 - beyond / (_PROFILE - _STRAIGHT), 0, 1), nan=0.5), np.float32)


def turn(landmarks: FloatArray) -> FloatArray:
    """Return how far each face is turned to the side: 0 frontal, negative towards the picture's left.

    The way of the nose from the middle between the eyes, in units of their distance along the line through them;
    about 0.5 and more is a profile.

    Args:
        landmarks: `(n, 5, 2)` pixels, as in `Faces`; unknown ones (NaN) give NaN.
    """
    left, right, nose = landmarks[:, 0], landmarks[:, 1], landmarks[:, 2]
    between = right - left
    distance = np.sum(between**2, axis=1)
    along = np.sum((nose - (left + right) / 2) * between, axis=1)
    offset = np.divide(along, distance, out=np.full(len(landmarks), np.nan, np.float32), where=distance > 0)
    return np.asarray(offset, np.float32)


def quality(image: Image, faces: Faces) -> FloatArray:
    """Return the quality of each face for recognition, `(n,)` float32 from 0 to 1.

    The product of three: size (1 from 110 pixels on), sharpness and frontality, where even a profile, or a face that
    the picture's edge cuts, keeps a fifth, since it may be all there is.

    Args:
        image: `(height, width, 3)` uint8 RGB, the picture the faces were found in.
        faces: Any number of faces.
    """
    sharp = [sharpness(image, box) for box in faces.boxes]
    return quality_of(faces, head_pose(faces.landmarks), sharp, *image.shape[:2])


def quality_of(faces: Faces, pose: FloatArray, sharp: Sequence[float], height: int, width: int) -> FloatArray:
    """Return the quality of faces of known pose and sharpness in a picture of some height and width; see `quality`."""
    edges = np.array(sharp, np.float32)
    sizes = np.clip(np.minimum(faces.widths, faces.heights) / _LARGE, 0, 1)
    seen = frontality(pose) * (1 - cut_off(faces, height, width))
    worth = sizes * edges / (edges + _CRISP) * (0.2 + 0.8 * seen)
    return np.asarray(worth, np.float32)
