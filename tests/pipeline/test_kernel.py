"""The kernels of a run: each a process of its own, forked with the library already there where several are needed."""

from __future__ import annotations

import ast
import asyncio
import json
import platform
import select
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from facelib.pipeline import run_pipeline
from facelib.pipeline.kernel import Kernels, ThisPython
from facelib.pipeline.modules import KERNEL, LIBRARY, REPORT
from facelib.pipeline.notebooks import find_notebooks
from facelib.project import Project
from facelib.project.fork_server import ForkServer, forked
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

LOOK = """
import builtins, json, os, sys
environment = {name: value for name, value in os.environ.items() if name != "JPY_SESSION_NAME"}
seen = {"process": os.getpid(), "loaded": "colorsys" in sys.modules, "left": hasattr(builtins, "left"),
        "here": os.getcwd(), "path": sys.path, "environment": environment}
builtins.left = True
with open(out, "a") as file:
    print(json.dumps(seen), file=file)
"""


@pytest.fixture
def look(make_notebook, tmp_path):
    """Return a function that runs notebooks that look around; it returns what they saw."""
    project = Project("demo", tmp_path / "data", tmp_path / "output")
    (project.people / "Ann").mkdir(parents=True)
    parameters = 'project: str = ""\ndata_dir: str = ""\noutput_dir: str = ""\nout: str = ""'
    for number in (11, 12):
        make_notebook(tmp_path / "nb" / f"{number}_look.ipynb", parameters, LOOK)

    def run(steps, kernels):
        given = {"notebooks": tmp_path / "nb", "parameters": {"out": str(tmp_path / "out")}}
        assert {step.state for step in run_pipeline(project, steps=steps, **given, kernels=kernels)} == {"done"}
        return [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()][-len(steps) :]

    return run


@pytest.fixture
def small(monkeypatch):
    """Let the processes that fork kernels import one small module beside the kernel's own."""
    modules = ["ipykernel.kernelapp", "colorsys", "no_such_module"]
    monkeypatch.setattr("facelib.pipeline.kernel.ForkServer", lambda _: ForkServer(modules))


@pytest.mark.kernel
def test_a_forked_kernel_has_the_library_and_nothing_of_another_notebook(small, look):
    with Kernels() as kernels:
        seen = look([11, 12], kernels)
    seen += look([11, 12], Kernels(forks=False))
    assert [one.pop("loaded") for one in seen] == [True, True, False, False]
    assert len({one.pop("process") for one in seen}) == 4
    assert all(one == seen[0] for one in seen) and seen[0]["left"] is False


def test_they_are_forked_where_more_than_one_is_needed(small):
    before = {*psutil.Process().children()}
    with Kernels() as kernels:
        assert kernels.manager(left=1) is ThisPython
        address = Path(kernels.manager(left=2).server)
        assert address.is_socket() and kernels.manager(left=1).server == str(address)
        (server,) = {*psutil.Process().children()} - before
    assert not server.is_running() and not address.parent.exists()
    with Kernels() as kernels:
        kernels.later = 1
        assert kernels.manager(left=1) is not ThisPython
    with Kernels(forks=False) as kernels:
        assert kernels.manager(left=7) is ThisPython


@pytest.mark.kernel
def test_a_kernel_starts_by_itself_where_that_process_was_killed(small, look):
    with Kernels() as kernels:
        before = {*psutil.Process().children()}
        assert kernels.manager(left=2).server
        (server,) = {*psutil.Process().children()} - before
        server.kill()
        (seen,) = look([11], kernels)
    assert seen["loaded"] is False


@pytest.mark.kernel
def test_a_kernel_that_is_interrupted_between_two_cells_does_not_run_the_next(tmp_path):
    async def stop_before(cell):
        kernel = ThisPython()
        await kernel.start_kernel()
        client = kernel.client()
        client.start_channels()
        await client.wait_for_ready()
        (process,) = {*psutil.Process().children()} - before
        await kernel.interrupt_kernel()
        client.execute(cell)
        await asyncio.to_thread(process.wait, PATIENCE)
        client.stop_channels()
        await kernel.shutdown_kernel()

    before = {*psutil.Process().children()}
    cell = f"open({str(tmp_path / 'ran')!r}, 'w').close(); import time; time.sleep(1000)"
    with ThreadPoolExecutor(1) as pool:  # Playwright's event loop may run in the thread of the tests
        pool.submit(asyncio.run, stop_before(cell)).result()
    assert list(tmp_path.iterdir()) == []


