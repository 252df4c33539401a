"""What a process may take of the machine, and how one that works for another ends with it."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_NO_MEMORY = re.compile(
    r"bad.?alloc|cannot allocate|failed to allocate|(insufficient|out of) ?memory|can't start new thread", re.IGNORECASE
)

_CLOCKS_DIFFER = 60.0  # seconds, those of file systems and of processes, at most


def memory_settings() -> dict[str, str]:
    """Return the environment variables with which a new process takes memory; what the user has set stays.

    Its large arrays lie in pages of 2 MB, where Linux can: a network writes 22 MB for each picture of a film, and in
    pages of 4 kB the processor looks up each of them, which takes most of the time where other work fills its caches.

    Arrow has its memory from the C library: its own allocator keeps what was freed, more of it the longer a film is and
    the more threads read its tables, and no other library gets it.
    """
    wanted = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return {name: os.environ.get(name, value) for name, value in wanted.items()}


def answer_parent() -> tuple[dict[str, Any], Callable[[Mapping[str, Any]], None]]:
    """Begin to work for the process that started this one.

    Returns:
        What it asks, one line of JSON on standard input; and a function that tells it something, one line of JSON on
        standard output. What libraries print goes to standard error instead, never between these lines.
    """
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def tell(told: Mapping[str, Any]) -> None:
        out.write(json.dumps(told) + "\n")

    return json.loads(sys.stdin.readline()), tell


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


def when_parent_is_gone(end: Callable[[], object]) -> None:
    """Call a function once the process that started this one by `multiprocessing` has gone, were it by SIGKILL."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    if parent := parent_process():
        threading.Thread(target=lambda: wait([parent.sentinel]) and end(), daemon=True).start()


def is_still_there(number: int, made: Path) -> bool:
    """Return whether a process that made a file or folder, which bears its number, is still there.

    Numbers are given again, in containers at each start: a process that began later did not make it.
    """
    import psutil

    if not psutil.pid_exists(number):
        return False
    try:
        began: float = psutil.Process(number).create_time()
        return made.stat().st_mtime > began - _CLOCKS_DIFFER
    except (psutil.Error, OSError):
        return True


def limit_memory(most: int) -> None:
    """Limit the bytes of memory that this process and each that it starts may take, if the system can; 0 does not."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if most:
        with suppress(ValueError, OSError):  # a system's own limit may be lower
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error came of a lack of memory: libraries written in C or C++ tell it in their own words.

    Examples:
        >>> is_out_of_memory(RuntimeError("std::bad_alloc")), is_out_of_memory(ValueError("no film"))
        (True, False)
    """
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, MemoryError) or _NO_MEMORY.search(str(found)):
            return True
        found = found.__cause__ or found.__context__
    return False


def allowed_cores() -> int:
    """Return how many cores this process may use: containers and batch systems often give fewer than there are.

    The environment variable `OMP_NUM_THREADS`, which many libraries obey, lowers the number.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted.isdecimal() and int(wanted) > 0:
        cores = min(cores, int(wanted))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return cores if quota == "max" else max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores
