"""Two ways of doing one thing, timed in one process by turns, so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from types import ModuleType


def reference() -> ModuleType:
    """Return face_recognition, or end with a word on how to get it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # face_recognition_models imports the outdated pkg_resources
            import face_recognition
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"expected face_recognition, against which this measures, got: {error}; "
            "'make setup' brings it, or the extra 'reference', which compiles dlib"
        ) from None
    found: ModuleType = face_recognition
    return found


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def by_turns(ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int) -> tuple[float, float]:
    """Return the median seconds of both, each called once to warm up and then `repeats` times by turns."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def row(what: str, ours: float, theirs: float, *, count: int) -> str:
    """Return a row of the table of results: milliseconds for one of `count`, and how many times as fast ours is."""
    return f"| {what} | {ours / count * 1000:.2f} ms | {theirs / count * 1000:.2f} ms | {theirs / ours:.1f} |"


HEAD = "| what | facelib | face_recognition | times as fast |\n|---|---|---|---|"
