"""Waiting for what another thread or process does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

PATIENCE = 400.0  # seconds, for what takes some on a quiet machine and hangs where it takes these


def wait_until(holds: Callable[[], object], *, seconds: float = PATIENCE, pause: float = 0.02) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"did not come true within {seconds} seconds"
        time.sleep(pause)


def kill_once(holds: Callable[[], object], process: subprocess.Popen, *, pause: float = 0.01) -> None:
    """Kill a process, which must run until then, once something has come true."""
    wait_until(lambda: process.poll() is not None or holds(), pause=pause)
    assert process.poll() is None
    process.kill()
    process.wait()


def at_once(*works: Callable[[], Result]) -> list[Result]:
    """Do several things at the same time, a thread each; return what they return, or raise what one of them does."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [begun.result() for begun in [pool.submit(work) for work in works]]
