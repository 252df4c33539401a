import os
import subprocess
import sys
import tarfile

import pytest

from facelib.gather.adding import IMPORTED_COLUMNS
from facelib.gather.datasets import import_dataset, import_lfw, import_tree
from tests.waiting import kill_once

from ..bombs import bomb
from .conftest import picture_bytes
from .test_archives import make_tar, make_zip
from .test_crops import contents


@pytest.fixture
def lfw(tmp_path):
    """An archive of LFW's form: three pictures of two people, a page that calls itself a picture, and a list."""
    files = {
        "lfw/Ada_Lovelace/Ada_Lovelace_0001.jpg": picture_bytes(1),
        "lfw/Ada_Lovelace/Ada_Lovelace_0002.jpg": picture_bytes(2),
        "lfw/Grace_Hopper/Grace_Hopper_0001.jpg": picture_bytes(3),
        "lfw/Grace_Hopper/Grace_Hopper_0002.jpg": b"<html>moved</html>",
        "lfw/Huge/Huge_0001.png": bomb(50_000, 50_000),
        "lfw/pairs.txt": b"300",
    }
    return make_tar(tmp_path / "lfw.tgz", files)


KEPT = [
    "Ada_Lovelace/Ada_Lovelace_0001.jpg",
    "Ada_Lovelace/Ada_Lovelace_0002.jpg",
    "Grace_Hopper/Grace_Hopper_0001.jpg",
]


def test_an_archive_becomes_folders_of_people(lfw, tmp_path):
    table = import_lfw(lfw, tmp_path / "people", progress=False)
    assert list(table.columns) == IMPORTED_COLUMNS
    assert table["picture"].tolist() == [*KEPT, "", ""]
    assert table["person"].tolist() == ["Ada_Lovelace"] * 2 + ["Grace_Hopper"] * 2 + ["Huge"]
    assert table["reason"].str.partition(":")[0].tolist() == ["", "", "", "not a picture", "too large"]
    with tarfile.open(lfw) as archive:
        expected = {name: archive.extractfile(f"lfw/{name}").read() for name in KEPT}
    assert contents(tmp_path / "people") == expected


def test_people_with_few_pictures_are_left_out(lfw, tmp_path):
    table = import_lfw(lfw, tmp_path / "people", fewest_pictures=2, progress=False)
    assert set(table["person"]) == {"Ada_Lovelace", "Grace_Hopper"}
    assert import_lfw(lfw, tmp_path / "nobody", fewest_pictures=3, progress=False).empty
    assert not (tmp_path / "nobody").exists()


def test_what_is_there_stays_and_is_not_written_again(lfw, tmp_path):
    people = tmp_path / "people"
    own = people / KEPT[0]
    own.parent.mkdir(parents=True)
    own.write_bytes(b"the user's own")
    first = import_lfw(lfw, people, progress=False)
    assert own.read_bytes() == b"the user's own"
    assert first["picture"].iloc[0].startswith("Ada_Lovelace/Ada_Lovelace_0001 ")
    before = {path: path.stat().st_mtime_ns for path in people.rglob("*.jpg")}
    assert len(before) == 4
    assert import_lfw(lfw, people, progress=False).equals(first)
    assert {path: path.stat().st_mtime_ns for path in people.rglob("*.jpg")} == before


def test_killed_and_run_again_it_leaves_what_an_unbroken_run_does(tmp_path):
    names = [f"lfw/Person_{number % 7}/{number:04d}.jpg" for number in range(1500)]
    archive = make_tar(tmp_path / "lfw.tgz", {name: picture_bytes(number % 50) for number, name in enumerate(names)})
    import_lfw(archive, tmp_path / "whole", progress=False)
    code = "import sys; from facelib.gather.datasets import import_lfw; import_lfw(*sys.argv[1:], progress=False)"
    running = subprocess.Popen([sys.executable, "-c", code, archive, tmp_path / "broken"])
    kill_once(lambda: len(contents(tmp_path / "broken")) >= 5, running, pause=0.001)
    assert len(contents(tmp_path / "broken")) < len(names)
    import_lfw(archive, tmp_path / "broken", progress=False)
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")
    assert not list((tmp_path / "broken").rglob(".*"))  # nothing half written either


@pytest.mark.parametrize(
    ("files", "message"),
    [({}, "expected pictures in the archive"), ({"../1.jpg": b"x"}, "leads out of the folder")],
)
def test_a_bad_archive_leaves_nothing_behind(tmp_path, files, message):
    with pytest.raises(ValueError, match=message):
        import_lfw(make_zip(tmp_path / "a.zip", files), tmp_path / "people", progress=False)
    assert not (tmp_path / "people").exists()


