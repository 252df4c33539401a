"""The records of a live session: its states, the faces in a picture, and the log of changes."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from facelib.faces import FloatArray
from facelib.project.names import UNKNOWN

State = Literal["connecting", "playing", "waiting", "ended", "stopped", "failed"]
"""What a session is at: `waiting` has lost its source and tries again; the last three are final."""

FINAL_STATES: tuple[State, ...] = ("ended", "stopped", "failed")
"""Nothing comes after these."""

ChangeKind = Literal[
    "connected", "lost", "appeared", "named", "left", "enrolled", "unrecorded", "ended", "stopped", "failed"
]
"""What has changed: of the source (`connected`, `lost` and the final states), of one face, or that a recording ended
early (`unrecorded`)."""

_MOST = 10_000  # unread changes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class LiveFace:
    """One face in the newest picture.

    Attributes:
        track: The number under which the face is followed; never used twice in one session.
        box: `(4,)` float32, left, top, right, bottom in pixels of the picture; moved along since it was last found.
        person: A name of the cast, or `unknown`.
        confidence: 0 to 1: the probability that `person` is right, also of `unknown`.
        distance: To the nearest picture of the best person, in the embedding's own units; NaN before it is measured.
        enrolled: Whether the user said who this is.
    """

    track: int
    box: FloatArray
    person: str = UNKNOWN
    confidence: float = 0.0
    distance: float = float("nan")
    enrolled: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Something that has changed, of the source or of one face.

    Attributes:
        when: Time of day, ISO 8601 in UTC.
        time: Seconds of the source since the session's first picture.
        kind: What has changed. `named` reports every new answer about a face, also `unknown` where a name is withdrawn.
        track: The face's number; -1 where the change is of the source.
        person: Its name, `unknown` or, where the change is of the source, nothing.
        confidence: 0 to 1, of `person`.
        message: Why, for people to read; may be empty.

    Examples:
        >>> Change("2026-01-01T00:00:00.000+00:00", 1.25, "named", 3, "Ada Lovelace", 0.97).as_json()
        '{"when": "2026-01-01T00:00:00.000+00:00", "time": 1.25, "kind": "named", "track": 3, \
"person": "Ada Lovelace", "confidence": 0.97, "message": ""}'
    """

    when: str
    time: float
    kind: ChangeKind
    track: int = -1
    person: str = ""
    confidence: float = 0.0
    message: str = ""

    def as_json(self) -> str:
        """Return the change as one line of JSON."""
        fields = asdict(self) | {"time": round(self.time, 3), "confidence": round(self.confidence, 4)}
        return json.dumps(fields, ensure_ascii=False)


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
