"""Nothing leaves the machine: the pipeline runs behind a proxy that logs what is asked of it."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

VARIABLE = "ORT_DISABLE_TELEMETRY"
# By these onnxruntime takes itself to be in a test, or in CI.
ORT_EVIDENCE = ("ORT_RUNNING_UNIT_TESTS", "CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD")


class LoggingProxy:
    """Listens on the loopback interface, keeps the first line of each request, and answers none."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            with connection:
                connection.settimeout(120)
                try:
                    line = connection.recv(2000).split(b"\r\n")[0]
                except OSError as error:
                    line = repr(error).encode()
                self.requests.append(line.decode("ascii", "replace"))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def proxy() -> Iterator[LoggingProxy]:
    listening = LoggingProxy()
    yield listening
    listening.close()


def behind(proxy: LoggingProxy, home: Path) -> dict[str, str]:
    """Return the environment of a process behind the proxy, with a home of its own."""
    home.mkdir()
    taken = (VARIABLE, *ORT_EVIDENCE, "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "NO_PROXY", "no_proxy")
    environment = {name: value for name, value in os.environ.items() if name not in taken}
    environment["HOME"] = str(home)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        environment[name] = environment[name.lower()] = proxy.address
    return environment


@pytest.fixture
def run_behind_proxy(tmp_path, proxy):
    """Return a function that runs Python behind the proxy, with an empty home."""
    home = tmp_path / "home"
    environment = behind(proxy, home)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.home = home
    return run


LIBRARY = """
import time
import numpy as np
import facelib
facelib.load_detector().detect(np.zeros((64, 64, 3), np.uint8))
time.sleep(12)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The library at work in a process that lasts while another test runs: its proxy, its home, and the process."""
    home = tmp_path_factory.mktemp("library") / "home"
    listening = LoggingProxy()
    # onnxruntime's first report comes some 8 seconds after its import.
    with (home.parent / "said.txt").open("w") as said:
        running = subprocess.Popen(
            [sys.executable, "-c", LIBRARY], env=behind(listening, home), stdout=said, stderr=subprocess.STDOUT
        )
    yield listening, home, running
    running.wait()
    listening.close()


def foreign_files(home: Path) -> list[str]:
    """Return the files that onnxruntime made in the user's cache folder."""
    return [str(file) for file in home.rglob("*") if "Microsoft" in file.parts or "onnxruntime" in file.name]


def test_the_proxy_sees_requests_and_onnxruntime_would_leave_traces(run_behind_proxy, proxy):
    """What the other tests rest on."""
    asking = "import contextlib, urllib.request\nwith contextlib.suppress(OSError):\n    urllib.request.urlopen"
    run_behind_proxy("-c", f"{asking}('http://example.org/')")
    assert proxy.requests == ["GET http://example.org/ HTTP/1.1"]
    run_behind_proxy("-c", "import onnxruntime")
    assert foreign_files(run_behind_proxy.home), "this onnxruntime reports nothing: is this test still needed?"


@pytest.mark.kernel
@pytest.mark.usefixtures("library")  # so that nobody waits for it later
def test_the_command_line_and_its_kernels_ask_nobody(run_behind_proxy, proxy, copy_demo):
    project = copy_demo(run_behind_proxy.home.parent, 0.4)
    (project.videos / "demo_vfr.mp4").unlink()
    run_behind_proxy("-c", "from facelib.cli import main; main()", "run", "--project", "demo", "--steps", "1-5")
    assert proxy.requests == []
    assert foreign_files(run_behind_proxy.home) == []


def test_processes_started_by_the_library_inherit_it(run_behind_proxy):
    child = f"import os; print(os.environ['{VARIABLE}'])"
    parent = f"import subprocess, sys, facelib; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    assert run_behind_proxy("-c", parent).strip() == "1"


@pytest.mark.parametrize(
    ("program", "warned"),
    [
        ("import facelib; import onnxruntime", False),
        ("import onnxruntime; import facelib", True),
        (f"import os; os.environ['{VARIABLE}'] = '1'; import onnxruntime; import facelib", False),
        (f"import os; os.environ['{VARIABLE}'] = '0'; import facelib", False),
    ],
)
def test_an_onnxruntime_imported_before_is_told_and_said(program, warned, run_behind_proxy):
    said = run_behind_proxy(
        "-c", f"import sys; sys.stderr = sys.stdout\n{program}\nimport os; print(os.environ['{VARIABLE}'])"
    )
    assert said.endswith("1\n")
    assert ("expected facelib to be imported before onnxruntime" in said) is warned


@pytest.mark.realtime
def test_the_library_asks_nobody(library):
    listening, home, running = library
    assert running.wait() == 0, (home.parent / "said.txt").read_text()
    assert listening.requests == []
    assert foreign_files(home) == []
