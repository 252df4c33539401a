from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from facelib.archive import find_face, find_moments, find_years, list_people, open_archive, update_archive
from facelib.archive.catalogue import Catalogue
from facelib.archive.dates import date_of, film_date
from facelib.archive.segments import MERGED, segment_path
from facelib.project import FilmFiles, write_text
from tests.archive.conftest import CAST, random_tracks, write_film
from tests.processes import without_rights


def rows(project, sql='SELECT film, label, start, "end" FROM appearances'):
    """Return the index's rows in order, films by their names."""
    with open_archive(project) as archive:
        table = archive.query(sql).to_pandas()
        table["film"] = archive.films["film"].to_numpy()[table["film"]]
        return table.sort_values(list(table.columns), ignore_index=True)


def states(project):
    """Return the state of every file of the index but the catalogue and the lock."""
    return {
        path.name: (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in project.archive.iterdir()
        if path.suffix in (".parquet", ".npy")
    }


def correct(project, film, person="Ada Lovelace", was=None):
    """Name tracks of a film anew, as settling does."""
    files = project.film(film)
    table = pd.read_parquet(files.tracks)
    table.loc[slice(None) if was is None else table["person"] == was, "person"] = person
    table.to_parquet(files.tracks)


@pytest.fixture
def make_indexed(make_project):
    """Return a factory as `make_project`, whose projects have an index."""

    def make(films):
        update_archive(project := make_project(films), progress=False)
        return project

    return make


class TestWhatIsWritten:
    def test_a_project_without_films(self, make_project):
        project = make_project(0)
        assert str(update_archive(project)) == "0 unchanged"
        with open_archive(project) as archive:
            assert archive.films.empty and list_people(archive).empty and find_years(archive).empty

    def test_films_are_added_once(self, make_project):
        project = make_project(3)
        first = update_archive(project)
        assert (first.added, first.unchanged) == ([f"film {n}.mp4" for n in range(3)], 0)
        before = states(project)
        again = update_archive(project)
        assert (again.added, again.rewritten, again.removed, again.unchanged) == ([], [], [], 3)
        assert states(project) == before

    def test_a_new_film_leaves_the_files_of_the_others_alone(self, make_indexed):
        project = make_indexed(3)
        before = states(project)
        write_film(project, "new.mp4", random_tracks(9))
        assert update_archive(project).added == ["new.mp4"]
        after = states(project)
        assert before.items() <= after.items() and len(after) == len(before) + 4

    def test_a_correction_rewrites_only_its_film(self, make_indexed):
        project = make_indexed(3)
        others = states(project)
        correct(project, "film 1.mp4")
        changes = update_archive(project)
        assert (changes.rewritten, changes.unchanged) == (["film 1.mp4"], 2)
        found = rows(project)
        assert set(found.loc[found["film"] == "film 1.mp4", "label"]) == {"Ada Lovelace"}
        assert len(set(found.loc[found["film"] == "film 2.mp4", "label"])) > 3
        assert others.items() <= states(project).items()

    def test_tables_written_again_with_the_same_content_change_nothing(self, make_indexed):
        project = make_indexed(2)
        before = states(project)
        os.utime(project.film("film 0.mp4").tracks, (1, 1))
        changes = update_archive(project)
        assert (changes.rewritten, changes.unchanged) == ([], 2)
        assert states(project) == before

    def test_another_gap_counts_as_a_change(self, make_indexed):
        project = make_indexed(1)
        before = rows(project)
        assert update_archive(project, longest_gap=60.0).rewritten == ["film 0.mp4"]
        assert len(rows(project)) < len(before)

    def test_only_the_films_named_are_looked_at(self, make_project):
        project = make_project(2)
        update_archive(project, ["film 1.mp4"])
        assert set(rows(project)["film"]) == {"film 1.mp4"}
        with pytest.raises(FileNotFoundError, match="run 05 on it first"):
            update_archive(project, ["no such film.mp4"])

    def test_the_results_of_other_films_are_not_looked_at_where_a_films_file_is_gone(self, make_project, monkeypatch):
        project, looked_at, access = make_project(2), [], os.access
        monkeypatch.setattr(os, "access", lambda path, mode: looked_at.append(Path(path)) or access(path, mode))
        update_archive(project, ["film 1.mp4"])
        assert project.film("film 0.mp4").folder not in looked_at

    def test_a_film_whose_tables_are_gone_is_taken_out(self, make_indexed):
        project = make_indexed(3)
        project.film("film 1.mp4").tracks.unlink()
        assert update_archive(project).removed == ["film 1.mp4"]
        assert set(rows(project)["film"]) == {"film 0.mp4", "film 2.mp4"}

    def test_a_damaged_table_is_a_problem_of_its_film_alone(self, make_indexed, caplog):
        project = make_indexed(2)
        before = rows(project)
        project.film("film 0.mp4").tracks.write_bytes(b"PAR1 and then nothing")
        correct(project, "film 1.mp4", was="Grace Hopper")
        changes = update_archive(project)
        assert list(changes.problems) == ["film 0.mp4"] and changes.rewritten == ["film 1.mp4"]
        assert changes.problems["film 0.mp4"].endswith("; run 05 on it again")
        assert caplog.messages == []  # it is told once, by whoever asked for the update
        kept = rows(project)
        pd.testing.assert_frame_equal(*(one[one["film"] == "film 0.mp4"] for one in (kept, before)))

    def test_a_film_that_was_replaced_is_taken_out_until_it_is_back(self, make_project):
        project = make_project(2)
        film = project.videos / "film 0.mp4"
        film.parent.mkdir(parents=True, exist_ok=True)
        film.write_bytes(b"as it was")
        write_text(
            json.dumps({"made": {"weights": "w" * 64, "film": project.digest(film)}}), project.film(film).followed
        )
        assert update_archive(project).problems == {}
        film.write_bytes(b"another one")
        for _ in range(2):
            assert "it was changed since; run 05" in update_archive(project).problems["film 0.mp4"]
            assert set(rows(project)["film"]) == {"film 1.mp4"}
        film.write_bytes(b"as it was")
        assert update_archive(project).added == ["film 0.mp4"]

    def test_a_project_whose_name_is_no_text_stops_no_search(self, make_project):
        projects = make_project(0, name=os.fsdecode(b"od\xff")), make_project(1, name="other")
        for project in projects:
            update_archive(project)
        with open_archive(projects) as archive:
            assert len(list_people(archive)) and len(find_years(archive))
            assert set(find_face(archive, np.ones(8, np.float32))["project"]) == {"other"}

    def test_tracks_that_are_no_faces_are_left_out(self, make_project):
        project = make_project(1)
        correct(project, "film 0.mp4", "not a face", was="Grace Hopper")
        update_archive(project)
        assert "not a face" not in set(rows(project)["label"]) and "Grace Hopper" not in set(rows(project)["label"])


class TestMerging:
    def test_many_films_lie_in_few_files_and_say_the_same(self, make_project):
        films = MERGED * 2 + 3
        one_by_one = make_project(0, name="one by one")
        for number in range(films):
            write_film(one_by_one, f"film {number}.mp4", random_tracks(number, 12))
            update_archive(one_by_one, [f"film {number}.mp4"])
        with open_archive(one_by_one) as archive:
            (part,) = archive.parts
            assert sorted(one.level for one in part.segments) == [0, 0, 0, 1, 1]
        expected = [
            (f"film {number}.mp4", person)
            for number in range(films)
            for person in random_tracks(number, 12).query("person != 'unknown'")["person"].unique()
        ]
        found = rows(one_by_one, 'SELECT DISTINCT film, label FROM appearances WHERE NOT "group"')
        assert sorted(map(tuple, found.to_numpy())) == sorted(expected)
        at_once = make_project(0, name="at once")
        for number in range(films):
            write_film(at_once, f"film {number}.mp4", random_tracks(number, 12))
        update_archive(at_once, progress=False)
        pd.testing.assert_frame_equal(rows(one_by_one), rows(at_once))

    def test_merged_files_are_sorted_by_person(self, make_indexed):
        project = make_indexed(MERGED)
        with open_archive(project) as archive:
            (segment,) = archive.parts[0].segments
        for kind in ("appearances", "tracks"):
            table = pd.read_parquet(segment_path(project.archive, kind, segment.number))
            assert table[["person", "film", "start"]].equals(
                table[["person", "film", "start"]].sort_values(["person", "film", "start"], ignore_index=True)
            )

    def test_corrected_films_do_not_come_back_when_files_are_merged(self, make_project, make_indexed):
        project = make_indexed(MERGED - 1)
        for _ in range(2):
            correct(project, "film 3.mp4")
            write_film(project, "film 3.mp4", random_tracks(500))
            update_archive(project)
        write_film(project, "one more.mp4", random_tracks(100))
        update_archive(project)
        alone = make_project(0, name="alone")
        for number in range(MERGED - 1):
            write_film(alone, f"film {number}.mp4", random_tracks(500 if number == 3 else number))
        write_film(alone, "one more.mp4", random_tracks(100))
        update_archive(alone, progress=False)
        pd.testing.assert_frame_equal(rows(project), rows(alone))

    def test_an_open_index_can_be_searched_while_it_is_brought_up_to_date(self, make_indexed):
        project = make_indexed(MERGED - 1)
        with open_archive(project) as archive:
            before = find_moments(archive, CAST[:2])
            write_film(project, "one more.mp4", random_tracks(100))
            update_archive(project)
            archive.__dict__.pop("people", None)  # read again from the files
            pd.testing.assert_frame_equal(find_moments(archive, CAST[:2]), before)

    def test_files_of_a_killed_run_are_removed(self, make_indexed):
        project = make_indexed(1)
        stray = segment_path(project.archive, "tracks", 4711)
        stray.write_bytes(b"half of it")
        write_film(project, "new.mp4", random_tracks(9))
        update_archive(project)
        assert not stray.exists()
        assert set(rows(project)["film"]) == {"film 0.mp4", "new.mp4"}

    def test_files_out_of_use_are_removed_after_a_while(self, make_project, monkeypatch):
        project = make_project(MERGED)
        monkeypatch.setattr("facelib.archive.update._KEPT", -1.0)
        update_archive(project, progress=False)
        assert len(states(project)) == 4

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=["the disk's", "a user's share"])
    def test_a_writing_that_fails_leaves_the_index_as_it_was(self, make_indexed, monkeypatch, number):
        project = make_indexed(2)
        before = rows(project)
        correct(project, "film 0.mp4")
        with monkeypatch.context() as patch:
            patch.setattr("facelib.archive.segments.write_array", without_room(number))
            with pytest.raises(OSError, match=f"expected room for the index of films .*{os.strerror(number)}; make"):
                update_archive(project)
        pd.testing.assert_frame_equal(rows(project), before)
        assert update_archive(project).rewritten == ["film 0.mp4"]

    @pytest.mark.parametrize("left", [0, 4096, 16_384], ids=lambda left: f"{left} bytes left")
    def test_a_full_disk_says_where_to_make_room_and_costs_nothing(self, make_project, small_disk, left):
        project = make_project(1)
        (small_disk / "archive").mkdir()
        project.archive.symlink_to(small_disk / "archive")
        update_archive(project)
        before = rows(project)
        correct(project, "film 0.mp4")
        with suppress(OSError), open(small_disk / "large", "wb", buffering=0) as large:
            while True:
                large.write(bytes(4096))
        os.truncate(small_disk / "large", (small_disk / "large").stat().st_size - left)
        with pytest.raises(OSError, match=f"expected room for the index of films in '{project.archive}'") as full:
            update_archive(project)
        assert full.value.errno == errno.ENOSPC  # by which a server knows it
        pd.testing.assert_frame_equal(rows(project), before)
        (small_disk / "large").unlink()
        assert update_archive(project).rewritten == ["film 0.mp4"]


