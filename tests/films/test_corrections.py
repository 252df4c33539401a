"""What a user decides about tracks: kept whatever happens, applied again and again, taken back, enrolled."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from facelib.films.corrections import correct_films, enrol, labels, match_corrections
from facelib.films.drawn import films_behind, remember_drawn
from facelib.films.settle import settle_films
from facelib.gallery import move
from facelib.images import read_image
from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections, read_corrections, read_decisions
from facelib.project.identities import merge
from facelib.project.names import NOT_A_FACE, UNKNOWN, checked_name, is_group
from facelib.review import Review
from facelib.review.tables import worth_asking
from tests.waiting import PATIENCE, kill_once

TRACKS = [
    ("Ada", "", 0.99),
    (UNKNOWN, "Unknown 1", 0.9),
    (UNKNOWN, "Unknown 1", 0.8),
    (UNKNOWN, "Unknown 2", 0.7),
    ("Ada", "", 0.6),
    (UNKNOWN, "Unknown 2", 0.9),
    (UNKNOWN, "", 0.5),
]


def row(label: str = "Ada", **values: object) -> pd.DataFrame:
    """One decision about track 1 of `make_reviewed`'s film, by its box."""
    given = {"when": "2025-03-01T12:00:00+00:00", "video": "a.mp4", "track": 1, "picture": "", "was": "Unknown 1",
             "is": label, "by": "", "frame": 30, "left": 10.0, "top": 20.0, "right": 70.0, "bottom": 100.0}  # fmt: skip
    return pd.DataFrame([given | values])


def tables(project, film="a.mp4"):
    files = project.film(film)
    return pd.read_parquet(files.tracks), pd.read_parquet(files.detections)


def apply_corrections(tracks, detections, rows, film):
    """Apply rows to one film's tables."""
    own = rows[rows["video"] == film]
    return correct_films({film: tracks}, own.assign(matched=match_corrections(own, detections)))


def decided(project, *rows: pd.DataFrame):
    """Apply rows to the project's only film."""
    return apply_corrections(*tables(project), pd.concat(rows, ignore_index=True), "a.mp4")


@pytest.fixture
def project(make_reviewed):
    return make_reviewed({"a.mp4": TRACKS})


@pytest.fixture
def review(project):
    return Review(project, project.find_videos(), by="Ann")


WRITER = """
import sys
import pandas as pd
from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections
path, name, count = sys.argv[1:]
row = pd.DataFrame([dict.fromkeys(CORRECTION_COLUMNS, "1") | {"is": name}])
for _ in range(int(count)):
    append_corrections(path, row)
"""


