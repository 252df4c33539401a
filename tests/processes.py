"""What the processes that tests start are doing, and may do."""

from __future__ import annotations

import os
from contextlib import suppress

import psutil


def command_of(process: psutil.Process) -> list[str]:
    """Return the words of a process's command; none where it has just ended, waited for or not."""
    with suppress(psutil.NoSuchProcess):  # a zombie is one as well
        return process.cmdline()
    return []


def without_rights() -> list[str]:
    """Return what comes before a command so that it may read and write only what its user may, root's too."""
    taken = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={taken}", f"--inh-caps={taken}"] if os.geteuid() == 0 else []
