"""What is made of a file, kept in memory until the file changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

Made = TypeVar("Made")


def kept_by_file(most: int | None) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Let a function of a file's path return what it returned before, while size and modification time are the same.

    What it returns is shared: it must not be changed, and must serve several threads at once. Further arguments are
    given by their names.

    Args:
        most: How many results are kept; the one that was asked for longest ago goes first. None keeps each for as long
            as somebody else holds it.

    Examples:
        >>> @kept_by_file(most=8)
        ... def count_lines(path: Path) -> int:
        ...     return len(path.read_text().splitlines())
    """

    def keeping(make: Callable[..., Made]) -> Callable[..., Made]:
        held = WeakValueDictionary[Hashable, Made]()

        @lru_cache(maxsize=most)
        def kept(path: Path, state: tuple[int, int], **options: Hashable) -> Made:
            return make(path, **options)

        def shared(path: Path, state: tuple[int, int], **options: Hashable) -> Made:
            key = path, state, *sorted(options.items())
            found = held.get(key)
            return held.setdefault(key, make(path, **options)) if found is None else found

        @wraps(make)
        def of_file(path: Path, **options: Hashable) -> Made:
            status = path.stat()
            return (shared if most is None else kept)(path, (status.st_size, status.st_mtime_ns), **options)

        return of_file

    return keeping
