"""What a process needs that works for another one: to end when that does, and to take no more memory than it may."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress


def end_with_parent() -> None:
    """End this process, and all that it started, once standard input ends: the other process keeps it open."""
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    import psutil

    while sys.stdin.readline():
        pass
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            process.kill()
    os._exit(1)


def limit_memory(most: int) -> None:
    """Limit the memory that this process and each that it starts may take, where the system can.

    Args:
        most: Bytes; 0 for no limit.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    if most:
        with suppress(ValueError, OSError):  # a system's own limit may be lower
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))