def without_room(number):
    """Return a function that fails as a writing does where there is no room."""

    def fail(*_):
        raise OSError(number, os.strerror(number))

    return fail


class TestCatalogue:
    def test_an_index_of_another_version_is_made_anew(self, make_indexed, monkeypatch):
        project = make_indexed(1)
        monkeypatch.setattr("facelib.archive.catalogue._FORM", 99)
        with pytest.raises(FileNotFoundError, match="update_archive makes it again"):
            open_archive(project)
        assert update_archive(project).added == ["film 0.mp4"]
        assert set(rows(project)["film"]) == {"film 0.mp4"}

    def test_a_damaged_catalogue_says_what_to_do(self, make_indexed):
        project = make_indexed(1)
        (project.archive / "catalogue.sqlite").write_bytes(b"no database " * 400)
        for use in (open_archive, update_archive):
            with pytest.raises(OSError, match="delete this folder"):
                use(project)

    @pytest.mark.parametrize("name", ["appearances-2.parquet", "tracks-2.parquet", "shots-2.parquet", "faces-2.npy"])
    @pytest.mark.parametrize("share", [None, 0, 0.5], ids=["gone", "empty", "cut short"])
    def test_a_damaged_file_says_what_to_do(self, make_project, name, share):
        whole, project = make_project(1, name="whole"), make_project(2)
        for one in (whole, project):
            update_archive(one)
        path = project.archive / name
        content = path.read_bytes()
        path.unlink() if share is None else path.write_bytes(content[: int(len(content) * share)])

        def search():
            with open_archive([whole, project]) as archive:
                find_face(archive, [1.0] * 8)
                return find_moments(archive, CAST[:1]), find_moments(archive, CAST[:1], by="shot")

        with pytest.raises(OSError, match=f"{re.escape(str(project.archive))}'.*delete this folder"):
            search()
        shutil.rmtree(project.archive)
        update_archive(project)
        assert all(map(len, search()))

    @pytest.mark.parametrize("value", [None, "x"])
    def test_a_file_with_another_column_says_what_to_do(self, make_indexed, value):
        project = make_indexed(2)
        path = segment_path(project.archive, "appearances", 1)
        table = pd.read_parquet(path).drop(columns="start")
        (table if value is None else table.assign(start=value)).to_parquet(path)
        with pytest.raises(OSError, match=r"readable, got: .*; delete this folder, it is made again"):
            rows(project)

    @pytest.mark.parametrize("column", ["person", "scene"])
    def test_a_table_without_a_column_names_it_and_the_remedy(self, make_project, column):
        project = make_project(2)
        path = project.film("film 1.mp4").tracks
        pd.read_parquet(path).drop(columns=column).to_parquet(path)
        changes = update_archive(project)
        assert changes.added == ["film 0.mp4"]
        (said,) = changes.problems.values()
        assert said.endswith(f"tracks.parquet cannot be read: it has no column '{column}'; run 05 on it again")

    def test_a_damaged_file_that_is_to_be_merged_says_what_to_do(self, make_indexed):
        project = make_indexed(MERGED - 1)
        (project.archive / "tracks-2.parquet").write_bytes(b"")
        write_film(project, "one more.mp4", random_tracks(99))
        with pytest.raises(OSError, match="delete this folder"):
            update_archive(project)

    def test_no_index_yet(self, make_project):
        with pytest.raises(FileNotFoundError, match="update_archive makes it"):
            open_archive(make_project(1))

    def test_changes_that_fail_are_undone(self, tmp_path):
        catalogue = Catalogue(tmp_path / "new" / "catalogue.sqlite", create=True)
        with pytest.raises(KeyError), catalogue.changing():
            catalogue.add_segment(0, "", 1)
            raise KeyError
        assert catalogue.segments() == []
        catalogue.close()


