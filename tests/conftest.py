"""What all tests share: the labelled data that may stand beside the checkout, and a quiet, private Jupyter.

What takes seconds to import is imported where it is used: each process of the tests loads this module first, and the
one that hands the tests out needs no more.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from typer.testing import CliRunner

import facelib
from facelib.cli import main
from facelib.project import Project, file_lock

from .forked import facelib_command as facelib_command  # a fixture, as the next two
from .forked import fork_server as fork_server
from .forked import kernel_server as kernel_server
from .waiting import PATIENCE

if TYPE_CHECKING:
    from facelib.gallery import Gallery

WHOLE, SHORT = 3.0, 0.4  # seconds per shot: of the demo as users get it, and of the one that most tests take
PLENTY = 1000 * PATIENCE  # milliseconds, of pages
VIEWPORT = {"width": 1400, "height": 1000}
SHARED = Path(__file__).parents[2] / "shared"


def _shared_folder(name: str) -> Path:
    """Return a folder of the shared data; where it is missing, skip, but fail in CI, which must not skip it."""
    folder = SHARED / name
    if not folder.is_dir():
        reason = f"expected the data in {folder}, found nothing there"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The labelled pictures and films in `../shared/data`; its README names them."""
    return _shared_folder("data")


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The networks that are downloads elsewhere, in `../shared/models`."""
    return _shared_folder("models")


@pytest.fixture(scope="session", autouse=True)
def _private_jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's own Jupyter, IPython, matplotlib and project out, for this process and its children."""
    home = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_DIR", str(home / "config"))
        patch.setenv("JUPYTER_DATA_DIR", str(home / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # jupyter_core warns where it is not set
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("MPLBACKEND", "Agg")
        patch.delenv("FACELIB_PROJECT", raising=False)
        yield


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """A portrait of 512x512 pixels with one face of about 100 pixels."""
    from skimage import data

    return np.asarray(data.astronaut(), np.uint8)


@pytest.fixture(scope="session")
def make_notebook() -> Callable[..., Path]:
    """Return a function that writes a small notebook: a cell tagged `parameters`, then further cells of code."""
    import nbformat

    def make(path: Path, parameters: str, *cells: str, text: str = "# A notebook") -> Path:
        first = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        rest = [nbformat.v4.new_code_cell(cell) for cell in cells]
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text), first, *rest]), path)
        return path

    return make


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests have in common; write to it under a lock."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def make_once(shared_folder: Path) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a function that gives a folder by its name, filled by whichever process asks first; to be copied."""

    def make(name: str, fill: Callable[[Path], object]) -> Path:
        kept, new = shared_folder / name, shared_folder / f"{name} new"
        with file_lock(shared_folder / f"{name}.lock", what=f"making of the {name}", wait=True):
            if not kept.is_dir():
                fill(new)
                new.rename(kept)
        return kept

    return make


@pytest.fixture(scope="session")
def copy_demo(make_once: Callable[..., Path]) -> Callable[..., Project]:
    """Return a factory of demos, each made once by whoever asks first, then copied; not for tests of the making."""

    def copy(folder: Path, seconds_per_shot: float = WHOLE, *, tuned: bool = False) -> Project:
        """Put the demo into a folder, with shots of so many seconds; tuned, as notebooks 02 and 04 leave it.

        With shots of the usual length it is made by `facelib demo`, which leaves what it said in `said.txt`.
        """
        kept = make_once(f"demo {seconds_per_shot}{' tuned' * tuned}", lambda new: fill(new, seconds_per_shot, tuned))
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        return Project("demo", folder / "data", folder / "output")

    def fill(new: Path, seconds_per_shot: float, tuned: bool) -> None:
        project = Project("demo", new / "data", new / "output")
        if tuned and seconds_per_shot != SHORT:  # the pictures are the same ones
            copy(new, SHORT, tuned=True)
            shutil.rmtree(project.data)
            copy(new, seconds_per_shot)
        elif tuned:
            _tune(copy(new, seconds_per_shot))
        elif seconds_per_shot == WHOLE:
            _make_whole(new)
        else:
            from facelib.demo import make_demo

            make_demo(project, seconds_per_shot=seconds_per_shot, progress=False)

    return copy


