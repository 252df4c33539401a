"""One person under two names is found, and two people never are."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelib.gallery import Gallery, find_aliases, name_questions
from facelib.project import Project
from facelib.project.identities import cast_of, keep_apart, merge, take_back
from facelib.recognize.tuning import compare, tune

Made = Callable[..., pd.DataFrame]
THRESHOLD = 0.48


def renamed(table: pd.DataFrame, person: str, count: int, *, name: str = "Tob") -> pd.DataFrame:
    """File the first pictures of a person under another name."""
    rows = table.index[table["person"] == person][:count]
    return table.assign(person=table["person"].mask(table.index.isin(rows), name))


def pairs(table: pd.DataFrame) -> list[set[str]]:
    found = find_aliases(np.stack(table["embedding"].to_list()), table["person"], threshold=THRESHOLD)
    return [{one, other} for one, other in zip(found["person"], found["other"], strict=True)]


@pytest.mark.parametrize("count", [1, 3, 6])
def test_one_person_under_two_names_is_found(make_table: Made, count: int) -> None:
    table = make_table({"Ada": 12, "Grace": 12, "Mary": 2}, scatter=0.25)
    assert pairs(table) == []
    assert pairs(renamed(table, "Ada", count)) == [{"Ada", "Tob"}]


def test_which_pictures_tell_it(make_table: Made) -> None:
    table = renamed(make_table({"Ada": 12, "Grace": 12}, scatter=0.25), "Ada", 3)
    found = find_aliases(np.stack(table["embedding"].to_list()), table["person"], threshold=THRESHOLD).iloc[0]
    assert (found["person"], found["other"]) == ("Ada", "Tob")  # the larger folder first
    assert (table["person"][found["row"]], table["person"][found["other_row"]]) == ("Ada", "Tob")
    one, other = (table["embedding"][found[name]] for name in ("row", "other_row"))
    assert np.linalg.norm(one - other) == pytest.approx(found["distance"]) and found["near"] == 1


def test_a_picture_in_two_folders_is_not_two_names(make_table: Made) -> None:
    table = make_table({"Ada": 4, "Grace": 2, "Mary": 5}, scatter=0.25)
    copy = table.iloc[[0]].assign(person="Grace", embedding=[table["embedding"][0] + np.float32(1e-3)])
    assert pairs(pd.concat([table, copy], ignore_index=True)) == []
    alone = table.iloc[[0]].assign(person="Tob")  # but a folder that holds nothing else is
    assert pairs(pd.concat([table, alone], ignore_index=True)) == [{"Ada", "Tob"}]


@pytest.mark.parametrize(("people", "threshold"), [({}, 0.48), ({"Ada": 3}, 0.48), ({"Ada": 3, "Tob": 3}, math.nan)])
def test_nothing_to_compare(make_table: Made, people: dict[str, int], threshold: float) -> None:
    table = make_table(people)
    vectors = np.stack(table["embedding"].to_list()) if people else np.empty((0, 32))
    assert find_aliases(vectors, table["person"], threshold=threshold).empty


@pytest.mark.parametrize("other", ["ADA", "ada ", "Ada\u200b", "\uff21da"])
@pytest.mark.parametrize("threshold", [THRESHOLD, math.nan])
def test_names_that_read_alike_are_asked_about_whatever_their_faces_are(make_table: Made, other: str, threshold: float):
    table = make_table({"Ada": 3, other: 2, "Grace": 3}, scatter=0.25)
    found = find_aliases(np.stack(table["embedding"].to_list()), table["person"], threshold=threshold)
    assert found[["person", "other"]].values.tolist() == [["Ada", other]]
    assert (table["person"][found["row"]].item(), table["person"][found["other_row"]].item()) == ("Ada", other)


@pytest.mark.parametrize(
    ("one", "name"),
    [("Ren\u00e9e", "Rene\u0301e"), ("Ren\u00e9e", "Ren\u00e9e "), ("Ren\u00e9e", "REN\u00c9E"), ("-ada", "-Ada")],
)
def test_the_command_that_is_proposed_answers_the_question(one: str, name: str, tmp_path: Path) -> None:
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    for person in (one, name, "Renate"):
        (project.people / person).mkdir(parents=True)
    (line,) = name_questions(project)
    assert "differ only in case, spaces or Unicode form: merge, or keep apart? facelib merge " in line
    command = line.partition("keep apart? facelib ")[2].partition(", or facelib")[0]
    program = f"{sys.executable} -c 'from facelib.cli import main; main()' {command}"
    done = subprocess.run(["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert name_questions(project) == [] and len(cast_of(project)) == 2


@pytest.mark.parametrize(
    ("copied", "own", "asked"),
    [(4, 0, True), (2, 2, True), (1, 3, False), (0, 4, False)],
    ids=["an exact copy", "half of it", "a misfiled picture", "nothing"],
)
def test_a_folder_that_is_a_copy_of_anothers_is_asked_about(copied: int, own: int, asked: bool, tmp_path: Path) -> None:
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    random = np.random.default_rng(2)
    for person, numbers in {"Ada": range(6), "Tob": [*range(copied), *range(10, 10 + own)]}.items():
        for number in numbers:
            path = project.people / person / "below" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            values = np.random.default_rng(number).integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(values).save(path.with_stem(f"{person} {number} {random.integers(99)}"))
            os.utime(next(path.parent.glob(f"{person} {number} *")), (1e9, 1e9) if person == "Ada" else (2e9, 2e9))
    lines = name_questions(project)
    if not asked:
        assert lines == []
        return
    (line,) = lines
    assert line.startswith("Tob and Ada have the same pictures, which are used for neither: merge, or keep apart? ")
    keep_apart(project, "Tob", "Ada")
    assert name_questions(project) == []
    assert take_back(project, "Tob", "Ada") and len(name_questions(project)) == 1
    merge(project, "Tob", "Ada")
    assert name_questions(project) == []


def gallery_of(table: pd.DataFrame) -> Gallery:
    return Gallery(table, "centerface", "dlib", "abc", THRESHOLD)


@pytest.mark.parametrize(("kind", "faces"), [("knn", 40), ("svm", 20)])
def test_one_person_under_two_names_does_not_move_the_threshold(make_table: Made, kind: str, faces: int) -> None:
    table = make_table({f"Person {number:02}": faces for number in range(20)}, scatter=0.25)
    right = tune(gallery_of(table), fallback=THRESHOLD, kind=kind, progress=False)
    twice = tune(gallery_of(renamed(table, "Person 03", faces // 2)), fallback=THRESHOLD, kind=kind, progress=False)
    assert twice.aliases in ((("Person 03", "Tob"),), (("Tob", "Person 03"),)) and right.aliases == ()
    assert "look like one person" in twice.fitted.advice and "look like" not in right.fitted.advice
    assert twice.fitted.from_data and twice.fitted.threshold == pytest.approx(right.fitted.threshold, abs=0.02)
    assert twice.fitted.fpir <= 0.01
    ignored = tune(gallery_of(twice.gallery.table), fallback=THRESHOLD, kind=kind, aliases=[], progress=False)
    assert ignored.fitted.fpir > 0.01 or abs(ignored.fitted.threshold - right.fitted.threshold) > 0.05
    assert twice.confidence == pytest.approx(right.confidence, rel=0.1)  # a name for the other is no mistake of theirs


def test_a_comparison_takes_them_for_one_person_too(make_table: Made) -> None:
    table = make_table({f"Person {number:02}": 20 for number in range(15)}, scatter=0.25)
    options = {"fallback": THRESHOLD, "ks": (1,), "weights": ("uniform",), "kernels": ("linear",), "progress": False}
    right, twice = (compare(gallery_of(each), **options) for each in (table, renamed(table, "Person 03", 10)))
    both = right.merge(twice, on="kind", suffixes=("", "_twice"))
    assert (both["fpir_twice"] <= 0.01).all()
    assert both["threshold_twice"].to_numpy() == pytest.approx(both["threshold"].to_numpy(), abs=0.05)


@pytest.mark.real_data
@pytest.mark.parametrize("folder", ["film_clips", "scenes/table_ten"])
def test_real_people_are_told_apart_and_their_second_names_are_not(
    known_faces: Callable[[str], Gallery], folder: str
) -> None:
    table = known_faces(folder).table
    used = table[table["used"]].reset_index(drop=True)
    assert pairs(used) == []  # two brothers of table_ten among them
    planted = [(str(person), count) for person, faces in used.groupby("person") for count in (3, len(faces) // 2)]
    found = [{person, "Tob"} in pairs(renamed(used, person, count)) for person, count in planted]
    assert np.mean(found) >= 0.8
