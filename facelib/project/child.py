"""What a process needs that works for another one: to end when that does, and to take no more memory than it may."""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress

_NO_MEMORY = re.compile(
    r"bad.?alloc|cannot allocate|failed to allocate|(insufficient|out of) ?memory|can't start new thread", re.IGNORECASE
)


def end_with_parent() -> None:
    """End this process, and all that it started, once standard input ends: the other process keeps it open."""
    import psutil  # now, while there is memory for it  # noqa: F401

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


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error came of a lack of memory: libraries written in C or C++ tell it in their own words.

    Example:
        >>> is_out_of_memory(RuntimeError("std::bad_alloc")), is_out_of_memory(ValueError("no film"))
        (True, False)
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, MemoryError) or _NO_MEMORY.search(str(found)):
            return True
        found = found.__cause__ or found.__context__
    return False