@pytest.fixture(scope="session")
def copy_run(
    make_once: Callable[..., Path], copy_demo: Callable[..., Project], shared_folder: Path, fork_server: str
) -> Callable[[Path], tuple[Project, Path]]:
    """Return a function that puts a demo into a folder as its first run left it, which is made once.

    There is a film beside the demo's that cannot be read. The function returns the project and where its films lay
    when it was run.
    """
    place = shared_folder / "first_run"
    films = Project("demo", place / "data", place / "output").videos

    def run(new: Path) -> None:
        from facelib.pipeline import run_pipeline
        from facelib.pipeline.kernel import Kernels

        project = copy_demo(place, SHORT)
        (project.videos / "broken.mp4").write_text("no film")
        steps = run_pipeline(project, kernels=Kernels(fork_server))
        assert {step.state for step in steps} == {"done"}, steps
        place.rename(new)

    def copy(folder: Path) -> tuple[Project, Path]:
        shutil.copytree(make_once("demo run", run), folder, dirs_exist_ok=True)
        return Project("demo", folder / "data", folder / "output"), films

    return copy


def _make_whole(folder: Path) -> None:
    made = CliRunner().invoke(main, ["demo", "--data-dir", str(folder / "data")])
    assert made.exit_code == 0, made.output
    (folder / "said.txt").write_text(made.output, encoding="utf-8")


def _tune(project: Project) -> None:
    from facelib.gallery import read_gallery, write_gallery

    embedder = facelib.load_embedder("dlib")
    table = facelib.build_gallery(project, facelib.load_detector(), embedder, progress=False)
    made = {"embedder": embedder.name, "weights_sha256": embedder.sha256, "threshold": embedder.threshold}
    write_gallery(table, project.faces, detector="mtcnn", **made)
    tuning = facelib.tune(read_gallery(project.faces), fallback=embedder.threshold)
    tuning.save(project.recognizer, tuning.fitted.threshold)


@pytest.fixture(scope="session")
def known_faces(shared_data: Path, make_once: Callable[..., Path]) -> Callable[[str], Gallery]:
    """Return a function that gives a labelled set's people, to be `known` where they are enrolled by the same networks.

    Whoever asks first looks through their pictures, with the default detector and dlib.
    """
    from facelib.gallery import describe_search, read_gallery, write_gallery

    def give(name: str) -> Gallery:
        kept = make_once(f"faces of {name.replace('/', ' ')}", lambda new: fill(new, shared_data / name))
        return read_gallery(kept / "faces.parquet")

    def fill(new: Path, people: Path) -> None:
        detector, embedder = facelib.load_detector(), facelib.load_embedder("dlib")
        table = facelib.build_gallery(Project(people.name, people.parent, new), detector, embedder, progress=False)
        made = {"embedder": embedder.name, "weights_sha256": embedder.sha256}
        write_gallery(table, new / "faces.parquet", detector=describe_search(detector), **made)

    return give


@pytest.fixture(scope="session")
def make_tuned_demo(copy_demo: Callable[..., Project]) -> Callable[[Path, float], Project]:
    """Return a factory of the demo as notebooks 02 and 04 leave it, in a folder, with shots of so many seconds."""
    return partial(copy_demo, tuned=True)


