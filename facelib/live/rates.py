"""Event rates."""

from __future__ import annotations

import threading
import time
from collections import deque


class Rate:
    """Counts events over the last seconds; may be asked by several threads.

    Args:
        seconds: How far back it looks.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._times: deque[float] = deque()

    def add(self) -> None:
        """Count one event, now."""
        with self._lock:
            self._times.append(time.monotonic())

    def per_second(self) -> float:
        """Return how many there were a second; 0 before the second one."""
        now = time.monotonic()
        with self._lock:
            while self._times and self._times[0] < now - self._seconds:
                self._times.popleft()
            if len(self._times) < 2:
                return 0.0
            return (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-6)
