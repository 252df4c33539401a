"""The page of a live picture: the messages sent to it, and their pace."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anywidget
import traitlets

from facelib.images import encode_jpeg, thumbnail
from facelib.live import LiveSession, LiveView
from facelib.page.bundle import bundle
from facelib.widgets.live_view_faces import SeenFaces
from facelib.widgets.live_view_log import EVENTS, Inbox, clock
from facelib.widgets.shared import widget_script, widget_style

_UNANSWERED = 1.0  # seconds after which a picture is sent although the page did not say that it has the last one
_QUIET = 5.0  # seconds after which the last picture is sent again, to learn whether the page is still open
_LEFT = 4.0  # seconds for a page that removed the picture to show it again


@dataclass(slots=True)
class Pace:
    """Decides when the next picture may go to the page, and when the page is closed.

    A page answers each picture with its number once it is drawn, and only then gets the next: where it is slow, it
    gets fewer pictures, and none waits in a queue to grow old. All times are of `time.monotonic`.

    Args:
        pause: Seconds between two pictures at least.
        patience: Seconds without an answer after which the page counts as closed.

    Attributes:
        delay: Seconds from the arrival of the last answered picture to its being drawn; NaN before the first.
        heard: Whether any page ever answered; a run without a page, as with papermill, is not stopped.
    """

    pause: float
    patience: float
    delay: float = float("nan")
    heard: bool = False
    _number: int = field(init=False, default=0)
    _arrived: float = field(init=False, default=0.0)
    _sent: float = field(init=False, default=float("-inf"))
    _waiting: float | None = field(init=False, default=None)  # since when an answer is awaited
    _grace: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Begin without a page."""
        self._grace = self.patience

    def may_send(self, now: float) -> bool:
        """Return whether a new picture may go out."""
        since = now - self._sent
        return since >= self.pause and (self._waiting is None or since >= _UNANSWERED)

    def is_quiet(self, now: float) -> bool:
        """Return whether nothing was sent for so long that the page should be asked for a sign of life."""
        return now - self._sent >= _QUIET

    def sent(self, number: int, now: float, *, arrived: float) -> None:
        """Note that a picture went out, and when it had arrived from its source."""
        self._number, self._arrived, self._sent = number, arrived, now
        if self._waiting is None:
            self._waiting = now

    def answered(self, number: int, now: float) -> None:
        """Note what the page said that it shows; -1: nothing any more."""
        self.heard = True
        if number < 0:
            self._grace, self._waiting = min(_LEFT, self.patience), now
            return
        self._grace = self.patience
        if number == self._number:
            self._waiting, self.delay = None, now - self._arrived

    def excuse(self, now: float) -> None:
        """Count the page's silence from now on only: it could not have been heard before."""
        if self._waiting is not None:
            self._waiting = now

    def is_alone(self, now: float) -> bool:
        """Return whether there was a page, and it has been silent for too long."""
        return self.heard and self._waiting is not None and now - self._waiting > self._grace


_MESSAGES: Mapping[str, str] = {
    "connecting": "Connecting …",
    "playing": "",
    "waiting": "The source was lost; trying again …",
    "ended": "The source has ended; Start plays it again.",
    "stopped": "Stopped; press Start to continue.",
    "failed": "The source cannot be played.",
}


