"""Notebook 4 as its user has it: in JupyterLab, and as a page of its own through Voilà."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import facelib
from facelib.gallery import read_gallery
from facelib.project import Project
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import Tuning, tune
from tests.waiting import PATIENCE

from .casts import make_cast

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "04_tune_threshold.ipynb"

# Every pair of the tuner's parts, and which of them lie over each other or stick out.
OVERLAPS = """tuner => {
    const parts = [...tuner.querySelectorAll('.facelib-tuner-controls, .facelib-tuner-cells > *')];
    const boxes = parts.map(part => part.getBoundingClientRect());
    const all = tuner.getBoundingClientRect();
    const found = [];
    boxes.forEach((a, i) => {
        if (a.width < 200 || a.left < all.left - 1 || a.right > all.right + 1) found.push([i, 'width', a.width]);
        boxes.slice(i + 1).forEach((b, j) => {
            if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                found.push([i, i + 1 + j]);
        });
    });
    return found;
}"""
# How far each plot is from filling its column, in pixels.
GAPS = """tuner => [...tuner.querySelectorAll('.facelib-tuner-cells .js-plotly-plot .main-svg:first-of-type')].map(
    plot => Math.round(plot.closest('.facelib-tuner-cells > *').getBoundingClientRect().width
        - plot.getBoundingClientRect().width))"""


@pytest.fixture
def cast(lab) -> Project:
    """The cast in JupyterLab's folder, beside the notebook."""
    root = lab.make_folder("tuner")
    project = make_cast(root)
    # Its faces lie farther apart than dlib's: without a name they are half of them, which 04 would refuse to save.
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert "most_unnamed: float = 0.5" in text
    (root / "notebooks" / NOTEBOOK.name).write_text(
        text.replace("most_unnamed: float = 0.5", "most_unnamed: float = 1.0"), encoding="utf-8"
    )
    return project


def ready(page: Page) -> Locator:
    """Wait until the tuner shows its figures and the first faces."""
    tuner = page.locator(".facelib-tuner").first
    tuner.locator(".facelib-counts").wait_for()
    tuner.locator(".facelib-mistakes img").first.wait_for()
    expect(tuner.locator(".js-plotly-plot")).to_have_count(3)
    return tuner


def handle_of(tuner: Locator, name: str) -> Locator:
    return tuner.get_by_role("slider", name=name)


def counts(tuner: Locator) -> list[int]:
    return [int(text.replace(",", "")) for text in tuner.locator(".facelib-counts b").all_inner_texts()]


@cache
def tuned(faces: Path) -> Tuning:
    return tune(read_gallery(faces), fallback=facelib.load_embedder("dlib").threshold, progress=False)


def expected(project: Project, k: int, threshold: float) -> list[int]:
    """Return what the page should count at a setting."""
    counted = tuned(project.faces).at(k, threshold).counts
    return [counted.right, counted.wrong, counted.rejected, counted.strangers_named]


def use(page: Page, tuner: Locator, project: Project) -> None:
    """Move both sliders by keyboard, want an error, and save: the page, the kernel and the file agree."""
    before = project.recognizer.read_bytes() if project.recognizer.exists() else b""
    first, drawn = counts(tuner), tuner.locator(".scatterlayer .point path, .scatterlayer path.point").first
    place = drawn.get_attribute("transform")
    threshold = handle_of(tuner, "threshold")
    threshold.focus()
    for key in ["ArrowLeft", "PageDown"] * 10:  # by one step, and by five
        page.keyboard.press(key)
    shown = float(threshold.get_attribute("aria-valuetext"))
    expect(tuner.locator(".annotation-text", has_text=f"chosen: {shown:.3f}")).to_be_visible()
    assert counts(tuner) == expected(project, 5, shown) != first
    expect(drawn).not_to_have_attribute("transform", place)

    voters = handle_of(tuner, "k, voters")
    voters.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(tuner.locator(".legendtext", has_text="all thresholds at k = 3")).to_be_visible()
    assert counts(tuner) == expected(project, 3, shown)
    assert (project.recognizer.read_bytes() if project.recognizer.exists() else b"") == before

    wanted = tuner.get_by_label("wanted FPIR, %")
    wanted.fill("20")
    wanted.press("Enter")
    fitted = tuned(project.faces).fit(0.2)
    expect(tuner.locator(".annotation-text", has_text=f"chosen: {fitted.threshold:.3f}")).to_be_visible()

    tuner.get_by_role("button", name="Save this setting").press("Enter")
    expect(tuner.get_by_text(f"Saved. recognizer.skops has k = 3, threshold {fitted.threshold:.3f}")).to_be_visible()
    estimator, info = load_recognizer(project.recognizer)  # as 05 opens it
    assert (estimator.k, info.k) == (3, 3)
    assert estimator.threshold == info.threshold == pytest.approx(fitted.threshold, abs=5e-4)
    assert set(estimator.predict(read_gallery(project.faces).vectors)) > {"Person 00 Ünï"}
    expect(page.locator("[role=alert]:not(:empty)")).to_have_count(0)


SCROLLED = """tuner => [tuner, ...tuner.querySelectorAll('*')].filter(part =>
    /auto|scroll/.test(getComputedStyle(part).overflowX) && part.scrollWidth > part.clientWidth + 1
).map(part => part.className)"""


# The titles that the buttons of their figure lie over.
COVERED = """tuner => [...tuner.querySelectorAll('.js-plotly-plot')].filter(plot => {
    const [title, buttons] = ['.gtitle', '.modebar'].map(part => plot.querySelector(part).getBoundingClientRect());
    return buttons.width && title.right > buttons.left && title.bottom > buttons.top;
}).map(plot => plot.querySelector('.gtitle').textContent)"""


