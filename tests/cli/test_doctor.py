"""The doctor, on this environment and on ones that are broken on purpose."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from packaging.requirements import Requirement

from facelib.cli import checks
from facelib.cli.checks import Finding, check

LIBGL = 'raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")'


def install(folder: Path, name: str, version: str, *, installer: str = "pip") -> None:
    """Make a distribution look installed to this process, as far as its metadata goes."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "INSTALLER").write_text(f"{installer}\n")


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_this_environment_is_well(tmp_path: Path) -> None:
    findings = by_subject(check(data_dir=tmp_path / "data", output_dir=tmp_path / "output"))
    assert {subject: found for subject, found in findings.items() if found.ok is False} == {}
    dependencies = {
        Requirement(line).name for line in importlib.metadata.requires("facelib") or [] if "extra ==" not in line
    }
    assert dependencies <= findings.keys()
    assert findings["numpy"].found == importlib.metadata.version("numpy")
    assert findings["films"].found.endswith("with libx264 and AAC")
    assert "CPU" in findings["networks run on"].found
    assert {"Python", "import cv2", "networks in packages", "memory"} <= findings.keys()
    assert not (tmp_path / "data").exists(), "a check changes nothing"


def test_what_is_not_well_has_a_remedy_and_the_rest_has_none(tmp_path: Path) -> None:
    for finding in check(data_dir=tmp_path, output_dir=tmp_path):
        assert (finding.remedy == "") == (finding.ok is True), finding


@pytest.mark.parametrize(
    ("version", "right"),
    [("3.11.0", True), ("3.12.1", True), ("3.13.9", True), ("3.10.13", False), ("3.14.0", False), ("3.14.0rc1", False)],
)
def test_python(version: str, right: bool) -> None:
    finding = checks._judge_python(version, "on Linux")
    assert finding.ok is right
    assert finding.found.startswith(version)
    assert right or ">=3.11" in finding.remedy


def test_a_dependency_that_is_missing_or_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = checks._check_dependency(Requirement("no-such-package>=2"))
    assert (missing.ok, missing.found) == (False, "not installed")
    assert "'no-such-package>=2'" in missing.remedy
    install(tmp_path, "pooch", "0.1")
    monkeypatch.syspath_prepend(tmp_path)
    old = checks._check_dependency(Requirement("pooch>=1.8"))
    assert (old.ok, old.found) == (False, "0.1, expected >=1.8")


def test_the_reference_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: version("nobody" if name == "face_recognition" else name)
    )
    (found,) = [row for row in check(data_dir=tmp_path, output_dir=tmp_path) if "the reference" in row.subject]
    assert found.ok is None
    assert "tests and benchmarks" in found.found
    assert "install face_recognition" in found.remedy


def test_the_other_project_called_facelib_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "facelib", "1.2.0")
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = checks._check_dependencies()
    assert (found.subject, found.ok) == ("facelib", False)
    assert "1.2.0, which is another project" in found.found
    assert "uninstall --yes facelib" in found.remedy


def test_nothing_tells_a_user_to_install_the_other_project() -> None:
    root = Path(checks.__file__).parents[2]
    texts = [*root.glob("*.md"), *root.glob("Makefile"), *root.glob("docs/**/*.md"), *root.glob("notebooks/*.ipynb")]
    texts += root.glob("facelib/**/*.py")
    by_name = re.compile(r"pip3? install[^\n]*[ '\"]facelib(\[|[\s'\"`=<>]|$)")
    assert len(texts) > 100
    assert [path for path in texts if by_name.search(path.read_text(encoding="utf-8"))] == []


def test_one_opencv_stands_for_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "opencv-python-headless", "4.11.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    finding = checks._check_dependency(Requirement("opencv-python>=4.10,<5"))
    assert (finding.ok, finding.found) == (True, "opencv-python-headless 4.11.0 in its place")


@pytest.mark.parametrize(
    ("installed", "wrong"),
    [
        ([], []),
        (["opencv-python", "dlib-bin", "onnxruntime"], []),
        (["opencv-python", "opencv-python-headless"], ["module cv2"]),
        (["opencv-contrib-python", "opencv-python"], ["module cv2"]),
        (["dlib", "dlib-bin"], ["module dlib"]),
        (["onnxruntime", "onnxruntime-gpu", "dlib", "dlib-bin"], ["module dlib", "module onnxruntime"]),
    ],
)
def test_two_distributions_of_one_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: list[str], wrong: list[str]
) -> None:
    for name in installed:
        install(tmp_path, name, "4.5.6")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    findings = list(checks._check_modules())
    assert [finding.subject for finding in findings] == wrong
    assert all(finding.ok is False for finding in findings)


