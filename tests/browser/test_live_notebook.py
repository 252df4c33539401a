"""The live notebook in JupyterLab, a film as its camera: names appear, an unknown face is enrolled, and it stops."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect

from facelib.films.media.decode import probe
from facelib.gallery import read_gallery
from facelib.project import Project
from facelib.recognize import load_recognizer
from facelib.widgets import read_changes
from tests.waiting import PATIENCE

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "09_live_camera.ipynb"


@pytest.fixture
def live(lab, make_tuned_demo) -> Project:
    """The demo in JupyterLab's folder with a recognizer; its film plays over and over."""
    root = lab.make_folder("live")
    project = make_tuned_demo(root, 1.2)
    (project.videos / "demo_vfr.mp4").unlink()
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    # A cell that waited for these seconds would never let the page's buttons answer.
    # The machine is left some time for JupyterLab and the browser.
    rarer = "options: dict = {'seconds_between_recognitions': 0.3}\n"
    wanted = {"seconds": "seconds: float = 3600.0\n", "loop": "loop: bool = True\n", "options": rarer}
    lines = notebook["cells"][1]["source"]
    notebook["cells"][1]["source"] = [wanted.get(line.split(":")[0], line) for line in lines]
    (root / "notebooks" / NOTEBOOK.name).write_text(json.dumps(notebook), encoding="utf-8")
    return project


@pytest.fixture
def notebook(live) -> Path:
    return live.data_dir.parent / "notebooks" / NOTEBOOK.name


def processes_with_open(film: Path) -> list[int]:
    """Return the processes that hold a file open, as the system knows it."""
    file_lock = []
    for process in psutil.process_iter():
        try:
            if any(Path(file.path) == film.resolve() for file in process.open_files()):
                file_lock.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return file_lock


def wait_until(holds, *, page: Page) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(200)


def lamp(widget: Locator) -> Locator:
    return widget.locator(".lamp")


def run_to_the_end(run_notebook: Callable[[Path], Page], notebook: Path) -> tuple[Page, Locator]:
    """Run all of the notebook; return its page and the widget, which plays."""
    page = run_notebook(notebook)
    expect(page.locator(".jp-OutputArea-output", has_text="changes.jsonl").last).to_be_visible()
    widget = page.locator(".facelib-live")
    expect(lamp(widget)).to_have_text("live")
    return page, widget


@pytest.mark.parametrize("beside_the_cells", ["disabled", "perCommTarget"])
def test_stop_right_after_run_all_stops(live, notebook, run_notebook, beside_the_cells):
    film = live.videos / "demo.mp4"
    # Older front ends know no way past the cell that runs.
    page = run_notebook(notebook, beside_the_cells)
    widget = page.locator(".facelib-live")
    widget.get_by_role("button", name="Stop").click()
    wait_until(lambda: processes_with_open(film) == [], page=page)
    expect(lamp(widget)).to_have_text("stopped")
    # As it was asked, and not because no answer of the page came through.
    expect(widget.get_by_role("status")).to_have_text("Stopped.")
    # The notebook goes on to its end all the same.
    expect(page.locator(".jp-OutputArea-output", has_text="changes.jsonl").last).to_be_visible()
    assert page.locator(".jp-OutputArea-output", has_text="Error").count() == 0
    assert processes_with_open(film) == []


def test_start_see_a_name_enrol_an_unknown_see_its_name_stop(live, notebook, run_notebook):
    film = live.videos / "demo.mp4"
    before = set((live.output / "live").glob("*.jpg"))
    # The notebook comes to its end while the film plays: snapshot, timeline, table, list of files.
    page, widget = run_to_the_end(run_notebook, notebook)
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    status, alert = widget.get_by_role("status"), widget.get_by_role("alert")
    expect(widget.locator(".box", has_text="Eileen Collins").first).to_be_visible()
    assert len(processes_with_open(film)) == 1
    expect(widget.locator("[data-fact='frames/s']")).to_be_visible()
    expect(widget.locator("[data-fact='delay']")).to_be_visible()
    delay = float(widget.locator("[data-fact='delay'] b").inner_text().removesuffix(" s"))
    assert delay < 60  # and no time of the day

    # A stranger of the demo is enrolled from the list by keyboard; the picture goes on meanwhile.
    stranger = widget.locator(".tile.unknown").first
    stranger.wait_for()
    stranger.focus()
    page.keyboard.press("u")
    dialog = widget.get_by_role("dialog", name="Enrol this face as")
    expect(dialog.get_by_role("option", name="Grace Hopper")).to_be_visible()
    page.keyboard.type("Nina")
    expect(dialog.get_by_role("option", name="Grace Hopper")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("Enrolled as Nina")
    # The film comes to her again, and she has a name.
    expect(widget.locator(".box", has_text="Nina").first).to_be_visible()
    pictures = list((live.people / "Nina").iterdir())
    assert len(pictures) == 1
    assert "Nina" in load_recognizer(live.recognizer)[0].classes_
    assert (read_gallery(live.faces).table["person"] == "Nina").sum() == 1

    page.keyboard.press("p")
    expect(status).to_contain_text("Saved ")
    page.keyboard.press("r")
    expect(widget.get_by_role("button", name="End recording")).to_have_attribute("aria-pressed", "true")
    kept = live.output / "live"
    # A second of it is in its file.
    wait_until(lambda: any(b"moof" in path.read_bytes() for path in kept.glob("*.mp4")), page=page)
    widget.get_by_role("button", name="Stop").click()
    expect(lamp(widget)).to_have_text("stopped")
    expect(status).to_contain_text("recorded ")
    wait_until(lambda: processes_with_open(film) == [], page=page)
    expect(alert).to_have_text("")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells  # the keys went to no cell
    assert len(set(kept.glob("*.jpg")) - before) == 2 and probe(next(kept.glob("*.mp4"))).frames > 5
    changes = read_changes(kept / "changes.jsonl")
    assert {"Eileen Collins", "Nina"} <= set(changes.loc[changes["kind"] == "named", "person"])


def test_what_goes_wrong_is_seen_and_every_end_lets_go_of_the_source(live, notebook, run_notebook, lab):
    film = live.videos / "demo.mp4"
    page, widget = run_to_the_end(run_notebook, notebook)

    # A name that no folder can have is refused, with the reason, and playing goes on.
    tile = widget.locator(".tile").first
    tile.click()
    page.keyboard.type("a/b")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(widget.get_by_role("dialog").get_by_role("alert")).to_contain_text("expected a name that a folder")
    expect(widget.get_by_label("Name", exact=True)).to_have_value("a/b")  # to be corrected
    page.keyboard.press("Escape")
    expect(lamp(widget)).to_have_text("live")

    # The cell that opens it is run again: the first camera lets go, and the page that is left of it is gone.
    page.evaluate("window.jupyterapp.commands.execute('notebook:show-all-cell-code')")
    cell = page.locator(".jp-CodeCell", has_text="camera = LiveCamera(")
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(widget).to_have_count(0)
    wait_until(lambda: processes_with_open(film) == [], page=page)

    # Its output is cleared while it plays: it stops by itself.
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(lamp(widget)).to_have_text("live")
    wait_until(lambda: len(processes_with_open(film)) == 1, page=page)
    page.evaluate("window.jupyterapp.commands.execute('editmenu:clear-all')")
    wait_until(lambda: processes_with_open(film) == [], page=page)

    # The kernel is shut down while it plays.
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(lamp(widget)).to_have_text("live")
    wait_until(lambda: len(processes_with_open(film)) == 1, page=page)
    with urllib.request.urlopen(f"{lab.url}/api/sessions") as answer:
        (session,) = (one for one in json.load(answer) if one["path"].endswith(NOTEBOOK.name))
    asked = urllib.request.Request(f"{lab.url}/api/sessions/{session['id']}", method="DELETE")
    urllib.request.urlopen(asked).close()
    wait_until(lambda: processes_with_open(film) == [], page=page)
