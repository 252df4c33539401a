"""Which tests pytest collects, what they need, in which order they run, and which of them share a process."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent

# Two processes or more share the cores: libraries that start a thread a core would only get in each other's way.
VARIABLES = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
# Pages of 2 MB, which spare the networks of a film time, cost a tenth where hundreds of processes are forked.
VARIABLES["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=0"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.update(VARIABLES | os.environ)

# To make and remove a film's many files takes the kernel half as long where they lie in memory.
MEMORY, ROOM = "/dev/shm", 8e9  # and bytes; a run has up to three gigabytes at once
if os.path.ismount(MEMORY) and shutil.disk_usage(MEMORY).free >= ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)

# Containers often ask for no bytecode. Then each of the hundreds of processes that the tests start would compile all
# that it imports, which takes three times as long as the import itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell that starts the tests in the background lets them ignore Ctrl-C, and with them the processes that they start,
# some of which are tested for what they do then.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What the extras `train` and `server` bring; with `CI` set their absence is a failure.
collect_ignore = (
    []
    if find_spec("torch") or os.environ.get("CI")
    else ["facelib/train", "tests/train", "tests/notebooks/test_notebook_08.py"]
)
if not (find_spec("fastapi") or os.environ.get("CI")):
    collect_ignore += ["facelib/server", "tests/server"]

# What plays films at their own pace.
LIVE = (
    "tests/live/",
    "tests/widgets/test_live_view.py",
    "tests/notebooks/test_notebook_09.py",
    "tests/browser/test_live_notebook.py",
)
# What runs in one process beside the files. What mostly waits, for films that play, pages and kernels, leaves the cores
# to the other processes; films that play would disturb each other, and JupyterLab is loaded once. PyTorch's exporter
# takes four seconds to import, and an S3 server three to start.
TOGETHER = {
    "waiting": (*LIVE, "tests/browser/", "tests/notebooks/"),
    "training": ("tests/train/",),
    "storage": ("tests/archive/cluster/",),
}
# Marks by place.
PLACES = {
    "realtime": (*LIVE, "tests/server/jobs/", "tests/server/test_kills.py"),
    "kernel": ("tests/notebooks/",),
    "browser": ("tests/browser/",),
    "training": ("tests/train/", "facelib/train/"),
    "long": ("tests/archive/cluster/",),
}
# What the longest tests took when `make durations` last ran: the file says which bear the mark `long`, and which come
# first, so that no process works alone at the end.
DURATIONS = ROOT / "tests" / "durations.txt"
LONG = 0.3  # seconds
LONG_FIXTURES = {"filmed", "known_faces", "make_tuned_demo"}  # they take seconds, whichever test asks for them first
measured: Counter[str] = Counter()
FORKS = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests be timed for the next runs."""
    parser.addoption("--keep-durations", action="store_true", help=f"write what the tests took to {DURATIONS.name}")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out modules of the library without examples: to look for some in them, pytest would import them all."""
    if collection_path.suffix == ".py" and collection_path.is_relative_to(ROOT / "facelib"):
        return ">>>" not in collection_path.read_text(encoding="utf-8") or None
    return None


@pytest.hookimpl(tryfirst=True)  # before the option -m reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their place, and those that open a page or take long; put the longest files first."""
    took = _durations()
    for item in items:
        for mark in _marks(item.nodeid):
            item.add_marker(mark)
        fixtures = getattr(item, "fixturenames", [])
        if item.nodeid in took or not LONG_FIXTURES.isdisjoint(fixtures):
            item.add_marker("long")
        if "browser" in fixtures:
            item.add_marker("browser")
        shaky = any(item.get_closest_marker(mark) for mark in ("browser", "realtime"))
        if shaky and not item.get_closest_marker("flaky"):
            item.add_marker(pytest.mark.flaky(reruns=1))  # a busy machine may starve a browser; pytest shows why
        if item.get_closest_marker("kernel") and "kernel_server" not in fixtures:
            fixtures.insert(0, "kernel_server")  # before the fixtures of modules, which run notebooks as well
    parts: Counter[str] = Counter()
    for test, seconds in took.items():
        for part in {_part(test), _file(test)}:
            parts[part] += seconds

    def place(item: pytest.Item) -> tuple[float, str, float, str]:
        part, file = _part(item.nodeid), _file(item.nodeid)
        return -parts[part], part, -parts[file], file

    items.sort(key=place)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Spare the collector of garbage what is imported: to look through it takes a fifth of a second each time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    """Let each process begin with other tests: in a fresh clone, each then compiles its share of them for all."""
    report = yield
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", ""), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1 and isinstance(collector, pytest.Directory) and report.passed and report.result:
        paths = sorted({node.path for node in report.result})
        first = paths[len(paths) * (int(worker.removeprefix("gw")) % workers) // workers]
        report.result.sort(key=lambda node: node.path < first)
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what a test and its fixtures took; what ends with the session is no test's."""
    if report.when != "teardown":
        measured[report.nodeid] += report.duration


@pytest.hookimpl(trylast=True)  # when the processes of pytest-xdist have ended
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the durations where that is asked for; a part of the tests adds to what is known of the others."""
    if FORKS in session.config.stash:
        session.config.stash[FORKS].close()
    options = session.config.option
    if options.keep_durations and "PYTEST_XDIST_WORKER" not in os.environ:
        known = Counter(_durations() if options.markexpr else {}) | measured
        lines = [f"{seconds:.1f} {test}\n" for test, seconds in known.most_common() if seconds >= LONG]
        DURATIONS.write_text("".join(lines), encoding="utf-8")


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """Run half as many processes again as there are cores, for they wait two fifths of the time for others.

    No more than four, for each needs up to 2 GB.
    """
    return min(4, (os.cpu_count() or 1) * 3 // 2)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[Any]) -> None:
    """Fork the processes from one that has imported what the tests do, which takes ten seconds."""
    if sys.platform == "linux":
        from tests.forked import Forks

        config.stash[FORKS] = forks = Forks(VARIABLES, training="*/train" not in (config.option.ignore_glob or ()))
        for spec in specs:
            if spec.popen and not spec.python:
                spec.python = forks.python


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_configure_node(node: Any) -> None:
    """Tell a process where those that its tests start are forked from."""
    if FORKS in node.config.stash:
        node.workerinput["fork_server"] = node.config.stash[FORKS].address


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file in one process, for they share fixtures, and those of some files.

    All that need PostgreSQL run in one, so that it is set up once.
    """
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "postgresql" if "[postgresql" in nodeid else _part(nodeid)

    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much of the time was work, by all processes; the rest of what the cores had was waiting."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        spent = sum(os.times()[:4])
        terminalreporter.write_line(f"{spent:.0f} seconds of processor time on {os.cpu_count()} cores")


def _marks(nodeid: str) -> list[str]:
    return [mark for mark, places in PLACES.items() if nodeid.startswith(places)]


def _part(nodeid: str) -> str:
    """Return what runs in one process: the file of a test, or more than that."""
    return next((name for name, places in TOGETHER.items() if nodeid.startswith(places)), _file(nodeid))


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _durations() -> dict[str, float]:
    lines = DURATIONS.read_text(encoding="utf-8").splitlines() if DURATIONS.is_file() else []
    return {test: float(seconds) for seconds, test in (line.split(" ", 1) for line in lines)}
