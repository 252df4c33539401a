"""What is installed, what is there, and what is wrong with the set-up, each with what to do about it.

Nothing that the checks are about is imported at the top, so that a broken OpenCV, say, is reported and not met.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    import pandas as pd

# Distributions that carry the same module, so that one may stand for the other and two destroy each other.
_SAME_MODULE = {
    "cv2": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
    "dlib": ("dlib-bin", "dlib"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
}
_DECODERS = ("h264", "hevc", "vp9", "aac", "mp3")
_GIB = 2**30
_PIP = f"{sys.executable} -m pip"
_INSTALL = "run 'make clean setup', or 'pip install -e .' in the checkout"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        subject: What was looked at, in a few words.
        ok: True when it is as it should be, False when something will fail, None when facelib
            works without it or with it less well.
        found: What is there.
        remedy: What to do about it; empty when there is nothing to do.
    """

    subject: str
    ok: bool | None
    found: str
    remedy: str = ""


def check(*, data_dir: str | Path = "data", output_dir: str | Path = "output") -> list[Finding]:
    """Look at everything that facelib needs; takes a second or two and changes nothing."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _check_python,
        _check_dependencies,
        _check_reference,
        _check_modules,
        _check_opencv,
        _check_providers,
        _check_weights,
        _check_codecs,
        _check_cache,
        lambda: _check_folders(Path(data_dir), Path(output_dir)),
        _check_memory,
    )
    return [finding for check_one in checks for finding in _guarded(check_one)]


def _guarded(check_one: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Give a check's findings; a package that is missing or cannot be loaded is one more finding."""
    try:
        yield from check_one()
    except ImportError as error:
        subject = check_one.__name__.removeprefix("_check_").strip("<>")
        yield Finding(subject, False, f"not checked: {error}", "solve the problems above this line first")


def _check_python() -> Iterator[Finding]:
    machine = f"on {platform.system()} {platform.release()}, {platform.machine()}"
    yield _judge_python(platform.python_version(), machine)


def _judge_python(version: str, machine: str) -> Finding:
    try:
        wanted = importlib.metadata.metadata("facelib")["Requires-Python"]
    except (importlib.metadata.PackageNotFoundError, KeyError):
        wanted = ""  # the check of the dependencies reports that facelib is not installed
    right = SpecifierSet(wanted).contains(version, prereleases=True)
    remedy = "" if right else f"make the environment again with a Python {wanted}: make clean setup PYTHON=..."
    return Finding("Python", right, f"{version} {machine}", remedy)


def _check_dependencies() -> Iterator[Finding]:
    try:
        installed = importlib.metadata.distribution("facelib")
    except importlib.metadata.PackageNotFoundError:
        yield Finding("facelib", False, "not installed", _INSTALL)
        return
    if not any(entry.value == "facelib.cli:main" for entry in installed.entry_points):
        found = f"{installed.version}, which is another project: PyPI has one of this name"
        yield Finding("facelib", False, found, f"{_PIP} uninstall --yes facelib, and then {_INSTALL}")
        return
    lines = installed.requires or []
    for requirement in map(Requirement, lines):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _check_dependency(requirement)


def _check_dependency(requirement: Requirement) -> Finding:
    name = canonicalize_name(requirement.name)
    for stand_in in next((same for same in _SAME_MODULE.values() if name in same), (name,)):
        version = _version(stand_in)
        if version is not None:
            right = requirement.specifier.contains(version, prereleases=True)
            found = version if stand_in == name else f"{stand_in} {version} in its place"
            wrong = f"{found}, expected {requirement.specifier}"
            return Finding(requirement.name, right, found if right else wrong, "" if right else _reinstall(requirement))
    return Finding(requirement.name, False, "not installed", _reinstall(requirement))


def _reinstall(requirement: Requirement) -> str:
    return (
        f"run 'make clean setup', or install it: {_PIP} install --no-deps '{requirement.name}{requirement.specifier}'"
    )