class LivePage(anywidget.AnyWidget):
    """The page of a live picture; a subclass plays the source.

    The page's messages, the pictures and the notebook's cells come from different threads: whatever is shown is set
    within one lock.

    Args:
        source: What is played, as the page calls it.
        people: The cast, to choose a name from.
        inbox: Holds the changes that the page has not been sent yet.
        picture_size: Pixels of the longer side of the picture.
        pictures_per_second: At most so many are sent.
        patience: Seconds without an answer of the page after which nobody looks.
    """

    _esm = f"{bundle('free_place.js')}\n{widget_script('name_field.js', 'panel.js', 'live_view.js')}"
    _css = widget_style("panel.css", "live_view.css")

    source = traitlets.Unicode().tag(sync=True)
    state = traitlets.Unicode("stopped").tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    number = traitlets.Int().tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)
    faces = traitlets.List(traitlets.Dict()).tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    seen = traitlets.List(traitlets.Dict()).tag(sync=True)
    thumbnails = traitlets.Dict().tag(sync=True)
    events = traitlets.List(traitlets.Dict()).tag(sync=True)
    people = traitlets.List(traitlets.Unicode()).tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)  # a name to ask about again: as `near_question`, or with a `problem`
    recording = traitlets.Unicode().tag(sync=True)
    # The picture that the page shows: the next one is sent when it has said so. -1: it shows the widget no more.
    shown = traitlets.Int().tag(sync=True)
    # A list, since Jupyter may send only the last of several values that follow each other quickly.
    requests = traitlets.List(traitlets.Dict()).tag(sync=True)
    handled = traitlets.Int().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        source: str,
        people: list[str],
        inbox: Inbox,
        *,
        picture_size: int,
        pictures_per_second: float,
        patience: float,
    ) -> None:
        """Show a page without a picture."""
        for name, value in (("picture_size", picture_size), ("pictures_per_second", pictures_per_second)):
            if not value > 0:
                raise ValueError(f"expected {name} above 0, got {value!r}")
        self._size, self._pause, self._patience = picture_size, 1 / pictures_per_second, patience
        self._inbox, self._lock = inbox, threading.RLock()
        self._pace = Pace(self._pause, self._patience)
        self._known = SeenFaces()
        super().__init__(source=source, people=people, message="Press Start.")
        self.observe(lambda _: self._pace.answered(self.shown, time.monotonic()), names="shown")

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Handle a message of the page."""
        with self._lock:
            super().set_state(sync_data)

    def _show(self, view: LiveView, now: float) -> None:
        picture = encode_jpeg(thumbnail(view.image, size=self._size), quality=80)
        with self._lock, self.hold_sync():
            self.picture, self.faces = picture, self._known.boxes(view)
            self.number += 1
            self._pace.sent(self.number, now, arrived=view.frame.arrived)

    def _ask_again(self, now: float) -> None:
        """Send nothing new, so that the page answers; while a stream is lost there are no pictures to answer."""
        with self._lock:
            self._pace.sent(self.number + 1, now, arrived=math.nan)
            self.number += 1

    def _tell(self, session: LiveSession) -> None:
        """Bring all but the picture up to date."""
        events = self._inbox.take_events()
        with self._lock, self.hold_sync():
            self.state = session.state
            self.message = session.message or _MESSAGES[session.state]
            self.recording = str(session.recording or "")
            self.seen, self.thumbnails = self._known.items(), self._known.thumbnails()
            self.facts = self._facts(session.view())
            if events:
                self.events = [*events, *self.events][:EVENTS]
            if problem := self._inbox.take_problem():
                self.error = problem

    def _facts(self, view: LiveView | None) -> dict[str, str]:
        if view is None:
            return {}
        facts = {
            "played": clock(view.time),
            "frames/s": f"{view.frames_per_second:.0f}",
            "recognitions/s": f"{view.recognitions_per_second:.1f}",
        }
        delay = self._pace.delay
        return facts if math.isnan(delay) else facts | {"delay": f"{delay:.2f} s"}

    def _begin(self, session: LiveSession) -> None:
        """Forget what was shown before, as the tracks of every session have numbers of their own."""
        self._inbox.take_events()
        with self._lock, self.hold_sync():
            self._pace = Pace(self._pause, self._patience, heard=self._pace.heard)
            self._known = SeenFaces()
            self.picture, self.faces, self.events = b"", [], []
            self.number += 1
            self.people, self.error, self.status = session.people, "", ""
            self._tell(session)

    def _say(self, text: str) -> None:
        with self._lock:
            self.status = text

    def _fail(self, text: str) -> None:
        with self._lock:
            self.error = text
