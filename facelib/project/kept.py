"""What is made of a file, kept in memory until the file changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")


def kept_by_file(most: int) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Let a function of a file's path return what it returned before, while size and modification time are the same.

    What it returns is shared: it must not be changed, and must serve several threads at once. Further arguments are
    given by their names.

    Args:
        most: How many results are kept; the one that was asked for longest ago goes first.

    Example:
        >>> @kept_by_file(most=8)
        ... def count_lines(path: Path) -> int:
        ...     return len(path.read_text().splitlines())
    """

    def keeping(make: Callable[..., Made]) -> Callable[..., Made]:
        @lru_cache(maxsize=most)
        def kept(path: Path, state: tuple[int, int], **options: Hashable) -> Made:
            return make(path, **options)

        @wraps(make)
        def of_file(path: Path, **options: Hashable) -> Made:
            status = path.stat()
            return kept(path, (status.st_size, status.st_mtime_ns), **options)

        return of_file

    return keeping