class TestFile:
    def test_rows_come_back_as_they_went_in(self, tmp_path):
        path = tmp_path / "new" / "corrections.csv"
        names = ['O"Hara, "Kit"', "Zoë Ünï 李", "unknown", "", "NA", "001"]
        for name in names:
            append_corrections(path, row(name, by="Ann"))
        table = read_corrections(path)
        assert table["is"].tolist() == names
        assert list(table.columns) == CORRECTION_COLUMNS
        assert table["frame"].tolist() == [30] * 6 and table["bottom"].tolist() == [100.0] * 6
        assert path.read_text().count("when,video") == 1
        assert {entry.name for entry in path.parent.iterdir()} == {"corrections.csv", ".corrections.csv.lock"}

    def test_nothing_there_is_no_decision(self, tmp_path):
        table = read_corrections(tmp_path / "none.csv")
        assert table.empty and list(table.columns) == CORRECTION_COLUMNS
        append_corrections(tmp_path / "none.csv", table)
        assert not (tmp_path / "none.csv").exists()

    def test_what_an_editor_makes_of_it_is_read(self, tmp_path):
        path = tmp_path / "corrections.csv"
        append_corrections(path, row("Ada"))
        text = path.read_text().replace("\n", "\r\n").rstrip()
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())  # a byte order mark, and no end of the last line
        append_corrections(path, row("Grace"))
        assert read_corrections(path)["is"].tolist() == ["Ada", "Grace"]

    def test_a_number_that_is_none_does_not_stop_the_others(self, project):
        append_corrections(project.corrections, row("Ada"))
        path = project.corrections
        rows = "2025,a.mp4,x,,Unknown 1,Grace,,?,1,2,3,nothing\n2026,a.mp4,inf,,Unknown 1,Mary,,1e30,1,2,3,4\n"
        path.write_text(path.read_text() + rows)
        applied = decided(project, read_corrections(path))
        assert applied.tracks["person"][1] == "Ada"
        assert applied.left_out["is"].tolist() == ["Grace", "Mary"]
        assert Review(project, project.find_videos()).left_out["is"].tolist() == ["Grace", "Mary"]

    @pytest.mark.parametrize("label", ["05/01/26", "../../Ada", "x" * 300])  # the first is May 1 in a spreadsheet
    def test_a_name_that_nobody_can_have_is_left_out(self, project, label):
        append_corrections(project.corrections, pd.concat([row("Ada"), row(label)]))
        applied = decided(project, read_corrections(project.corrections))
        assert applied.tracks["person"][1] == "Ada"
        left_out = Review(project, project.find_videos()).left_out
        assert left_out["is"].tolist() == applied.left_out["is"].tolist() == [label]
        assert left_out["why"][0].startswith("expected a name")
        assert set(enrol(project).pictures["person"]) == {"Ada"} == {path.name for path in project.people.iterdir()}

    @pytest.mark.parametrize("text", ["when,video\n1,2\n", 'when,video,"\n', "a,b\n1,2,3,4\n5\n", "\xff\xfe"])
    def test_another_file_is_refused_and_left_alone(self, tmp_path, text):
        path = tmp_path / "corrections.csv"
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ValueError, match=r"corrections\.csv"):
            read_corrections(path)
        assert path.read_bytes() == text.encode("latin-1")

    def test_missing_columns_are_told(self, tmp_path):
        with pytest.raises(ValueError, match="'frame'"):
            append_corrections(tmp_path / "corrections.csv", row().drop(columns="frame"))

    def test_a_full_disk_loses_nothing(self, tmp_path, monkeypatch):
        path = tmp_path / "corrections.csv"
        append_corrections(path, row("Ada"))
        before = path.read_bytes()

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            append_corrections(path, row("Grace"))
        assert path.read_bytes() == before
        assert len(list(tmp_path.iterdir())) == 2  # the file and its lock

    def test_two_processes_lose_no_line(self, tmp_path):
        path = tmp_path / "corrections.csv"
        writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, name, "25"]) for name in ("one", "two")]
        assert [writer.wait(PATIENCE) for writer in writers] == [0, 0]
        found = read_corrections(path)["is"].value_counts().to_dict()
        assert found == {"one": 25, "two": 25}

    def test_a_killed_writer_leaves_whole_lines_and_no_lock(self, tmp_path):
        path = tmp_path / "corrections.csv"
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path, "killed", "100000"])
        kill_once(lambda: path.is_file() and path.stat().st_size > 2000, writer)
        count = len(read_corrections(path))
        assert count > 10
        append_corrections(path, row("after"))
        table = read_corrections(path)
        assert len(table) == count + 1 and set(table["is"]) == {"killed", "after"}


class TestNames:
    @pytest.mark.parametrize(
        ("written", "label"),
        [("UNKNOWN", UNKNOWN), (" Unknown", UNKNOWN), ("NOT A FACE", NOT_A_FACE), ("unknown 2", "Unknown 2"),
         ("UNKNOWN  02", "Unknown 2"), ("Ada", "Ada"), ("Unknown Soldier", "Unknown Soldier"), ("", "")],
    )  # fmt: skip
    def test_a_reserved_name_that_somebody_typed_in_another_case(self, tmp_path, written, label):
        append_corrections(tmp_path / "corrections.csv", row(written))
        assert read_corrections(tmp_path / "corrections.csv")["is"].tolist() == [label]
        assert read_decisions(tmp_path / "corrections.csv")["is"].tolist() == [written]

    @pytest.mark.parametrize(
        ("written", "known", "label"),
        [("  grace   HOPPER ", ["Grace Hopper"], "Grace Hopper"), ("Rene\u0301e", ["Ren\u00e9e"], "Ren\u00e9e"),
         ("ada", ["ADA", "ada"], "ada"), (" Mary  Shelley", ["Ada"], "Mary Shelley"),
         ("Ad\u00e1", ["Ada"], "Ad\u00e1")],
    )  # fmt: skip
    def test_a_name_of_the_cast_that_somebody_typed_otherwise(self, tmp_path, written, known, label):
        append_corrections(tmp_path / "corrections.csv", row(written))
        assert read_corrections(tmp_path / "corrections.csv", known)["is"].tolist() == [label]

    @pytest.mark.parametrize("name", ["", "  ", "a/b", "a\\b", ".hidden", "..", "a\x00b", "x" * 201,
                                      "unknown", "Unknown", "UNKNOWN 3", "Unknown 3", "Not a Face"])  # fmt: skip
    def test_refused(self, name):
        with pytest.raises(ValueError, match="expected a"):
            checked_name(name)

    @pytest.mark.parametrize(
        ("name", "kept"),
        [("Samuel L. Jackson Jr.", "Samuel L. Jackson Jr."), (" Zoe\u0308  Li\n", "Zoë Li"),
         ("Unknown Soldier", "Unknown Soldier"), ("李小龙", "李小龙")],
    )  # fmt: skip
    def test_kept(self, name, kept):
        assert checked_name(name) == kept

    @pytest.mark.parametrize(
        ("name", "group"),
        [("Unknown 1", True), ("Unknown 0", False), ("unknown", False), ("Unknown", False), ("Unknown x", False),
         ("Unknown ²", False), ("", False)],
    )  # fmt: skip
    def test_groups(self, name, group):
        assert is_group(name) is group


