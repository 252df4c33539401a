"""Print how long the threshold tuner takes to answer a slider: in the kernel, and until the page has changed.

The gallery is made up: as many faces as asked for, of people some of whom are taken for each other. The page is that of
`make tuner` in chromium, moved by the arrow keys; the clock runs from the key to the frame after the last change.

Usage: python benchmarks/tuner.py [--faces 5000] [--people 100] [--steps 40] [--kernel]
On a busy machine the figures are those of its load; `nice -n -10` in front of it takes precedence.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import facelib
from facelib.gallery import Gallery, read_gallery, write_gallery
from facelib.project import Project
from facelib.recognize.tuning import tune
from facelib.widgets import ThresholdTuner

ROOT = Path(__file__).resolve().parents[1]
# From the key that moves a handle to the frame after the last change of the figures, and of the faces too; in ms.
WATCH = """() => {
    const tuner = document.querySelector('.facelib-tuner');
    window.answers = [];
    let pressed = null, figures = null, faces = null;
    document.addEventListener('keydown', () => { pressed = performance.now(); figures = faces = null; }, true);
    new MutationObserver((changes) => {
        if (pressed === null) return;
        const places = changes.map(({target}) => target.nodeType === 1 ? target : target.parentElement);
        const shown = places.some(place => place?.closest('.js-plotly-plot, .facelib-counts, .widget-html'));
        const mistaken = places.some(place => place?.closest('.facelib-mistakes'));
        requestAnimationFrame(() => {
            if (shown) figures = performance.now();
            if (mistaken) faces = performance.now();
        });
    }).observe(tuner, {subtree: true, childList: true, attributes: true, characterData: true});
    window.answered = () => {
        if (figures !== null) window.answers.push([figures - pressed, Math.max(figures, faces ?? 0) - pressed]);
    };
}"""


def make_project(folder: Path, *, faces: int, people: int) -> Project:
    """Make a project whose faces are embedded already; each person has one picture for all of them."""
    project = Project("demo", folder / "data", folder / "output")
    random = np.random.default_rng(0)
    centres = 0.047 * random.normal(size=(people, 128))
    rows = []
    for number in range(faces):
        person = f"Person {number % people:03d}"
        picture = project.people / person / f"{number}.jpg"
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (160, 160), tuple(random.integers(0, 256, 3).tolist())).save(picture)
        vector = centres[number % people] + 0.034 * random.normal(size=128)
        rows.append({"picture": f"people/{person}/{number}.jpg", "person": person, "embedding": np.float32(vector)})
    box = {"left": 5.0, "top": 5.0, "right": 155.0, "bottom": 155.0, "score": 1.0, "sharpness": 100.0}
    table = pd.DataFrame(rows).assign(sha256="", face=0, used=True, reason="", **box)
    table["landmarks"] = [np.zeros(10, np.float32)] * len(table)
    sha256 = facelib.load_embedder("dlib").sha256
    write_gallery(table, project.faces, detector="cnn", embedder="dlib", weights_sha256=sha256)
    return project


def in_kernel(gallery: Gallery, project: Project, steps: int) -> None:
    """Print how long Python takes for a step of each slider."""
    began = time.perf_counter()
    tuning = tune(gallery, fallback=0.5, progress=False)
    print(f"all trials of {len(gallery.used)} faces: {time.perf_counter() - began:.1f} s")
    widget = ThresholdTuner(tuning, project)

    def move_threshold(step: int) -> None:
        widget.slider.value -= 0.001

    def move_voters(step: int) -> None:
        widget.voters.value = 1 + step % widget.voters.max

    moves: tuple[tuple[str, Callable[[int], None]], ...] = (("threshold", move_threshold), ("k", move_voters))
    for name, move in moves:
        taken = []
        for step in range(steps):
            began = time.perf_counter()
            move(step)
            taken.append(1000 * (time.perf_counter() - began))
        report(f"kernel, {name}", taken)


@contextmanager
def served(project: Project) -> Iterator[str]:
    """Give the address of the page of `make tuner`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = ["make", "-o", ".venv/.ready", f"bin={Path(sys.executable).parent}", "tuner", f"PORT={port}",
               f"DATA={project.data_dir}", f"OUTPUT={project.output_dir}", "VOILA_OPTIONS=--no-browser"]  # fmt: skip
    plain = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=ROOT, env=plain, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        for _ in range(480):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.25)
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def in_page(project: Project, steps: int) -> None:
    """Print how long the page takes for a step of each slider."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("expected chromium on the path, found none; install it, or pass --kernel to do without")
    with served(project) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1920, "height": 1000})
        page.set_default_timeout(600_000)
        page.goto(address)
        page.locator(".facelib-tuner .facelib-mistakes img").first.wait_for()
        page.get_by_text("Files written").wait_for()
        page.wait_for_timeout(3000)
        page.evaluate(WATCH)
        for name, label in (("threshold", "threshold"), ("k", "k, voters")):
            handle = page.locator(".facelib-tuner .widget-slider", has_text=label).locator(".noUi-handle")
            before = processor_time()
            answers = steps_of(page, handle.focus, steps)
            spent = 1000 * (processor_time() - before) / steps
            print(f"page, {name}: {spent:.0f} ms of processor time a step, of the kernel, the server and the browser")
            report(f"page, {name}, figures", [figures for figures, _ in answers])
            report(f"page, {name}, faces too", [faces for _, faces in answers])
        browser.close()


def processor_time() -> float:
    """Return the seconds that all processes started here have computed: the cost of an answer on any load."""
    times = [process.cpu_times() for process in psutil.Process().children(recursive=True)]
    return float(sum(time.user + time.system for time in times))


def steps_of(page: Page, focus: Callable[[], None], steps: int) -> list[tuple[float, float]]:
    """Move a slider to and fro, and return the milliseconds of each step: until the figures, and the faces, stand."""
    focus()
    page.evaluate("window.answers.length = 0")
    for step in range(steps):
        page.keyboard.press("ArrowLeft" if step % 8 < 4 else "ArrowRight")
        page.wait_for_timeout(1200)
        page.evaluate("window.answered()")
    return [(float(figures), float(faces)) for figures, faces in page.evaluate("window.answers")]


def report(what: str, milliseconds: list[float]) -> None:
    """Print one row."""
    if not milliseconds:
        raise SystemExit(f"{what}: expected the figures to follow, nothing changed")
    middle, most = np.median(milliseconds), np.percentile(milliseconds, 95)
    print(f"{what}: median {middle:.0f} ms, 95 % within {most:.0f} ms, worst {max(milliseconds):.0f} ms, "
          f"{len(milliseconds)} steps", flush=True)  # fmt: skip


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=5000)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--kernel", action="store_true", help="without a browser")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder), faces=arguments.faces, people=arguments.people)
        in_kernel(read_gallery(project.faces), project, arguments.steps)
        if not arguments.kernel:
            in_page(project, arguments.steps)


if __name__ == "__main__":
    main()
