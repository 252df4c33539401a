"""A face's turn is read from its landmarks: of faces turned in a known way, and of real ones."""

import numpy as np
import pytest

from facelib.embed.pose import _MEAN_FACE, away, cut_off, head_pose, turned_away, view_weights
from facelib.embed.quality import frontality, quality
from facelib.faces import Faces


def seen_from(yaw, pitch, roll):
    """Return the landmarks of the mean face, turned: it looks `yaw` to the right and `pitch` up, then rolls."""
    y, p, r = np.radians([yaw, pitch, roll])
    up = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    aside = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    over = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (60 * _MEAN_FACE @ (over @ aside @ up).T)[:, :2] + 200


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (35, 0, 0), (-70, 0, 0), (88, 0, 0), (0, 25, 0), (0, -30, 0), (0, 0, 20), (0, 0, -20)],
)
def test_a_turned_face_is_turned_back(yaw, pitch, roll):
    pose = head_pose(seen_from(yaw, pitch, roll)[None].astype(np.float32))
    np.testing.assert_allclose(pose, [[yaw, pitch, roll]], atol=0.5)


@pytest.mark.parametrize("roll", [0, 40, -25])
def test_rolling_a_face_turns_it_no_farther_away(roll):
    pose = head_pose(seen_from(50, 20, roll)[None])
    wanted = np.degrees(np.arccos(np.cos(np.radians(50)) * np.cos(np.radians(20))))
    assert away(pose).item() == pytest.approx(wanted, abs=0.5)


def test_noise_of_landmarks_moves_the_turn_little():
    random = np.random.default_rng(0)
    some = np.stack([seen_from(60, 0, 0) + random.normal(0, 1.5, (5, 2)) for _ in range(200)])
    assert np.abs(away(head_pose(some)) - 60).mean() < 3


def test_unknown_and_fallen_together_landmarks_have_no_pose():
    points = np.stack([np.full((5, 2), np.nan), np.full((5, 2), 7.0), seen_from(0, 0, 0)])
    pose = head_pose(points)
    assert np.isnan(pose[:2]).all()
    assert np.isfinite(pose[2]).all()
    assert head_pose(np.empty((0, 5, 2))).shape == (0, 3)
    assert away(np.empty((0, 3))).shape == (0,)
    np.testing.assert_allclose(frontality(head_pose(points.astype(np.float32))), [0.5, 0.5, 1])


def faces_at(x, y, *, width=100.0):
    """One straight face whose eyes' middle is at `(x, y)`."""
    points = (seen_from(0, 0, 0) - 200 + (x, y)).astype(np.float32)[None]
    box = np.array([[x - width / 2, y - 50, x + width / 2, y + 90]], np.float32)
    return Faces(box, np.ones(1, np.float32), points)


@pytest.mark.parametrize(
    ("x", "cut"),
    [
        (320, 0.0),  # in the middle
        (640 - 30 - 0.13 * 140, 0.5),  # half of the way between a whole face and a cut one
        (640 - 32, 1.0),  # an eye at the edge
        (660, 1.0),  # most of the face is gone
        (20, 1.0),
    ],
)
def test_a_face_that_the_edge_cuts_is_told(x, cut):
    assert cut_off(faces_at(x, 200), 480, 640).item() == pytest.approx(cut, abs=0.02)


def test_a_cut_face_and_a_profile_are_worth_less():
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    whole, cut = quality(image, faces_at(320, 200)).item(), quality(image, faces_at(615, 200)).item()
    profile = Faces(faces_at(320, 200).boxes, np.ones(1, np.float32), seen_from(85, 0, 0)[None].astype(np.float32))
    assert whole > 2 * cut > 0
    assert quality(image, profile).item() == pytest.approx(whole / 5, rel=0.01)


def test_no_face():
    nothing = Faces(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32))
    assert cut_off(nothing, 480, 640).shape == (0,)


def test_a_view_that_is_turned_or_cut_weighs_little_in_a_tracks_mean():
    pose = np.array([[0, 0, 0], [50, 0, 0], [80, 0, 0], [np.nan] * 3, [5, 0, 0]], np.float32)
    turned = turned_away(pose, np.array([0, 0, 0, np.nan, 1], np.float32))
    np.testing.assert_allclose(turned, [0, 0.5, 1, 0, 1], atol=1e-5)
    weights = view_weights(np.full(5, 0.2, np.float32), turned)
    assert weights[0] == weights[3] == pytest.approx(0.201)
    assert weights[0] > 1.8 * weights[1] > 8 * weights[2] > 0