def _check_reference() -> Iterator[Finding]:
    version = _version("face_recognition")
    yield Finding(
        "face_recognition, the reference",
        None if version is None else True,
        version or "not installed; only facelib's own tests and benchmarks compare with it",
        f"in a checkout 'make setup' brings it; {_PIP} install face_recognition 'setuptools<81' compiles dlib for it"
        if version is None
        else "",
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _check_modules() -> Iterator[Finding]:
    """Tell of distributions that unpack into one folder: the later one overwrites, and removing one removes both."""
    for module, distributions in _SAME_MODULE.items():
        # conda-forge's one OpenCV answers to several of the names; it is conda that keeps those apart.
        there = [name for name in distributions if _version(name) and not _from_conda(name)]
        if len(there) > 1:
            keep = next((name for name in there if name.endswith("-gpu")), there[0])
            yield Finding(
                f"module {module}",
                False,
                f"{' and '.join(there)}, which write over each other",
                f"{_PIP} uninstall --yes {' '.join(there)} and then "
                f"{_PIP} install --no-deps '{keep}=={_version(keep)}'",
            )


def _from_conda(distribution: str) -> bool:
    installer = importlib.metadata.distribution(distribution).read_text("INSTALLER") or ""
    return installer.strip() == "conda"


def _check_opencv() -> Iterator[Finding]:
    # In a process of its own: a library that is missing or does not fit can take the whole process with it.
    trial = subprocess.run(
        [sys.executable, "-c", "import cv2; print(cv2.__version__)"], capture_output=True, text=True, check=False
    )
    said = (trial.stdout if trial.returncode == 0 else trial.stderr).strip().splitlines() or [
        f"exit {trial.returncode}"
    ]
    yield _judge_opencv(trial.returncode == 0, said[-1])


def _judge_opencv(imported: bool, said: str) -> Finding:
    """Turn what `import cv2` said, a version or the last line of its error, into a finding."""
    if imported and int(said.split(".")[0]) < 5:
        return Finding("import cv2", True, said)
    if imported:
        return Finding(
            "import cv2", False, f"{said}, which lacks the Haar detector", f"{_PIP} install 'opencv-python<5'"
        )
    if "cannot open shared object file" in said:
        headless = f"opencv-python-headless=={_version('opencv-python') or '4.*'}"
        remedy = (
            f"on a desktop: apt install libgl1 libglib2.0-0; on a server: {_PIP} uninstall --yes opencv-python "
            f"and then {_PIP} install --no-deps '{headless}'"
        )
        return Finding("import cv2", False, said, remedy)
    return Finding(
        "import cv2", False, said, f"run 'make clean setup', or install it: {_PIP} install 'opencv-python<5'"
    )


def _check_providers() -> Iterator[Finding]:
    from facelib.nets.runtime import available_providers

    providers = available_providers()
    card = bool(shutil.which("nvidia-smi")) or Path("/dev/nvidia0").exists()
    unused = card and "CUDA" not in providers
    yield Finding(
        "networks run on",
        None if unused else True,
        " or ".join(providers) + (", although an NVIDIA card is here" if unused else ""),
        f"{_PIP} uninstall --yes onnxruntime and then "
        f"{_PIP} install 'onnxruntime-gpu[cuda,cudnn]=={_version('onnxruntime')}'"
        if unused
        else "",
    )


def _check_weights() -> Iterator[Finding]:
    from facelib.nets.catalogue import weights_table
    from facelib.nets.weights import built_in

    yield from _judge_weights(weights_table(), {weights.name for weights, _ in built_in()})


def _judge_weights(table: pd.DataFrame, packaged: set[str]) -> Iterator[Finding]:
    """Tell of weights that installed packages should carry, and of further ones that are there but damaged."""
    of_packages = table["name"].isin(packaged)
    lacking = table[of_packages & ~table["present"]]
    there = ", ".join(table["name"][of_packages & table["present"]]) or "none"
    found = there if lacking.empty else f"{there}; missing: {', '.join(lacking['name'])}"
    remedy = "" if lacking.empty else "run 'make clean setup', or install face_recognition_models and mtcnn again"
    yield Finding("networks in packages", bool(lacking.empty), found, remedy)

    further = table[~of_packages]
    yield Finding("further networks", True, ", ".join(further["name"][further["present"]]) or "none ('facelib models')")
    for _, row in further[further["note"].str.contains(" is not it: ")].iterrows():
        yield Finding(f"network {row['name']}", False, row["note"], f"delete the file, and fetch {row['url']} again")


def _check_codecs() -> Iterator[Finding]:
    import av
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    def there(name: str, mode: Literal["r", "w"]) -> bool:
        try:
            Codec(name, mode)
        except UnknownCodecError:
            return False
        return True

    missing = [f"decoder {name}" for name in _DECODERS if not there(name, "r")]
    missing += [f"encoder {name}" for name in ("libx264", "aac") if not there(name, "w")]
    yield Finding(
        "films",
        not missing,
        f"PyAV {av.__version__}" + (f" without {', '.join(missing)}" if missing else ", with libx264 and AAC"),
        f"install the ready-built PyAV: {_PIP} install --force-reinstall --only-binary av av" if missing else "",
    )


def _check_cache() -> Iterator[Finding]:
    from facelib.nets.cache import MODELS_VARIABLE, cache_folder

    remedy = f"set the environment variable {MODELS_VARIABLE} to a folder that can be written"
    yield _check_folder("networks are kept in", cache_folder(), needed=_GIB // 2, remedy=remedy)


def _check_folders(data_dir: Path, output_dir: Path) -> Iterator[Finding]:
    yield _check_folder("projects' data", data_dir, remedy="make it writable, or name another folder with --data-dir")
    remedy = "make it writable and free some space, or name another folder with --output-dir"
    yield _check_folder("results", output_dir, needed=2 * _GIB, remedy=remedy)


def _check_folder(subject: str, folder: Path, *, needed: int = 0, remedy: str) -> Finding:
    """Try to write to a folder, or where it would be made; less than `needed` bytes free is a warning."""
    folder = folder.absolute()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        # The permission bits say little: for root, on read-only disks, and in containers.
        with tempfile.TemporaryFile(dir=there):
            pass
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(subject, False, f"{folder}, which cannot be written: {error.strerror}", remedy)
    found = f"{folder}, {free / _GIB:.1f} GiB free" + ("" if there == folder else ", not made yet")
    return Finding(subject, True if free >= needed else None, found, "" if free >= needed else remedy)


def _check_memory() -> Iterator[Finding]:
    total = _memory()
    if total is None:
        yield Finding("memory", None, "unknown on this system", "have at least 4 GiB")
        return
    enough = total >= 3.5 * _GIB  # what a machine of 4 GiB leaves
    remedy = "" if enough else "close other programs, or use a machine with 4 GiB or more"
    yield Finding("memory", True if enough else None, f"{total / _GIB:.1f} GiB, {os.cpu_count()} cores", remedy)


def _memory() -> int | None:
    """Return the bytes of memory that this process may use: of the machine, or of its container."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdecimal() else total
