"""Where things lie, and that nothing is ever half written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pandas as pd
import psutil
import pytest

from facelib.project import FilmFiles, Project, atomic_write, write_table, write_text
from facelib.project.files import write_array
from facelib.project.layout import Place


@pytest.fixture
def project(tmp_path):
    return Project("cast", tmp_path / "data", tmp_path / "output")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "..\\up", "/etc", "a\0b", "ä" * 128])
def test_names_that_no_folder_has_or_that_would_leave_the_folders(name):
    with pytest.raises(ValueError, match="project"):
        Project(name)


@pytest.mark.parametrize("output", ["data", "./data/../data", "data/cast/videos", "data/cast/people/Ann"])
def test_results_do_not_lie_among_what_they_are_made_of(output):
    with pytest.raises(ValueError, match="expected another folder for results"):
        Project("cast", "data", output)


def test_the_pages_beside_the_projects_name_every_file_and_folder(project):
    root = Path(__file__).parents[2]
    told = "".join((root / folder / "README.md").read_text("utf-8") for folder in ("data", "output"))
    for owner in (project, project.film(project.videos / "s01e01.mp4")):
        names = [name for name, value in vars(type(owner)).items() if isinstance(value, Place)]
        assert names
        for path in (getattr(owner, name) for name in names):
            assert path.name in told or f"{path.parent.name}/" in told, path


def test_people_and_pictures(project):
    for name in [
        "Ann Lee/2.JPG",
        "Ann Lee/1.png",
        "Ann Lee/notes.txt",
        "Ann Lee/.hidden.jpg",
        "Żółć Ż/a.webp",
        ".x/a.jpg",
    ]:
        path = project.people / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert project.find_people() == ["Ann Lee", "Żółć Ż"]
    assert [path.name for path in project.find_pictures("Ann Lee")] == ["1.png", "2.JPG"]
    assert project.find_pictures("nobody") == []


def test_relative_folders_are_the_checkouts_wherever_a_notebook_runs(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    found = set()
    for folder in (tmp_path, tmp_path / "notebooks"):
        monkeypatch.chdir(folder)
        found.add(Project("cast").people.resolve())
    assert found == {tmp_path / "data" / "cast" / "people"}
    assert Project("cast", tmp_path).data == tmp_path / "cast"


@pytest.mark.parametrize(
    ("there", "data", "output"),
    [
        ([], "../data", "../output"),
        (["notebooks/data"], "data", "output"),  # a folder of the user's that happens to have this name
        (["notebooks/data", "data", "output"], "data", "output"),
        (["notebooks/output"], "../data", "output"),
        (["notebooks/output", "data", "output"], "../data", "../output"),
    ],
)
def test_a_folder_that_is_there_is_taken_as_it_stands(there, data, output, tmp_path, monkeypatch):
    for name in ["notebooks", *there]:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / "notebooks")
    project = Project("cast")
    assert (project.data_dir.as_posix(), project.output_dir.as_posix()) == (data, output)
    assert Project("cast", tmp_path / "x").data_dir == tmp_path / "x"


def test_no_people_folder(project):
    with pytest.raises(FileNotFoundError, match="facelib demo"):
        project.find_people()


def test_videos(project, tmp_path):
    assert project.find_videos() == []
    project.videos.mkdir(parents=True)
    for name in ["b.mp4", "a.MKV", "a.txt"]:
        (project.videos / name).touch()
    (tmp_path / "else.mp4").touch()
    assert [path.name for path in project.find_videos()] == ["a.MKV", "b.mp4"]
    named = ["b.mp4", str(tmp_path / "else.mp4"), "b.mp4"]  # one twice
    assert [path.name for path in project.find_videos(named)] == ["b.mp4", "else.mp4"]
    with pytest.raises(FileNotFoundError, match=r"c\.mp4.*a\.MKV"):
        project.find_videos(["c.mp4"])
    (project.videos / "holiday.mp4").touch()
    with pytest.raises(FileNotFoundError, match=r"the nearest are \['holiday.mp4', "):
        project.find_videos(["hollidays.mp4"])
    (project.videos / "holiday.mp4").unlink()
    (project.videos / "a.mp4").touch()
    assert [path.name for path in project.find_videos()] == ["a.MKV", "a.mp4", "b.mp4"]
    (tmp_path / "a.mp4").touch()
    with pytest.raises(FileNotFoundError, match="rename"):
        project.find_videos(["a.mp4", str(tmp_path / "a.mp4")])


def fill_plainly(path):
    with open(path, "w") as file:
        file.write("x" * 100_000)


def fill_with_a_table(path):
    pd.DataFrame({"a": range(10_000)}).to_parquet(path)


def fill_with_a_film(path):
    with av.open(f"file:{path}", "w") as film:
        stream = film.add_stream("mpeg4", 25)
        film.mux(stream.encode(av.VideoFrame(stream.width, stream.height)))
        film.mux(stream.encode(None))


class TestWriting:
    def test_failure_keeps_the_old_file(self, tmp_path):
        path = tmp_path / "a.txt"
        write_text("old", path)
        with pytest.raises(RuntimeError), atomic_write(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    def test_killed_in_the_middle_leaves_nothing_whole(self, tmp_path):
        path = tmp_path / "a.txt"
        code = (
            "import os, sys; from facelib.project import atomic_write\n"
            "with atomic_write(sys.argv[1]) as t:\n t.write_text('half'); os.kill(os.getpid(), 9)"
        )
        other = tmp_path / f".a.{os.getpid()}-0123abcd.txt"  # of a process that is still at it
        other.touch()
        subprocess.run([sys.executable, "-c", code, path], check=False)
        assert not path.exists()
        assert len(list(tmp_path.iterdir())) == 2
        write_text("whole", path)
        assert set(tmp_path.iterdir()) == {path, other}

    def test_what_another_process_of_the_same_number_left_is_removed(self, tmp_path):
        path, number = tmp_path / "a.txt", os.getpid()  # in a container they are the same at each start
        ours, others = tmp_path / f".a.{number}-0123abcd.txt", tmp_path / f".a.{number}-4567abcd.txt"
        for temporary in (ours, others):
            temporary.touch()
        began = psutil.Process().create_time()
        os.utime(others, (began - 3600, began - 3600))
        write_text("whole", path)
        assert set(tmp_path.iterdir()) == {path, ours}

    @pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
    def test_tables(self, tmp_path, name):
        table = pd.DataFrame({"a": [1, 2]})
        write_table(table, tmp_path / "new" / name)
        read = pd.read_csv if name.endswith("csv") else pd.read_parquet
        assert read(tmp_path / "new" / name).equals(table)

    def test_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(OSError, match="folder"):
            write_text("x", tmp_path / "file" / "a.txt")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a device of Linux")
    @pytest.mark.parametrize("fill", [fill_plainly, fill_with_a_table, fill_with_a_film])
    def test_full_disk(self, tmp_path, fill):
        path = tmp_path / "a.mp4"
        with pytest.raises(OSError) as raised, atomic_write(path) as temporary:
            temporary.symlink_to("/dev/full")
            fill(temporary)
        assert str(raised.value) == f"[Errno 28] No space left on device: {str(path)!r}"
        assert list(tmp_path.iterdir()) == []

    def test_an_array_for_which_there_is_not_room_enough(self, small_disk):
        path = small_disk / "vectors.npy"
        with pytest.raises(OSError, match=r"No space left on device: .*vectors\.npy"), atomic_write(path) as temporary:
            write_array(np.zeros(20_000_000, np.uint8), temporary)
        assert list(small_disk.iterdir()) == []
        write_array(np.arange(6.0).reshape(2, 3), path)
        assert np.load(path).tolist() == [[0, 1, 2], [3, 4, 5]]


class TestFoldersOfFilms:
    @pytest.fixture
    def filled(self, project):
        """A project with films of one stem, and one that is called like the table of films."""
        project.videos.mkdir(parents=True)
        for name in ("a.mkv", "a.mp4", "b.mp4", "summary.csv.mp4"):
            (project.videos / name).touch()
        return project

    @staticmethod
    def begin(project, name):
        folder = project.film(name).folder
        write_text(f"{name}\n", project.film(name).source)
        return folder.name

    def test_two_films_of_one_stem_have_two(self, filled):
        names = [path.name for path in filled.find_videos()]
        assert names == ["a.mkv", "a.mp4", "b.mp4", "summary.csv.mp4"]
        folders = [filled.film(name).folder.name for name in names]
        assert folders == ["a", "a.mp4", "b", "summary.csv.mp4"]
        assert filled.film("summary.csv.mp4").folder != filled.film_summary

    @pytest.mark.skipif(os.name == "nt", reason="names of files hold no control characters there")
    @pytest.mark.parametrize(
        "name", ["cr\rhere.mp4", "\r", "line\nend.mp4", "\nfirst.mp4", "last\n", "both\r\n", " a "]
    )
    def test_a_film_with_a_control_character_in_its_name_finds_its_folder_again(self, project, name):
        project.videos.mkdir(parents=True)
        (project.videos / name).touch()
        folder = self.begin(project, name)
        assert project.film(name).film == name and project.film(name).folder.name == folder

    @pytest.mark.parametrize("order", [["a.mkv", "a.mp4"], ["a.mp4", "a.mkv"]])
    def test_they_stay_when_the_other_goes_or_comes(self, project, order):
        project.videos.mkdir(parents=True)
        folders = {}
        for name in order:  # the second one is added when the first one has its tables
            (project.videos / name).touch()
            folders[name] = self.begin(project, name)
        assert folders == {order[0]: "a", order[1]: order[1]}
        for name in order:
            (project.videos / name).unlink()
            assert {name: project.film(name).folder.name for name in order} == folders
            (project.videos / name).touch()

    def test_a_folder_of_the_former_version_stays_with_the_film_that_it_was_made_of(self, filled):
        os.utime(filled.videos / "a.mp4", (1, 1))
        status = (filled.videos / "a.mp4").stat()
        made = {"made": {"size": status.st_size, "changed": status.st_mtime_ns}}
        write_text(json.dumps(made), filled.output / "videos" / "a" / "followed.json")
        assert {name: filled.film(name).folder.name for name in ("a.mkv", "a.mp4")} == {"a.mkv": "a.mkv", "a.mp4": "a"}

    def test_a_film_that_is_called_like_anothers_folder(self, project):
        project.videos.mkdir(parents=True)
        for name in ("a.mkv", "a.mp4", "a.mp4.mkv"):
            (project.videos / name).touch()
        names = ["a.mkv", "a.mp4.mkv", "a.mp4"]
        assert len({self.begin(project, name) for name in names}) == 3
        assert len({project.film(name).folder for name in names}) == 3

    def test_a_folder_that_another_run_begins_meanwhile_is_the_same(self, filled, monkeypatch):
        read = FilmFiles.film.fget

        def read_and_begun(files):
            found = read(files)
            if files.folder.name == "b":
                write_text("b.mp4\n", files.source)
            return found

        monkeypatch.setattr(FilmFiles, "film", property(read_and_begun))
        assert [filled.film("b.mp4").folder.name for _ in range(2)] == ["b", "b"]

    def test_one_process_a_film(self, filled):
        with filled.hold("a.mkv") as files, filled.hold("a.mp4") as others:
            assert files.folder != others.folder
            with pytest.raises(BlockingIOError, match=r"a\.mkv"), filled.hold("a.mkv"):
                pass
        with filled.hold("a.mkv"):
            pass


@pytest.mark.parametrize("stem", ["a" * 251, "é" * 125, "😀" * 62, "new\nline", "שלום", "concat:a|b", "%03d", "-x"])
def test_a_film_may_have_any_name_that_a_file_can_have(project, stem):
    film = project.videos / f"{stem}.mp4"
    film.parent.mkdir(parents=True)
    film.touch()
    with project.hold(film) as files:
        write_text("made", files.appearances)
    assert project.film(film).appearances.read_text() == "made"
