"""People who look like somebody of the cast get no name where a scene shows that person as well."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from facelib.films.naming import name_tracks
from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN
from tests.recognizing import make_info

OF_A = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
OF_B = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
SEEN_A = np.array([0.98, 0.0, -0.2, 0.0, 0.0])  # A in the film's light, 0.2 from the pictures
LIKE_A = np.array([0.93, 0.0, np.sqrt(1 - 0.93**2), 0.0, 0.0])  # 0.37 from them, within the threshold of 0.48


@pytest.fixture
def recognizer():
    around = np.random.default_rng(0).normal(size=(8, 5)) * 0.03
    vectors = np.repeat([OF_A, OF_B], 4, axis=0) + around
    return OpenSetKNN(k=1, threshold=0.48).fit(vectors.astype(np.float32), ["A"] * 4 + ["B"] * 4)


@pytest.fixture
def info():
    pictures = tuple(f"people/{name}/{number}.jpg" for name in "AB" for number in range(4))
    # Half of the names at the threshold are right.
    return make_info(pictures=pictures, confidence_slope=-40.0, confidence_intercept=19.2)


def named(recognizer, info, faces, *, setups=2, quality=0.3, pose=0.0, scene=0):
    """Name a film of one track per shot: each face stands at one place in one set-up, in clothes of its own."""
    random = np.random.default_rng(1)
    tracks, looks = [], []
    for shot, who in enumerate(faces):
        face = (who + random.normal(size=5) * 0.02).astype(np.float32)
        worn = np.zeros(576, np.float32)
        worn[int(200 + 100 * who[2])] = 1
        start = 100 * shot
        tracks.append([shot, shot, start, start + 50, start / 25, (start + 50) / 25, 5, face])
        left = 300 + 300 * who[2]
        looks.append([shot, shot, left, 100, left + 100, 200, quality, face, worn, worn, pose, 0.0, 0.0])
    table = pd.DataFrame(
        tracks, columns=["track", "shot", "start_frame", "end_frame", "start", "end", "faces", "embedding"]
    )
    columns = ["track", "shot", "left", "top", "right", "bottom", "quality", "embedding", "clothes", "hair"]
    seen = pd.DataFrame(looks, columns=[*columns, "yaw", "pitch", "cut"])
    numbers = np.arange(len(faces))
    shots = pd.DataFrame({"shot": numbers, "scene": numbers * scene, "setup": numbers % setups})
    return name_tracks(table, recognizer, info, looks=seen, shots=shots)


def test_a_look_alike_stays_unknown_beside_the_person(recognizer, info):
    found = named(recognizer, info, [SEEN_A, LIKE_A] * 4)
    assert found["person"].tolist() == ["A", UNKNOWN] * 4
    assert found["reason"][1].startswith("looks like A, at 0.3")


@pytest.mark.parametrize(
    ("faces", "options"),
    [
        ([LIKE_A] * 4, {}),  # nobody nearer in the scene: one picture of A may lie so far
        ([SEEN_A, LIKE_A], {}),  # a single track each, which one bad picture explains
        ([SEEN_A, LIKE_A] * 4, {"scene": 1}),  # each shot a scene of its own
        ([SEEN_A, OF_A] * 4, {}),
    ],
)
def test_without_proof_a_name_is_kept(recognizer, info, faces, options):
    assert named(recognizer, info, faces, **options)["person"].tolist() == ["A"] * len(faces)


def test_turned_faces_prove_nothing(recognizer, info):
    found = named(recognizer, info, [SEEN_A, LIKE_A] * 4, pose=80.0)
    assert not found["reason"].str.startswith("looks like").any()


def test_nobody_of_the_cast_at_all(recognizer, info):
    stranger = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    assert named(recognizer, info, [stranger] * 3)["person"].tolist() == [UNKNOWN] * 3
