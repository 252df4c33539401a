"""A real JupyterLab and a real browser, offline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest
from playwright.sync_api import Page

import facelib
from facelib.films.identify import identify_films
from facelib.recognize import load_recognizer
from tests.serving import free_port
from tests.waiting import PATIENCE

SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Cells out of sight are not taken out of the page, so that a test need not scroll.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}

RED = ".jp-OutputArea-output:is([data-mime-type$='jupyter.stderr'], [data-mime-type$='jupyter.error'])"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab; `root` is the folder it shows, its notebooks in `root/notebooks`."""

    url: str
    root: Path

    def make_folder(self, name: str, *notebooks: Path) -> Path:
        """Make a folder that no test has used, not even the same one before it was run once more, with notebooks."""
        folder = Path(mkdtemp(prefix=f"{name}-", dir=self.root))
        (folder / "notebooks").mkdir()
        for notebook in notebooks:
            shutil.copy(notebook, folder / "notebooks")
        return folder

    def shut_kernels_down(self) -> None:
        """End what tests have left running: a notebook that is opened again has a new kernel."""
        with urllib.request.urlopen(f"{self.url}/api/sessions") as answer:
            sessions = json.load(answer)
        for session in sessions:
            asked = urllib.request.Request(f"{self.url}/api/sessions/{session['id']}", method="DELETE")
            urllib.request.urlopen(asked).close()


@pytest.fixture(scope="session")
def lab(kernel_server, tmp_path_factory) -> Iterator[Lab]:
    root = tmp_path_factory.mktemp("lab")
    place = tmp_path_factory.mktemp("lab-settings")
    for name, values in SETTINGS.items():
        path = place / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
    }
    environment.pop("PLOTLY_RENDERER", None)
    port = free_port()
    log = place / "lab.log"
    options = [
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={root}",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, stdout=output, stderr=output
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status", server, log)
        yield Lab(f"http://127.0.0.1:{port}", root)
    finally:
        server.terminate()
        server.wait(PATIENCE)


@pytest.fixture(scope="session")
def identified(make_once, make_tuned_demo) -> Path:
    """The folder of a short demo of one film with the tables of notebook 05; to be copied."""

    def fill(folder: Path) -> None:
        project = make_tuned_demo(folder, 1.2)
        (project.videos / "demo_vfr.mp4").unlink()
        networks = facelib.load_detector(working_size=640), facelib.load_embedder("dlib")
        identify_films(project.find_videos(), project, *networks, *load_recognizer(project.recognizer), progress=False)

    return make_once("demo identified", fill)


# In place of the notebooks that are open; their kernels go on, as if the page had been loaded anew.
OPEN = """async path => {
    const { commands, shell } = window.jupyterapp;
    for (const widget of [...shell.widgets('main')]) if (widget.context) widget.dispose();
    if (path) await commands.execute('docmanager:open', { path });
}"""
# Where JupyterLab does not take the notebook for the current one yet, its commands would do nothing.
READY = """path => {
    const { commands, shell } = window.jupyterapp;
    const open = shell.currentWidget;
    return open?.context?.path === path && open.sessionContext?.session?.kernel?.status === 'idle'
        && commands.isEnabled('notebook:run-all-cells') && commands.isEnabled('editmenu:clear-all');
}"""


class Tab:
    """JupyterLab in one tab for all tests: to load it takes seconds, which to open a notebook in it does not."""

    def __init__(self, lab: Lab, open_page: Callable[[], tuple[Page, list[str]]]) -> None:
        self._lab, self._open_page = lab, open_page
        self._page: Page | None = None
        self.problems: list[str] = []

    def ready(self, *, fresh: bool) -> Page:
        """Return the tab without a notebook, and as large as at first; another one where the last test left a question.

        Args:
            fresh: Whether to load JupyterLab anew in any case.
        """
        if self._page is not None and (fresh or self._page.locator(".jp-Dialog").count()):
            self.close()
        if self._page is None:
            self._page, self.problems = self._open_page()
            self._size = self._page.viewport_size
            self._page.goto(f"{self._lab.url}/lab?reset")
            self._page.wait_for_selector(".jp-Launcher")
        self._page.set_viewport_size(self._size)
        return self._page

    def empty(self) -> None:
        """Close the notebooks and end their kernels."""
        if self._page is not None:
            self._page.evaluate(OPEN, "")
        self._lab.shut_kernels_down()

    def close(self) -> None:
        """Close the tab, if it is open."""
        if self._page is not None:
            self._page.context.close()
        self._page = None


@pytest.fixture(scope="session")
def tab(lab, open_page) -> Iterator[Tab]:
    tab = Tab(lab, open_page)
    yield tab
    tab.close()


@pytest.fixture
def run_notebook(lab, tab, request) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a notebook below the lab's root, runs all of it, and returns its page.

    It is told what JupyterLab's setting `commsOverSubshells` should be: whether widgets are heard while a cell runs.

    It fails its test when a script of the page breaks, when the page asks for anything off this machine, or when
    something of the notebook stands on red ground at the end.
    """
    page = tab.ready(fresh=getattr(request.node, "execution_count", 1) > 1)  # one that failed is run once more
    tab.problems.clear()

    def run(notebook: Path, comms: str = "perCommTarget") -> Page:
        path = notebook.relative_to(lab.root).as_posix()
        page.evaluate(f"window.jupyterapp.serviceManager.kernels.commsOverSubshells = '{comms}'")
        page.evaluate(OPEN, path)
        page.wait_for_selector(".jp-Notebook-cell")
        page.wait_for_function(READY, arg=path, polling=50)  # not with each frame, which the page would have to draw
        # What JupyterLab has saved of an earlier run would look like the results of this one.
        page.evaluate("window.jupyterapp.commands.execute('editmenu:clear-all')")
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        return page

    yield run
    red, problems = page.locator(RED).all_inner_texts(), tab.problems.copy()
    tab.empty()
    assert red == []  # warnings and errors
    assert problems == []


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(480):
        try:
            with urllib.request.urlopen(address) as answer:
                answer.read()
            return
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.25)
    raise RuntimeError(log.read_text())
