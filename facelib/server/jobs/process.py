"""The processes of jobs, seen from the server: started, listened to, and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import IO, Any

import psutil

from facelib.pipeline.modules import KERNEL, LIBRARY, REPORT
from facelib.project.fork_server import ForkServer, forked

_CHILD = "facelib.server.jobs.child"
_JOB = (_CHILD, "facelib.pipeline.run", "facelib.server.settings", *KERNEL, REPORT)
"""What the process of a job and a kernel need, whatever the notebooks are."""
_REST = 600.0  # seconds without a job after which the process that forks them ends
_END = 45.0  # seconds that a process is given to clean up after itself, and its kernel before that


class JobProcesses:
    """Starts the processes of jobs, and has their kernels started, without waiting for what they import.

    On Linux they are forked from one process. It is started for the first job, and again where it has ended; it ends
    when there was no job for ten minutes, and with this process. Elsewhere each starts by itself.

    Args:
        own_notebooks: Whether the notebooks are not facelib's: they may need nothing of it.
    """

    def __init__(self, *, own_notebooks: bool) -> None:
        self._modules = _JOB if own_notebooks else (*_JOB, *LIBRARY)
        self._server: ForkServer | None = None
        self._jobs, self._last = 0, 0.0
        self._lock = threading.Lock()

    @contextmanager
    def start(self, described: Mapping[str, Any]) -> Iterator[JobProcess]:
        """Start the process of a job; at the end of the block it is gone.

        Args:
            described: The job, as `child.py` reads it, without the address that kernels are forked from.
        """
        with self._lock:
            address = self._address()
            self._jobs += 1
        try:
            command = forked(address, _CHILD) if address else [sys.executable, "-m", _CHILD]
            with JobProcess(command, {**described, "kernels": address}) as process:
                yield process
        finally:
            with self._lock:
                self._jobs -= 1
                self._last = time.monotonic()

    def rest(self) -> None:
        """End the process that others are forked from where there was no job for long: it takes memory."""
        with self._lock:
            if self._jobs == 0 and time.monotonic() - self._last > _REST:
                self._close()

    def close(self) -> None:
        """End that process; to be called once the jobs have ended."""
        with self._lock:
            self._close()

    def _address(self) -> str:
        """Return where processes are forked; empty where they are not."""
        if self._server is not None and not self._server.running:
            self._close()
        if self._server is None and sys.platform == "linux":
            with suppress(OSError):
                self._server = ForkServer(self._modules, _environment())
        return self._server.address if self._server is not None else ""

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class JobProcess:
    """The process of a job; at the end of the block it is gone, with all that it started."""

    def __init__(self, command: Sequence[str], described: Mapping[str, Any]) -> None:
        self._told: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=_environment(),
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input: IO[str] = self._process.stdin
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        with suppress(OSError):  # when it has died, `_read` says so
            self._input.write(json.dumps(described) + "\n")
            self._input.flush()

    def __enter__(self) -> JobProcess:
        return self

    def __exit__(self, *_error: object) -> None:
        family = []
        with suppress(psutil.Error):
            family = psutil.Process(self._process.pid).children(recursive=True)
        if self._process.poll() is None:
            # As by Ctrl-C: the notebook's own process removes what it has half written.
            self._process.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END)
        for process in family:
            with suppress(psutil.Error):
                process.kill()
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._input.close()
        self._reader.join()

    def next(self, seconds: float) -> dict[str, Any] | None:
        """Return what it reports next; None when it reports nothing for so long."""
        try:
            return self._told.get(timeout=seconds)
        except Empty:
            return None

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                with suppress(ValueError):
                    self._told.put(json.loads(line))
        self._told.put({"crashed": f"its process ended before its time, with code {self._process.wait()}"})


def _environment() -> dict[str, str]:
    """Return the environment of a job, which says nothing about the database."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FACELIB_DATABASE")}
