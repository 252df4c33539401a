"""The changes of a live session: written to a file at once, and sent to the page in words."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path

from facelib.live import Change
from facelib.project.names import UNKNOWN

EVENTS = 40
"""Lines of what changed that the page holds at most."""


class ChangeFile:
    """A file that every change of a live session is added to as one line of JSON, at once.

    It only grows: a later session is added below. A line that a killed process left half written is closed, so that
    the next line is not damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()

    def add(self, change: Change) -> None:
        """Write one change.

        Raises:
            OSError: When it cannot be written.
        """
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                if file.tell():
                    file.seek(-1, 2)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
                file.write(change.as_json().encode() + b"\n")


def clock(seconds: float) -> str:
    """Format a time for the page.

    Examples:
        >>> clock(65.9), clock(3725)
        ('1:05', '62:05')
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def event_of(change: Change) -> dict[str, str]:
    """Return a change as a line of the page: `time`, `text` and `kind`; nothing for what is no news to people."""
    sure = f" ({int(100 * change.confidence + 1e-6)} %)" if change.person != UNKNOWN else ""
    texts = {
        "connected": "The source plays",
        "lost": "The source was lost",
        "named": f"{change.person}{sure}" if change.person != UNKNOWN else "Somebody unknown",
        "left": f"{change.person} left" if change.person != UNKNOWN else "",
        "enrolled": f"{change.person}, enrolled",
        "unrecorded": "The recording ended early",
        "ended": "The source has ended",
        "stopped": "Stopped",
        "failed": "Failed",
    }
    text = texts.get(change.kind, "")
    if not text:
        return {}
    said = f"{text}: {change.message}" if change.message and change.track < 0 else text
    return {"time": clock(change.time), "text": said, "kind": change.kind}


class Inbox:
    """Changes from the session's threads, kept for the thread that updates the page.

    Attributes:
        log: The file that all of it is written to at once.
    """

    def __init__(self, log: ChangeFile) -> None:
        self.log = log
        self._problem = ""
        self._events: deque[dict[str, str]] = deque(maxlen=EVENTS)

    @property
    def news(self) -> bool:
        """Whether there is something new."""
        return bool(self._events or self._problem)

    def take(self, change: Change) -> None:
        """Keep one change; a full disk does not stop the session."""
        if event := event_of(change):
            self._events.append(event)
        try:
            self.log.add(change)
        except OSError as error:
            self._problem = f"{type(error).__name__}: changes are not kept: {error}"

    def take_events(self) -> list[dict[str, str]]:
        """Return what is new, newest first, and forget it."""
        taken: list[dict[str, str]] = []
        while self._events:
            taken.insert(0, self._events.popleft())
        return taken

    def take_problem(self) -> str:
        """Return why something could not be written, empty otherwise, and forget it."""
        problem, self._problem = self._problem, ""
        return problem