class TestMatch:
    def test_by_the_box_and_not_by_the_number(self, project):
        _, detections = tables(project)
        rows = pd.concat([row(track=77), row(frame=31, left=30.0, right=90.0), row(frame=31, left=31.0, right=91.0)])
        # moved by a third of its width a box still overlaps by one half
        assert match_corrections(rows, detections).tolist() == [1, 1, -1]

    def test_the_nearest_of_two(self, project):
        _, detections = tables(project)
        other = detections[detections["track"] == 1].assign(track=9, left=14.0, right=74.0)
        assert match_corrections(row(left=13.0, right=73.0), pd.concat([detections, other])).tolist() == [9]

    @pytest.mark.parametrize("strange", [{"frame": -1}, {"frame": 10**6}, {"left": np.nan}, {"right": 5.0},
                                         {"picture": "people/Ada/1.jpg"}])  # fmt: skip
    def test_nothing_there(self, project, strange):
        assert match_corrections(row(**strange), tables(project)[1]).tolist() == [-1]

    def test_no_rows(self, project):
        assert match_corrections(row().head(0), tables(project)[1]).tolist() == []


class TestApply:
    @pytest.mark.parametrize(
        ("label", "person", "cluster", "reason"),
        [("Ada", "Ada", "", "named by the user on 2025-03-01"),
         (UNKNOWN, UNKNOWN, "Unknown 1", "marked as unknown by the user on 2025-03-01"),
         (NOT_A_FACE, NOT_A_FACE, "", "marked as no face by the user on 2025-03-01"),
         ("Unknown 2", UNKNOWN, "Unknown 2", "grouped by the user on 2025-03-01")],
    )  # fmt: skip
    def test_answers(self, project, label, person, cluster, reason):
        done = decided(project, row(label)).tracks
        changed = done.loc[1, ["person", "cluster", "confidence", "reason", "source"]].to_list()
        assert changed == [person, cluster, 1.0, reason, "user"]
        assert done.loc[1, ["auto_person", "auto_cluster", "auto_source"]].to_list() == [UNKNOWN, "Unknown 1", ""]
        before, _ = tables(project)
        others = [number for number in range(len(before)) if number != 1]
        pd.testing.assert_frame_equal(done.loc[others, list(before.columns)], before.loc[others])
        assert done.dtypes[list(before.columns)].equals(before.dtypes)

    def test_a_named_track_called_unknown_is_in_no_group(self, project):
        done = decided(project, row(UNKNOWN, frame=0, left=0.0, right=60.0, track=0)).tracks
        assert done.loc[0, ["person", "cluster", "auto_person"]].to_list() == [UNKNOWN, "", "Ada"]

    def test_the_last_word_counts_and_can_be_taken_back(self, project):
        assert decided(project, row("Ada"), row("Grace", frame=40)).tracks["person"][1] == "Grace"
        back = decided(project, row("Ada"), row("", frame=40)).tracks
        assert back.loc[1, ["person", "cluster", "source"]].to_list() == [UNKNOWN, "Unknown 1", ""]

    def test_twice_gives_the_same(self, project):
        rows = pd.concat([row("Ada"), row("Unknown 7", frame=80, left=30.0, right=90.0)])
        _, detections = tables(project)
        once = decided(project, rows).tracks
        twice = apply_corrections(once, detections, rows, "a.mp4").tracks
        pd.testing.assert_frame_equal(once, twice)
        # Groups may be found anew; the columns keep their order.
        anew = apply_corrections(once.drop(columns="auto_cluster"), detections, rows.head(0), "a.mp4").tracks
        assert list(anew.columns) == list(once.columns)
        # what was taken back is as if it had never been said
        never = apply_corrections(once, detections, rows.head(0), "a.mp4").tracks
        pd.testing.assert_frame_equal(never, decided(project, row().head(0)).tracks)

    def test_tables_that_are_not_named_yet(self, project):
        tracks, detections = tables(project)
        bare = tracks[["track", "shot", "start_frame", "end_frame", "start", "end"]].assign(person=UNKNOWN)
        done = apply_corrections(bare, detections, row("Ada"), "a.mp4").tracks
        assert done["person"].tolist() == [UNKNOWN, "Ada", *[UNKNOWN] * 5]
        assert done["confidence"].tolist() == [0, 1, 0, 0, 0, 0, 0] and set(done["cluster"]) == {""}

    def test_older_tables_without_reasons(self, project):
        tracks, detections = tables(project)
        done = apply_corrections(tracks.drop(columns=["reason", "source"]), detections, row("Ada"), "a.mp4").tracks
        assert done["source"].tolist() == ["", "user", "", "", "", "", ""]

    def test_what_cannot_be_applied_is_listed_and_other_films_are_not_meant(self, project):
        lost = row("Grace", frame=9999)
        applied = decided(project, row("Ada"), lost, row("Bo", video="b.mp4"), row("", frame=8888))
        assert applied.left_out["is"].tolist() == ["Grace"]
        assert applied.left_out["why"].tolist() == ["no track has a face there"]
        revised_of = Review(project, project.find_videos())
        append_corrections(project.corrections, row("Bo", video="b.mp4"))
        revised_of.refresh()
        assert revised_of.left_out["why"].tolist() == ["this film is not among the films"]

    def test_a_track_that_was_dropped_is_listed(self, project):
        tracks, detections = tables(project)
        applied = apply_corrections(tracks[tracks["track"] != 1], detections, row("Ada"), "a.mp4")
        assert applied.left_out["is"].tolist() == ["Ada"]

    def test_no_tracks(self, project):
        tracks, detections = tables(project)
        applied = apply_corrections(tracks.head(0), detections.head(0), row("Ada"), "a.mp4")
        assert applied.tracks.empty and len(applied.left_out) == 1
        assert list(applied.tracks.columns[-2:]) == ["auto_reason", "auto_source"]

    def test_one_name_twice_at_one_time_is_allowed_and_warned_of(self, project):
        tracks, detections = tables(project)
        together = tracks.assign(start_frame=0, end_frame=24)
        applied = apply_corrections(together, detections, row("Ada"), "a.mp4")
        assert applied.tracks["person"].tolist().count("Ada") == 3
        assert any("Ada is on screen twice" in line and "a.mp4" in line for line in applied.warnings)
        assert not apply_corrections(tracks, detections, row("Ada"), "a.mp4").warnings
        unasked = apply_corrections(together, detections, row().head(0), "a.mp4")
        assert unasked.warnings == []  # only what the user named