def test_a_picture_that_belongs_to_nobody_is_told(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"1.jpg": picture_bytes(1), "unknown/1.jpg": picture_bytes(2)})
    table = import_lfw(archive, tmp_path / "people", progress=False)
    assert table["picture"].tolist() == ["", ""]
    assert table["reason"].iloc[0] == "it is in no folder, so its person is unknown"
    assert "got 'unknown'" in table["reason"].iloc[1]


@pytest.fixture
def tree(tmp_path):
    source = tmp_path / "set"
    for name, content in {
        "train/Ada/1.jpg": picture_bytes(1),
        "test/Ada/1.jpg": picture_bytes(2),
        "test/Ada/2.jpg": picture_bytes(3),
        "test/deeper/still/Grace/1.png": picture_bytes(4, kind="PNG"),
        "test/Grace/broken.png": picture_bytes(5, kind="PNG")[:-200],
        "nobody.jpg": picture_bytes(6),
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    return source


def test_a_tree_of_any_depth_becomes_folders_of_people(tree, project):
    table = import_tree(tree, project, progress=False).set_index("source")
    assert (table["picture"] != "").sum() == 4
    assert table.loc["nobody.jpg", "reason"].startswith("it is in no folder")
    assert table.loc["test/Grace/broken.png", "reason"].startswith("a broken picture")
    assert {path.partition("/")[0] for path in contents(project.people)} == {"Ada", "Grace"}
    assert sorted(contents(project.people).values()) == sorted(
        [picture_bytes(1), picture_bytes(2), picture_bytes(3), picture_bytes(4, kind="PNG")]
    )
    before = contents(project.people)
    assert import_tree(tree, project, progress=False).set_index("source").equals(table)
    assert contents(project.people) == before


def test_names_that_are_not_utf_8_and_what_is_no_picture_have_rows(tree, project):
    (tree / "test" / "Ada" / os.fsdecode(b"\xe9.jpg")).write_bytes(picture_bytes(7))
    (tree / "test" / "Ada" / "gone.jpg").symlink_to("nowhere")
    table = import_tree(tree, project, progress=False).set_index("source")
    assert table.loc["test/Ada/\\xe9.jpg", "picture"] == "Ada/\\xe9.jpg"
    assert "broken link" in table.loc["test/Ada/gone.jpg", "reason"]


def test_folders_that_cannot_be_right_are_refused(tree, project, tmp_path):
    project.people.mkdir(parents=True)
    for source in (project.people, project.data, tmp_path):
        with pytest.raises(ValueError, match="apart from the project's pictures"):
            import_tree(source, project, progress=False)
    with pytest.raises(FileNotFoundError, match="expected a folder with pictures"):
        import_tree(tmp_path / "nothing", project)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="expected a folder tree with pictures"):
        import_tree(tmp_path / "empty", project)


def test_a_data_set_is_told_by_its_form(tree, lfw, project, tmp_path):
    assert len(import_dataset(tree, project, progress=False)) == 6
    assert len(import_dataset(lfw, project, progress=False)) == 5
    (tmp_path / "list.txt").write_text("name\timage_id\tface_id\turl\tbbox\tsha256\n")
    assert import_dataset(tmp_path / "list.txt", project, progress=False).empty
    (tmp_path / "list.csv").write_text("name,address")
    with pytest.raises(ValueError, match="expected a whole archive"):
        import_dataset(tmp_path / "list.csv", project, progress=False)
    with pytest.raises(FileNotFoundError):
        import_dataset(tmp_path / "nothing.tgz", project, progress=False)


@pytest.mark.real_data
def test_pictures_of_lfw_come_through_both_kinds_of_archive(shared_data, tmp_path):
    folder = shared_data / "lfw" / "people"
    wanted = [path for name in ("Alvaro_Uribe", "Amelie_Mauresmo") for path in sorted((folder / name).iterdir())]
    files = {f"lfw-deepfunneled/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in wanted}
    tables = [
        import_lfw(make_tar(tmp_path / "lfw.tgz", files), tmp_path / "tar", progress=False),
        import_lfw(make_zip(tmp_path / "lfw.zip", files), tmp_path / "zip", progress=False),
    ]
    assert tables[0].equals(tables[1])
    assert (tables[0]["reason"] == "").all()
    expected = {path.relative_to(folder).as_posix(): path.read_bytes() for path in wanted}
    assert contents(tmp_path / "tar") == contents(tmp_path / "zip") == expected
