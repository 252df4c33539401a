"""One function applied to many tasks by several single-threaded processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from facelib.project.processes import when_parent_is_gone

Task = TypeVar("Task")
_Result = TypeVar("_Result")

_AHEAD = 2  # tasks a process that are handed out at a time: one is worked on, one waits


def spread(
    work: Callable[[Task], _Result], tasks: Iterable[Task], *, processes: int
) -> Iterator[tuple[Task, _Result | None]]:
    """Apply `work` to every task and yield each with its result as soon as it is ready, in any order.

    Processes are started, not forked, since networks and their threads do not survive a fork; so `work` must
    be importable, and it and the tasks are pickled. A process that dies takes no more than its task with it: whatever
    was being worked on is tried once more, each task by itself. The processes end with this one, even if it is killed.

    Args:
        work: Called with one task; it must not return None. What it raises ends it all.
        tasks: Any number of them.
        processes: With 1 the work is done in this one, and a death is everybody's.

    Yields:
        A task and its result, or None when the process that worked on it died.

    Raises:
        ValueError: When `processes` is below 1.
        RuntimeError: When no process can be started.
    """
    if processes < 1:
        raise ValueError(f"expected at least one process, got {processes!r}")
    if processes == 1:
        yield from ((task, work(task)) for task in tasks)
        return
    waiting, suspects = deque(tasks), deque[Task]()
    while waiting:
        yield from _work_off(work, waiting, suspects, processes, ahead=_AHEAD)
    while suspects:
        guilty = deque[Task]()
        yield from _work_off(work, suspects, guilty, 1, ahead=1)
        yield from ((task, None) for task in guilty)


def in_order(
    work: Callable[[Task], _Result], tasks: Iterable[Task], *, threads: int, ahead: int
) -> Generator[_Result, None, None]:
    """Apply `work` to every task in threads and yield the results in order; closing it leaves the rest undone.

    Args:
        work: Called with one task. What it raises ends it all.
        tasks: Any number of them.
        threads: How many work at a time.
        ahead: How many tasks are begun, at most, before the first result is taken.
    """
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[_Result]] = deque()
        try:
            for task in tasks:
                running.append(pool.submit(work, task))
                if len(running) >= ahead:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _work_off(
    work: Callable[[Task], _Result], waiting: deque[Task], suspects: deque[Task], processes: int, *, ahead: int
) -> Iterator[tuple[Task, _Result]]:
    """Take tasks until none are left or a process dies; those in progress then become suspects."""
    running: dict[Future[_Result], Task] = {}
    with _pool(processes) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < ahead * processes:
                    future = pool.submit(work, waiting[0])
                    running[future] = waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    yield running.pop(future), result
        except BrokenProcessPool:
            suspects.extend(running.values())


@contextmanager
def _pool(processes: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                "expected to start further processes, they end at once; take processes=1, or in a script of your own "
                "put what it does below: if __name__ == '__main__':"
            ) from error
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Set up a new worker process."""
    import cv2

    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is handled by the parent process, which ends the others
    when_parent_is_gone(lambda: os._exit(1))  # which one that waits for work would not notice
