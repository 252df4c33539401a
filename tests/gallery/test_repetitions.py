"""Copies of a picture are found, whatever was done to them, and other pictures are not."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import skimage.data
from PIL import Image as PillowImage

from facelib.gallery.measures import measure_pictures, measures_file
from facelib.gallery.repetitions import find_repetitions
from facelib.images import encode_jpeg, read_image
from facelib.project import Project

Changed = Callable[[np.ndarray], np.ndarray]
BOX = np.array([80.0, 0, 180, 120])  # of the astronaut's face in the picture below


@pytest.fixture
def portrait() -> np.ndarray:
    return skimage.data.astronaut()[:300, 80:380]


def half(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def recompressed(image: np.ndarray) -> np.ndarray:
    return np.asarray(PillowImage.open(io.BytesIO(encode_jpeg(image, quality=30))).convert("RGB"))


@pytest.fixture
def put(project: Project) -> Callable[[str, np.ndarray], None]:
    def write(picture: str, image: np.ndarray) -> None:
        path = project.data / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(image, quality=95))

    return write


def measured(table: pd.DataFrame, project: Project) -> pd.DataFrame:
    seen = table.join(measure_pictures(table, project, progress=False))
    return seen.assign(worth=seen["size"])


@pytest.mark.parametrize(
    ("change", "scale"),
    [
        (half, 0.5),
        (recompressed, 1.0),
        (lambda image: np.clip(image * 1.15 + 8.0, 0, 255).astype(np.uint8), 1.0),
        (lambda image: np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2), 1.0),
        (lambda image: image[:200], 1.0),  # cut below the face: another picture, the same face
    ],
    ids=["half the size", "recompressed", "brighter", "grey", "cut"],
)
@pytest.mark.parametrize("threshold", [0.48, math.nan])
def test_a_changed_copy_repeats_the_better_picture(
    project: Project,
    put: Callable[..., None],
    gallery_of: Callable[..., pd.DataFrame],
    portrait: np.ndarray,
    change: Changed,
    scale: float,
    threshold: float,
) -> None:
    put("people/Ada/a.jpg", portrait)
    put("people/Ada/b.jpg", change(portrait))
    put("people/Ada/c.jpg", skimage.data.coffee()[:300, :300])
    sides = dict(zip(("left", "top", "right", "bottom"), BOX.tolist(), strict=True))
    smaller = {side: value * scale - 0.01 for side, value in sides.items()}
    table = gallery_of(
        {"picture": "people/Ada/a.jpg", "person": "Ada", "vector": [0.0, 0.0], **sides},
        {"picture": "people/Ada/b.jpg", "person": "Ada", "vector": [0.2, 0.0], **smaller},
        {"picture": "people/Ada/c.jpg", "person": "Ada", "vector": [0.0, 0.25], **sides},
    )
    again = find_repetitions(measured(table, project), threshold=threshold)
    assert again["of"].to_dict() in ({1: 0}, {0: 1})
    assert 0 < again["sameness"].iloc[0] <= 1


def test_equal_pictures_of_unlike_faces_and_of_two_people_are_no_repetitions(
    project: Project, put: Callable[..., None], gallery_of: Callable[..., pd.DataFrame], portrait: np.ndarray
) -> None:
    names = ["people/Ada/a.jpg", "people/Ada/b.jpg", "people/Grace/c.jpg"]
    for name in names:
        put(name, portrait)
    table = gallery_of(
        {"picture": names[0], "person": "Ada", "vector": [0.0, 0.0]},
        {"picture": names[1], "person": "Ada", "vector": [0.6, 0.0]},
        {"picture": names[2], "person": "Grace", "vector": [0.0, 0.0]},
    )
    assert find_repetitions(measured(table, project), threshold=0.48).empty


def test_faces_nearer_than_two_moments_are_told_without_equal_pixels(gallery_of: Callable[..., pd.DataFrame]) -> None:
    vectors = [[0.0, 0.0], [0.1, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5]]
    table = gallery_of(
        *({"picture": f"people/Ada/{n}.jpg", "person": "Ada", "vector": vector} for n, vector in enumerate(vectors))
    ).assign(worth=[1.0, 2.0, 1.0, 1.0, 1.0], whole=np.uint64(0), portrait=np.uint64(0))
    assert find_repetitions(table, threshold=0.48)["of"].to_dict() == {0: 1}  # the better one is kept
    near = table.assign(embedding=[np.array([0.01 * n, 0.02 * (n % 3)]) for n in range(5)])
    # Where everything is that near, nothing stands out as the same moment but the very nearest.
    assert len(find_repetitions(near, threshold=0.48)) < 4
    assert find_repetitions(table, threshold=math.nan).empty


def test_no_faces_repeat_nothing(gallery_of: Callable[..., pd.DataFrame]) -> None:
    table = gallery_of().assign(worth=[], whole=np.zeros(0, "uint64"), portrait=np.zeros(0, "uint64"))
    assert find_repetitions(table, threshold=0.48).empty


def test_measures_tell_size_turn_and_light(
    project: Project, put: Callable[..., None], gallery_of: Callable[..., pd.DataFrame], portrait: np.ndarray
) -> None:
    put("people/Ada/a.jpg", portrait)
    put("people/Ada/b.jpg", portrait // 8)
    side = np.array([30, 40, 70, 40, 30, 60, 35, 80, 65, 80], np.float32)  # the nose below the left eye
    table = gallery_of(
        {"picture": "people/Ada/a.jpg", "person": "Ada", "vector": [0.0]},
        {"picture": "people/Ada/b.jpg", "person": "Ada", "vector": [0.0], "landmarks": side},
        {"picture": "people/Ada/gone.jpg", "person": "Ada", "vector": [0.0]},
    ).set_index(pd.Index([7, 3, 5]))
    found = measure_pictures(table, project, progress=False)
    assert found.index.to_list() == [7, 3, 5]
    assert found["size"].to_list() == [120, 120, 120]
    np.testing.assert_allclose(found["turn"], [0, -0.5, 0], atol=1e-6)
    assert found.at[7, "light"] > 50 > 20 > found.at[3, "light"]
    assert np.isnan(found.at[5, "light"]) and found.at[5, "whole"] == 0 == found.at[5, "portrait"]


def test_a_picture_is_measured_once_and_a_changed_one_anew(
    project: Project,
    put: Callable[..., None],
    gallery_of: Callable[..., pd.DataFrame],
    portrait: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def counting(path: Path) -> np.ndarray:
        read.append(path.name)
        return read_image(path)

    monkeypatch.setattr("facelib.gallery.measures.read_image", counting)
    for name in "ab":
        put(f"people/Ada/{name}.jpg", portrait)
    rows = [{"picture": f"people/Ada/{name}.jpg", "person": "Ada", "vector": [0.0], "sha256": name} for name in "ab"]
    table = gallery_of(*rows)
    first = measure_pictures(table, project, progress=False)
    assert read == ["a.jpg", "b.jpg"]
    pd.testing.assert_frame_equal(measure_pictures(table, project, progress=False), first)
    assert read == ["a.jpg", "b.jpg"]
    table.loc[1, "sha256"] = "changed"
    measure_pictures(table, project, progress=False)
    table.loc[0, "right"] = 130.0
    measure_pictures(table, project, progress=False)
    assert read == ["a.jpg", "b.jpg", "b.jpg", "a.jpg"]
    measures_file(project).write_bytes(b"broken")
    pd.testing.assert_frame_equal(measure_pictures(gallery_of(*rows), project, progress=False), first)


def test_no_faces_have_no_measures(project: Project, gallery_of: Callable[..., pd.DataFrame]) -> None:
    assert measure_pictures(gallery_of(), project, progress=False).empty
    assert not measures_file(project).exists()
