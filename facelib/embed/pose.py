"""The pose of a head, estimated from five landmarks."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from facelib.faces import Faces, FloatArray

# A face's landmarks in units of the distance between the eyes: right in the picture, down, towards the camera. Fitted
# to the landmarks of 1,880 faces of films and portraits by factorization with symmetry, and turned upright so that a
# portrait's usual pitch is 0. Source of the method: Tomasi and Kanade, "Shape and motion from image streams under
# orthography" (IJCV 1992). Left over are 0.024 of the distance between the eyes.
_MEAN_FACE = np.array(
    [
        [-0.5, 0.0, 0.0],
        [0.5, 0.0, 0.0],
        [0.0, 0.567, 0.294],
        [-0.411, 1.011, -0.153],
        [0.411, 1.011, -0.153],
    ]
)
_TELLING, _MUTE = 30.0, 70.0  # degrees away from the camera: fully informative up to the first, not from the second
_TURNED_LOSES = 0.95  # of the weight of a view in the mean of its track
_MARGIN = 0.18  # of the face's height: landmarks nearer to the picture's edge belong to a face that it cuts
_CUT = 0.08


def head_pose(landmarks: FloatArray) -> FloatArray:
    """Return yaw, pitch and roll of each face, degrees, `(n, 3)` float32.

    The mean face is turned, scaled and shifted so that it lies on the landmarks in least squares, as seen from far away
    (scaled orthographic projection). Yaw and pitch are of where the face looks, positive towards the picture's right
    and upwards; roll is clockwise. A portrait has about 0, a profile 65 and more. On the faces of a sitcom the yaw of
    profiles is 63 to 93, where a network with 468 landmarks says 16 to 60.

    Args:
        landmarks: `(n, 5, 2)` pixels, as in `Faces`; faces with unknown ones (NaN) have a pose of NaN.

    Examples:
        >>> straight = np.array([[[0, 0], [100, 0], [50, 57], [9, 101], [91, 101]]], np.float32)
        >>> (abs(head_pose(straight)) < 1).all().item()
        True
    """
    points = np.asarray(landmarks, np.float64).reshape(-1, 5, 2)
    pose = np.full((len(points), 3), np.nan, np.float32)
    known = np.flatnonzero(np.ptp(points, axis=1).max(axis=1, initial=0) > 0)  # excludes NaN and single points
    if len(known):
        pose[known] = np.degrees(_angles(_rotations(points[known])))
    return pose


def away(pose: FloatArray) -> FloatArray:
    """Return how far faces look away from the camera, degrees, `(n,)`: of yaw and pitch together; NaN stays NaN.

    Args:
        pose: `(n, 3)`, of `head_pose`.
    """
    yaw, pitch = np.radians(np.asarray(pose, np.float64).reshape(-1, 3)[:, :2].T)
    return np.asarray(np.degrees(np.arccos(np.clip(np.cos(yaw) * np.cos(pitch), -1, 1))), np.float32)


def turned_away(pose: FloatArray, cut: FloatArray) -> FloatArray:
    """Return how uninformative faces are, being turned away or cut by the picture's edge, 0 to 1, `(n,)`.

    Measured on 6,500 labelled faces of films and portraits of 40 pixels and more: with dlib's embedding a face turned
    by up to 20 degrees lies at 0.35 from its own person's pictures, one by 35 to 50 at 0.44, and one by more than 65 at
    0.62, while other people's lie at 0.71 to 0.74 at every turn.

    Args:
        pose: `(n, 3)` degrees, of `head_pose`; NaN counts as frontal.
        cut: `(n,)`, of `cut_off`; NaN counts as whole.
    """
    turn = np.clip((away(pose) - _TELLING) / (_MUTE - _TELLING), 0, 1)
    return np.asarray(np.maximum(np.nan_to_num(turn), np.nan_to_num(np.asarray(cut, np.float64))), np.float32)


def view_weights(quality: FloatArray, turned: FloatArray) -> FloatArray:
    """Return the weight of each view of a face in the mean of its track, `(n,)`, above 0.

    Quality, of which a view that is turned away keeps a twentieth: such a view draws the mean away from the person's
    pictures. Measured on the labelled films, for tracks with both frontal and turned views the area under the ROC
    curve of the distance to the right person rose from 0.895 to 0.916 and from 0.950 to 0.975.

    Args:
        quality: `(n,)`, of `facelib.embed.quality.quality`.
        turned: `(n,)`, of `turned_away`.
    """
    return np.asarray((np.asarray(quality) + 1e-3) * (1 - _TURNED_LOSES * np.asarray(turned)), np.float32)


def cut_off(faces: Faces, height: int, width: int) -> FloatArray:
    """Return how far the picture's edge cuts each face, `(n,)`: 0 not at all, 1 where a landmark lies at the edge.

    Args:
        faces: Any number of faces; those without landmarks (NaN) count as whole.
        height: Of the picture, pixels.
        width: The same.
    """
    across, down = faces.landmarks[..., 0], faces.landmarks[..., 1]
    nearest = np.minimum(np.minimum(across, width - across), np.minimum(down, height - down)).min(
        axis=1, initial=np.inf
    )
    share = nearest / np.maximum(faces.heights, 1)
    return np.asarray(np.nan_to_num(np.clip((_MARGIN - share) / (_MARGIN - _CUT), 0, 1), nan=0.0), np.float32)


def _rotations(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first two rows of each face's rotation, `(n, 2, 3)`: the nearest to the affine map that fits."""
    centred = points - points.mean(axis=1, keepdims=True)
    affine = np.einsum("kp,npd->ndk", _fit_to_mean_face(), centred)
    left, _, right = np.linalg.svd(affine, full_matrices=False)
    return np.asarray(left @ right, np.float64)


@cache
def _fit_to_mean_face() -> NDArray[np.float64]:
    """Return what gives the affine map from the mean face to five points in least squares, `(3, 5)`."""
    return np.asarray(np.linalg.pinv(_MEAN_FACE - _MEAN_FACE.mean(axis=0)), np.float64)


def _angles(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    across, down = rotations[:, 0], rotations[:, 1]
    forward = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]  # of the cross product, towards the camera
    yaw = np.arctan2(across[:, 2], forward)
    pitch = np.arcsin(np.clip(-down[:, 2], -1, 1))
    return np.column_stack([yaw, pitch, np.arctan2(down[:, 0], down[:, 1])])
