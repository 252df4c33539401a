"""Pictures and films are copied in once, and listed with what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from facelib.gather import FILM_COLUMNS, PICTURE_COLUMNS, copy_people, gather_films, list_films, list_pictures
from facelib.project import write_table


@pytest.fixture
def tree(tmp_path):
    for name in ["Ann/a.png", "Ann/b.png", "Bo Ö/c.png"]:
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.new("RGB", (8, 6)).save(path)
    (tmp_path / "tree" / "Ann" / "notes.txt").write_text("no picture")
    return tmp_path / "tree"


def test_copied_once_and_never_overwritten(tree, project):
    assert copy_people(tree, project) == 3
    own = project.people / "Ann" / "a.png"
    own.write_bytes(b"the user's own")
    assert copy_people(tree, project) == 0
    assert own.read_bytes() == b"the user's own"
    assert not (project.people / "Ann" / "notes.txt").exists()


@pytest.mark.parametrize("place", ["../..", "..", "Ann"])
def test_a_folder_that_holds_the_cast_or_lies_in_it_is_refused(tree, project, place):
    copy_people(tree, project)
    tree.rename(project.people / "Ann" / "tree")
    before = sorted(project.people.rglob("*"))
    with pytest.raises(ValueError, match="expected a folder apart from the project's pictures"):
        copy_people(project.people / place, project)  # each run would copy what the run before copied
    assert copy_people(project.people, project) == 0 and sorted(project.people.rglob("*")) == before


def test_what_is_not_copied_is_told(tree, project, caplog):
    PillowImage.new("RGB", (8, 6)).save(tree / "Cy.png")
    (tree / "Unknown 1").mkdir()
    copy_people(tree, project)
    told = {text.partition(str(tree))[2] for text in caplog.messages}
    assert told == {
        "/Ann/notes.txt is not copied: not a picture",
        "/Cy.png is not copied: whose is it? put it into a folder named after the person, such as 'Cy'",
        "/Unknown 1 is not copied: a name that facelib gives to people it does not know: rename the folder",
    }
    assert not (project.people / "Unknown 1").exists()


def test_films_with_one_name_in_several_folders_are_told(make_film, project, tmp_path, caplog):
    films = [make_film(f"source/{place}/ep1.mp4", frames=3) for place in ("a", "b")]
    assert gather_films(str(tmp_path / "source"), project)["new"].tolist() == [1]
    assert caplog.messages == [f"{films[1]} is not copied: called like {films[0]}; rename one"]
    assert (project.videos / "ep1.mp4").read_bytes() == films[0].read_bytes()


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can be opened and not be read")
def test_a_file_that_cannot_be_read_stops_no_other(tree, project, caplog):
    (tree / "Ann" / "a.png").unlink()
    (tree / "Ann" / "a.png").symlink_to("/proc/self/mem")  # as a file on a failing disk
    assert copy_people(tree, project) == 2
    assert any("a.png is not copied: cannot be read: " in text for text in caplog.messages)
    assert [path.name for path in (project.people / "Ann").iterdir()] == ["b.png"]


def test_what_calls_itself_a_film_and_is_not_brought_in_is_told(make_film, project, tmp_path, caplog):
    make_film("source/film.mp4", frames=3)
    (tmp_path / "source" / "gone.mp4").symlink_to("nowhere")
    (tmp_path / "source" / "film.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nText\n")
    gather_films(str(tmp_path / "source"), project)
    (told,) = caplog.messages
    assert "gone.mp4 is not copied: a broken link" in told


def test_nothing_to_copy(tmp_path, project):
    with pytest.raises(FileNotFoundError, match="one folder"):
        copy_people(tmp_path, project)
    with pytest.raises(FileNotFoundError, match="film"):
        gather_films(str(tmp_path), project)


def test_pictures_are_listed_with_what_is_wrong(tree, project):
    copy_people(tree, project)
    (project.people / "Ann" / "text.jpg").write_text("no picture")
    table = list_pictures(project)
    assert list(table.columns) == PICTURE_COLUMNS
    assert table["person"].tolist() == ["Ann", "Ann", "Ann", "Bo Ö"]
    assert table["picture"][3] == "people/Bo Ö/c.png"
    assert (table["reason"] != "").tolist() == [False, False, True, False]
    assert table.loc[0, ["width", "height"]].tolist() == [8, 6]


def test_a_picture_that_is_half_missing_is_a_problem_and_one_that_lacks_its_last_bytes_is_none(project):
    folder = project.people / "Ann"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (300, 200, 3), np.uint8)
    PillowImage.fromarray(noise).save(folder / "whole.jpg")
    PillowImage.fromarray(noise).save(folder / "whole.png")
    for name, part in (("half.jpg", 0.5), ("half.png", 0.5), ("nearly.jpg", 0.99)):
        data = (folder / f"whole.{name[-3:]}").read_bytes()
        (folder / name).write_bytes(data[: int(part * len(data))])
    table = list_pictures(project).set_index("picture")
    reasons = table["reason"] != ""
    assert reasons[reasons].index.tolist() == ["people/Ann/half.jpg", "people/Ann/half.png"]
    assert table.loc["people/Ann/half.jpg", "reason"].startswith("expected a picture, could not read 'half.jpg'")
    assert table.loc["people/Ann/nearly.jpg", ["width", "height", "format"]].tolist() == [200, 300, "JPEG"]


def test_empty_cast(project):
    project.people.mkdir(parents=True)
    assert list(list_pictures(project).columns) == PICTURE_COLUMNS
    assert list(list_films(project).columns) == FILM_COLUMNS


def test_films(make_film, project, tmp_path):
    film = make_film("in/one.mp4", frames=25)
    assert gather_films([str(film), str(film.parent)], project)["new"].tolist() == [1, 0]
    (project.videos / "broken.mp4").write_text("no film")
    table = list_films(project)
    assert table["video"].tolist() == ["broken.mp4", "one.mp4"]
    assert table["reason"].tolist()[1] == ""
    assert "broken.mp4" in table["reason"][0]
    assert table["seconds"][1] == pytest.approx(1.0, abs=0.05)
    assert table["sound"][1]


def test_films_that_would_stop_a_run_are_listed(project, make_film):
    film = make_film(frames=5)
    for place in (b"ren\xe9.mp4", b"\xff/film.mp4"):
        path = project.videos / os.fsdecode(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(film.read_bytes())
    (project.videos / "loop.mp4").symlink_to("loop.mp4")
    os.mkfifo(project.videos / "pipe.mp4")
    (project.videos / "good.mp4").write_bytes(film.read_bytes())
    table = list_films(project).set_index("video")["reason"]
    assert table["good.mp4"] == "" and project.find_videos() == [project.videos / "good.mp4"]
    assert table["ren\\xe9.mp4"] == table["\\xff/film.mp4"] == "its name is not UTF-8: rename it"
    assert table["loop.mp4"] == "a broken link to 'loop.mp4'" and table["pipe.mp4"] == "not a file"
    write_table(table.reset_index(), project.output / "films.csv")
