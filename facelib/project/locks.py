"""Files that one process holds at a time; the system lets go of them even when the process is killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def file_lock(path: str | Path, *, what: str) -> Iterator[None]:
    """Hold a file for as long as the block runs; it stays there, empty but for the number of its last holder.

    Args:
        path: The file; it and its folder are made as needed.
        what: What holding it means, for the message, such as `"other run of the project 'demo'"`.

    Raises:
        BlockingIOError: When another process, or this one, holds it.
        OSError: When it cannot be made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        if not _lock(file):
            file.seek(0)
            raise BlockingIOError(
                f"expected no {what}, found one under way (process {file.read().strip() or 'unknown'}); "
                f"wait for its end or stop it"
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
