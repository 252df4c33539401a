"""The log of changes: kept until read, and passed to listeners at once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from facelib.live.records import Change, ChangeKind

_MOST = 10_000  # unread changes

_log = logging.getLogger(__name__)


class ChangeLog:
    """A thread-safe queue of changes.

    Args:
        listener: Called with each change; an error in it is logged, and stops nothing.
    """

    def __init__(self, listener: Callable[[Change], None] | None = None) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._changes: deque[Change] = deque(maxlen=_MOST)

    def tell(
        self,
        kind: ChangeKind,
        *,
        at: float,
        track: int = -1,
        person: str = "",
        confidence: float = 0.0,
        message: str = "",
    ) -> None:
        """Add a change that happens now; see `facelib.live.records.Change` for its parts, `at` is its `time`."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        change = Change(when, at, kind, track, person, confidence, message)
        with self._lock:
            self._changes.append(change)
        if self._listener is not None:
            try:
                self._listener(change)
            except Exception as error:
                _log.error("the listener failed at %s", change.as_json(), exc_info=error)

    def take(self) -> list[Change]:
        """Return what has come since the last call, oldest first."""
        with self._lock:
            changes = list(self._changes)
            self._changes.clear()
        return changes
