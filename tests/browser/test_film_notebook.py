"""The film notebook in JupyterLab: the film plays, and a click on the timeline shows its moment."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_annotate_video.ipynb"

PLAYS = """async film => {
    film.muted = true;
    await film.play();
    await new Promise(done => setTimeout(done, 700));
    film.pause();
    return [film.currentTime > 0.2, film.videoWidth, film.videoHeight, film.webkitAudioDecodedByteCount > 0];
}"""


@pytest.fixture(scope="module")
def demo(lab, make_tuned_demo):
    """A short demo in JupyterLab's folder, with its recognizer."""
    root = lab.root / "film"
    project = make_tuned_demo(root, 0.8)
    (root / "notebooks").mkdir()
    shutil.copy(NOTEBOOK, root / "notebooks")
    return project


def test_film_plays_and_the_timeline_shows_the_moment(demo, run_notebook):
    page = run_notebook(demo.data_dir.parent / "notebooks" / NOTEBOOK.name)
    film = page.locator(".jp-OutputArea-output video")
    film.wait_for()
    assert film.evaluate(PLAYS) == [True, 640, 360, True]

    widget = page.locator(".jp-OutputArea-output .jupyter-widgets", has=page.locator("img.widget-image")).first
    caption = widget.get_by_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    caption.wait_for()
    before = caption.inner_text()
    bars = widget.locator(".barlayer .point path")
    last = bars.nth(bars.count() - 1)
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    # plotly tells a click from a double click by waiting a little
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    time.sleep(0.4)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(caption).not_to_have_text(before)

    handle = widget.locator(".noUi-handle")
    handle.focus()
    page.keyboard.press("Home")
    expect(caption).to_have_text("00:00:00.000")
    expect(page.locator("[role=alert]")).to_have_count(0)
    assert set(pd.read_csv(demo.film("demo").appearances)["person"]) == {"Eileen Collins", "Grace Hopper"}


def test_timeline_page_seeks_in_the_film(demo, page):
    """Made by the notebook of the test before; opened as a file, as its user would."""
    folder = demo.film("demo").folder
    if not (folder / "timeline.html").is_file():
        pytest.skip("the notebook of the test before did not run")
    page.goto((folder / "timeline.html").as_uri())
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    bars = page.locator(".barlayer .point path")
    bars.first.wait_for()
    starts = pd.read_csv(folder / "appearances.csv")["start"]
    box = bars.nth(bars.count() - 1).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    time.sleep(0.4)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("document.querySelector('video').currentTime > 0")
    moment = page.evaluate("document.querySelector('video').currentTime")
    assert (starts - moment + 0.01).abs().min() < 0.02
