"""What all tests share: the labelled data that may stand beside the checkout, and a quiet, private Jupyter."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PLENTY = 120_000  # milliseconds that a page may take on a busy machine
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
    """Keep the developer's own Jupyter, IPython and matplotlib settings out, for this process and its children."""
    home = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_DIR", str(home / "config"))
        patch.setenv("JUPYTER_DATA_DIR", str(home / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # jupyter_core warns where it is not set
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        patch.setenv("MPLBACKEND", "Agg")
        yield


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


@pytest.fixture
def make_film(tmp_path: Path) -> Callable[..., Path]:
    """Return a factory of small films: every frame a picture of its own, and a tone."""

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
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pictures is None:
            pictures = [grey_ramp(i, size) for i in range(frames)]
        if times is None:
            times = [i / rate for i in range(len(pictures))]
        with av.open(str(path), "w") as container:
            video = container.add_stream(codec, rate=rate)
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


def grey_ramp(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Return a picture that tells its own number: a grey level, and its left half darker."""
    picture = np.full((size[1], size[0], 3), 40 + 3 * (index % 60), np.uint8)
    picture[:, : size[0] // 2] //= 2
    return picture


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium:
        if os.environ.get("CI") == "true":
            pytest.fail("expected chromium on the path; install it, or name it in CHROMIUM")
        pytest.skip("needs chromium on the path, or its place in CHROMIUM")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        started = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page that fails its test when a script of it breaks, or when it asks for anything off this machine."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PLENTY)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", lambda request: problems.append(request.url) if _is_external(request.url) else None)
    yield opened
    context.close()
    assert problems == []


def _is_external(address: str) -> bool:
    return address.startswith("http") and "://127.0.0.1" not in address
