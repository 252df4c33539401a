"""The page of a live picture: the messages sent to it, and their pace."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import anywidget
import traitlets

from facelib.images import encode_jpeg, thumbnail
from facelib.live import LiveSession, LiveView
from facelib.page.bundle import bundle
from facelib.widgets.assets import read_assets
from facelib.widgets.live_view_faces import SeenFaces
from facelib.widgets.live_view_log import EVENTS, Inbox, clock
from facelib.widgets.live_view_pace import Pace

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

    _esm = f"{bundle('free_place.js')}\n{read_assets('elements.js', 'name_field.js', 'live_view.js')}"
    _css = read_assets("panel.css", "live_view.css")

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
    asked = traitlets.Dict().tag(sync=True)  # a name that is nearly a known one, see `near_question`
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
        self.observe(self._answered, names="shown")

    def _answered(self, change: object) -> None:
        self._pace.answered(self.shown, time.monotonic())

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

    @contextmanager
    def _guarding(self, *, clear: bool = True) -> Iterator[None]:
        """Show any exception of the block on the page; Jupyter would write it to a hidden log."""
        if clear:
            with self._lock:
                self.error = ""
        try:
            yield
        except Exception as error:
            with self._lock:
                self.error = f"{type(error).__name__}: {error}"
