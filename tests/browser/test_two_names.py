"""One person under two names, from a wrong name typed in 06 to the answer by a key: JupyterLab, real people."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

import facelib
from facelib.films.identify import identify_films
from facelib.gallery import build_gallery, describe_search, read_gallery, write_gallery
from facelib.project import Project
from facelib.project.identities import answers
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FORD = "Harrison Ford"
EMBEDDER = "dlib-mirrored"  # as 02 has it
QUESTION = f"Tob and {FORD} look like one person: merge, or keep apart?"

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory, shared_data) -> Path:
    """The folder of ten real people and two films, as 02 and 04 leave them."""
    root = tmp_path_factory.mktemp("names")
    made = Project("demo", root / "data", root / "output")
    shutil.copytree(shared_data / "film_clips" / "people", made.people)
    made.videos.mkdir()
    for film in ("ford1.mp4", "will_smith1.mp4"):
        shutil.copy(shared_data / "film_clips" / "videos" / film, made.videos)
    detector, embedder = facelib.load_detector(smallest_face=40), facelib.load_embedder(EMBEDDER)
    table = build_gallery(made, detector, embedder, progress=False)
    search = describe_search(detector, working_size=1000)
    sha256, threshold = embedder.sha256, embedder.threshold
    write_gallery(table, made.faces, detector=search, embedder=EMBEDDER, weights_sha256=sha256, threshold=threshold)
    tune(read_gallery(made.faces), fallback=threshold, progress=False).save(made.recognizer)
    return root


@pytest.fixture
def project(lab, enrolled) -> Project:
    """A copy of them in JupyterLab's folder, with the notebooks."""
    names = ("02_embed_faces", "04_tune_threshold", "06_review_tracks")
    root = lab.make_folder("names", *(NOTEBOOKS / f"{name}.ipynb" for name in names))
    shutil.copytree(enrolled, root, dirs_exist_ok=True)
    tuning = root / "notebooks" / "04_tune_threshold.ipynb"
    text = tuning.read_text(encoding="utf-8")
    assert "options: dict = {}" in text
    # The comparison of recognizers takes a minute.
    tuning.write_text(text.replace("options: dict = {}", "options: dict = {'comparison': False}"), encoding="utf-8")
    return Project("demo", root / "data", root / "output")


def notebook(project: Project, name: str) -> Path:
    return project.data_dir.parent / "notebooks" / f"{name}.ipynb"


def names(project: Project) -> dict[str, list[str]]:
    """Name the films as 05 does, and return who was found in each, track by track."""
    detector, embedder = facelib.load_detector(working_size=640), facelib.load_embedder(EMBEDDER)
    films = project.find_videos()
    identify_films(films, project, detector, embedder, *load_recognizer(project.recognizer), progress=False)
    return {film.name: pd.read_parquet(project.film(film).tracks)["person"].tolist() for film in films}


def threshold(project: Project) -> float:
    return load_recognizer(project.recognizer)[1].threshold


def asked(page: Page, last: str) -> Locator:
    """Wait until a notebook has run to its end and has asked; return the board of the question."""
    board = page.get_by_role("region", name="Names that may be one person", exact=True)
    board.wait_for()
    expect(page.locator(".jp-OutputArea-output", has_text=last).last).to_be_visible()
    text = " ".join(page.locator(".jp-Notebook").inner_text().split())
    assert QUESTION in text
    return board


def merge(page: Page, board: Locator, project: Project) -> None:
    board.locator(".tile").click()
    page.keyboard.press("m")
    expect(board.get_by_role("status")).to_contain_text(f"Tob merged into {FORD}")
    assert answers(project) == {("Tob", FORD): "merge"}
    assert "Tob" not in set(read_gallery(project.faces).names)


def test_a_person_filed_under_two_names_is_asked_about_in_02_and_merged_by_a_key(project, run_notebook):
    right = threshold(project)
    pictures = project.find_pictures(FORD)
    (project.people / "Tob").mkdir()
    for picture in pictures[::2]:
        shutil.copyfile(picture, project.people / "Tob" / picture.name)  # as new as the second name is
        picture.unlink()
    page = run_notebook(notebook(project, "02_embed_faces"))
    merge(page, asked(page, "faces.parquet"), project)
    page = run_notebook(notebook(project, "04_tune_threshold"))
    expect(page.get_by_text("No two names look like one person.")).to_be_visible()
    expect(page.locator(".jp-OutputArea-output", has_text="recognizer.json").last).to_be_visible()
    assert threshold(project) == pytest.approx(right, abs=1e-4)
    assert len(list((project.people / "Tob").iterdir())) == len(pictures[::2])  # no picture was moved


def test_a_name_typed_in_06_is_asked_about_and_until_then_nobody_loses_a_name(project, run_notebook):
    right, before = threshold(project), names(project)
    assert FORD in before["ford1.mp4"] and "Will Smith" in before["will_smith1.mp4"]
    page = run_notebook(notebook(project, "06_review_tracks"))
    widget = page.locator(".facelib-review")
    widget.wait_for()
    expect(page.locator(".jp-OutputArea-output", has_text="corrections.csv").last).to_be_visible()
    widget.get_by_label("Which tracks").select_option(f"label:{FORD}")
    expect(widget.locator(".tile")).to_have_count(sum(found.count(FORD) for found in before.values()))
    widget.locator(".tile").first.click()
    expect(widget.locator(".tile.here")).to_be_focused()
    page.keyboard.press("n")
    expect(widget.get_by_role("dialog")).to_be_visible()
    page.keyboard.type("Tob")
    expect(widget.get_by_role("option", name="Tobey Maguire")).to_have_attribute("aria-selected", "true")
    new = widget.get_by_role("option", name="New person 'Tob'")
    while new.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(widget.get_by_role("status")).to_have_text("Named 1 track Tob.")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    for _ in range(600):
        if (project.people / "Tob").is_dir():
            break
        page.wait_for_timeout(200)
    assert any((project.people / "Tob").iterdir())  # 06 has enrolled the second name

    page = run_notebook(notebook(project, "02_embed_faces"))
    asked(page, "faces.parquet")
    page = run_notebook(notebook(project, "04_tune_threshold"))
    board = asked(page, "recognizer.json")
    assert threshold(project) == pytest.approx(right, abs=0.02)
    unanswered = names(project)
    assert {film: [FORD if name == "Tob" else name for name in found] for film, found in unanswered.items()} == before

    merge(page, board, project)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(page.get_by_text("No two names look like one person.")).to_be_visible()
    expect(page.locator(".jp-OutputArea-output", has_text="recognizer.json").last).to_be_visible()
    assert threshold(project) == pytest.approx(right, abs=0.02)
    assert names(project) == before
