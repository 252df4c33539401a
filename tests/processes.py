"""What the processes that tests start are doing."""

from __future__ import annotations

from contextlib import suppress

import psutil


def command_of(process: psutil.Process) -> list[str]:
    """Return the words of a process's command; none where it has just ended, waited for or not."""
    with suppress(psutil.NoSuchProcess):  # a zombie is one as well
        return process.cmdline()
    return []
