"""A thread that reads a source and holds its newest picture."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from facelib.films.media.decode import FilmFrame
from facelib.films.media.shown import Stage
from facelib.films.media.tones import ToneMap
from facelib.live.feed import CameraFeed, ContainerFeed, FeedFrame, SourceLost
from facelib.live.frames import LiveFrame
from facelib.live.records import FINAL_STATES, State
from facelib.live.source import Source

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0  # seconds before the first and at most before any attempt to reconnect
_LEAST_STEP = 1e-3  # seconds between two pictures
_LONGEST_JUMP = 10.0  # seconds between two pictures' times beyond which the source has reset its clock,
_LONGEST_BACK = 0.5  # and seconds by which a picture may be earlier than the last one
_LONGEST_STALL = 2.0  # seconds behind from which a film goes on where it was, and does not catch up
_MEMORY = 15.0  # seconds over which the quickest picture defines a delay of 0


class Reader:
    """Reads a source in its own thread and keeps only the newest picture.

    A film plays at its own speed, and waits for a machine that stands still or is too slow. A camera or a stream that
    is lost is opened again, after waits that grow from half a second to five.

    Args:
        source: What to read.
        loop: Whether a film starts again at its end.
        patience: Seconds without a picture after which it gives up.
        on_state: Called with every new state and why, from the reader's own thread.
    """

    def __init__(
        self,
        source: Source,
        *,
        loop: bool = False,
        patience: float = math.inf,
        on_state: Callable[[State, str], None] = lambda state, message: None,
    ) -> None:
        self.source, self.loop, self.patience = source, loop, patience
        self.state: State = "connecting"
        self.message = ""
        self._on_state = on_state
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._newest: LiveFrame | None = None
        self._count = 0
        self._clock = _Clock()
        self._tones: dict[tuple[object, ...], ToneMap] = {}
        self.thread = threading.Thread(target=self._run, name=f"facelib reader of {source.name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self.thread.start()

    def stop(self, *, timeout: float | None = None) -> bool:
        """End it and release the source; return whether it has ended within `timeout` seconds."""
        self._stopped.set()
        if self.thread.ident is not None:
            self.thread.join(timeout)
        if not self.final:
            self._become("stopped")
        return not self.thread.is_alive()

    @property
    def final(self) -> bool:
        """Whether no further picture will come."""
        return self.state in FINAL_STATES

    def newest(self, *, after: int = -1, timeout: float = 0.0) -> LiveFrame | None:
        """Return the newest picture if it comes after the number `after`, waiting for one; None if there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_after(after) or self.final, timeout)
            return self._newest if self._is_after(after) else None

    def _is_after(self, number: int) -> bool:
        return self._newest is not None and self._newest.number > number

    def _become(self, state: State, message: str = "") -> None:
        with self._changed:
            if (state, message) == (self.state, self.message) or self.final:
                return
            self.state, self.message = state, message
            self._changed.notify_all()
        self._on_state(state, message)

    def _run(self) -> None:
        wait, heard = _FIRST_WAIT, time.monotonic()
        while not self._stopped.is_set():
            count = self._count
            try:
                self._play()
            except SourceLost as error:
                message = str(error)
            except Exception as error:  # a source must never leave a session waiting forever
                self._become("failed", f"{self.source.name} cannot be read: {error}")
                return
            else:
                if self._stopped.is_set():
                    return
                if not self.loop or self._count == count:
                    self._become("ended")
                    return
                continue
            if self._count > count:  # it has played since: the waits start again
                wait, heard = _FIRST_WAIT, time.monotonic()
            if self.source.kind == "film" or time.monotonic() - heard + wait > self.patience:
                self._become("failed", message)
                return
            self._become("connecting" if self._count == 0 else "waiting", message)
            self._stopped.wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _play(self) -> None:
        """Read the source until it ends, is lost, or the reader is stopped."""
        source = self.source
        feed = CameraFeed(int(source.place)) if source.kind == "camera" else ContainerFeed(source)
        try:
            self._clock.connect()
            for picture in feed.pictures():
                if self._stopped.is_set() or not self._take(picture, feed):
                    return
        finally:
            feed.close()

    def _take(self, picture: FeedFrame, feed: CameraFeed | ContainerFeed) -> bool:
        """Make a picture the newest, a film's when its time has come; return whether to continue."""
        late, at = self._clock.read(picture.time, paced=feed.paced)
        feed.behind(late)
        if feed.paced and late < 0 and self._stopped.wait(-late):
            return False
        # Of its own, since a camera may change the size of its pictures; what maps their tones takes long to be made.
        stage = Stage(aspect=picture.aspect, tones=self._tones)
        raw = FilmFrame(picture.raw, self._count, at, stage=stage, garbled=picture.garbled)
        frame = LiveFrame(raw, arrived=time.monotonic())
        with self._changed:
            self._newest = frame
            self._count += 1
            self._changed.notify_all()
        self._become("playing")
        return True


class _Clock:
    """Joins the times of all connections of a source, and measures how late a picture is."""

    def __init__(self) -> None:
        self._began: float | None = None  # when the session's first picture came
        self._at = -_LEAST_STEP  # of the last picture, in the session's time
        self._last: float | None = None  # of the last picture, in the source's time; None after a new connection
        self._shift = 0.0  # from the source's time to the session's
        self._due = 0.0  # when a film's time 0 was or would have been
        self._quickest: deque[tuple[float, float]] = deque()

    def connect(self) -> None:
        """Expect the first picture of a new connection."""
        self._last = None

    def read(self, time_: float | None, *, paced: bool) -> tuple[float, float]:
        """Take a picture that has come just now.

        Args:
            time_: On the source's clock; None where it has none.
            paced: Whether the picture may come before its time.

        Returns:
            How many seconds late it comes, less than 0 when early, and its time in the session.
        """
        now = time.monotonic()
        if self._began is None:
            self._began = now
        late, at = 0.0, now - self._began
        if time_ is not None:
            if self._last is None or not -_LONGEST_BACK < time_ - self._last < _LONGEST_JUMP:
                self._shift, self._due = at - time_, now - time_
                self._quickest.clear()
            self._last, at = time_, time_ + self._shift
            late = now - self._due - time_ if paced else self._behind_quickest(now, now - time_)
            if paced and late > _LONGEST_STALL:
                self._due, late = self._due + late, 0.0
        self._at = max(at, self._at + _LEAST_STEP)
        return late, self._at

    def _behind_quickest(self, now: float, took: float) -> float:
        # Only the last seconds count: a camera's clock that runs a little slow would seem ever later.
        while self._quickest and self._quickest[-1][1] >= took:
            self._quickest.pop()
        self._quickest.append((now, took))
        while self._quickest[0][0] < now - _MEMORY:
            self._quickest.popleft()
        return took - self._quickest[0][1]