class TestDates:
    @pytest.mark.parametrize(
        ("tags", "date"),
        [
            ({}, ""),
            ({"date": "1942"}, "1942"),
            ({"DATE": "1942-11-26"}, "1942-11-26"),
            ({"date": "19421126"}, ""),  # not known to be a year
            ({"date": "26.11.1942"}, "1942"),
            ({"creation_time": "2019-05-01T10:00:00.000000Z"}, "2019-05-01"),
            ({"creation_time": "2019-05-01T10:00:00Z", "date": "1942"}, "1942"),
            ({"DATE_RELEASED": "1943", "date": "2001"}, "1943"),
            ({"date": "1942-13-01"}, "1942"),  # no such month
            ({"date": "0000"}, ""),
            ({"title": "1984"}, ""),
        ],
    )
    def test_of_tags(self, tags, date):
        assert date_of(tags) == date

    @pytest.mark.parametrize("name", ["dated.mp4", "dated.mkv"])
    def test_of_a_film(self, tmp_path, name):
        path = make_dated(tmp_path / name, "1942-11-26")
        assert film_date(path) == "1942-11-26"

    def test_a_film_that_gets_a_date_later(self, make_project):
        project = make_project(1)
        make_dated(project.videos / "film 0.mp4", "1942")
        update_archive(project)
        with open_archive(project) as archive:
            assert archive.films["date"].tolist() == ["1942"]
        before = states(project)
        make_dated(project.videos / "film 0.mp4", "1943")
        assert update_archive(project).rewritten == ["film 0.mp4"]
        with open_archive(project) as archive:
            assert archive.films["date"].tolist() == ["1943"]
        assert states(project) == before
        (project.videos / "film 0.mp4").unlink()  # what was known stays
        assert update_archive(project).unchanged == 1
        with open_archive(project) as archive:
            assert archive.films["date"].tolist() == ["1943"]