def check_layout(page: Page, tuner: Locator, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    wide = "tuner => tuner.getBoundingClientRect().width"
    page.wait_for_function(f"tuner => ({GAPS})(tuner).every(gap => gap >= 0 && gap <= 2)", arg=tuner.element_handle())
    assert tuner.evaluate(OVERLAPS) == []
    assert tuner.evaluate(SCROLLED) == []
    assert tuner.evaluate(COVERED) == []
    assert tuner.evaluate(wide) > width / 2


def test_in_jupyterlab_everything_follows_the_keyboard_and_is_saved(cast, run_notebook):
    page = run_notebook(cast.data_dir.parent / "notebooks" / NOTEBOOK.name)
    tuner = ready(page)
    # The notebook has saved the fitted threshold before anybody touched a slider.
    saved = load_recognizer(cast.recognizer)[1]
    expect(tuner.get_by_text(f"recognizer.skops has k = 5, threshold {saved.threshold:.3f}")).to_be_visible()
    assert counts(tuner) == expected(cast, 5, saved.threshold)
    for width in (1000, 1280, 1920):
        check_layout(page, tuner, width)
        panel = page.locator(".jp-WindowedPanel-outer").first  # lines of code, folded or not, end where it does
        assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    use(page, tuner, cast)
    # Faces are nothing to be uploaded by a slip of the hand.
    expect(page.get_by_role("button", name="Share chart")).to_have_count(0)


def test_in_jupyterlab_the_faces_follow_and_more_of_them_come(cast, run_notebook):
    page = run_notebook(cast.data_dir.parent / "notebooks" / NOTEBOOK.name)
    tuner = ready(page)
    handle = handle_of(tuner, "threshold")
    handle.focus()
    page.keyboard.press("End")
    strangers = tuner.locator(".facelib-mistakes section.strangers")
    expect(strangers.locator("h4")).to_contain_text("72")
    expect(strangers.locator("li")).to_have_count(8)
    expect(strangers.locator("li img")).to_have_count(16)
    strangers.get_by_role("button").press("Enter")
    expect(strangers.locator("li img")).to_have_count(40)
    assert strangers.locator("img").evaluate_all("all => all.every(image => image.naturalWidth > 0)")
    first = strangers.locator("li").first.inner_text()
    tuner.get_by_label("Order of the faces").select_option("worst")
    expect(strangers.locator("li").first).not_to_have_text(first, use_inner_text=True)
    expect(tuner.locator("section.rejected p")).to_have_text("None at this setting.")


def test_in_jupyterlab_an_error_of_saving_is_seen(cast, run_notebook):
    page = run_notebook(cast.data_dir.parent / "notebooks" / NOTEBOOK.name)
    tuner = ready(page)
    shutil.rmtree(cast.output)
    cast.output.write_text("a file where the folder was")
    tuner.get_by_role("button", name="Save this setting").click()
    expect(tuner.get_by_role("alert").first).to_contain_text("expected to make the folder")


@pytest.fixture
def served(tmp_path, kernel_server) -> Iterator[tuple[Project, str]]:
    """The page of `make tuner`, for a project whose recognizer was saved before."""
    project = make_cast(tmp_path / "a folder")
    tune(read_gallery(project.faces), fallback=0.5, progress=False).save(
        project.recognizer, 0.123, k=7, most_unnamed=1.0
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = tmp_path / "voila.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*make_tuner(project), f"PORT={port}", "VOILA_OPTIONS=--no-browser"],
            cwd=ROOT,
            env=without_make(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        for _ in range(480):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, log.read_text()
            time.sleep(0.25)
        yield project, f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(PATIENCE)


def make_tuner(project: Project) -> list[str]:
    # The environment is the one that runs the tests: nothing is to be installed.
    ours = ["-o", ".venv/.ready", f"bin={Path(sys.executable).parent}"]
    places = [f"DATA={project.data_dir}", f"OUTPUT={project.output_dir}"]
    return ["make", *ours, "tuner", "PROJECT=demo", *places, "MOST_UNNAMED=1.0"]


def without_make() -> dict[str, str]:
    """Return the environment without what a `make test` around the tests has put there."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def test_through_voila_the_page_works_alone_and_opening_it_saves_nothing(served, page):
    project, address = served
    answer = page.goto(address)
    assert answer is not None and answer.ok
    tuner = ready(page)
    expect(page.locator("text=Files written")).to_be_visible()
    assert load_recognizer(project.recognizer)[1].threshold == 0.123
    expect(tuner.get_by_text("recognizer.skops has k = 7, threshold 0.123")).to_be_visible()
    expect(page.locator(".jp-InputArea-editor, .jp-CodeMirrorEditor, .highlight")).to_have_count(0)  # no code
    assert not re.search(r"import facelib|tune\(", page.inner_text("body"))
    expect(page.locator(".jp-RenderedMarkdown img")).to_have_count(0)  # the page is the tuner, not a picture of it
    for width in (1280, 1920):
        check_layout(page, tuner, width)
    use(page, tuner, project)


def test_without_known_faces_make_tuner_says_what_to_run(tmp_path):
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    told = subprocess.run(
        make_tuner(project), cwd=ROOT, env=without_make(), capture_output=True, text=True, check=False
    )
    assert told.returncode != 0
    assert 'run --project "demo" --steps 1-2' in told.stdout
