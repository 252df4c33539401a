"""Renew the pictures of the notebooks: each opened and run on the demo in JupyterLab, in a window of 1280 x 800.

With 05, those of the annotated film and of the project's page too.

Usage: python docs/screenshots.py FOLDER [01 02 ...]

FOLDER holds a finished demo: the folders `data` and `output` of `facelib demo` and `facelib run --project demo`.
Chromium, or its headless shell, must be installed. The first screens go to `docs/pictures/notebooks`, the results to
`docs/pictures`.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from PIL import Image
from playwright.sync_api import Locator, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
SCREEN: ViewportSize = {"width": 1280, "height": 800}
PLENTY = 600_000  # milliseconds for what a busy machine does slowly
QUIET = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
STATUS = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status"

AGAIN = """() => [...document.images].filter(({ src }) => src.includes('/docs/pictures/'))
    .forEach(image => { image.src += `${image.src.includes('?') ? '&' : '?'}again`; })"""
"""Shows a notebook's pictures as they are now: the first screen of a notebook has that of its result."""


@contextmanager
def lab(folder: Path) -> Iterator[str]:
    """Serve JupyterLab with its own settings on the folder; yield its address."""
    for name, values in QUIET.items():
        path = folder / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    places = {"SETTINGS_DIR": "settings", "WORKSPACES_DIR": "workspaces"}
    environment = os.environ | {f"JUPYTERLAB_{name}": str(folder / place) for name, place in places.items()}
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
    options += ["--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={folder}"]
    options += ["--LabApp.expose_app_in_browser=True", "--ServerApp.ip=127.0.0.1"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(480):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status").close()
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def run(page: Page, address: str, notebook: Path) -> None:
    """Open a notebook, run all of it, and wait until that is done; the live one plays on."""
    page.goto(f"{address}/lab/tree/notebooks/{notebook.name}?reset")
    page.wait_for_selector(".jp-Notebook-cell")
    page.wait_for_function(f"{STATUS} === 'idle'")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    calm, playing = 0, notebook.stem.startswith("09")
    while calm < 12:
        page.wait_for_timeout(500)
        calm = calm + 1 if playing or page.evaluate(STATUS) == "idle" else 0
    if playing:
        page.locator(".facelib-live .box").first.wait_for()
        page.wait_for_timeout(3000)
    page.wait_for_timeout(2000)


def plot(page: Page, title: str) -> Locator:
    """Return the first figure with a title."""
    return page.locator(".js-plotly-plot", has=page.locator(".gtitle", has_text=title)).first


def threshold(page: Page) -> list[Locator]:
    """Move the threshold until some faces are mistaken."""
    page.locator(".facelib-tuner .widget-slider", has_text="threshold").locator(".noUi-handle").focus()
    for _ in range(110):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(3000)
    return [page.locator(".facelib-tuner")]


def face_map(page: Page) -> list[Locator]:
    """Pin one face and choose some others."""
    whole = page.locator(".jp-OutputArea-output", has=page.locator(".facelib-board")).last
    handle = whole.locator(".noUi-handle")
    whole.locator(".widget-button", has_text="Pin").press("Enter")
    handle.focus()
    page.keyboard.press("End")
    for _ in range(4):
        whole.locator(".widget-button", has_text="Add").press("Enter")
        page.wait_for_timeout(1500)  # the kernel answers one after the other
        handle.focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(1500)
    return [whole]


def search(page: Page) -> list[Locator]:
    """Choose a second person, and play the last moment in which both are seen."""
    widget = page.locator(".facelib-archive")
    chooser = widget.get_by_label("On screen: add a person")
    chosen = widget.locator(".chip").first.inner_text()
    names = chooser.locator("option").evaluate_all("options => options.map(option => option.value).filter(Boolean)")
    chooser.select_option(next(name for name in names if name not in chosen and not name.startswith("Unknown")))
    widget.locator(".chip").nth(1).wait_for()
    page.wait_for_timeout(3000)
    widget.locator(".hit").last.click()
    page.wait_for_timeout(5000)
    return [widget]


def live(page: Page) -> list[Locator]:
    """Ask who a stranger is, while the film plays on."""
    widget = page.locator(".facelib-live")
    widget.locator(".tile.unknown:not(.gone)").first.click()
    page.mouse.move(0, 0)  # nothing below it stands out
    widget.get_by_role("dialog").wait_for()
    page.wait_for_timeout(1000)
    return [widget]


RESULTS: dict[str, tuple[str, Callable[[Page], list[Locator]]]] = {
    "02": ("doctor.png", lambda page: [page.locator(".facelib-board").last]),
    "03": ("map.png", face_map),
    "04": ("threshold.png", threshold),
    "05": ("timeline.png", lambda page: [plot(page, "Who is on screen"), plot(page, "Time on screen")]),
    "06": ("review.png", lambda page: [page.locator(".facelib-review")]),
    "07": ("evaluate.png", lambda page: [plot(page, "Reliability of confidences"), plot(page, "Who got which name")]),
    "08": ("train.png", lambda page: [plot(page, "The same unseen faces, before and after")]),
    "09": ("live.png", live),
    "10": ("search.png", search),
}
"""By number of the notebook: the picture of its result, and what stands in it, from top to bottom."""


def write(shots: list[bytes], path: Path) -> None:
    """Write pictures below each other as one small file: 256 colours as PNG, or WebP."""
    images = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    whole = Image.new("RGB", (max(image.width for image in images), sum(image.height for image in images)), "white")
    top = 0
    for image in images:
        whole.paste(image, (0, top))
        top += image.height
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".png":
        whole.quantize(256, kmeans=3).save(path, optimize=True)
    else:
        whole.save(path, quality=80, method=6)
    print(f"{path.relative_to(ROOT)}: {whole.width} x {whole.height}, {path.stat().st_size // 1000} kB", flush=True)


def picture(page: Page, address: str, notebook: Path) -> None:
    """Write the first screen of a notebook, and its result."""
    run(page, address, notebook)
    number = notebook.stem[:2]
    if number in RESULTS:
        name, find = RESULTS[number]
        page.set_viewport_size({"width": 1280, "height": 2400})  # tall enough for the whole result
        page.wait_for_timeout(1500)
        write([part.screenshot() for part in find(page)], PICTURES / name)
        shutil.copy(PICTURES / name, notebook.parents[1] / "docs" / "pictures")
        page.evaluate(AGAIN)
        page.set_viewport_size(SCREEN)
    page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0")
    page.wait_for_timeout(1000)
    write([page.screenshot()], PICTURES / "notebooks" / f"{number}.webp")
    page.evaluate("window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    page.wait_for_timeout(1000)


def project_page(page: Page, folder: Path) -> None:
    """Write the project's page, opened from the disk, at a moment with two people."""
    page.set_viewport_size({"width": 1280, "height": 960})
    page.goto(f"{(folder / 'output' / 'demo' / 'index.html').as_uri()}#film=demo&t=7")
    page.locator("video").wait_for()
    page.wait_for_timeout(4000)
    write([page.screenshot()], PICTURES / "page.png")


def annotated_film(folder: Path) -> None:
    """Write two moments of the annotated film beside each other."""
    moments = [16.5, 28.5]
    with av.open(str(folder / "output" / "demo" / "videos" / "demo" / "annotated.mp4")) as film:
        frames = ((frame.time or 0.0, frame) for frame in film.decode(video=0))
        shots = [next(frame for time, frame in frames if time >= moment).to_image() for moment in moments]
    whole = Image.new("RGB", (2 * shots[0].width + 8, shots[0].height), "white")
    for number, shot in enumerate(shots):
        whole.paste(shot, (number * (shot.width + 8), 0))
    whole.save(PICTURES / "annotated.jpg", quality=85)


def main() -> None:
    """Renew the pictures of the notebooks named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds data/demo and output/demo, finished")
    parser.add_argument("numbers", nargs="*", help="such as 03 05; all where none is given")
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        for name in ("data", "output"):
            shutil.copytree(arguments.folder / name, folder / name)
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        if not arguments.numbers or "05" in arguments.numbers:
            annotated_film(folder)  # before the notebooks, which show them
            project_page(browser.new_page(), folder)
        shutil.copytree(ROOT / "notebooks", folder / "notebooks")
        shutil.copytree(PICTURES, folder / "docs" / "pictures")
        with lab(folder) as address:
            for notebook in sorted((folder / "notebooks").glob("*.ipynb")):
                if not arguments.numbers or notebook.stem[:2] in arguments.numbers:
                    context = browser.new_context(viewport=SCREEN)
                    context.set_default_timeout(PLENTY)
                    picture(context.new_page(), address, notebook)
                    context.close()


if __name__ == "__main__":
    main()
