"""The film notebook in JupyterLab: the project's page plays the film with its boxes, and opens from the disk too."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_annotate_video.ipynb"

PLAYS = """async film => {
    film.muted = true;
    await film.play();
    for (let i = 0; i < 2000 && film.currentTime <= 0.2; i += 1) await new Promise(done => setTimeout(done, 50));
    film.pause();
    return [film.currentTime > 0.2, film.videoWidth, film.videoHeight, film.webkitAudioDecodedByteCount > 0];
}"""


@pytest.fixture(scope="module")
def demo(lab, make_tuned_demo):
    """A short demo in JupyterLab's folder, with its recognizer."""
    project = make_tuned_demo(lab.make_folder("film", NOTEBOOK), 1.2)
    (project.videos / "demo_vfr.mp4").unlink()
    return project


def test_the_page_plays_the_film_in_the_notebook(demo, run_notebook):
    page = run_notebook(demo.data_dir.parent / "notebooks" / NOTEBOOK.name)
    root = page.locator(".jp-OutputArea-output .facelib-page")
    film = root.locator("video")
    film.wait_for()
    expect(page.locator(".widget-hprogress:visible")).to_have_count(0)  # bars are gone when done
    assert film.evaluate(PLAYS) == [True, 640, 360, True]
    assert f"/files/{demo.data_dir.parent.name}/data/demo/videos/" in film.evaluate("film => film.currentSrc")

    # A click on a lane shows that moment, with the boxes of the table.
    canvas = root.locator(".lanes-canvas")
    canvas.scroll_into_view_if_needed()
    start = root.evaluate("root => root.app.view.lanes.rows[0].stretches[0].start")
    root.evaluate("root => root.app.view.player.setRate(0.25)")  # a busy machine is late to stop it
    canvas.click(position={"x": root.evaluate(f"root => root.app.view.lanes.xOf({start} + 0.3)"), "y": 45})
    page.wait_for_function(f"document.querySelector('.facelib-page video').currentTime > {start} + 0.5")
    film.evaluate("film => film.pause()")
    settled = "!app.view.player.playing && !app.view.player.video.seeking && !app.view.player.left.size"
    page.wait_for_function(f"(({{ app }}) => {settled})(document.querySelector('.facelib-page'))")
    frame, drawn = root.evaluate(
        "root => { const { player } = root.app.view; return [player.frame, player.drawn.map("
        "d => [d.look.person.name, d.left, d.top, d.right, d.bottom])]; }"
    )
    files = demo.film("demo.mp4")
    assert files.folder.name == root.evaluate("root => root.app.view.film.page.id")
    faces = pd.read_parquet(files.detections).merge(pd.read_parquet(files.tracks), on="track")
    here = faces[(faces["frame"] == frame) & (faces["person"] != "unknown")].sort_values("left")
    named = sorted((one for one in drawn if one[0] in set(here["person"])), key=lambda one: one[1])
    assert [one[0] for one in named] == here["person"].tolist() and len(named) > 0
    sides = here[["left", "top", "right", "bottom"]].to_numpy()
    assert abs(sides - [one[1:] for one in named]).max() <= 0.5

    # Keys pressed in the page are the page's, not JupyterLab's.
    root.locator(".lanes-scroll").focus()
    page.keyboard.press("n")
    assert page.locator(".jp-Notebook-cell").count() > 10
    expect(root.locator("[role=alert]:visible")).to_have_count(0)
    assert set(pd.read_csv(demo.film("demo.mp4").appearances)["person"]) == {"Eileen Collins", "Grace Hopper"}


def test_the_same_page_opens_from_the_disk(demo, page):
    """Made by the notebook of the test before; opened as a file, as its user would."""
    if not demo.page.is_file():
        pytest.skip("the notebook of the test before did not run")
    page.context.set_offline(True)
    page.goto(f"{demo.page.as_uri()}#t=1")
    page.locator(".lane-label").first.wait_for()
    film = page.locator("video")
    assert film.evaluate(PLAYS)[:3] == [True, 640, 360]
    names = page.locator(".lane-text").all_inner_texts()
    assert {"Eileen Collins", "Grace Hopper"} <= set(names)
