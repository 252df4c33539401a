"""The review in JupyterLab: name an unknown, merge two, split one, undo, and see the tables follow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from facelib.films.corrections import labels
from facelib.project import Project
from facelib.project.decisions import read_corrections

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "06_review_tracks.ipynb"
STRANGERS = {4: "Unknown 1", 5: "Unknown 2", 7: "Unknown 3", 9: "Unknown 1"}  # by shot: grouped as 05 does it


@pytest.fixture
def reviewed(lab, identified) -> Project:
    """A short demo in JupyterLab's folder that has been through notebook 05; 4 and 9 show the same stranger."""
    root = lab.make_folder("review", NOTEBOOK)
    shutil.copytree(identified, root, dirs_exist_ok=True)
    project = Project("demo", root / "data", root / "output")
    tracks = pd.read_parquet(project.film("demo.mp4").tracks)
    assert dict(zip(tracks["shot"], tracks["cluster"], strict=True)).items() >= STRANGERS.items()
    return project


def labelled(project: Project) -> pd.DataFrame:
    """Return the film's tracks as they are written, each with its `label`."""
    tracks = pd.read_parquet(project.film("demo.mp4").tracks)
    return tracks.assign(label=labels(tracks))


def table_of(project: Project) -> dict[int, list[str]]:
    """Return what is called how, by shot."""
    tracks = labelled(project)
    return tracks.groupby("shot")["label"].apply(sorted).to_dict()


def focus(page: Page, project: Project, shot: int) -> None:
    """Put the focus on the stranger of a shot by clicking the face."""
    tracks = pd.read_parquet(project.film("demo.mp4").tracks)
    number = tracks.index[(tracks["shot"] == shot) & (tracks["cluster"] != "")][0]
    page.locator(f".facelib-review .tile[data-face='{number}']").click()


