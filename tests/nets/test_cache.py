import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from facelib.nets.cache import cache_folder, converted, folders
from facelib.nets.graph import Graph
from facelib.project.digests import sha256_of
from tests.waiting import PATIENCE


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("FACELIB_MODELS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return folder


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "weights.dat"
    path.write_bytes(b"2.5")
    return path


class Builder:
    """Makes a network that multiplies by the number in the source, and counts how often it was asked to."""

    def __init__(self):
        self.calls = 0

    def __call__(self, content: bytes) -> onnx.ModelProto:
        self.calls += 1
        graph = Graph("times", "x", ("n",))
        graph.add("Mul", graph.input, graph.constant(float(content)), output="y")
        return graph.model({"y": ("n",)}, {"kind": "times"})


def times(path: Path, value: float) -> float:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return float(session.run(None, {"x": np.array([value], np.float32)})[0][0])


@pytest.mark.parametrize(("named", "inside"), [("", False), ("   ", False), ("/some/folder", True)])
def test_the_environment_names_the_folder_or_else_it_is_the_users_cache(named, inside, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", named)
    assert (cache_folder() == Path("/some/folder")) is inside
    assert cache_folder().is_absolute()


def test_without_the_variable_the_folder_is_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("FACELIB_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder().name == "facelib"


@pytest.mark.parametrize(
    ("content", "digest"),  # the examples of FIPS 180-4
    [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ],
)
def test_sha256_of_a_file(content, digest, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sha256_of(path) == digest


def test_a_network_is_built_once_and_is_plain_onnx(cache, source):
    build = Builder()
    path = converted(source, "times", build)
    assert path == cache / f"times-{sha256_of(source)[:16]}.onnx"
    assert converted(source, "times", build) == path
    assert build.calls == 1
    onnx.checker.check_model(str(path), full_check=True)
    assert times(path, 2.0) == 5.0
    assert [file.name for file in cache.iterdir()] == [path.name]


def test_another_source_or_name_is_another_network(cache, source):
    first = converted(source, "times", Builder())
    renamed = converted(source, "times-2", Builder())
    source.write_bytes(b"4")
    second = converted(source, "times", Builder())
    assert len({first, renamed, second}) == 3
    assert (times(first, 1.0), times(second, 1.0)) == (2.5, 4.0)


def damaged_versions(content: bytes) -> dict[str, bytes]:
    middle = len(content) // 2
    return {
        "empty": b"",
        "one byte": content[:1],
        "half of it": content[:middle],
        "all but the last byte": content[:-1],
        "the seal cut off": content[: -len(content) // 3],
        "one bit turned": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "zeros at the end": content[:-100] + bytes(100),
        "something added": content + b"x",
        "a text": "keine Gewichte, nur Text äöü".encode(),
    }


@pytest.mark.parametrize("damage", list(damaged_versions(b"content of a network")))
def test_a_damaged_file_is_noticed_and_built_again(damage, cache, source, caplog):
    build = Builder()
    path = converted(source, "times", build)
    whole = path.read_bytes()
    path.write_bytes(damaged_versions(whole)[damage])
    assert converted(source, "times", build).read_bytes() == whole
    assert build.calls == 2
    assert "damaged" in caplog.text


def test_a_missing_source_is_an_error(cache, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no-such\.dat"):
        converted(tmp_path / "no-such.dat", "times", Builder())


def test_a_refused_source_leaves_nothing_behind(cache, source):
    source.write_bytes(b"no number")
    with pytest.raises(ValueError, match="could not convert"):
        converted(source, "times", Builder())
    assert not cache.exists() or not list(cache.iterdir())


@pytest.fixture
def blocked(tmp_path):
    """A folder that nobody can make, not even root."""
    (tmp_path / "file").write_text("a file where a folder should be")
    return tmp_path / "file" / "cache"


def test_where_the_named_folder_cannot_be_written_the_users_cache_serves(blocked, cache, source, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(blocked))
    build = Builder()
    path = converted(source, "times", build)
    assert times(path, 2.0) == 5.0
    assert path.parent == folders()[1]
    assert converted(source, "times", build) == path
    assert build.calls == 1


def test_where_no_folder_can_be_written_the_remedy_is_named(blocked, source, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(blocked))
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    with pytest.raises(OSError, match=r"could not write it to .*; nor to .*FACELIB_MODELS"):
        converted(source, "times", Builder())


CONVERT = "from facelib.nets.dlib import embedding_network; print(embedding_network())"


def start(cache: Path, code: str = CONVERT) -> "subprocess.Popen[str]":
    environment = {**os.environ, "FACELIB_MODELS": str(cache), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_that_start_at_once_all_get_a_whole_network(cache, tmp_path):
    sign = tmp_path / "go"
    code = f"""
import pathlib, time
from facelib.nets.dlib import embedding_network
print("ready", flush=True)
while not pathlib.Path({str(sign)!r}).exists():
    time.sleep(0.001)
print(embedding_network())
"""
    processes = [start(cache, code) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    sign.touch()
    answers = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    assert len({out for out, _ in answers}) == 1
    (path,) = cache.iterdir()  # one file, and nothing temporary beside it
    assert answers[0][0].strip() == str(path)
    onnx.checker.check_model(str(path))


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are set the POSIX way")
def test_a_full_disk_is_told_and_leaves_no_half_file(cache):
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000)); "
    process = start(cache, limit + CONVERT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "FACELIB_MODELS" in said.splitlines()[-1]
    assert list(cache.iterdir()) == []
