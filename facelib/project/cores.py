"""How many of the machine's cores a process may use."""

from __future__ import annotations

import os
from pathlib import Path


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
