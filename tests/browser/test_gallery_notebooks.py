"""The map and the doctor's proposals in JupyterLab, as a user moves them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, expect

from facelib.demo.figures import collins, hopper
from facelib.demo.pictures import gallery
from facelib.gallery import accepted, read_gallery
from facelib.project import Project
from facelib.recognize import load_recognizer

from .casts import make_cast

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def cast(lab) -> Project:
    """A project in JupyterLab's folder: the notebooks, and twelve people of one colour each, already embedded."""
    root = lab.make_folder("map", *(NOTEBOOKS / f"{name}.ipynb" for name in ("03_visualize_tsne", "04_tune_threshold")))
    return make_cast(root, spread=0.02)


def notebook_of(project: Project, name: str) -> Path:
    return project.data_dir.parent / "notebooks" / f"{name}.ipynb"


def map_of(page) -> Locator:
    """Return the map that answers to the pointer, as wide as its column."""
    widget = page.locator(".jp-OutputArea-output .jupyter-widgets", has=page.locator(".scatterlayer")).first
    widget.locator(".scatterlayer .trace").nth(7).locator(".point").first.wait_for()
    expect(page.locator(".facelib-board")).to_be_visible()
    plot = widget.locator(".main-svg").first
    page.wait_for_function("plot => plot.getBoundingClientRect().width > 720", arg=plot.element_handle())
    plot.scroll_into_view_if_needed()
    return widget


def middle(point) -> tuple[float, float]:
    box = point.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_face_under_the_pointer_is_shown_and_a_click_pins_it(cast, run_notebook):
    page = run_notebook(notebook_of(cast, "03_visualize_tsne"))
    widget = map_of(page)
    caption = widget.locator(".widget-html b").first
    expect(caption).to_have_text("Person 00 Ünï")
    point = middle(widget.locator(".scatterlayer .trace").nth(7).locator(".point").first)
    page.mouse.move(point[0] - 40, point[1] - 40)
    page.mouse.move(*point, steps=8)
    expect(caption).not_to_have_text("Person 00 Ünï")
    image = page.locator(".jp-OutputArea-output img.widget-image").first
    assert image.evaluate("element => element.complete && element.naturalWidth > 0")
    page.wait_for_timeout(400)  # plotly tells a click from a double click by waiting a little
    page.mouse.click(*point)
    pinned = widget.locator(".widget-html", has_text="pinned:")
    expect(pinned).to_be_visible()
    before = pinned.inner_text()

    handle = page.locator(".jp-OutputArea-output .widget-slider .noUi-handle")
    handle.focus()
    page.keyboard.press("Home")
    expect(caption).to_have_text("Person 00 Ünï")
    assert pinned.inner_text() == before
    page.locator(".widget-button", has_text="Add").press("Enter")
    board = page.locator(".facelib-board")
    expect(board.locator(".tile")).to_have_count(1)
    page.locator(".widget-button", has_text="Pin").press("Enter")
    expect(pinned).to_contain_text("Person 00 Ünï")
    expect(page.get_by_role("alert").filter(has_text="Error")).to_have_count(0)
    assert pd.read_parquet(cast.map).columns.tolist() == ["picture", "face", "person", "x", "y"]


def test_a_lasso_leaves_faces_out_of_the_next_run_of_04(cast, run_notebook):
    page = run_notebook(notebook_of(cast, "03_visualize_tsne"))
    widget = map_of(page)
    points = [middle(point) for point in widget.locator(".scatterlayer .trace").nth(3).locator(".point").all()]
    left, right = min(x for x, _ in points) - 6, max(x for x, _ in points) + 6
    top, bottom = min(y for _, y in points) - 6, max(y for _, y in points) + 6
    page.mouse.move(left, top)
    page.mouse.down()
    for corner in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(*corner, steps=6)
    page.mouse.up()
    board = page.locator(".facelib-board")
    board.locator(".tile").first.wait_for()
    count = int(board.locator(".pager").inner_text().split(" face")[0].split()[-1])
    assert len(points) <= count < 20
    # What is chosen takes nothing from the pointer: a click on another face still pins it.
    other = middle(widget.locator(".scatterlayer .trace").nth(7).locator(".point").first)
    page.mouse.move(other[0] - 40, other[1] - 40)
    page.mouse.move(*other, steps=8)
    expect(widget.locator(".widget-html b").first).to_have_text("Person 07 Ünï")
    page.wait_for_timeout(400)
    page.mouse.click(*other)
    expect(widget.locator(".widget-html", has_text="pinned:")).to_be_visible()
    expect(board.locator(".tile")).to_have_count(count)
    names = {f"people/Person 03 Ünï/{face}.png" for face in range(6)}

    board.locator(".tile").first.click()
    page.keyboard.press("d")
    expect(board.get_by_role("status")).to_have_text(f"Left out {count} pictures.")
    expect(board.locator(".tile.out")).to_have_count(count)
    out = accepted(cast)
    assert len(out) == count and names <= out
    loop = widget.locator(".selectionlayer path")
    expect(loop).not_to_have_count(0)
    page.keyboard.press("c")
    expect(loop).to_have_count(0)

    page = run_notebook(notebook_of(cast, "04_tune_threshold"))
    expect(page.get_by_text("recognizer.json").last).to_be_visible()
    pictures = set(load_recognizer(cast.recognizer)[1].pictures)
    assert len(pictures) == 72 - count and not pictures & out

    # Back to the map: its next run goes without them, and what a loop did can be undone.
    page = run_notebook(notebook_of(cast, "03_visualize_tsne"))
    map_of(page)
    assert len(pd.read_parquet(cast.map)) == 72 - count
    board = page.locator(".facelib-board")
    page.locator(".widget-button", has_text="Add").press("Enter")
    board.locator(".tile").click()
    for key in ("d", "z"):
        page.keyboard.press(key)
    expect(board.get_by_role("status")).to_have_text("Took the last decision back, about 1 picture.")
    assert accepted(cast) == out
    page.keyboard.press("m")
    page.keyboard.type("person 05")
    page.keyboard.press("Enter")
    expect(board.get_by_role("status")).to_have_text("Moved 1 picture to Person 05 Ünï.")
    assert len(list((cast.people / "Person 05 Ünï").iterdir())) == 7
    page.keyboard.press("z")
    expect(board.get_by_role("status")).to_contain_text("Took the last decision back")
    assert len(list((cast.people / "Person 05 Ünï").iterdir())) == 6
    cast.disabled.unlink()
    cast.disabled.mkdir()
    page.keyboard.press("d")
    expect(board.get_by_role("alert")).to_contain_text("Error")


