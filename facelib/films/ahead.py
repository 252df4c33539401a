"""Work ahead in another thread: decoding, searching and describing overlap, since all three release Python's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

_END: object = object()


def ahead(items: Iterator[Item], *, most: int) -> Generator[Item]:
    """Yield the items of an iterator that runs in a thread of its own, in the same order.

    What the iterator raises is raised here in its place. Close the result, as with `contextlib.closing`, before what
    the iterator reads from.

    Args:
        items: Used in the other thread only.
        most: How many items may wait. Raising it takes more memory. With 0 each is made when it is asked for, in the
            same thread, which is faster on one core.

    Examples:
        >>> list(ahead(iter("abc"), most=2))
        ['a', 'b', 'c']
    """
    if most == 0:
        yield from items
        return
    with ThreadPoolExecutor(1, thread_name_prefix="facelib-ahead") as worker:
        waiting: deque[Future[object]] = deque(worker.submit(next, items, _END) for _ in range(most))
        try:
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(worker.submit(next, items, _END))
                yield item  # type: ignore[misc]
        finally:
            for future in waiting:
                future.cancel()
