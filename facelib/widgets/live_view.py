"""A camera, a stream or a film in the page, live: names on faces, and a click on a face to enrol it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.films.naming import NamingSettings
from facelib.live import FINAL_STATES, LiveSession
from facelib.plots import Thumbnails
from facelib.project import Project
from facelib.widgets.live_view_log import ChangeFile, Inbox
from facelib.widgets.live_view_page import LivePage
from facelib.widgets.live_view_report import faces_page, picture_page
from facelib.widgets.notebook import RunningCell, is_attended
from facelib.widgets.shared import guarding, near_question

_TURN = 0.01  # seconds between two looks for a new picture
_FACTS = 0.5  # seconds between two readings of rates and delay: faster ones cannot be read
_FIRST = 20.0  # seconds that the first picture may take where only some are watched, or a snapshot is to be taken
_FACE = 3.0  # seconds that a snapshot waits for the first face: without one it shows no name
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n:.1f}/{total:.1f} s"
_ENDLESS_BAR = "{desc}: {n:.1f} s"


class LiveCamera(LivePage):
    """A live picture with names, and buttons and keys to start, stop, record, take a snapshot, and enrol a face.

    The camera is in use between `start` and `stop` only, and always released: by the page's button, by the end of the
    source or of the kernel, when the widget is closed, when the same source is opened once more (its cell was run
    again), and when no page shows the picture any more. What changes is written to `changes.jsonl` as it happens.
    A page that is slow gets fewer pictures, never older ones.

    It takes what `facelib.live.LiveSession` takes, up to `loop`, and refuses what that refuses.

    Args:
        record: Whether to record the annotated picture after each start.
        picture_size: Pixels of the longer side of the picture in the page; larger ones take more of the machine.
        pictures_per_second: At most so many go to the page.
        patience: Seconds after which it stops when no page shows the picture, not counted while a cell of the
            notebook runs, since the page cannot answer then; infinite never stops.

    Attributes:
        state: State of the source; see `facelib.live.State`.
        facts: Rates and delay, as the page shows them. The delay is from a picture's arrival to the moment when
            the page said that it shows it, names and all.
        events: What changed, newest first.
        status: What was done last.
        error: What went wrong last, empty otherwise.

    Raises:
        ValueError: When a number is out of its range.
        facelib.films.media.decode.UnreadableFilm: When the film cannot be decoded.
    """

    # A camera can be opened once; an earlier run of the cell would never release it.
    _open: ClassVar[weakref.WeakSet[LiveCamera]] = weakref.WeakSet()

    def __init__(
        self,
        source: str | int | Path,
        project: Project,
        *,
        detector: str | Path | Detector = "centerface",
        embedder: str | Path = "",
        naming: NamingSettings | None = None,
        seconds_between_recognitions: float = 0.0,
        loop: bool = False,
        record: bool = False,
        picture_size: int = 960,
        pictures_per_second: float = 15.0,
        patience: float = 30.0,
    ) -> None:
        """Check everything that can be checked; nothing is opened yet."""
        # ipywidgets closes also what could not be made, so what `close` needs comes first.
        self._serving, self._switching = threading.RLock(), threading.RLock()
        self._cell = RunningCell()
        self._session: LiveSession | None = None
        self._next: LiveSession | None = None
        self._thread: threading.Thread | None = None
        self._release: weakref.finalize[..., Any] | None = None
        inbox = Inbox(ChangeFile(project.output / "live" / "changes.jsonl"))
        self._make = partial(
            LiveSession,
            source,
            project,
            detector=detector,
            embedder=embedder,
            naming=naming,
            seconds_between_recognitions=seconds_between_recognitions,
            loop=loop,
            on_change=inbox.take,
        )
        # A session plays once; the first is made here, so that errors show in the cell.
        first = self._next = self._make()
        self._record, self._started = record, ""
        super().__init__(
            str(first.source),
            first.people,
            inbox,
            picture_size=picture_size,
            pictures_per_second=pictures_per_second,
            patience=patience,
        )
        for other in [camera for camera in self._open if camera.source == self.source]:
            other.close()
        self._open.add(self)
        if self.comm is not None:
            self.comm.on_close(lambda message: self.stop())

    @property
    def changes_file(self) -> Path:
        """The file that changes are written to, one JSON object a line."""
        return self._inbox.log.path

    @property
    def started(self) -> str:
        """When it was last started, ISO 8601 in UTC, as the changes have it; empty before."""
        return self._started

    @property
    def played(self) -> float:
        """Seconds from the source's beginning to the newest picture; 0 before the first."""
        view = self._session.view() if self._session is not None else None
        return 0.0 if view is None else view.time

    @property
    def session(self) -> LiveSession | None:
        """What plays, or played last."""
        return self._session

    def start(self) -> None:
        """Begin to play; no effect while it plays.

        Raises:
            OSError: When the recording cannot be written.
        """
        with self._switching:
            if self._session is not None and self._session.running:
                return
            self._join()
            session, self._next = self._next or self._make(), None
            self._session, self._started = session, datetime.now(UTC).isoformat(timespec="milliseconds")
            if self._release is not None:
                self._release.detach()
            self._release = weakref.finalize(self, session.stop)  # also when the kernel ends
            try:
                if self._record:  # before the first picture comes
                    session.record()
                session.start()
            except BaseException:
                session.stop()
                raise
            self._begin(session)
            self._thread = threading.Thread(target=self._follow, args=(session,), name="live picture", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Release the camera and finish a recording; may be called any number of times."""
        with self._switching:
            if self._session is not None:
                self._session.stop()
            self._join()

    def _join(self) -> None:
        """Wait until the end has been brought to the page."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10)

    def close(self) -> None:
        """Stop, remove the widget from the page, and release the networks and pictures too."""
        self.stop()
        self._open.discard(self)
        self._session = self._next = None
        if self._release is not None:
            self._release.detach()
        self._cell.close()
        super().close()

    def watch(self, seconds: float = 0.0, *, progress: bool = True) -> None:
        """Play: in a front end until it is stopped, elsewhere for some seconds.

        In a front end such as JupyterLab it returns at once, so that the page's buttons answer at any moment. Elsewhere
        (papermill, nbclient, a script) the cell waits, and the source is released after it.

        Args:
            seconds: From the first picture on, outside a front end; 0 plays until the source ends.
            progress: Show a bar while the cell waits.

        Raises:
            ValueError: When `seconds` is below 0.
            OSError: Outside a front end: when no picture came, or the source was lost.
        """
        if not seconds >= 0:
            raise ValueError(f"expected seconds of 0 or more, got {seconds!r}")
        if is_attended():
            self._asked_to_start()
            return
        try:
            self.start()
            session = self._playing()
            self._wait(session, seconds, progress)
        finally:
            self.stop()
        if session.state == "failed" or session.view() is None:
            raise OSError(
                f"expected pictures from {self.source!r}, got none any more: {session.message or 'it was silent'}; "
                f"check that it is connected, and not in use by another program"
            )

    @staticmethod
    def _wait(session: LiveSession, seconds: float, progress: bool) -> None:
        begin, first = time.monotonic(), None
        form = _BAR if seconds else _ENDLESS_BAR
        with tqdm(total=seconds or None, desc="watching", leave=False, disable=not progress, bar_format=form) as bar:
            while not session.wait(0.1):
                now = time.monotonic()
                first = now if first is None and session.view() is not None else first
                passed = 0.0 if first is None else now - first
                bar.update(min(passed, seconds or passed) - bar.n)
                if seconds and (passed >= seconds or (first is None and now - begin > seconds + _FIRST)):
                    return

    def snapshot(self, path: str | Path | None = None) -> Path:
        """Save the newest picture with its names; see `facelib.live.LiveSession.snapshot`."""
        return self._playing().snapshot(path)

    def snapshot_page(self) -> Thumbnails:
        """Save the newest picture with its names and show it; where none has come yet, say so.

        Directly after the start it waits for the first picture, and for a face some seconds more.
        """
        session = self._playing()
        _wait_until(lambda: session.view() is not None, session, _FIRST)
        _wait_until(lambda: bool(self._known.listed()), session, _FACE)
        return picture_page(None if session.view() is None else session.snapshot(), width=self._size)

    def enrol(self, track: int, person: str) -> Path:
        """Make a face known as a person; see `facelib.live.LiveSession.enrol`."""
        session = self._playing()
        picture = session.enrol(track, person)
        self._known.enrolled(track, picture.parent.name)  # spelt as the folder is
        with self._lock:
            self.people = session.people
        return picture

    def faces_page(self) -> Thumbnails:
        """Return the faces seen lately as pictures with names, for reports and where widgets do not run."""
        return faces_page(self._known.listed())

    def _playing(self) -> LiveSession:
        if self._session is None:
            raise RuntimeError("expected a source that was started, got none; press Start first")
        return self._session

    # ---- what the page asks for

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Handle a message of the page."""
        super().set_state(sync_data)
        # Outside the page's lock, so that the picture moves on while a face is enrolled.
        with self._serving:
            for request in list(self.requests):
                if request.get("number", 0) > self.handled:
                    self._handle(request)

    def _handle(self, request: Mapping[str, Any]) -> None:
        with guarding(self._fail):
            self._say(self._do(str(request.get("action")), request))
        with self._lock:
            self.handled = int(request["number"])

    def _do(self, action: str, request: Mapping[str, Any]) -> str:
        actions: dict[str, Callable[[], str]] = {
            "start": self._asked_to_start,
            "stop": self._asked_to_stop,
            "snapshot": lambda: f"Saved {self.snapshot()}",
            "record": lambda: f"Recording to {self._playing().record()}",
            "stop recording": lambda: f"Recorded {self._playing().stop_recording() or 'nothing'}",
            "enrol": lambda: self._asked_to_enrol(request),
        }
        if action not in actions:
            raise ValueError(f"expected one of {list(actions)!r}, got {action!r}")
        return actions[action]()

    def _asked_to_start(self) -> str:
        self._pace.heard = True  # a request shows that the page is open
        self.start()
        return "Started."

    def _asked_to_stop(self) -> str:
        recording = self._playing().recording
        self.stop()
        return f"Stopped; recorded {recording}" if recording else "Stopped."

    def _asked_to_enrol(self, request: Mapping[str, Any]) -> str:
        asked = near_question(request, self.people)
        with self._lock:
            self.asked = asked
        if asked:
            return ""
        try:
            picture = self.enrol(int(request["track"]), str(request["person"]))
        except ValueError as error:  # the page asks again, with what was typed
            with self._lock:
                self.asked = dict(request) | {"problem": str(error)}
            return ""
        return f"Enrolled as {picture.parent.name}, recognised from now on: {picture}"

    # ---- what the page shows

    def _follow(self, session: LiveSession) -> None:
        """Bring the page up to date until the session has ended; runs in a thread of its own."""
        try:
            with guarding(self._fail, clear=False):
                self._bring(session)
        finally:
            session.stop()  # also when showing it has failed

    def _bring(self, session: LiveSession) -> None:
        followed = sent = -1  # numbers of pictures
        told = float("-inf")
        final, recorded = False, None
        while not final:
            recorded = session.recording or recorded
            # Asked before the picture is taken, so that the last one is not missed.
            final, view, now = session.state in FINAL_STATES, session.view(), time.monotonic()
            if view is not None and view.number != followed:
                self._known.follow(view)
                followed = view.number
            # The last one is sent once more, since its names may have come after it.
            if view is not None and (final or (view.number != sent and self._pace.may_send(now))):
                self._show(view, now)
                sent = view.number
            elif self._pace.is_quiet(now):
                self._ask_again(now)
            if final or self._inbox.news or now - told >= _FACTS:
                self._tell(session)
                told = now
            if self._cell.running:
                self._pace.excuse(now)
            if self._pace.is_alone(now):
                session.stop()
                self._say("Stopped, since no page shows the picture any more.")
            time.sleep(0 if final else _TURN)
        if recorded and self.status == f"Recording to {recorded}":  # nobody asked for its end
            self._say(f"Recorded {recorded}")


def _wait_until(there: Callable[[], bool], session: LiveSession, seconds: float) -> None:
    """Wait until something is there or the session has ended, but no longer than so many seconds."""
    end = time.monotonic() + seconds
    while not there() and time.monotonic() < end and not session.wait(_TURN):
        pass
