"""What a Dask worker does for a film: watch over the process that indexes it, and say how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import Any

from facelib.archive.cluster.task import IndexTask, add_attempt, is_stored, set_aside
from facelib.project.fork_server import ForkServer, forked
from facelib.project.processes import memory_settings
from facelib.project.store import Store

_CHILD = "facelib.archive.cluster.child"
_MODULES = (
    _CHILD,
    "facelib.detect.centerface",
    "facelib.detect.landmarks",
    "facelib.detect.mtcnn",
    "facelib.embed.embedders",
    "facelib.films.index",
    "psutil",
)
"""What the process of a film imports, which takes a second and a half."""
_THREADS = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
}
"""A thread of Dask is a core, and a film takes one: two films at once are indexed sooner than one on two cores."""
_STARTING = threading.Lock()  # for two threads of Dask


def index_on_worker(task: dict[str, Any]) -> str:
    """Index a film in a process of its own; its tables are in the store afterwards.

    A process that dies is an attempt of its film, and the film is tried again until there are too many: neither the
    worker nor another film suffers from it. An error that Python reports would come again and is the film's problem.

    Returns:
        The film's problem; empty when its tables are in the store.

    Raises:
        OSError: When the store cannot be reached.
    """
    asked = IndexTask(**task)
    store, key = Store(asked.store), asked.key
    while True:
        if is_stored(store, key):
            return ""
        reason = set_aside(store, key)
        if reason:
            return reason
        told = _in_a_process(task, _memory())
        if "died" not in told:
            return str(told["problem"])
        add_attempt(store, key, told["died"])


def _memory() -> int:
    """Return how many bytes one film may take of this worker's memory; 0 for no limit."""
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # called without Dask
        return 0
    return int((worker.memory_manager.memory_limit or 0) / worker.state.nthreads)


def _in_a_process(task: dict[str, Any], memory: int) -> dict[str, str]:
    with _STARTING:
        forks = _forks()
    process = subprocess.Popen(
        forked(forks.address, _CHILD) if forks else [sys.executable, "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(),
    )
    with process:
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError):  # when it has died, its end says so
            process.stdin.write(json.dumps({"task": task, "memory": memory}) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
        with suppress(OSError):
            process.stdin.close()
    try:
        told: dict[str, str] = json.loads(line)
        return told
    except ValueError:
        return {"died": _how(process.returncode)}


@cache
def _forks() -> ForkServer | None:
    """Return the process from which those of films are forked, which ends with this one; None where there is none."""
    with suppress(OSError):
        return ForkServer(_MODULES, _environment()) if sys.platform == "linux" else None
    return None


def _environment() -> dict[str, str]:
    return os.environ | _THREADS | memory_settings()


def _how(code: int) -> str:
    number = code - 128 if code > 128 else -code  # what stands for a forked process ends as a shell would
    if number <= 0:
        return f"its process ended with code {code}"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