class TestReview:
    def called(self, review):
        return review.tracks["label"].tolist()

    def test_every_decision_is_written_at_once(self, review, project):
        review.name([1], "Grace")
        review.unknown([0])
        review.not_a_face([6])
        review.confirm([4])
        assert self.called(review) == ["unknown", "Grace", "Unknown 1", "Unknown 2", "Ada", "Unknown 2", NOT_A_FACE]
        table = read_corrections(project.corrections)
        assert table[["track", "was", "is", "by"]].to_numpy().tolist() == [
            [1, "Unknown 1", "Grace", "Ann"], [0, "Ada", "unknown", "Ann"], [6, "unknown", NOT_A_FACE, "Ann"],
            [4, "Ada", "Ada", "Ann"],
        ]  # fmt: skip
        assert self.called(Review(project, project.find_videos())) == self.called(review)

    def test_naming_a_whole_group_names_it_in_all_films(self, make_reviewed):
        project = make_reviewed({"a.mp4": TRACKS, "b.mp4": TRACKS[1:3]})
        review = Review(project, project.find_videos())
        review.name([1], "grace  hopper", whole_group=True)
        assert (
            review.tracks.loc[review.tracks["label"] == "grace hopper", "video"].tolist()
            == ["a.mp4"] * 2 + ["b.mp4"] * 2
        )
        review.name([0], "GRACE HOPPER")  # upper and lower case make no new person
        assert review.people() == ["Ada", "grace hopper"]

    def test_merge_and_split(self, review):
        review.merge([1, 3])
        assert self.called(review).count("Unknown 1") == 4 and "Unknown 2" not in self.called(review)
        review.split([2, 5])
        assert self.called(review) == ["Ada", "Unknown 1", "Unknown 3", "Unknown 1", "Ada", "Unknown 3", "unknown"]
        review.merge([6, 2])
        assert self.called(review)[6] == "Unknown 3"
        review.merge([0, 2])  # a person's name is stronger than a number
        assert self.called(review) == ["Ada", "Unknown 1", "Ada", "Unknown 1", "Ada", "Ada", "Ada"]

    @pytest.mark.parametrize(
        ("what", "tracks", "message"),
        [("merge", [1, 2], "two groups"), ("merge", [6], "two groups"), ("merge", [], "two groups|at least"),
         ("split", [1, 2], "a part"), ("split", [1, 3], "one group"), ("split", [0], "one group"),
         ("confirm", [], "at least one"), ("unknown", [], "at least one")],
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused_and_writes_nothing(self, review, project, what, tracks, message):
        with pytest.raises(ValueError, match=message):
            getattr(review, what)(tracks)
        assert not project.corrections.exists()

    def test_two_people_are_not_merged(self, review):
        review.name([1], "Grace")
        with pytest.raises(ValueError, match="at most one person"):
            review.merge([0, 1])

    def test_undo_goes_back_step_by_step_also_in_the_next_session(self, review, project):
        seen = [self.called(review)]
        steps = [lambda r: r.name([1], "Grace", whole_group=True), lambda r: r.merge([3, 6]),
                 lambda r: r.split([3]), lambda r: r.name([1], "Bo"), lambda r: r.unknown([0, 4])]  # fmt: skip
        for step in steps:
            step(review)
            seen.append(self.called(review))
        for again in range(5):
            review = review if again % 2 else Review(project, project.find_videos())
            assert self.called(review) == seen.pop()
            review.undo()
        assert self.called(review) == seen.pop()
        with pytest.raises(ValueError, match="none left"):
            review.undo()
        pd.testing.assert_frame_equal(
            settle_films(project).tracks["a.mp4"][list(tables(project)[0])],
            tables(project)[0][list(tables(project)[0])],
        )

    def test_another_process_is_heard(self, review, project):
        append_corrections(project.corrections, row("Grace"))
        review.confirm([0])
        assert self.called(review)[1] == "Grace"

    def test_where_nobody_decided_nothing_is_applied_again(self, review, project):
        review.confirm([0])
        before = review.tracks
        review.refresh()
        assert review.tracks is before
        append_corrections(project.corrections, row("Grace"))
        review.refresh()
        assert self.called(review)[1] == "Grace"

    def test_undo_leaves_what_others_decided_meanwhile(self, review, project):
        other = Review(project, project.find_videos(), by="Ben")
        other.name([1], "Ada")
        review.name([1], "Grace")
        review.undo()
        assert self.called(review)[1] == "Ada"
        review.name([1], "Grace")
        other.name([1], "Bo")
        with pytest.raises(ValueError, match="Ben decided since"):
            review.undo()
        assert self.called(review)[1] == "Bo"
        other.undo()
        review.undo()
        assert self.called(review)[1] == "Ada"

    def test_undo_of_a_name_given_again_goes_back_to_the_one_before(self, review):
        for name in ("Grace", "Ada", "Grace"):
            review.name([1], name)
        review.undo()
        assert self.called(review)[1] == "Ada"

    def test_filters(self, review):
        assert set(review.queue("all")) == set(range(7))
        assert review.queue("unsure") == [3, 6, 4, 2] or set(review.queue("unsure")) == {2, 3, 4, 6}
        assert set(review.queue("unknown")) == {1, 2, 3, 5, 6}
        assert set(review.queue("all", person="Ada")) == {0, 4}
        review.confirm([3])
        assert review.queue("decided") == [3] and 3 not in review.queue("undecided")
        with pytest.raises(ValueError, match="'other'"):
            review.queue("other")

    def test_pictures_and_summary(self, review):
        assert len(review.pictures(2)) == 4 and review.pictures(2)[0][:2] == b"\xff\xd8"
        assert review.summary().to_dict("records") == [
            {"film": "a.mp4", "tracks": 7, "named": 2, "unknown": 5, "no face": 0, "decided": 0, "unsure": 4}
        ]

    def test_without_looks_there_is_still_a_face_to_find_the_track_by(self, project):
        project.film("a.mp4").looks.unlink()
        review = Review(project, project.find_videos())
        assert review.pictures(1) == []
        review.name([1], "Grace")
        assert self.called(Review(project, project.find_videos()))[1] == "Grace"

    def test_a_film_without_tracks(self, make_reviewed):
        project = make_reviewed({"a.mp4": []})
        review = Review(project, project.find_videos())
        assert review.queue("all") == [] and review.summary()["tracks"].tolist() == [0]
        with pytest.raises(ValueError, match="at least one film"):
            Review(project, [])
        (project.videos / "b.mp4").touch()
        with pytest.raises(FileNotFoundError, match="run 05"):
            Review(project, project.find_videos())


class TestNumberedAnew:
    """A run that names or finds more gives the groups of unknown people other numbers."""

    def test_what_was_merged_and_split_stays_so(self, make_reviewed, review, project):
        review.merge([1, 3])  # Unknown 2 goes into Unknown 1
        review.split([2])  # and one track of it comes out as Unknown 3
        wanted = review.tracks["label"].tolist()
        anew = {"Unknown 1": "Unknown 3", "Unknown 2": "Unknown 1", "": ""}
        more = [*((person, anew[cluster], sure) for person, cluster, sure in TRACKS), (UNKNOWN, "Unknown 2", 0.9)]
        make_reviewed({"a.mp4": more})
        called = Review(project, project.find_videos()).tracks["label"].tolist()
        assert called[:5] == wanted[:5]
        assert called[7] not in called[:7]  # the stranger who now is number 2 is nobody of the others

    def test_more_faces_of_a_confirmed_group_join_it(self, make_reviewed, review, project):
        review.confirm([3])
        anew = {"Unknown 1": "Unknown 2", "Unknown 2": "Unknown 1", "": ""}
        make_reviewed({"a.mp4": [(person, anew[cluster], sure) for person, cluster, sure in TRACKS],
                       "b.mp4": [(UNKNOWN, "Unknown 1", 0.9), (UNKNOWN, "Unknown 2", 0.9)]})  # fmt: skip
        called = Review(project, project.find_videos()).tracks["label"].tolist()
        assert called[3] == called[5] == called[7] == "Unknown 2"
        assert called[1] == called[2] == called[8] != "Unknown 2"

    def test_tracks_with_other_numbers_keep_their_decisions(self, make_reviewed, review, project):
        review.name([1], "Grace")
        tracks, detections = tables(project)
        looks = pd.read_parquet(project.film("a.mp4").looks)
        for table in (tracks, detections, looks):
            table["track"] = table["track"].max() - table["track"]
        for table, path in ((tracks, "tracks"), (detections, "detections"), (looks, "looks")):
            table.to_parquet(getattr(project.film("a.mp4"), path), index=False)
        again = Review(project, project.find_videos()).tracks
        assert again.loc[again["label"] == "Grace", "start_frame"].tolist() == [25]


class TestRevise:
    def test_tables_follow_and_only_when_something_changed(self, review, project):
        files = project.film("a.mp4")
        assert settle_films(project).written == project.find_videos()  # the automatic answers get columns
        unchanged = files.tracks.read_bytes(), files.tracks.stat().st_mtime_ns
        assert settle_films(project).written == []
        review.name([1], "Grace")
        review.not_a_face([0])
        revision = settle_films(project)
        assert revision.changes[["track", "was", "is"]].to_numpy().tolist() == [
            [0, "Ada", NOT_A_FACE], [1, "Unknown 1", "Grace"],
        ]  # fmt: skip
        assert revision.changes["reason"][1].startswith("named by Ann on 20")
        assert pd.read_csv(files.appearances)["person"].tolist() == ["Grace", "Ada"]
        review.undo()
        review.undo()
        assert len(settle_films(project).changes) == 2
        assert files.tracks.read_bytes() == unchanged[0] and files.tracks.stat().st_mtime_ns != unchanged[1]

    def test_all_films_of_the_project_settle_the_groups_but_only_those_asked_for_are_written(self, make_reviewed):
        project = make_reviewed({"a.mp4": TRACKS, "b.mp4": TRACKS})
        film = project.find_videos()[1]
        before = project.film("a.mp4").tracks.read_bytes()
        revision = settle_films(project, [film])
        assert revision.written == [film] and list(revision.tracks) == ["b.mp4"]
        assert project.film("a.mp4").tracks.read_bytes() == before

    def test_films_to_be_drawn_again(self, review, project):
        films, files = project.find_videos(), project.film("a.mp4")
        assert films_behind(project, films) == films
        files.annotated.touch()
        assert films_behind(project, films) == films  # nothing says what it shows
        remember_drawn(files, pd.read_parquet(files.tracks))
        assert films_behind(project, films) == []
        review.name([1], "Grace")
        settle_films(project)
        files.annotated.touch()  # newer than its tracks, and yet it shows other names
        assert films_behind(project, films) == films
        review.undo()
        settle_films(project)
        assert films_behind(project, films) == []
        files.annotated.unlink()
        assert films_behind(project, films) == films

    def test_a_film_never_looked_at(self, project):
        (project.videos / "b.mp4").touch()
        assert list(settle_films(project).tracks) == ["a.mp4"]
        with pytest.raises(FileNotFoundError, match=r"run 05 on 'b\.mp4'"):
            settle_films(project, [project.videos / "b.mp4"])


class TestWorth:
    def worth(self, tracks):
        """Return what asking about each track is worth, the most first."""
        return (
            worth_asking(pd.DataFrame(tracks).assign(video="a.mp4"))
            .set_index("track")["worth"]
            .sort_values(ascending=False, kind="stable")
        )

    def test_least_sure_times_most_seen(self):
        base = {"person": "Ada", "cluster": "", "source": "face", "start": 0.0}
        tracks = [
            base | {"track": 0, "confidence": 0.9, "end": 1.0, "start_frame": 0, "end_frame": 9},  # 0.1
            base | {"track": 1, "confidence": 0.6, "end": 1.0, "start_frame": 10, "end_frame": 19},  # 0.4
            base | {"track": 2, "confidence": 0.9, "end": 9.0, "start_frame": 20, "end_frame": 29},  # 0.9
            base | {"track": 3, "confidence": 0.1, "end": 9.0, "start_frame": 30, "end_frame": 39, "source": "user"},
            base | {"track": 4, "confidence": 0.2, "end": 0.0, "start_frame": 40, "end_frame": 40},  # 0.16
        ]
        assert list(self.worth(tracks).round(2).items()) == [(2, 0.9), (1, 0.4), (4, 0.16), (0, 0.1), (3, 0.0)]

    def test_one_track_stands_for_its_group_and_doubles_are_doubted(self):
        base = {"source": "", "start": 0.0, "end": 1.0, "start_frame": 0, "end_frame": 9}
        group = [base | {"track": n, "person": UNKNOWN, "cluster": "Unknown 1", "confidence": 0.9,
                         "start_frame": 10 * n, "end_frame": 10 * n + 9} for n in range(6)]  # fmt: skip
        twice = [base | {"track": n, "person": "Ada", "cluster": "", "confidence": 0.99} for n in (6, 7)]
        found = self.worth([*group, *twice])
        assert found.round(3).to_dict() == {0: 0.6, 6: 0.5, 7: 0.5, 1: 0.1, 2: 0.1, 3: 0.1, 4: 0.1, 5: 0.1}
        assert found.index[:3].tolist() == [0, 6, 7]

    def test_no_tracks(self, project):
        assert worth_asking(tables(project)[0].head(0).assign(video="a.mp4")).empty


def test_a_film_with_damaged_tables_is_left_out_of_the_review(make_reviewed):
    project = make_reviewed({"a.mp4": TRACKS, "b.mp4": TRACKS})
    path = project.film("a.mp4").tracks
    path.write_bytes(path.read_bytes()[:-20])
    films = [project.videos / name for name in ("a.mp4", "b.mp4")]
    review = Review(project, films)
    assert set(review.tracks["video"]) == {"b.mp4"} and review.summary()["film"].tolist() == ["b.mp4"]
    assert len(review.problems) == 1 and review.problems[0].startswith("a.mp4 is left out")
    with pytest.raises(ValueError, match=r"a\.mp4 is left out"):
        Review(project, films[:1])


class TestEnrol:
    def pictures(self, project):
        return sorted(path.relative_to(project.people).as_posix() for path in project.people.rglob("*.jpg"))

    def test_a_picture_moved_to_somebody_else_is_not_written_back(self, review, project):
        review.name([2], "Nina")
        first = enrol(project).added[0]
        (project.people / "Ada").mkdir(parents=True, exist_ok=True)
        moved = move(project, first, "Ada")
        again = enrol(project)
        assert (project.data / moved).is_file() and not (project.data / first).exists()
        assert first not in again.added and first not in set(again.pictures["picture"])

    def test_names_that_are_merged_are_enrolled_as_one(self, review, project):
        review.name([2], "Nina")
        enrol(project)
        (project.people / "Ada").mkdir(parents=True, exist_ok=True)
        merge(project, "Nina", "Ada")
        assert set(enrol(project).pictures["person"]) == {"Ada"} and not (project.people / "Nina").exists()
        assert "Nina" not in read_corrections(project.corrections)["is"].tolist()

    @pytest.mark.parametrize("content", [b"", b"\0" * 50, b"picture,person\n"])
    def test_a_damaged_list_of_enrolled_pictures_is_made_anew_once_it_is_removed(self, review, project, content):
        review.name([1], "Grace")
        before = enrol(project).pictures
        (project.output / "enrolled.csv").write_bytes(content)
        with pytest.raises(ValueError, match="remove it: it is made anew from the decisions that there are"):
            enrol(project)
        (project.output / "enrolled.csv").unlink()
        pd.testing.assert_frame_equal(enrol(project).pictures, before)
        assert pd.read_csv(project.output / "enrolled.csv")["picture"].tolist() == before["picture"].tolist()

    def test_a_named_stranger_is_enrolled_once(self, review, project):
        review.name([1], "Grace")
        done = enrol(project)
        wanted = [f"Grace/film a {25 + 3 * rank}-1.jpg" for rank in range(4)]
        assert self.pictures(project) == wanted
        assert sorted(done.added) == [f"people/{name}" for name in wanted] and done.removed == done.left_out == []
        assert read_image(project.people / wanted[0]).shape == (160, 120, 3)
        times = [(project.people / name).stat().st_mtime_ns for name in wanted]
        again = enrol(project)
        assert again.added == again.removed == []
        assert times == [(project.people / name).stat().st_mtime_ns for name in wanted]
        pd.testing.assert_frame_equal(again.pictures, done.pictures)

    def test_only_names_that_were_given(self, review, project):
        review.confirm([0])
        review.unknown([4])
        review.not_a_face([6])
        review.merge([1, 3])
        assert enrol(project).pictures.empty
        assert self.pictures(project) == [] and not list(project.people.iterdir())
        review.name([2], "Grace")
        review.confirm([2])  # confirming what one has named oneself changes nothing
        assert len(enrol(project).pictures) == 4

    def test_after_the_name_is_learned_the_pictures_stay(self, make_reviewed, review, project):
        review.name([1], "Grace")
        enrol(project)
        make_reviewed({"a.mp4": [TRACKS[0], ("Grace", "", 0.99), *TRACKS[2:]]})
        settle_films(project)
        again = enrol(project)
        assert again.removed == [] and len(again.pictures) == 4

    def test_taken_back_removes_exactly_its_own(self, review, project):
        own = project.people / "Grace" / "mine.jpg"
        own.parent.mkdir()
        own.write_bytes(b"the user's own")
        review.name([1], "Grace")
        review.name([2], "Bo")
        enrol(project)
        review.undo()
        review.undo()
        done = enrol(project)
        assert len(done.removed) == 8
        assert self.pictures(project) == ["Grace/mine.jpg"] and not (project.people / "Bo").exists()
        assert own.read_bytes() == b"the user's own"

    def test_another_name_moves_them(self, review, project):
        review.name([1], "Grace")
        enrol(project)
        review.name([1], "Bo")
        enrol(project)
        assert {name.split("/")[0] for name in self.pictures(project)} == {"Bo"}

    def test_what_the_user_changed_stays(self, review, project):
        review.name([1], "Grace")
        enrol(project)
        changed = project.people / "Grace" / "film a 25-1.jpg"
        changed.write_bytes(b"cropped by hand")
        again = enrol(project)
        assert changed.read_bytes() == b"cropped by hand"
        assert again.left_out == ["people/Grace/film a 25-1.jpg: a file of the user's own has this name"]
        review.undo()
        enrol(project)
        assert self.pictures(project) == ["Grace/film a 25-1.jpg"]

    def test_only_good_faces_and_not_too_many(self, review, project):
        path = project.film("a.mp4").looks
        looks = pd.read_parquet(path)
        looks.loc[looks["track"] == 1, "quality"] = 0.05
        looks.loc[looks["track"] == 2, "right"] = looks["left"] + 30
        looks.loc[looks["track"] == 3, "embedding"] = pd.Series([np.zeros(4, np.float32)] * len(looks))  # all alike
        looks.to_parquet(path, index=False)
        for track, name in ((1, "Blurred"), (2, "Small"), (3, "Still"), (5, "Good")):
            review.name([track], name)
        done = enrol(project, most_per_person=3)
        assert done.pictures["person"].value_counts().to_dict() == {"Good": 3, "Still": 1}
        assert [line.split(":")[0] for line in done.left_out] == ["a.mp4, track 1", "a.mp4, track 2"]

    def test_a_film_whose_faces_are_gone_keeps_its_pictures(self, review, project):
        review.name([1], "Grace")
        enrol(project)
        project.film("a.mp4").looks.unlink()
        done = enrol(project)
        assert len(self.pictures(project)) == 4 == len(done.pictures)
        assert "run 05" in done.left_out[0]

    def test_a_film_that_is_searched_otherwise_keeps_the_pictures_of_its_decisions(self, review, project):
        review.name([1], "Grace")
        review.name([2], "Bo")
        before = enrol(project).pictures
        files = project.film("a.mp4")
        looks, found = pd.read_parquet(files.looks), pd.read_parquet(files.detections)
        # Other frames of Grace's track are looked at, one of them good enough; Bo's is not found at all.
        other = looks.assign(frame=looks["frame"] + 1)[looks["track"] != 2]
        other[(other["track"] != 1) | (other["frame"] == other.loc[other["track"] == 1, "frame"].min())].to_parquet(
            files.looks, index=False
        )
        found[found["track"] != 2].to_parquet(files.detections, index=False)
        done = enrol(project)
        assert done.added == done.removed == []
        assert set(done.pictures["picture"]) == set(before["picture"]) and len(self.pictures(project)) == 8
        assert enrol(project).pictures.equals(done.pictures)
        # What is taken back is removed all the same, whether its track is found or not.
        undo = read_corrections(project.corrections).assign(**{"is": ""})
        append_corrections(project.corrections, undo[undo["track"] == 1])
        assert {row["person"] for _, row in enrol(project).pictures.iterrows()} == {"Bo"}
        append_corrections(project.corrections, undo[undo["track"] == 2])
        assert enrol(project).pictures.empty and self.pictures(project) == []

    def test_nothing_decided_leaves_no_trace(self, project):
        assert enrol(project).pictures.empty
        assert not (project.output / "enrolled.csv").exists()


def test_labels(project):
    assert labels(tables(project)[0]).tolist() == [
        "Ada", "Unknown 1", "Unknown 1", "Unknown 2", "Ada", "Unknown 2", "unknown",
    ]  # fmt: skip