def apply(page: Page) -> None:
    """Run the cell that brings the tables in line, and wait for it."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:show-all-cell-code')")
    cell = page.locator(".jp-CodeCell", has_text="settle_films(files, films")
    count = cell.locator(".jp-InputPrompt").inner_text()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "([element, before]) => /\\d/.test(element.innerText) && element.innerText !== before",
        arg=[cell.locator(".jp-InputPrompt").element_handle(), count],
    )


def test_name_merge_split_undo_and_the_tables_follow(reviewed, run_notebook):
    page = run_notebook(reviewed.data_dir.parent / "notebooks" / NOTEBOOK.name)
    widget = page.locator(".facelib-review")
    widget.wait_for()
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    expect(widget.locator(".tile")).to_have_count(14)
    expect(page.locator(".jp-OutputArea-output", has_text=".jpg").first).to_be_visible()  # the notebook ran to its end
    assert page.evaluate("[...document.querySelectorAll('.facelib-review .tile img')].every(i => i.naturalWidth > 50)")
    status, alert = widget.get_by_role("status"), widget.get_by_role("alert")
    before = table_of(reviewed)

    # In a narrow window the details stand above the faces, which keep their room.
    wide = page.viewport_size
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function("document.querySelector('.facelib-review .narrow .grid')?.clientHeight > 500")
    page.set_viewport_size(wide)

    # The stranger of shots 4 and 9 is named, both tracks at once; the list of names offers nobody, so it is typed.
    focus(page, reviewed, 4)
    page.keyboard.press("n")
    expect(widget.get_by_role("dialog")).to_contain_text("all 2 tracks of Unknown 1")
    page.keyboard.type("Nina")
    page.keyboard.press("ArrowDown")
    expect(widget.get_by_role("option", name="New person 'Nina'")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(status).to_have_text("Named 2 tracks Nina.")
    apply(page)
    after = table_of(reviewed)
    assert "Nina" in after[4] and "Nina" in after[9] and "Nina" not in before[4] + before[9]
    assert "Nina" in set(pd.read_csv(reviewed.film("demo.mp4").appearances)["person"])

    # The two others are put together by two marks and a key, then taken apart again, then that is undone.
    focus(page, reviewed, 5)
    page.keyboard.press("Space")
    focus(page, reviewed, 7)
    page.keyboard.press("Space")
    expect(widget.get_by_text("2 marked")).to_be_visible()
    page.keyboard.press("m")
    expect(status).to_have_text("Merged 1 track into Unknown 2.")
    apply(page)
    assert "Unknown 2" in table_of(reviewed)[5] and "Unknown 2" in table_of(reviewed)[7]
    focus(page, reviewed, 7)
    page.keyboard.press("s")
    expect(status).to_contain_text("off Unknown 2 as Unknown 4")
    apply(page)
    assert "Unknown 2" in table_of(reviewed)[5] and "Unknown 4" in table_of(reviewed)[7]
    focus(page, reviewed, 7)
    page.keyboard.press("z")
    expect(status).to_contain_text("Took the last decision back")
    apply(page)
    assert "Unknown 2" in table_of(reviewed)[7]

    for _ in range(2):
        page.locator(".facelib-review").get_by_role("button", name="Undo").click()
        page.wait_for_timeout(300)
    expect(widget.locator(".tile.decided")).to_have_count(0)
    apply(page)
    assert table_of(reviewed) == before
    expect(alert).to_have_text("")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells  # x and others went to no cell
    assert len(read_corrections(reviewed.corrections)) >= 9


def test_the_whole_review_by_keyboard_and_what_goes_wrong_is_seen(reviewed, run_notebook):
    page = run_notebook(reviewed.data_dir.parent / "notebooks" / NOTEBOOK.name)
    widget = page.locator(".facelib-review")
    widget.wait_for()
    expect(page.locator(".jp-OutputArea-output", has_text=".jpg").first).to_be_visible()
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    here = widget.locator(".tile.here")
    widget.locator(".tile").first.click()
    page.keyboard.press("End")
    expect(here).to_be_focused()
    page.keyboard.press("Home")
    first = here.get_attribute("data-face")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert here.get_attribute("data-face") == first
    for key in ("Enter", "x", "u", "c"):
        page.keyboard.press(key)  # each goes on to the next face, also where the one before is still being written
    expect(widget.locator(".tile.decided")).to_have_count(4)
    given = read_corrections(reviewed.corrections)
    assert (given["is"] == given["was"]).tolist()[0::3] == [True, True]
    assert given["is"].tolist()[1:3] == ["not a face", "unknown"]
    page.keyboard.press("?")
    expect(widget.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(widget.locator(".heading").first).to_be_visible()
    page.keyboard.press("m")
    expect(widget.get_by_role("alert")).to_contain_text("expected tracks of two groups")
    page.keyboard.press("n")
    page.keyboard.type("gra")
    expect(widget.get_by_role("option", name="Grace Hopper", exact=True)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(widget.get_by_role("status")).to_contain_text("Grace Hopper.")
    expect(widget.get_by_role("alert")).to_have_text("")
    widget.get_by_label("Which tracks").select_option("decided")
    expect(widget.locator(".tile")).to_have_count(5)
    before = labelled(reviewed).set_index("track")["label"]
    said = read_corrections(reviewed.corrections).set_index("track")["is"]
    assert len(said) == 5
    expected = before.index.map(lambda track: said.get(track, before[track])).tolist()
    widget.get_by_label("Which tracks").select_option("label:Eileen Collins")
    expect(widget.locator(".tile")).to_have_count(expected.count("Eileen Collins"))
    expect(widget.locator(".heading")).to_have_count(1)
    expect(widget.locator(".heading")).to_contain_text(f"{widget.locator('.tile').count()} here")
    widget.get_by_role("button", name="One by one").click()
    expect(widget.locator(".heading")).to_have_count(0)
    for name, pressed in (("One by one", "true"), ("In groups", "false")):
        expect(widget.get_by_role("button", name=name)).to_have_attribute("aria-pressed", pressed)
    widget.locator(".tile").last.dblclick()
    expect(widget.get_by_role("dialog", name="Who is this? (Eileen Collins)")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    assert labelled(reviewed)["label"].tolist() == before.tolist()  # nothing but the log has changed so far
    apply(page)
    assert labelled(reviewed)["label"].tolist() == expected
