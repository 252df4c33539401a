"""The house: pyproject.toml is the source, and the lock, the conda way, the README and the code agree with it."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = (
    "requirements.lock",
    "requirements-train.lock",
    "requirements-server.lock",
    "requirements-scale.lock",
    "requirements-docs.lock",
    "requirements-headless.lock",
)
PYTHONS = ("3.11", "3.12", "3.13")

# conda-forge's name -> the name in pyproject.toml
CONDA_NAMES = {"dlib": "dlib-bin", "opencv": "opencv-python", "playwright-python": "playwright"}
NOT_NEEDED_TO_IMPORT = (
    "IPython", "anywidget", "dask", "duckdb", "fastapi", "icrawler", "ipykernel", "ipywidgets", "jupyter_client",
    "jupyter_core", "jupyter_server", "jupyterlab", "nbclient", "nbconvert", "nbformat", "papermill",
    "torch", "uvicorn",
)  # fmt: skip


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def bounds(lines: list[str]) -> dict[str, SpecifierSet]:
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in requirements}


def declared(*extras: str) -> dict[str, SpecifierSet]:
    """Return what pyproject.toml asks for, with the named extras: canonical name -> bounds."""
    optional = PYPROJECT["project"]["optional-dependencies"]
    return bounds(PYPROJECT["project"]["dependencies"] + [line for extra in extras for line in optional[extra]])


def locked(name: str = "requirements.lock") -> list[tuple[Requirement, int]]:
    """Return what a lock names, and how many hashes each has."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n|^ +#.*\n?", "", read(name), flags=re.MULTILINE))
    return [(Requirement(block.split("\\")[0]), block.count("--hash=sha256:")) for block in blocks]


def test_conda_names_the_same_packages_with_the_same_bounds() -> None:
    dependencies = yaml.safe_load(read("environment.yml"))["dependencies"]
    by_pip = bounds(next(entry["pip"] for entry in dependencies if isinstance(entry, dict)))
    lines = [line for line in dependencies if isinstance(line, str)]
    by_conda = {line.split()[0]: SpecifierSet("".join(line.split()[1:])) for line in lines}
    assert len(by_conda) == len(lines), "one is named twice"
    assert by_conda.pop("python") == SpecifierSet(PYPROJECT["project"]["requires-python"])
    by_conda.pop("pip")
    named = {canonicalize_name(CONDA_NAMES.get(name, name)): bound for name, bound in by_conda.items()}
    assert not named.keys() & by_pip.keys()
    assert named | by_pip == declared("dev", "gather", "reference")


def test_the_lock_has_hashes_and_no_places() -> None:
    assert len(locked()) > 100
    for name in LOCKS:
        assert [requirement.name for requirement, hashes in locked(name) if not hashes] == []
        for forbidden in (r"https?:", "file:", "git\\+", "--index", "--extra-index", "--find-links", r"(?m)^-", " @ "):
            assert not re.search(forbidden, read(name)), f"{forbidden} in {name}"
        assert not re.search(r"(?<![\w.])/\w", read(name)), f"a path in {name}"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_satisfies_pyproject(python: str) -> None:
    here = {"python_version": python, "python_full_version": f"{python}.5", "extra": ""}
    wanted = [
        (canonicalize_name(requirement.name), next(iter(requirement.specifier)).version)
        for lock in LOCKS
        if lock != "requirements-headless.lock"
        for requirement, _ in locked(lock)
        if requirement.marker is None or requirement.marker.evaluate(here)
    ]
    versions = dict(wanted)
    assert len(versions) == len(set(wanted)), "two locks name two versions of one package"
    for name, specifier in declared("dev", "docs", "gather", "reference", "scale", "server", "train").items():
        assert name in versions, f"{name} is in no lock: run 'make lock'"
        assert specifier.contains(versions[name]), f"{name} {versions[name]} in the lock, expected {specifier}"


def test_the_lock_brings_neither_a_second_opencv_nor_the_dlib_to_compile() -> None:
    names = {canonicalize_name(requirement.name): requirement for requirement, _ in locked()}
    assert not {name for name in names if name.startswith("opencv")} - {"opencv-python"}
    for platform in ("linux", "darwin", "win32"):
        marker = names["dlib"].marker if "dlib" in names else Marker("sys_platform == 'none'")
        assert marker is not None
        assert not marker.evaluate({"sys_platform": platform})


def test_the_two_opencvs_have_one_version() -> None:
    (headless, _hashes), *others = locked("requirements-headless.lock")
    assert (headless.name, others) == ("opencv-python-headless", [])
    (version,) = [requirement.specifier for requirement, _ in locked() if requirement.name == "opencv-python"]
    assert headless.specifier == version


@cache
def installed_modules() -> dict[str, set[str]]:
    """Return which distributions carry a top-level module, by their files: top_level.txt does not name them all."""
    found: dict[str, set[str]] = {}
    for distribution in importlib.metadata.distributions():
        name = canonicalize_name(distribution.name)  # read once: every look at it parses the metadata anew
        for module in {file.parts[0].split(".")[0] for file in distribution.files or []}:
            found.setdefault(module, set()).add(name)
    return found


@pytest.mark.parametrize("module", ["cv2", "dlib", "onnxruntime"])
def test_one_distribution_is_installed_for_a_module(module: str) -> None:
    assert len(installed_modules()[module]) == 1, installed_modules()[module]