def test_a_proposal_is_accepted_undone_and_kept(lab, run_notebook):
    root = lab.make_folder("doctor", NOTEBOOKS / "02_embed_faces.ipynb")
    project = Project("demo", root / "data", root / "output")
    for name, content in gallery((collins(), hopper())):
        path = project.people / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    page = run_notebook(notebook_of(project, "02_embed_faces"))
    board = page.locator(".facelib-board")
    board.locator(".tile").first.wait_for()
    expect(page.get_by_text("faces.parquet").last).to_be_visible()  # the notebook ran to its end
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    for kind in ("duplicate", "several faces"):  # the demo's own faults
        expect(board.locator(".heading", has_text=kind).first).to_be_visible()
    # Small groups stand side by side, and there is nothing to scroll.
    tops = board.locator(".heading").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert len(set(tops)) < len(tops)
    assert board.locator(".grid").evaluate("grid => grid.scrollHeight <= grid.clientHeight + 1")
    left, status, alert = board.get_by_text("to decide"), board.get_by_role("status"), board.get_by_role("alert")
    before, proposed = left.inner_text(), board.locator(".tile").count()

    twins = board.locator(".tile", has_text="two_people.jpg").first
    twins.click()
    expect(board.get_by_role("region", name="The face in focus")).to_contain_text("two_people.jpg")
    page.keyboard.press("a")
    expect(status).to_have_text("Left out 1 picture.")
    expect(twins).to_contain_text("left out")
    (picture,) = accepted(project)
    assert picture == "people/Eileen Collins/two_people.jpg"
    table = read_gallery(project.faces).table
    assert set(table.loc[table["picture"] == picture, "reason"]) == {"disabled"}
    page.keyboard.press("z")
    expect(status).to_contain_text("Took the last decision back")
    expect(twins).not_to_contain_text("left out")
    expect(left).to_have_text(before)
    assert accepted(project) == set()

    page.keyboard.press("k")
    expect(status).to_have_text("Kept 1 picture.")
    board.get_by_label("Which faces").select_option("decided")
    expect(board.locator(".tile")).to_have_count(1)
    expect(board.locator(".tile")).to_contain_text("kept")
    board.locator(".tile").click()
    page.keyboard.press("o")
    expect(status).to_contain_text("Took back what was decided")
    board.get_by_label("Which faces").select_option("open")
    expect(board.locator(".tile")).to_have_count(proposed)  # what is marked before they come is marked no more
    expect(left).to_have_text(before)
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    board.locator(".tile").first.click()
    page.keyboard.press("Space")
    expect(board.get_by_text("1 marked")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(board.get_by_text("2 marked")).to_be_visible()
    page.keyboard.press("a")
    expect(status).to_contain_text("Left out")
    expect(board.locator(".tile.out").nth(1)).to_be_visible()
    out = accepted(project)
    assert len(out) in (1, 2)  # two proposals may be about one picture
    expect(alert).to_have_text("")

    # The next run does not propose them again, and does not use them.
    page = run_notebook(notebook_of(project, "02_embed_faces"))
    board.locator(".tile").first.wait_for()
    expect(page.get_by_text("faces.parquet").last).to_be_visible()
    assert not out & set(read_gallery(project.faces).pictures)
    board.get_by_label("Which faces").select_option("decided")
    expect(board.locator(".tile")).to_have_count(len(out))
    project.disabled.unlink()
    project.disabled.mkdir()
    board.locator(".tile").first.click()
    page.keyboard.press("o")
    expect(alert).not_to_have_text("")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells  # x and others went to no cell
