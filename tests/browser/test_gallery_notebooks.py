"""The map and the threshold tuner in JupyterLab, as a user moves them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import expect

import facelib
from facelib.gallery import write_gallery
from facelib.project import Project
from facelib.recognize import load_recognizer

pytestmark = pytest.mark.browser
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def cast(lab, request) -> Project:
    """A project in JupyterLab's folder: the notebooks, and twelve people of one colour each, already embedded."""
    root = lab.root / request.node.name
    project = Project("demo", root / "data", root / "output")
    (root / "notebooks").mkdir(parents=True)
    for notebook in ("03_visualize_tsne", "04_tune_threshold"):
        shutil.copy(NOTEBOOKS / f"{notebook}.ipynb", root / "notebooks")
    random = np.random.default_rng(0)
    rows = []
    for number in range(12):
        centre = 0.047 * random.normal(size=128)
        folder = project.people / f"Person {number:02d} Ünï"
        folder.mkdir(parents=True)
        for face in range(6):
            Image.new("RGB", (60, 60), (20 * number, 40 * face, 90)).save(folder / f"{face}.png")
            rows.append(
                {
                    "picture": f"people/{folder.name}/{face}.png",
                    "person": folder.name,
                    "embedding": (centre + 0.02 * random.normal(size=128)).astype(np.float32),
                }
            )
    box = {"left": 5.0, "top": 5.0, "right": 55.0, "bottom": 55.0, "score": 1.0, "sharpness": 100.0}
    table = pd.DataFrame(rows).assign(sha256="", face=0, used=True, reason="", **box)
    table["landmarks"] = [np.zeros(10, np.float32)] * len(table)
    sha256 = facelib.embedder("dlib").sha256
    write_gallery(table, project.faces, detector="cnn", embedder="dlib", weights_sha256=sha256)
    return project


def notebook_of(project: Project, name: str) -> Path:
    return project.data_dir.parent / "notebooks" / f"{name}.ipynb"


def test_the_threshold_moves_by_keyboard_and_is_saved_by_the_button(cast, run_notebook):
    page = run_notebook(notebook_of(cast, "04_tune_threshold"))
    readout = page.locator(".jp-OutputArea-output [aria-live]")
    readout.wait_for()
    # The notebook has saved the fitted threshold before anybody touched the slider.
    _, before = load_recognizer(cast.recognizer)
    expect(readout).to_contain_text(f"at {before.threshold:.3f}:")

    handle = page.locator(".jp-OutputArea-output .widget-slider .noUi-handle")
    handle.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    shown = float(handle.get_attribute("aria-valuetext"))
    assert shown < before.threshold - 0.01
    expect(readout).to_contain_text(f"at {shown:.3f}:")  # the kernel has followed all the way
    expect(page.locator(".jp-OutputArea-output .annotation-text", has_text=f"chosen: {shown:.3f}")).to_be_visible()
    assert load_recognizer(cast.recognizer)[1] == before  # moving alone changes nothing

    page.get_by_role("button", name="Save this threshold").press("Enter")
    expect(page.get_by_text(f"Saved with threshold {shown:.3f}")).to_be_visible()
    estimator, after = load_recognizer(cast.recognizer)
    assert after.threshold == estimator.threshold == pytest.approx(shown, abs=5e-4)
    assert after.fnir >= before.fnir
    expect(page.get_by_role("button", name="Share chart")).to_have_count(
        0
    )  # faces are nothing to be uploaded by a slip


def test_an_error_of_saving_is_seen_on_the_page(cast, run_notebook):
    page = run_notebook(notebook_of(cast, "04_tune_threshold"))
    button = page.get_by_role("button", name="Save this threshold")
    button.wait_for()
    shutil.rmtree(cast.output)
    cast.output.write_text("a file where the folder was")
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("expected to make the folder")


def test_the_face_under_the_pointer_is_shown_beside_the_map(cast, run_notebook):
    page = run_notebook(notebook_of(cast, "03_visualize_tsne"))
    caption = page.locator(".jp-OutputArea-output .widget-html b").first
    caption.wait_for()
    first = caption.inner_text()
    assert first == "Person 00 Ünï"
    widget = page.locator(".jp-OutputArea-output .jupyter-widgets", has=page.locator(".scatterlayer")).last
    point = widget.locator(".scatterlayer .trace").nth(7).locator(".point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] - 40, box["y"] - 40)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=8)
    expect(caption).not_to_have_text(first)
    image = page.locator(".jp-OutputArea-output img.widget-image")
    assert image.evaluate("element => element.complete && element.naturalWidth > 0")
    before = caption.inner_text()

    handle = page.locator(".jp-OutputArea-output .widget-slider .noUi-handle")
    handle.focus()
    page.keyboard.press("Home")
    expect(caption).to_have_text(first)
    assert before != first
    assert pd.read_parquet(cast.map).columns.tolist() == ["picture", "face", "person", "x", "y"]
