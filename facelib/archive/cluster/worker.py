"""What a Dask worker does for a film: watch over the process that indexes it, and say how it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

from facelib.archive.cluster.task import IndexTask, add_attempt, is_stored, set_aside
from facelib.project.processes import memory_settings
from facelib.project.store import Store

_THREADS = {
    name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
}
"""A thread of Dask is a core, and a film takes one: two films at once are indexed sooner than one on two cores."""


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
    process = subprocess.Popen(
        [sys.executable, "-m", "facelib.archive.cluster.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | _THREADS | memory_settings(),
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


def _how(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