@pytest.fixture
def make_film(tmp_path: Path) -> Callable[..., Path]:
    """Return a factory of small films: every frame a picture of its own, and a tone; other options are the codec's."""

    def make(
        name: str = "film.mp4",
        *,
        pictures: Sequence[np.ndarray] | None = None,
        times: Sequence[float] | None = None,
        size: tuple[int, int] = (64, 48),
        frames: int = 50,
        rate: int = 25,
        codec: str = "libx264",
        sound: str | None = "aac",
        **options: str,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pictures is None:
            pictures = [grey_ramp(i, size) for i in range(frames)]
        if times is None:
            times = [i / rate for i in range(len(pictures))]
        with av.open(str(path), "w") as container:
            video = container.add_stream(codec, rate=rate, options=options)
            video.height, video.width = pictures[0].shape[:2]
            video.pix_fmt = "yuv420p"
            tone = container.add_stream(sound, rate=16000, layout="mono") if sound else None
            video.codec_context.time_base = Fraction(1, 1000)
            for picture, time in zip(pictures, times, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if tone is not None:
                for start in range(0, int((times[-1] + 1 / rate) * 16000), 1024):
                    wave = np.sin(np.arange(start, start + 1024) * 0.17).astype(np.float32)[None]
                    kind = "fltp" if sound == "aac" else "s16"
                    samples = wave if kind == "fltp" else (wave * 3e4).astype(np.int16)
                    block = av.AudioFrame.from_ndarray(samples, format=kind, layout="mono")
                    block.sample_rate, block.pts = 16000, start
                    container.mux(tone.encode(block))
                container.mux(tone.encode(None))
        return path

    return make


@pytest.fixture
def turn_quarter() -> Callable[[Path], None]:
    """Return a function that makes a player turn an MP4 by 90 degrees, by the display matrix in its header."""

    def turn(path: Path) -> None:
        content = bytearray(path.read_bytes())
        header = content.index(b"tkhd") + 4
        one, minus = (65536).to_bytes(4, "big"), (-65536).to_bytes(4, "big", signed=True)
        zero = bytes(4)
        content[header + 40 : header + 64] = zero + one + zero + minus + zero + zero
        path.write_bytes(content)

    return turn


def eyesores(notebook: Path | Mapping[str, Any]) -> list[str]:
    """Return what an executed notebook, or its file, shows and should not, each with its cell.

    That is what JupyterLab puts on red ground, warnings and errors, tables without a row, and the words of pandas
    for values that are missing.
    """
    cells = (json.loads(notebook.read_text("utf-8")) if isinstance(notebook, Path) else notebook)["cells"]
    found = []
    for place, output in ((cell["id"], output) for cell in cells for output in cell.get("outputs", [])):
        if output.get("name") == "stderr" or output["output_type"] == "error":
            found.append(f"{place}: {''.join(output.get('text', output.get('evalue', '')))}")
        page = "".join(output.get("data", {}).get("text/html", ""))
        if re.search(r"<tbody>\s*</tbody>", page):
            found.append(f"{place}: a table without a row")
        found += [f"{place}: {word}" for word in re.findall(r"<td[^>]*>(NaN|NaT|None|&lt;NA&gt;)</td>", page)]
    return found


def grey_ramp(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Return a picture that tells its own number: a grey level, and its left half darker."""
    picture = np.full((size[1], size[0], 3), 40 + 3 * (index % 60), np.uint8)
    picture[:, : size[0] // 2] //= 2
    return picture


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Without windows it takes a third of the time for a page; it is the same engine.
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if not chromium:
        if os.environ.get("CI") == "true":
            pytest.fail("expected chromium-headless-shell or chromium on the path, or its place in CHROMIUM")
        pytest.skip("needs chromium-headless-shell or chromium on the path, or its place in CHROMIUM")
    expect.set_options(timeout=PLENTY)  # five seconds are little on a busy machine
    with sync_playwright() as playwright:
        # No page needs WebGL, and a graphics card that is imitated draws five times as long as none.
        # To learn where an error arose, V8 would parse plotly.js a second time: half a second for each page.
        scripts = "--js-flags=--no-enable-lazy-source-positions"
        # The pages of a context share a process: to start one, and to compile there what another has, takes longer
        # than most pages do.
        flags = ["--no-sandbox", "--disable-gpu", scripts, "--renderer-process-limit=1"]
        started = playwright.chromium.launch(executable_path=chromium, args=flags, timeout=PLENTY)
        yield started
        started.close()


@pytest.fixture(scope="session")
def open_page(browser) -> Callable[..., tuple[Page, list[str]]]:
    """Return a function that opens a page, with the list of what will go wrong there; in a context of its own, if any.

    That is a script that breaks, or a request for anything off this machine.
    """

    def open_(context: BrowserContext | None = None) -> tuple[Page, list[str]]:
        page = (context or new_context(browser, viewport=VIEWPORT)).new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url) if _is_external(request.url) else None)
        return page, problems

    return open_


@pytest.fixture(scope="module")
def _context(browser) -> Iterator[BrowserContext]:
    """What the pages of a test file share; one that stays open keeps their process."""
    context = new_context(browser, viewport=VIEWPORT)
    context.new_page()
    yield context
    context.close()


@pytest.fixture
def page(open_page, _context) -> Iterator[Page]:
    """A page that fails its test when a script of it breaks, or when it asks for anything off this machine."""
    opened, problems = open_page(_context)
    yield opened
    if opened.url != "about:blank":
        opened.evaluate("localStorage.clear()")
    opened.close()
    _context.clear_cookies()
    assert problems == []


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a context whose pages may take their time on a busy machine."""
    context = browser.new_context(**options)
    context.set_default_timeout(PLENTY)
    return context


def _is_external(address: str) -> bool:
    return address.startswith("http") and "://127.0.0.1" not in address


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def make_reviewed(tmp_path: Path) -> Callable[..., Project]:
    """Return a factory of projects whose films have been looked at, without films: tables of made-up tracks."""
    from .reviewed import write_reviewed

    def make(films: Mapping[str, Sequence[tuple[str, str, float]]], *, name: str = "reviewed") -> Project:
        """Make tracks of one second each, one after the other: `person`, `cluster` and `confidence` of each."""
        project = Project(name, tmp_path / "data", tmp_path / "output")
        project.videos.mkdir(parents=True, exist_ok=True)
        project.people.mkdir(exist_ok=True)
        for film, tracks in films.items():
            (project.videos / film).touch()
            write_reviewed(project, film, tracks)
        return project

    return make