def test_where_no_socket_can_be_made_each_starts_by_itself(monkeypatch, tmp_path):
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with pytest.raises(OSError, match="expected a shorter name"):
        ForkServer(LIBRARY)
    assert list(long.iterdir()) == []
    with Kernels() as kernels:
        assert kernels.manager(left=2) is ThisPython


def test_what_is_imported_for_kernels_says_nothing_on_the_terminal(capfd, tmp_path, monkeypatch):
    (tmp_path / "nothing.py").write_text("def main(): pass\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run_forked(KERNEL, "nothing")  # it imports first
    assert capfd.readouterr() == ("", "")


def test_it_imports_no_further_once_it_is_no_longer_needed(tmp_path, monkeypatch):
    (tmp_path / "first.py").write_text(
        f"import pathlib, time\npathlib.Path({str(tmp_path / 'begun')!r}).touch()\n"
        f"while not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.01)\n"
    )
    (tmp_path / "second.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = ForkServer(["first", "second"])
    wait_until((tmp_path / "begun").exists)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(server.close)
        wait_until(lambda: server._process.stdin.closed)
        (tmp_path / "go").touch()
        ended.result()
    assert not (tmp_path / "imported").exists() and not Path(server.address).parent.exists()


def run_forked(ready, program, timeout=PATIENCE):
    """Run a program forked from a process that has made ready; return what it says."""
    server = ForkServer(ready)
    try:
        return subprocess.run(forked(server.address, program), capture_output=True, text=True, timeout=timeout)
    finally:
        server.close()


def test_what_imports_add_to_the_environment_reaches_a_process_that_asks_for_its_own(tmp_path, monkeypatch):
    # OpenCV tells Qt in this way where its windows' plugin lies.
    (tmp_path / "telling.py").write_text(
        "import os\nos.environ['TOLD'] = 'by an import'\nos.environ['MINE'] = 'not so'\n"
    )
    (tmp_path / "asking.py").write_text("import os\ndef main(): print(os.environ['TOLD'], os.environ['MINE'])\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("MINE", "my own")
    told = run_forked(["telling", "asking"], "asking")
    assert (told.stdout, told.stderr) == ("by an import my own\n", "")


@pytest.mark.parametrize(("own", "huge"), [(None, True), ("glibc.malloc.hugetlb=0", False)])
def test_large_arrays_lie_in_huge_pages_unless_the_user_says_otherwise(tmp_path, monkeypatch, own, huge):
    chosen = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    library, version = platform.libc_ver()
    if not chosen.is_file() or "[madvise]" not in chosen.read_text() or library != "glibc" or version < "2.35":
        pytest.skip("this system does not give them to who asks")
    (tmp_path / "filling.py").write_text(
        "def main():\n    kept = b'.' * (64 << 20)\n    told = open('/proc/self/smaps_rollup').read()\n"
        "    print(told.split('AnonHugePages:')[1].split()[0])\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if own is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", own)
    told = run_forked(["filling"], "filling", timeout=60)
    assert (int(told.stdout) > 32_000) is huge


@pytest.mark.parametrize(("own", "allocator"), [(None, "system"), ("mimalloc", "mimalloc")])
def test_arrow_takes_its_memory_from_the_system_unless_the_user_says_otherwise(tmp_path, monkeypatch, own, allocator):
    (tmp_path / "asking.py").write_text(
        "import pyarrow\ndef main(): print(pyarrow.default_memory_pool().backend_name)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL", raising=False)
    if own is not None:
        monkeypatch.setenv("ARROW_DEFAULT_MEMORY_POOL", own)
    told = run_forked(["asking"], "asking")
    assert told.stdout == f"{allocator}\n"


def test_what_is_made_beforehand_is_there_and_rubbish_is_collected(tmp_path, monkeypatch):
    (tmp_path / "making.py").write_text(
        "import gc\nmade = []\ndef make(): made.append(1)\ndef main(): print(made, gc.isenabled())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = run_forked(["making:make", "making:missing", "missing:make"], "making")
    assert (told.stdout, told.stderr) == ("[1] True\n", "")


def test_a_folder_that_an_import_has_made_for_a_while_is_there_for_all(tmp_path, monkeypatch):
    made = tmp_path / "made"
    (tmp_path / "making.py").write_text(
        f"import atexit, os, shutil\nos.mkdir({str(made)!r})\natexit.register(shutil.rmtree, {str(made)!r})\n"
        f"def main(): print(os.path.isdir({str(made)!r}))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = ForkServer(["making"])
    try:
        told = [
            subprocess.run(forked(server.address, "making"), capture_output=True, text=True, timeout=PATIENCE)
            for _ in range(2)
        ]
    finally:
        server.close()
    assert [(one.stdout, one.stderr) for one in told] == [("True\n", "")] * 2
    assert not made.exists()


def test_a_process_that_is_interrupted_before_its_program_begins_says_nothing(tmp_path, monkeypatch):
    (tmp_path / "slow.py").write_text("import time\nprint('begins', flush=True)\ntime.sleep(60)\n")
    (tmp_path / "quick.py").write_text("import signal\ndef main(): signal.raise_signal(signal.SIGINT)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = ForkServer(["json"])
    try:
        told = subprocess.run(forked(server.address, "quick"), capture_output=True, text=True, timeout=PATIENCE)
        stand_in = subprocess.Popen(forked(server.address, "slow"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert stand_in.stdout.readline() == b"begins\n"
        stand_in.send_signal(signal.SIGINT)
        _, said = stand_in.communicate(timeout=PATIENCE)
    finally:
        server.close()
    assert (said, stand_in.returncode) == (b"", 128 + signal.SIGINT)
    assert "KeyboardInterrupt" in told.stderr  # as in any Python program


@pytest.fixture
def stand_in():
    """Yield a process that stands for one which a server has been asked to fork, and the server's end of it."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/at")
        listener.listen()
        process = subprocess.Popen(forked(f"{folder}/at", "none"), stderr=subprocess.PIPE)
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as request:
            request.readline()
            yield process, connection


def test_a_signal_that_comes_when_the_process_has_ended_is_no_error(stand_in):
    process, connection = stand_in
    process.send_signal(signal.SIGSTOP)
    connection.sendall(bytes([3]))
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (3, b"")


def test_a_process_that_ends_without_having_seen_a_signal_is_no_error(stand_in):
    process, connection = stand_in
    process.send_signal(signal.SIGINT)
    assert select.select([connection], [], [], PATIENCE)[0]
    connection.shutdown(socket.SHUT_RDWR)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (1, b"")


@pytest.mark.parametrize("name", (*LIBRARY, REPORT))
def test_what_is_imported_or_called_beforehand_exists(name):
    module, _, function = name.partition(":")
    assert find_spec(module) is not None
    assert not function or callable(getattr(import_module(module), function))


IMPORT = """
import importlib, json, sys
beforehand, notebooks = json.load(sys.stdin)
for name in beforehand:
    importlib.import_module(name)
before = set(sys.modules)
for line in notebooks:
    exec(line)
print(sorted(set(sys.modules) - before))
"""


def test_all_that_the_main_notebooks_import_is_imported_beforehand():
    code = [
        ast.parse("".join(cell["source"]))
        for notebook in find_notebooks(None, range(1, 8))
        for cell in json.loads(notebook.source.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    lines = [ast.unparse(line) for cell in code for line in cell.body if isinstance(line, ast.Import | ast.ImportFrom)]
    assert len(lines) > 50
    given = json.dumps([LIBRARY, lines])
    assert subprocess.check_output([sys.executable, "-c", IMPORT], input=given, text=True) == "[]\n"