def test_of_two_onnxruntimes_the_one_for_the_gpu_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "onnxruntime", "1.2")
    install(tmp_path, "onnxruntime-gpu", "1.1")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    (finding,) = checks._check_modules()
    assert "'onnxruntime-gpu==1.1'" in finding.remedy


def test_the_several_names_of_condas_one_opencv_are_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "opencv-python", "4.10", installer="conda")
    install(tmp_path, "opencv-python-headless", "4.10", installer="conda")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert list(checks._check_modules()) == []


@pytest.mark.parametrize(
    ("source", "ok", "found", "remedy"),
    [
        ('__version__ = "4.12.0"', True, "4.12.0", ""),
        ('__version__ = "5.0.0"', False, "Haar", "opencv-python<5"),
        (LIBGL, False, "libGL.so.1", "opencv-python-headless=="),  # a server, a slim container
        ("import no_such_module", False, "no_such_module", "make clean setup"),
        ("import os; os._exit(7)", False, "exit 7", "make clean setup"),  # as a library built for another processor
    ],
)
def test_opencv_as_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, ok: bool, found: str, remedy: str
) -> None:
    (tmp_path / "cv2.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (finding,) = checks._check_opencv()
    assert finding.ok is ok
    assert found in finding.found
    assert remedy in finding.remedy


def test_a_broken_opencv_is_reported_and_not_met(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text(LIBGL)
    program = "from facelib.cli.checks import check\nfor f in check(): print(f.ok, f.subject, f.found, sep='|')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert [subject for ok, subject, found in rows if ok == "False" and "not checked" not in found] == [
        "import cv2",
        "networks in packages",  # the cascade of Haar lies beside the real module
    ]
    assert "memory" in [subject for _, subject, _ in rows], "the checks after it still run"


def test_damaged_and_missing_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mobilefacenet.onnx").write_bytes(b"not a network")
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path))
    findings = by_subject(list(checks._check_weights()))
    assert findings["networks in packages"].ok is True
    damaged = findings["network mobilefacenet"]
    assert damaged.ok is False
    assert "mobilefacenet.onnx" in damaged.found
    assert "delete the file" in damaged.remedy


@pytest.mark.parametrize(
    ("present", "ok", "found"),
    [
        ([True, True], True, "dlib, mtcnn"),
        ([True, False], False, "dlib; missing: mtcnn"),
        ([False, False], False, "none; missing: dlib, mtcnn"),
    ],
)
def test_networks_of_packages(present: list[bool], ok: bool, found: str) -> None:
    rows = {"name": ["dlib", "mtcnn", "yunet"], "present": [*present, False], "note": "", "url": ""}
    packaged, further = checks._judge_weights(pd.DataFrame(rows), {"dlib", "mtcnn"})
    assert (packaged.ok, packaged.found) == (ok, found)
    assert further.ok is True


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    there, missing, wrong, full = (
        checks._check_folder("results", folder, needed=needed, remedy="do this")
        for folder, needed in [
            (tmp_path, 1),
            (tmp_path / "a" / "b", 1),  # made at the first run
            (tmp_path / "file" / "b", 1),  # cannot be made: a file is in the way
            (tmp_path, 2**62),  # too little space
        ]
    )
    assert (there.ok, there.remedy) == (True, "")
    assert missing.ok is True
    assert missing.found.endswith("not made yet")
    assert (wrong.ok, wrong.remedy) == (False, "do this")
    assert (full.ok, full.remedy) == (None, "do this")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"], "nothing stays of the trial"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder in which nobody may write is needed, as /proc")
def test_a_folder_that_cannot_be_written() -> None:
    finding = checks._check_folder("results", Path("/proc"), remedy="do this")
    assert finding.ok is False
    assert "/proc, which cannot be written" in finding.found


def test_memory_is_that_of_the_machine_or_less() -> None:
    memory = checks._memory()
    assert memory is not None
    assert 2**27 < memory <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
