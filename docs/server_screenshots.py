"""Renew the pictures of the served pages, or look at all of them: narrow and wide, light and dark.

Usage: python docs/server_screenshots.py FOLDER [ALL]

FOLDER holds a finished demo: the folders `data` and `output` of `facelib demo` and `facelib run --project demo`.
Chromium, or its headless shell, must be installed. The best go to `docs/pictures`; with ALL, a folder, every page in
every size goes there too.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from screenshots import CHROMIUM, PICTURES, write  # type: ignore[import-not-found]

SIZES = (360, 1280, 1920)
PAGES = {
    "overview": "", "film": "film=demo&t=0.6", "search": "view=search", "together": "view=together",
    "review": "view=review", "unknowns": "view=unknowns", "gallery": "view=gallery", "faces": "view=faces",
    "jobs": "view=jobs", "settings": "view=settings", "files": "view=files",
}  # fmt: skip
BEST = {"film": "server.png", "gallery": "server_gallery.png"}
DARK = {"film": "server_dark.png"}
PHONE = {"overview": "light", "film": "dark", "review": "light", "gallery": "dark"}
SETTLED = """() => [...document.images].every(image => {
    const { top, bottom } = image.getBoundingClientRect();
    return bottom < 0 || top > innerHeight || (image.complete && image.naturalWidth > 0);
})"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve the projects of a folder; yield the address, and the token that is printed."""
    options = ["--port", "0", "--data-dir", str(folder / "data"), "--output-dir", str(folder / "output")]
    program = [sys.executable, "-c", "from facelib.cli import main; main()", "serve", *options]
    environment = os.environ | {"FACELIB_WORKERS": "0"}
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as server:
        assert server.stdout is not None
        address, token = (server.stdout.readline().strip().rpartition(" ")[2] for _ in range(2))
        yield address, token
        server.terminate()


def log_in(browser: Browser, address: str, token: str, *, width: int, theme: str) -> Page:
    """Open a page of one size and theme, and log in."""
    size: ViewportSize = {"width": width, "height": 800 if width > 500 else 740}
    page = browser.new_context(viewport=size, color_scheme=theme).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_role("textbox", name="Token").fill(token)
    page.keyboard.press("Enter")
    page.locator(".projects-view .tile").first.wait_for()
    return page


def show(page: Page, address: str, words: str, project: str = "demo") -> None:
    """Open a view, and wait until it stands still."""
    page.goto("about:blank")
    page.goto(f"{address}/projects/{project}#{words}")
    page.locator("main h1").wait_for()
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)
    while not page.evaluate(SETTLED):
        page.wait_for_timeout(100)


def beside(shots: list[bytes]) -> bytes:
    """Return pictures beside each other as one."""
    images = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    step = images[0].width + 20
    whole = Image.new("RGB", (step * len(images) - 20, images[0].height), "white")
    for place, image in enumerate(images):
        whole.paste(image, (step * place, 0))
    file = io.BytesIO()
    whole.save(file, "PNG")
    return file.getvalue()


def best_pages(browser: Browser, address: str, token: str) -> None:
    """Renew the pictures of README and documentation."""
    for theme, width, pictures in (("light", 1280, BEST), ("dark", 1920, DARK)):
        page = log_in(browser, address, token, width=width, theme=theme)
        for name, file in pictures.items():
            show(page, address, PAGES[name])
            write([page.screenshot()], PICTURES / file)
    phones = {theme: log_in(browser, address, token, width=360, theme=theme) for theme in ("light", "dark")}
    shots = []
    for name, theme in PHONE.items():
        show(phones[theme], address, PAGES[name])
        shots.append(phones[theme].screenshot())
    write([beside(shots)], PICTURES / "server_phone.png")


def every_page(browser: Browser, address: str, token: str, folder: Path) -> None:
    """Write every page in every size, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for width in SIZES:
            page = log_in(browser, address, token, width=width, theme=theme)
            page.screenshot(path=folder / f"projects-{width}-{theme}.png", full_page=True)
            for name, words in PAGES.items():
                show(page, address, words)
                page.screenshot(path=folder / f"{name}-{width}-{theme}.png", full_page=True)
            show(page, address, "", project="new")
            page.screenshot(path=folder / f"first-{width}-{theme}.png", full_page=True)
            page.context.clear_cookies()
            page.goto(address)
            page.locator(".login-view").wait_for()
            page.screenshot(path=folder / f"login-{width}-{theme}.png", full_page=True)
            page.context.close()


def main() -> None:
    """Renew the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="holds data/demo and output/demo, finished")
    parser.add_argument("all", type=Path, nargs="?", help="where every page goes")
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        for name in ("data", "output"):
            shutil.copytree(arguments.folder / name, folder / name, ignore=shutil.ignore_patterns(".server"))
        (folder / "data" / "new" / "people").mkdir(parents=True)
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        with serving(folder) as (address, token):
            best_pages(browser, address, token)
            if arguments.all:
                every_page(browser, address, token, arguments.all)
        browser.close()


if __name__ == "__main__":
    main()
