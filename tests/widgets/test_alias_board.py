"""The board that asks whether two names are one person, by its traits."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from facelib.cli.results import print_results
from facelib.gallery import alias_questions, examine, question_lines, read_gallery, write_gallery
from facelib.gallery.files import COLUMNS
from facelib.images import encode_jpeg
from facelib.pipeline import StepResult
from facelib.project import Project
from facelib.project.identities import answers
from facelib.recognize.tuning import choose_threshold, tune
from facelib.widgets import AliasBoard

from .boards import ask

T = 0.48


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Twelve people with thirty pictures each; fifteen of the first one's are filed under "Tob"."""
    made = Project("cast", tmp_path / "data", tmp_path / "output")
    random = np.random.default_rng(0)
    rows = []
    picture = encode_jpeg(random.integers(0, 255, (160, 140, 3), dtype=np.uint8))
    for number in range(14):
        middle = random.normal(size=32)
        middle /= np.linalg.norm(middle)
        for face in range(30):
            person = "Tob" if number == 0 and face < 15 else f"Person {number:02}"
            path = made.people / person / f"{face:02}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)
            os.utime(path, (2e9, 2e9) if person == "Tob" else (1e9, 1e9))
            vector = (middle + random.normal(size=32) * 0.3 / np.sqrt(32)).astype(np.float32)
            rows.append(
                {
                    "picture": f"people/{person}/{face:02}.jpg",
                    "sha256": f"{number} {face}",
                    "face": 0,
                    "person": person,
                    "left": 20.0,
                    "top": 20.0,
                    "right": 120.0,
                    "bottom": 140.0,
                    "score": 0.9,
                    "landmarks": np.zeros(10, np.float32),
                    "sharpness": 300.0,
                    "embedding": vector,
                    "used": True,
                    "reason": "",
                }
            )
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"face": "int32", "used": "bool"})
    made_with = {"detector": "centerface", "embedder": "dlib", "weights_sha256": "abc", "threshold": T}
    write_gallery(table, made.faces, **made_with)
    return made


def board_of(project: Project) -> AliasBoard:
    gallery = read_gallery(project.faces)
    return AliasBoard(alias_questions(gallery.used, project, threshold=T), project, faces=gallery.table)


def press(board: AliasBoard, action: str) -> None:
    number = board.handled + 1
    ask(board, action, [0])
    assert board.handled == number and board.error == ""


def fitted(project: Project) -> float:
    gallery = read_gallery(project.faces)
    questions = alias_questions(gallery.used, project, threshold=T)
    pairs = list(zip(questions["other"], questions["person"], strict=True))
    return tune(gallery, fallback=T, aliases=pairs, progress=False).fitted.threshold


def test_it_asks_with_pictures_and_an_answer_is_written_at_once(project: Project) -> None:
    board = board_of(project)
    assert [item["title"] for item in board.items] == ["Tob and Person 00"] and board.left == "1 to answer"
    assert board.detail["title"] == "Tob and Person 00 look like one person: merge, or keep apart?"
    assert [len(row["pictures"]) for row in board.detail["rows"]] == [4, 4] and all(board.detail["rows"][0]["pictures"])
    asked = fitted(project)
    press(board, "merge")
    assert board.items[0]["badge"] == "merged" and board.left == "0 to answer"
    assert board.detail["title"] == "Tob and Person 00: merged"  # an answered question is not asked on
    assert board.detail["lines"][0].startswith("Tob is now Person 00.")
    assert answers(project) == {("Tob", "Person 00"): "merge"}
    gallery = read_gallery(project.faces)
    assert "Tob" not in set(gallery.names) and (gallery.names == "Person 00").sum() == 30
    assert (project.people / "Tob" / "00.jpg").is_file()  # no picture is moved
    assert board_of(project).items == [] and fitted(project) == pytest.approx(asked, abs=0.01)
    press(board, "undo")
    assert (read_gallery(project.faces).names == "Tob").sum() == 15 and board.items[0]["badge"] == ""


def test_people_kept_apart_are_strangers_again_and_not_asked_about(project: Project) -> None:
    board, asked = board_of(project), fitted(project)
    press(board, "apart")
    assert board.items[0]["badge"] == "kept apart" and board_of(project).items == []
    assert board.detail["title"] == "Tob and Person 00: kept apart"
    assert fitted(project) < asked
    press(board, "undo")
    assert len(board_of(project).items) == 1
    assert board.detail["title"].endswith("merge, or keep apart?")


def test_without_a_widget_the_same_is_asked_in_words(project: Project) -> None:
    gallery = read_gallery(project.faces)
    (line,) = question_lines(alias_questions(gallery.used, project, threshold=T), project)
    assert line.startswith("Tob and Person 00 look like one person: merge, or keep apart? people/Tob/")
    assert "facelib merge Tob 'Person 00' --project cast" in line


def test_the_end_of_a_run_asks_once_more(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    tune(read_gallery(project.faces), fallback=T, aliases=[("Tob", "Person 00")], progress=False).save(
        project.recognizer
    )
    step = StepResult(6, "06_review_tracks", "done", project.output / "06.ipynb", project.output / "06.html")
    print_results(project, [step])
    named_by, asked = capsys.readouterr().out.splitlines()[1:3]
    assert named_by.startswith("Named by threshold 0.")
    assert asked.startswith("WARNING: Tob and Person 00 look like one person: merge, or keep apart?")


def test_the_doctor_does_not_propose_the_right_pictures_for_a_second_name(project: Project) -> None:
    gallery = read_gallery(project.faces)
    proposals = examine(gallery.table, project, threshold=T, progress=False).proposals
    assert not (proposals["kind"] == "wrong person").any()


def test_a_threshold_saved_by_hand_stays_until_it_is_undone(project: Project) -> None:
    from facelib.widgets import ThresholdTuner

    tuning = tune(read_gallery(project.faces), fallback=T, progress=False)
    path = tuning.save(project.recognizer)
    assert choose_threshold(tuning, path).measured == tuning.fitted
    widget = ThresholdTuner(tuning, project)
    widget.slider.value = 0.43
    widget.button.click()
    again = tune(read_gallery(project.faces), fallback=T, wanted_fpir=0.02, progress=False)  # as the next run does
    choice = choose_threshold(again, path)
    assert (choice.measured.threshold, choice.by_hand) == (0.43, True)
    assert f"the fitted one would be {again.fitted.threshold:.4f}" in choice.text and "by hand" in widget.saved.value
    again.save(path, choice.measured.threshold, by_hand=choice.by_hand)
    assert choose_threshold(again, path).by_hand
    assert choose_threshold(again, path, 0.5).measured.threshold == 0.5  # a parameter goes before it
    with pytest.raises(
        ValueError, match=r"expected a threshold of at most [\d.]+ .*got 45\.0"
    ):  # meant as a percentage
        choose_threshold(again, path, 45.0)
    widget.back.click()
    assert not choose_threshold(again, path).by_hand and widget.errors.value == ""
