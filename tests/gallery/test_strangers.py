"""The strangers folder: pictures of people who are not of the cast."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from facelib.detect import load_detector
from facelib.embed import load_embedder
from facelib.gallery.files import Gallery, read_gallery
from facelib.gallery.records import describe_search
from facelib.gallery.strangers import embed_strangers, find_strangers, read_strangers, strangers_file, strangers_folder
from facelib.project import Project
from facelib.project.digests import sha256_of


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project("strange", tmp_path / "data", tmp_path / "output")
    strangers_folder(made).mkdir(parents=True)
    return made


def test_without_pictures_there_is_no_table_and_an_old_one_goes(project: Project) -> None:
    strangers_file(project).parent.mkdir(parents=True)
    strangers_file(project).write_bytes(b"of a former run")
    assert read_strangers(project) is None
    assert embed_strangers(project, load_detector(), load_embedder(), progress=False) is None
    assert not strangers_file(project).exists()
    shutil.rmtree(strangers_folder(project))
    assert find_strangers(project) == []


def test_pictures_are_found_in_folders_of_any_depth(project: Project) -> None:
    folder = strangers_folder(project)
    for name in ("a.jpg", "b/c.PNG", "b/d/e.webp", ".hidden/f.jpg", "b/.g.jpg", "notes.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [path.relative_to(folder).as_posix() for path in find_strangers(project)] == [
        "a.jpg",
        "b/c.PNG",
        "b/d/e.webp",
    ]


@pytest.mark.real_data
def test_every_face_that_is_not_of_the_cast_is_a_strangers(shared_data: Path, project: Project) -> None:
    pictures = sorted((shared_data / "lfw" / "strangers").rglob("*.jpg"))[:4]
    folder = strangers_folder(project)
    (folder / "deep").mkdir()
    for picture in pictures:
        shutil.copy(picture, folder / "deep" / picture.name)
    shutil.copy(pictures[0], folder / "again.jpg")
    (folder / "broken.jpg").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "grey.png"), np.full((200, 200, 3), 127, np.uint8))
    cast = Gallery(_rows_of(sha256_of(pictures[1])), "", "", "")
    detector, embedder = load_detector(), load_embedder()
    found = embed_strangers(project, detector, embedder, cast=cast, progress=False)
    assert found is not None
    reasons = found.table.drop_duplicates("picture").set_index("picture")["reason"]
    deep = [f"strangers/deep/{picture.name}" for picture in pictures]
    assert reasons["strangers/broken.jpg"] == "unreadable" and reasons["strangers/grey.png"] == "no face"
    assert reasons["strangers/again.jpg"] == ""
    assert reasons[deep].tolist() == ["duplicate", "duplicate", "", ""]  # a copy, one of the cast
    assert len(found.vectors) >= 3 and np.isfinite(found.vectors).all() and set(found.table["person"]) == {""}
    stored = read_strangers(project)
    assert stored is not None and stored.used["picture"].tolist() == found.used["picture"].tolist()
    assert read_gallery(strangers_file(project)).weights_sha256 == embedder.sha256

    class Blind:
        name, description = detector.name, detector.description

        def detect(self, image: np.ndarray) -> None:
            raise AssertionError("looked at a picture again")

    (folder / "broken.jpg").unlink()
    again = embed_strangers(project, Blind(), embedder, progress=False)  # type: ignore[arg-type]
    assert again is not None
    # No longer of the cast, so it counts; the copy still does not.
    assert again.table.drop_duplicates("picture").set_index("picture")["reason"][deep].tolist() == [
        "duplicate",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize("size", [1000, 300])
def test_strangers_are_looked_for_as_the_cast_was(
    project: Project, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    cv2.imwrite(str(strangers_folder(project) / "grey.png"), np.full((200, 200, 3), 127, np.uint8))
    detector, embedder = load_detector(), load_embedder()
    cast = Gallery(_rows_of(""), describe_search(detector, working_size=300), embedder.name, embedder.sha256)
    found = embed_strangers(project, detector, embedder, cast=cast, working_size=size, progress=False)
    assert found is not None and found.detector.endswith(f"upright portraits at {size}")
    told = ["give notebook 04 the detector, smallest_face and working_size of 02" in one for one in caplog.messages]
    assert told == [True] * (size != 300)


def _rows_of(digest: str) -> pd.DataFrame:
    return pd.DataFrame({"sha256": [digest], "used": [True]})
