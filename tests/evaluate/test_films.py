"""A project's films against their truth, and the worst mistakes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelib.evaluate import evaluate_films, find_truths, join_films, list_mistakes, match_faces
from facelib.films.media.reader import read_times
from facelib.films.media.times import write_times
from facelib.plots import show_mistakes
from facelib.project import Project, write_table

TRACKS = ["track", "person", "cluster", "confidence", "distance", "second_person", "evidence"]


@pytest.fixture
def project(tmp_path, make_film, found) -> Project:
    """Two films with results: of `good` all is right, in `bad` one name is wrong and a face is missing."""
    project = Project("p", tmp_path / "data", tmp_path / "output")
    truth = project.data / "truth"
    truth.mkdir(parents=True)
    for name, rows in (
        ("good", [(frame, 0, 0, "Ada") for frame in range(4)]),
        ("bad", [(frame, 0, 3, "Bo") for frame in range(4)]),
    ):
        make_film(f"data/p/videos/{name}.mp4", frames=8)
        table = found(*rows, evidence=f"people/{rows[0][3]}/1.jpg", second_person="")
        write_table(table[TRACKS].drop_duplicates(), project.film(name).tracks)
        write_table(table.drop(columns=TRACKS[1:]), project.film(name).detections)
        lines = [f"{frame},0,0,10,10,Ada" for frame in range(4)] + ["5,30,20,50,40,unknown"] * (name == "bad")
        (truth / f"{name}.csv").write_text("\n".join(["frame,left,top,right,bottom,person", *lines]))
    return project


def evaluate(project: Project, **options):
    return evaluate_films(project, find_truths(project, project.find_videos()), progress=False, **options)


def test_a_row_a_film_and_one_for_all(project):
    evaluation = evaluate(project)
    faces = evaluation.faces.set_index("film")
    assert faces.index.tolist() == ["bad.mp4", "good.mp4", "all films"]
    assert faces["right"].tolist() == [0, 4, 4]
    assert faces["wrong"].tolist() == [4, 0, 4]
    assert faces["recall"].round(3).tolist() == [0.8, 1, 0.889]
    followed = evaluation.followed.set_index("film")
    assert followed["track accuracy"].tolist() == [0, 1, 0.5]
    assert followed["tracks"].tolist() == [1, 1, 2]
    assert followed.loc["good.mp4", ["HOTA", "IDF1", "IDF1 of names"]].tolist() == [1, 1, 1]
    assert evaluation.message == "Compared 2 films with ground truth."


def test_the_figures_over_all(project):
    figures = evaluate(project).figures.set_index("figure")["value"]
    assert figures["faces of the cast named right"] == 0.5
    assert figures["tracks with the right answer"] == 0.5
    assert (figures["number of clusters"], figures["weighted cluster purity"]) == (2, 1)
    assert figures["calibration error of names"] == pytest.approx(0.4)  # 0.9 sure, and half of them right
    assert math.isnan(figures["calibration error of unknown"])  # everybody was named
    assert math.isnan(figures["FNIR at FPIR 1 %, by the face alone"])  # no stranger was found


def test_least_iou_is_handed_on(project):
    assert evaluate(project, least_iou=1.0).score.found == 8
    path = project.data / "truth" / "good.csv"
    path.write_text(path.read_text().replace(",0,0,10,10", ",1,0,11,10"))
    assert evaluate(project, least_iou=0.9).score.found == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("tracks", b"PAR1" + b"\xff" * 60 + b"\x20\0\0\0PAR1", "thrift", id="an OSError of pyarrow"),
        ("detections", b"", "Parquet"),
        ("shots", b"", "No columns"),
        ("shots", b"a;b\n1;2\n", "start_frame"),
    ],
)
def test_a_film_with_a_damaged_table_stops_no_other(project, name, content, message):
    getattr(project.film("bad.mp4"), name).write_bytes(content)
    evaluation = evaluate(project)
    assert list(evaluation.films) == ["good.mp4"] and evaluation.score.right == 4
    assert message in evaluation.left_out["bad.mp4"] and "\n" not in evaluation.left_out["bad.mp4"]


def test_tables_of_something_else_are_left_out(project):
    files = project.film("bad.mp4")
    write_table(pd.read_parquet(files.detections).drop(columns="frame"), files.detections)
    assert "it has no column 'frame'; run 05 on it again" in evaluate(project).left_out["bad.mp4"]


def test_what_is_written_can_be_read(project):
    evaluation = evaluate(project)
    table, figures = evaluation.write(project, more={"accuracy": math.nan, "table": pd.DataFrame({"a": [np.int64(1)]})})
    assert pd.read_csv(table)["film"].tolist() == ["bad.mp4", "good.mp4", "all films"]
    record = json.loads(figures.read_text(encoding="utf-8"))
    assert record["score"]["right"] == 4
    assert record["confusion"]["Ada"] == {"Ada": 4, "Bo": 4, "unknown": 0, "not found": 0}
    assert record["accuracy"] is None and record["table"] == [{"a": 1}]
    assert [row["mistake"] for row in record["mistakes"]] == ["named wrong", "not found"]


def test_without_truth_all_is_empty_and_nothing_fails(tmp_path, project):
    for path in (project.data / "truth").iterdir():
        path.unlink()
    evaluation = evaluate(project)
    assert evaluation.faces.empty and evaluation.followed.empty and evaluation.figures.empty
    assert evaluation.mistakes.empty and evaluation.confusion.to_numpy().sum() == 0
    assert evaluation.curve()["fnir"].isna().all() and evaluation.curve("confidence")["fpir"].isna().all()
    assert evaluation.reliability["names"].sum() == 0
    table, figures = evaluation.write(project)
    assert pd.read_csv(table).empty and json.loads(figures.read_text())["films"] == []


def test_films_that_cannot_be_compared_are_left_out_with_the_reason(project):
    project.film("good").tracks.unlink()
    (project.data / "truth" / "bad.csv").write_text("frame,person\n")
    evaluation = evaluate(project)
    assert evaluation.films == {}
    assert "05_annotate_video" in evaluation.left_out["good.mp4"]
    assert "no ['left'" in evaluation.left_out["bad.mp4"]
    assert "left out: good.mp4" in evaluation.message


def test_truth_of_frames_that_the_film_has_not_is_told(project):
    for name in ("good", "bad"):
        film = project.videos / f"{name}.mp4"
        write_times(read_times(film), project.film(film).times)
    assert evaluate(project).beyond == {}  # 8 frames; the last that is labelled is 5
    table = project.data / "truth" / "bad.csv"
    table.write_text(table.read_text() + "\n7,30,20,50,40,unknown\n8,30,20,50,40,unknown\n9,30,20,50,40,unknown")
    evaluation = evaluate(project)
    assert list(evaluation.beyond) == ["bad.mp4"] and list(evaluation.films) == ["bad.mp4", "good.mp4"]
    assert "\nbad.mp4: 2 of 8 labelled faces are in frames after its last one, 7: is the truth" in evaluation.message


def test_shots_that_were_found_break_the_truth_where_its_own_are_not_labelled(project):
    shots = pd.DataFrame({"shot": [0, 1], "start_frame": [0, 2], "end_frame": [1, 3]})
    assert evaluate(project).following["good.mp4"].labelled == 1
    write_table(shots, project.film("good").shots)
    assert evaluate(project).following["good.mp4"].labelled == 2
    (project.data / "truth" / "good.shots").write_text("0 3\n")
    assert evaluate(project).following["good.mp4"].labelled == 1


class TestMistakes:
    def test_one_a_track_the_worst_first_at_its_largest_face(self, found, truth):
        table = found(
            *[(frame, 0, 1, "B") for frame in range(3)], (0, 30, 2, "A"), (0, 60, 3, "unknown"), (0, 90, 4, "B")
        )
        table["confidence"] = [0.6, 0.6, 0.6, 0.8, 0.2, 0.7]
        labels = truth(*((frame, 0, "A") for frame in range(3)), (0, 30, "unknown"), (0, 60, "A"), (9, 0, "A"))
        labels.faces.loc[1, "bottom"] = 11
        rows = list_mistakes(join_films([match_faces(table, labels)], ["f"]))
        assert rows["mistake"].tolist() == [
            "named wrong",
            "stranger named",
            "no face named",
            "not named",
            "not found",
        ]
        assert rows["faces"].tolist() == [3, 1, 1, 1, 1]
        assert rows.loc[0, ["label", "name", "frame", "time"]].tolist() == ["A", "B", 1, 1 / 25]
        assert rows["confidence"].isna().tolist() == [False, False, False, True, True]

    def test_the_time_of_a_frame_in_which_nothing_was_found_is_told_by_others(self, found, truth):
        table = found((10, 0, 1, "A"), (20, 0, 1, "A"))
        labels = truth((5, 50, "A"), (15, 0, "B"), (30, 0, "C"))
        rows = list_mistakes(join_films([match_faces(table, labels)], ["f"])).set_index("label")
        missing = rows.loc[["A", "B", "C"], "time"]
        assert missing.tolist() == pytest.approx([0.2, 0.6, 1.2])

    def test_where_nothing_at_all_was_found_there_is_no_time(self, found, truth):
        rows = list_mistakes(join_films([match_faces(found(), truth((3, 0, "A")))], ["f"]))
        assert rows["mistake"].tolist() == ["not found"] and rows["time"].isna().all()

    def test_what_is_right_is_no_mistake(self, found, truth):
        table = found((0, 0, 1, "A"), (0, 30, 2, "unknown"), (0, 60, 3, "unknown"))
        labels = truth((0, 0, "A"), (0, 30, "unknown"))
        assert list_mistakes(join_films([match_faces(table, labels)], ["f"])).empty
        assert list_mistakes(join_films([], [])).empty

    def test_the_pictures(self, project):
        evaluation = evaluate(project)
        page = show_mistakes(evaluation.mistakes, evaluation.films).html
        assert page.count("data:image/jpeg;base64,") == 2
        assert "Ada → Bo" in page and "sure 0.90, 4 faces" in page and "00:00:00.120" in page

    def test_names_are_escaped_and_films_that_are_gone_are_told(self, project):
        evaluation = evaluate(project)
        rows = evaluation.mistakes.assign(label="<b>&", film=["bad.mp4", "none.mp4"])
        page = show_mistakes(rows, {"bad.mp4": Path("gone.mp4")}).html
        assert "&lt;b&gt;&amp;" in page and "<b>&" not in page
        assert "film gone" in page and "no picture" in page

    def test_only_so_many_are_shown(self, project):
        evaluation = evaluate(project)
        page = show_mistakes(evaluation.mistakes, evaluation.films, most=1).html
        assert page.count("<figure") == 1 and "The worst 1 of 2 mistakes" in page

    def test_without_a_mistake_it_says_so_and_without_a_truth_it_does_not(self, project):
        evaluation = evaluate(project)
        assert show_mistakes(evaluation.mistakes[:0], evaluation.films).html == "<p>No mistake was found.</p>"
        assert "no mistakes are known" in show_mistakes(evaluation.mistakes[:0], {}).html


@pytest.mark.real_data
def test_the_labelled_scene_counts_by_its_list_of_frames(shared_data, tmp_path, found):
    project = Project("sitcom", shared_data, tmp_path)
    film = shared_data / "sitcom/videos/scene_a.mp4"
    truths = find_truths(project, [film])
    truth = truths.table.iloc[0]
    assert (truth["faces"], truth["frames"]) == (102, "48")
    # Found: every labelled face with its name, the same faces in frames that are not labelled, and one lamp.
    table = pd.read_csv(truths.of_film[film])
    table = pd.concat([table, table.assign(frame=table["frame"] + 1)], ignore_index=True)
    lamp = pd.DataFrame([(4, 5, 5, 25, 25, "Ross Geller")], columns=list(table))
    table = pd.concat([table, lamp], ignore_index=True)
    table["track"] = range(len(table))
    table = table.assign(time=table["frame"] / 23.976, shot=0, score=1.0, interpolated=False, cluster="")
    table = table.assign(confidence=0.9, distance=0.3, second_person="", evidence="people/Ross Geller/1.jpg")
    write_table(table[TRACKS], project.film(film).tracks)
    write_table(table.drop(columns=TRACKS[1:]), project.film(film).detections)
    score = evaluate_films(project, truths, progress=False).score
    assert (score.labelled, score.right, score.wrong, score.false, score.false_named) == (102, 102, 0, 1, 1)
