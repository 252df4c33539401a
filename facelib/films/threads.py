"""Work in other threads: ahead of what is asked for, and on several films at once with one bar for all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from tqdm.auto import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")

_END: object = object()
_LOOK = 0.2  # seconds between two looks at how far the work is


def together(
    work: Callable[[Item, Callable[[float], None]], Result],
    items: Sequence[Item],
    *,
    at_once: int,
    what: str,
    progress: bool = True,
) -> Generator[tuple[Item, Callable[[], Result]]]:
    """Yield each item, in order, with a function that returns what became of it, or raises what was raised.

    Close the result, as with `contextlib.closing`: what is under way is then stopped the next time it says how far it
    is, so that a notebook can be interrupted.

    Args:
        work: Called in a thread with an item and a function, which it tells now and then how far it is, 0 to 1. It
            should show no bar of its own: notebooks may lose what another thread shows.
        items: Begun in this order.
        at_once: How many are in work at most.
        what: What the bar says.
        progress: Show a bar that counts the items.

    Examples:
        >>> with_ends = together(lambda word, tell: word.upper(), ["a", "b"], at_once=2, what="", progress=False)
        >>> [(word, result()) for word, result in with_ends]
        [('a', 'A'), ('b', 'B')]
    """
    shares = [0.0] * len(items)
    stop = threading.Event()

    def begin(number: int) -> Result:
        def tell(share: float) -> None:
            if stop.is_set():
                raise CancelledError
            shares[number] = share

        tell(0.0)
        try:
            return work(items[number], tell)
        finally:
            shares[number] = 1.0

    with (
        ThreadPoolExecutor(at_once, thread_name_prefix="facelib-together") as workers,
        tqdm(total=len(items), unit=" films", desc=what, leave=False, disable=not progress) as bar,
    ):
        try:
            futures = [workers.submit(begin, number) for number in range(len(items))]
            for item, future in zip(items, futures, strict=True):
                _await(future, bar, shares)
                yield item, future.result
        finally:
            stop.set()
            workers.shutdown(wait=False, cancel_futures=True)


def _await(future: Future[Result], bar: tqdm[None], shares: list[float]) -> None:
    """Wait for the end of one, and show meanwhile how far all are."""
    done = False
    while not done:
        done = bool(wait([future], timeout=_LOOK).done)
        bar.n = round(sum(shares), 2)
        bar.refresh()


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
