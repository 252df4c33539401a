"""Pictures are left out, brought back and moved, and nothing else changes."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from facelib.gallery import accept, accepted, curate, move, read_gallery, undo, write_gallery
from facelib.gallery.decisions import find_disabled, moving, people_of
from facelib.pipeline.freshness import STEP_FILES
from facelib.project import Project, identities

MADE = {"detector": "mtcnn", "embedder": "dlib", "weights_sha256": "ab"}


def rows(*pictures: str, kind: str = "blurred", fits: str = "") -> pd.DataFrame:
    return pd.DataFrame({"picture": list(pictures), "kind": kind, "fits": fits})


def test_no_list_leaves_nothing_out(project: Project) -> None:
    assert accepted(project) == set()
    assert undo(project, ["people/Ada/1.jpg"]) == []
    assert accept(project, rows()) == []
    assert not project.disabled.exists()


def test_an_accepted_proposal_stands_in_the_list_with_its_reason_and_goes_again(project: Project) -> None:
    assert accept(project, rows("people/Ada/1.jpg", kind="wrong person", fits="Grace")) == ["people/Ada/1.jpg"]
    assert project.disabled.read_text() == "# facelib: wrong person, fits Grace\npeople/Ada/1.jpg\n"
    assert accepted(project) == {"people/Ada/1.jpg"}
    assert undo(project, ["people/Ada/1.jpg"]) == ["people/Ada/1.jpg"]
    assert project.disabled.read_text() == ""


def test_a_table_of_pictures_alone_will_do(project: Project) -> None:
    accept(project, pd.DataFrame({"picture": ["people/Ada/1.jpg"]}))
    assert project.disabled.read_text() == "# facelib: left out by hand\npeople/Ada/1.jpg\n"


@pytest.mark.parametrize(
    "mine",
    [
        b"# my own remark\npeople/Ada/old.jpg\n",
        b"people/Ada/old.jpg",  # an editor left the last line open
        b"\xef\xbb\xbf# a byte order mark\r\npeople/Ada/old.jpg\r\n\r\n",  # Windows
        b"  people\\Ada\\old.jpg  \n\n# the end\n",
        b"",
    ],
)
def test_the_users_own_lines_stay_byte_by_byte(project: Project, mine: bytes) -> None:
    project.disabled.write_bytes(mine)
    accept(project, rows("people/Ada/1.jpg", "people/Ada/2.jpg", "people/Ada/1.jpg"))
    assert project.disabled.read_bytes().startswith(mine)
    assert accepted(project) == {"people/Ada/1.jpg", "people/Ada/2.jpg"} | ({"people/Ada/old.jpg"} if mine else set())
    assert accept(project, rows("people/Ada/2.jpg")) == []
    undo(project, ["people/Ada/1.jpg", "people/Ada/2.jpg"])
    end = b"" if not mine or mine.endswith(b"\n") else b"\n"
    assert project.disabled.read_bytes() == mine + end


def test_undo_takes_a_users_line_but_no_remark_of_theirs(project: Project) -> None:
    project.disabled.write_text("# mine\npeople/Ada/1.jpg\npeople/Ada/10.jpg\n")
    assert undo(project, ["people/Ada/1.jpg", "people/Ada/3.jpg"]) == ["people/Ada/1.jpg"]
    assert project.disabled.read_text() == "# mine\npeople/Ada/10.jpg\n"


def test_names_put_together_otherwise_are_the_same_name(project: Project) -> None:
    project.disabled.write_text("people/E\u0301lodie/1.jpg\n")  # as some file systems take names apart
    assert accept(project, rows("people/\u00c9lodie/1.jpg")) == []
    assert find_disabled(project, {"people/\u00c9lodie/1.jpg"}) == {"people/\u00c9lodie/1.jpg"}
    assert undo(project, ["people/\u00c9lodie/1.jpg"]) == ["people/E\u0301lodie/1.jpg"]


@pytest.mark.parametrize(
    "picture",
    [
        "",
        "/etc/passwd.jpg",
        "people/../../other.jpg",
        "people/Ada/../1.jpg",
        "people/Ada//1.jpg",
        "videos/Ada/1.jpg",
        "people/Ada/1\n2.jpg",  # would be two lines
        "people/Ada\\1.jpg",
        "people/Ada/x\\1.jpg",  # would be read as a folder
        "people/\u2028/1.jpg",
    ],
)
def test_a_path_that_is_no_pictures_is_refused_and_nothing_written(project: Project, picture: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        accept(project, rows("people/Ada/1.jpg", picture))
    assert not project.disabled.exists()
    with pytest.raises(ValueError, match="expected"):
        move(project, picture, "Ada")


@pytest.mark.parametrize("name", [b"ren\xe9e0.jpg", b"\xff\xfe.jpg", b"\xd0\xa3.jpg", b"a\xe9 b.jpg"])
def test_a_picture_whose_name_is_no_utf_8(
    project: Project, make_table: Callable[..., pd.DataFrame], name: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    folder = project.people / os.fsdecode(b"Ren\xe9e")
    folder.mkdir(parents=True)
    path = folder / os.fsdecode(name)
    path.touch()
    label = project.label(path)
    assert accept(project, rows(label)) == [label] and accept(project, rows(label)) == []
    assert find_disabled(project, {label, "people/Ada/1.jpg"}) == {label} and not caplog.records
    assert project.picture(label) == path
    assert undo(project, [label]) and find_disabled(project, {label}) == set()
    assert project.disabled.read_text() == ""


def test_a_line_with_windows_slashes_names_such_a_folder_too(project: Project) -> None:
    project.disabled.write_text("people\\Ada\\xaver.jpg\npeople\\Ada\\xe9.jpg\n")
    there = {"people/Ada/xaver.jpg", "people/Ada/xe9.jpg", "people/Ada/1.jpg"}
    assert find_disabled(project, there) == there - {"people/Ada/1.jpg"}


def test_a_reason_cannot_break_out_of_its_line(project: Project) -> None:
    accept(project, rows("people/Ada/1.jpg", kind="wrong\npeople/Ada/2.jpg", fits="A\u2028B"))
    assert accepted(project) == {"people/Ada/1.jpg"}


def test_a_list_in_another_encoding_is_named_and_kept(project: Project) -> None:
    project.disabled.write_bytes("people/Élodie/1.jpg\n".encode("latin-1"))
    for call in (lambda: accepted(project), lambda: accept(project, rows("people/Ada/1.jpg"))):
        with pytest.raises(ValueError, match=r"expected UTF-8 text in .*disabled\.txt"):
            call()
    assert project.disabled.read_bytes() == "people/Élodie/1.jpg\n".encode("latin-1")


def test_a_line_that_names_no_picture_is_told(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    project.disabled.write_text("people/Ada/gone.jpg\n")
    with caplog.at_level(logging.WARNING):
        assert find_disabled(project, {"people/Ada/1.jpg"}) == set()
    assert "people/Ada/gone.jpg" in caplog.text


def test_writers_at_one_time_lose_nothing(project: Project) -> None:
    pictures = [f"people/Ada/{number}.jpg" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:  # each opens the lock anew, as another process would
        list(pool.map(lambda picture: accept(project, rows(picture)), pictures))
        assert accepted(project) == set(pictures)
        list(pool.map(lambda picture: undo(project, [picture]), pictures[::2]))
    assert accepted(project) == set(pictures[1::2])


def test_the_gallery_follows_at_once(project: Project, make_table: Callable[..., pd.DataFrame]) -> None:
    table = curate(make_table({"Ada": 6, "Grace": 6}), threshold=0.9)
    assert table["used"].all()
    write_gallery(table, project.faces, **MADE, threshold=0.9)
    accept(project, rows("people/Ada/03.jpg"))
    after = read_gallery(project.faces)
    assert after.threshold == 0.9
    assert after.table.set_index("picture")["reason"].to_dict() == {
        picture: "disabled" if picture == "people/Ada/03.jpg" else "" for picture in table["picture"]
    }
    assert "people/Ada/03.jpg" not in set(after.pictures)
    undo(project, ["people/Ada/03.jpg"])
    assert read_gallery(project.faces).table["used"].all()


def test_a_copy_takes_the_place_of_a_disabled_picture(
    project: Project, make_table: Callable[..., pd.DataFrame]
) -> None:
    table = make_table({"Ada": 6})
    table.loc[1, ["sha256", "embedding"]] = table.loc[0, ["sha256", "embedding"]]
    write_gallery(curate(table, threshold=0.9), project.faces, **MADE, threshold=0.9)
    accept(project, rows("people/Ada/00.jpg"))
    assert read_gallery(project.faces).table["reason"].to_list() == ["disabled", "", "", "", "", ""]


def test_a_gallery_of_an_older_version_waits_for_its_next_run(
    project: Project, make_table: Callable[..., pd.DataFrame]
) -> None:
    write_gallery(curate(make_table({"Ada": 6}), threshold=0.9), project.faces, **MADE)
    assert read_gallery(project.faces).threshold is None
    accept(project, rows("people/Ada/03.jpg"))
    assert read_gallery(project.faces).table["used"].to_list() == [True, True, True, False, True, True]
    undo(project, ["people/Ada/03.jpg"])
    assert read_gallery(project.faces).table["used"].to_list() == [True, True, True, False, True, True]


def test_a_picture_moves_to_another_person_and_overwrites_nobody(
    project: Project, make_table: Callable[..., pd.DataFrame], put_pictures: Callable[[pd.DataFrame], None]
) -> None:
    table = make_table({"Ada": 5, "Grace": 5})
    put_pictures(table)
    write_gallery(curate(table, threshold=0.9), project.faces, **MADE, threshold=0.9)
    before = {path: path.read_bytes() for path in project.people.rglob("*.jpg")}
    accept(project, rows("people/Ada/01.jpg"))
    assert move(project, "people/Ada/01.jpg", "Grace") == "people/Grace/01 (2).jpg"
    assert move(project, "people/Grace/01 (2).jpg", "Ada") == "people/Ada/01 (2).jpg"
    assert accepted(project) == set()  # who moves a picture wants it used
    after = {path: path.read_bytes() for path in project.people.rglob("*.jpg")}
    content = before.pop(project.people / "Ada" / "01.jpg")
    assert after == before | {project.people / "Ada" / "01 (2).jpg": content}
    moved = read_gallery(project.faces).table.iloc[1]
    assert (moved["picture"], moved["person"], moved["used"]) == ("people/Ada/01 (2).jpg", "Ada", True)


def test_several_moves_change_the_table_once_and_an_error_keeps_those_before_it(
    project: Project, make_table: Callable[..., pd.DataFrame], put_pictures: Callable[[pd.DataFrame], None]
) -> None:
    table = make_table({"Ada": 5, "Grace": 5})
    put_pictures(table)
    write_gallery(curate(table, threshold=0.9), project.faces, **MADE, threshold=0.9)
    accept(project, rows("people/Ada/02.jpg", "people/Ada/04.jpg"))
    before = project.faces.read_bytes()
    with pytest.raises(FileNotFoundError, match="expected a picture"), moving(project) as move_one:
        assert [move_one(f"people/Ada/0{number}.jpg", "Grace") for number in (1, 2)] == [
            "people/Grace/01 (2).jpg",
            "people/Grace/02 (2).jpg",
        ]
        assert project.faces.read_bytes() == before
        move_one("people/Ada/9.jpg", "Grace")
    moved = read_gallery(project.faces).table.set_index("picture").loc[["people/Grace/01 (2).jpg"]]
    assert (moved["person"].item(), accepted(project)) == ("Grace", {"people/Ada/04.jpg"})
    assert len(read_gallery(project.faces).table) == len(table)


@pytest.mark.parametrize("person", ["Nobody", "", ".", "..", "../Ada", "Grace/", "people"])
def test_a_move_to_nobody_of_the_cast_is_refused(project: Project, person: str) -> None:
    for name in ("Ada", "Grace"):
        (project.people / name).mkdir()
    source = project.people / "Ada" / "1.jpg"
    source.write_bytes(b"1")
    with pytest.raises(ValueError, match=r"expected one of the people \['Ada', 'Grace'\]"):
        move(project, "people/Ada/1.jpg", person)
    assert source.read_bytes() == b"1"


def test_a_picture_stays_where_the_decision_cannot_be_written(project: Project) -> None:
    for name in ("Ada", "Grace"):
        (project.people / name).mkdir()
    picture = project.people / "Ada" / "1.jpg"
    picture.write_bytes(b"1")
    project.corrections.parent.mkdir(parents=True, exist_ok=True)
    project.corrections.write_text("damaged\n")
    with pytest.raises(ValueError, match="bring the file back into that form"):
        move(project, "people/Ada/1.jpg", "Grace")
    assert picture.read_bytes() == b"1" and list((project.people / "Grace").iterdir()) == []


def test_a_move_of_nothing_or_to_the_same_person_is_refused(project: Project) -> None:
    (project.people / "Ada").mkdir()
    (project.people / "Grace").mkdir()
    with pytest.raises(FileNotFoundError, match="expected a picture"):
        move(project, "people/Ada/1.jpg", "Grace")
    assert list((project.people / "Grace").iterdir()) == []
    (project.people / "Ada" / "1.jpg").write_bytes(b"1")
    with pytest.raises(ValueError, match="expected another person than 'Ada'"):
        move(project, "people/Ada/1.jpg", "Ada")


def test_step_2_runs_again_where_names_were_merged_elsewhere(project: Project, make_table) -> None:
    for person in ("Ada", "Tob"):
        (project.people / person).mkdir()
    write_gallery(make_table({"Ada": 2, "Tob": 2}), project.faces, **MADE)
    unfinished = STEP_FILES[2].unfinished
    assert not unfinished(project, {})
    identities.merge(project, "Tob", "Ada")  # as decisions come from another machine: the table is as it was
    assert unfinished(project, {})
    table = read_gallery(project.faces).table
    write_gallery(table.assign(person=people_of(table, project)), project.faces, **MADE)
    assert not unfinished(project, {})
    assert set(read_gallery(project.faces).table["person"]) == {"Ada"}
    identities.take_back(project, "Tob", "Ada")
    assert unfinished(project, {})