def make_dated(path: Path, date: str) -> Path:
    """Write a film of a few frames with a date in its metadata."""
    path.unlink(missing_ok=True)
    with av.open(str(path), "w") as container:
        container.metadata["date"] = date
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 40 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_folders_of_results_without_a_name_are_called_by_their_folder(make_project):
    project = make_project(1)
    FilmFiles(project.film("film 0.mp4").folder).source.unlink()
    update_archive(project)
    assert set(rows(project)["film"]) == {"film 0"}


AS_READER = """
import sys
from contextlib import suppress
from facelib.archive import open_archive, update_archive
from facelib.project import Project
project = Project(*sys.argv[1:])
changes = update_archive(project, progress=False)
print(changes, "|", *changes.problems)
with open_archive(project) as archive:
    print(len(archive.films))
"""


def test_an_index_that_may_only_be_read_is_searched_as_it_is(make_project):
    project = make_project(3)
    project.archive.mkdir(parents=True)

    def read() -> subprocess.CompletedProcess[str]:
        for path in (*project.archive.iterdir(), project.archive):
            path.chmod(0o555 if path.is_dir() else 0o444)
        command = [sys.executable, "-c", AS_READER, project.name, str(project.data_dir), str(project.output_dir)]
        done = subprocess.run([*without_rights(), *command], capture_output=True, text=True)
        for path in (project.archive, *project.archive.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return done

    refused = read()
    assert refused.returncode == 1 and "expected to write the index of films to" in refused.stderr
    update_archive(project, progress=False)
    assert read().stdout.splitlines() == ["3 unchanged |", "3"]
    write_film(project, "film 1.mp4", random_tracks(9))
    assert read().stdout.splitlines() == ["1 could not be read, 2 unchanged | film 1.mp4", "3"]
    update_archive(project, progress=False)
    project.film("film 1.mp4").folder.chmod(0)
    assert read().stdout.splitlines() == ["1 could not be read, 2 unchanged | film 1", "3"]
    project.film("film 1.mp4").folder.chmod(0o755)