def test_every_dependency_has_a_row_with_its_reason_in_the_readme() -> None:
    tables = re.findall(r"^\| Package \| Why \|\n\|[-| :]+\|\n((?:\|.*\n)+)", read("README.md"), flags=re.MULTILINE)
    assert tables, "expected a table with the header '| Package | Why |' in README.md"
    reasons: dict[str, str] = {}
    for row in "".join(tables).splitlines():
        names, reason = row.strip("|").split("|", 1)
        for name in re.findall(r"`([^`]+)`", names):
            reasons[canonicalize_name(name)] = reason.strip()
    wanted = declared(*PYPROJECT["project"]["optional-dependencies"]).keys()
    assert sorted(wanted - reasons.keys()) == [], "without a row"
    assert sorted(reasons.keys() - wanted) == [], "a row for what is not needed"
    assert [name for name, reason in reasons.items() if not reason] == []


def imported(folder: Path) -> dict[str, str]:
    """Return the top-level modules that files under `folder` import, and one file that does."""
    found = {}
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0]: str(file) for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module.split(".")[0]] = str(file)
    return found


@pytest.mark.parametrize(
    ("folder", "extras"),
    [("facelib", ("gather", "scale", "server", "train")), ("benchmarks", ("dev", "reference", "scale", "train"))],
)
def test_what_is_imported_is_declared(folder: str, extras: tuple[str, ...]) -> None:
    # Benchmarks start the servers of the tests.
    own = {"facelib"} | {file.stem for part in (folder, "tests") for file in (ROOT / part).rglob("*.py")}
    wanted = set(declared(*extras))
    # The two that stand in for another in some environments.
    wanted |= {"opencv-python-headless", "dlib"}
    for module, file in imported(ROOT / folder).items():
        if module not in sys.stdlib_module_names and module not in own:
            # What an extra brings may not be installed; its module is called as the package is.
            names = installed_modules().get(module, {canonicalize_name(module)})
            assert names & wanted, f"{file} imports {module} (of {names or 'nothing installed'}), not in pyproject.toml"


IMPORT_ALL = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
BLOCKED = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Block())
import facelib
for name in facelib.__all__:
    getattr(facelib, name)
assert len(facelib.__all__) >= 6, facelib.__all__
print(",".join(sys.modules))
"""


def run_python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)


def test_facelib_imports_without_jupyter_torch_or_a_server() -> None:
    done = run_python(IMPORT_ALL, ",".join(NOT_NEEDED_TO_IMPORT))
    assert done.returncode == 0, done.stderr


def test_facelib_does_not_load_what_it_can_do_without() -> None:
    done = run_python(IMPORT_ALL, "nothing")
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in done.stdout.strip().split(",")}
    assert sorted(loaded & {"dask", "duckdb", "fastapi", "ipywidgets", "jupyterlab", "papermill", "torch"}) == []


def test_the_versions_of_python_agree() -> None:
    requires = PYPROJECT["project"]["requires-python"]
    assert tuple(f"3.{minor}" for minor in range(30) if SpecifierSet(requires).contains(f"3.{minor}.0")) == PYTHONS
    named = [line.split(" :: ")[-1] for line in PYPROJECT["project"]["classifiers"] if "Python :: 3." in line]
    assert tuple(named) == PYTHONS
    first, last = (Version(python) for python in (PYTHONS[0], PYTHONS[-1]))
    assert f"(3, {first.minor}) <= sys.version_info < (3, {last.minor + 1})" in read("Makefile")
    assert f"--python-version {first}" in read("Makefile")
    assert PYPROJECT["tool"]["mypy"]["python_version"] == str(first)
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py3{first.minor}"
    (environment,) = PYPROJECT["tool"]["uv"]["environments"]
    assert environment.startswith(f"python_full_version < '3.{last.minor + 1}' and ")


def test_the_changelog_starts_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)
    assert next(version for version in versions if version != "Unreleased") == PYPROJECT["project"]["version"]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_every_target() -> None:
    said = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^\.PHONY: (.*)", read("Makefile"), re.MULTILINE)[0].split()
    assert [line.split()[1] for line in said.splitlines()] == targets
    assert {"run", "test", "lint", "bench", "lab", "lock", "clean"} <= set(targets)
    assert all(len(line.split()) > 3 for line in said.splitlines()), "each has its line of help"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("python", ["", "false", "/no/such/python"])
def test_set_up_with_a_python_that_will_not_do(tmp_path: Path, python: str) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "requirements-headless.lock"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "expected Python 3.11, 3.12 or 3.13" in done.stdout + done.stderr
    assert python in done.stdout + done.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_installed_package_brings_the_notebooks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    kinds = {".css", ".html", ".js", ".py", ".pyi"}
    sources = {file.relative_to(ROOT).as_posix() for file in (ROOT / "facelib").rglob("*") if file.suffix in kinds}
    assert sources <= names
    notebooks = {f"facelib/notebooks/{file.name}" for file in (ROOT / "notebooks").glob("*.ipynb")}
    assert notebooks and notebooks <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_ci_script_is_one_that_starts() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    made = " ".join(re.findall(r"^make (.+)", script.read_text(), re.MULTILINE))
    targets = ["train", "server", "scale", "lint", "docs", "test"]
    assert [word for word in made.split() if word.isalpha()] == targets
