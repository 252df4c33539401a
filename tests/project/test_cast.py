"""What lies in people/: folders of people, and everything else listed with the reason."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelib.gather import list_pictures
from facelib.images import encode_jpeg
from facelib.project import Project, path_of, text_of

JPEG = encode_jpeg(np.full((8, 8, 3), 90, np.uint8))
RENEE = b"Ren\xe9e"  # Latin-1: no UTF-8


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project("cast", tmp_path / "data", tmp_path / "output")
    found.people.mkdir(parents=True)
    return found


def put(folder: Path, name: str | bytes, content: bytes = JPEG) -> Path:
    path = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def reasons(project: Project) -> dict[str, str]:
    table = list_pictures(project)
    return dict(zip(table["picture"], table["reason"], strict=True))


def test_an_empty_cast_lists_nothing(project):
    assert list_pictures(project).empty and project.find_people() == []


def test_everything_in_people_is_taken_or_listed(project):
    put(project.people, "Ada/2011/1.jpg")
    put(project.people, "Ada/notes.txt", b"born 1815")
    put(project.people, "Will Smith.jpg")
    put(project.people, "readme.txt", b"see the wiki")
    for name in ("@eaDir/Ada/1.jpg", "__MACOSX/Ada/._1.jpg", "$RECYCLE.BIN/1.jpg", ".DS_Store"):
        put(project.people, name)
    put(project.people, "UNKNOWN/1.jpg")
    (project.people / "all").symlink_to(project.people)
    (project.people / "up").symlink_to(project.data_dir)
    (project.people / "gone").symlink_to(project.data_dir / "nowhere")
    assert project.find_people() == ["Ada"]
    found = reasons(project)
    assert found.pop("people/Ada/2011/1.jpg") == ""
    assert found == {
        "people/Ada/notes.txt": "not a picture",
        "people/Will Smith.jpg": "whose is it? put it into a folder named after the person, such as 'Will Smith'",
        "people/readme.txt": "not a folder of a person",
        "people/UNKNOWN": "a name that facelib gives to people it does not know: rename the folder",
        "people/all": "a link to a folder above it",
        "people/up": "a link to a folder above it",
        "people/gone": "a broken link",
    }


def test_names_that_are_not_utf8_are_written_in_tables_and_found_again(project, tmp_path):
    path = put(project.people, RENEE + b"/" + RENEE + b"0.jpg")
    (person,) = project.find_people()
    assert person == "Ren\\xe9e"
    (picture,) = project.find_pictures(person)
    assert picture == path and project.picture(project.label(picture)) == path
    list_pictures(project).to_parquet(tmp_path / "table.parquet")
    assert pd.read_parquet(tmp_path / "table.parquet")["picture"].tolist() == ["people/Ren\\xe9e/Ren\\xe9e0.jpg"]


@pytest.mark.parametrize("name", ["", "Ada", "Renée", "a\\b", "日本", "\\x41"])
def test_text_stays_as_it_is(name):
    assert text_of(name) == name and path_of(name) == name
