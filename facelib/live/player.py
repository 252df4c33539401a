"""The threads of a live session: one shows every picture, the other recognises as many as it can."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from facelib.live.following import Following, Seen
from facelib.live.reader import Reader
from facelib.live.recognition import News, Recognition
from facelib.live.recorder import Recorder
from facelib.live.records import FINAL_STATES, ChangeLog, State
from facelib.live.source import Source
from facelib.live.view import LiveView


class Rate:
    """Counts events over the last seconds; may be asked by several threads."""

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


_LONGEST_READ = 15.0  # seconds for which a source may hold up the end
_LONGEST_HOLD = 0.4  # seconds for which a picture behind a cut waits for its names, or they would blink at every cut
_NOBODY_AFTER = 1.5  # seconds without a new picture after which everybody has left

_log = logging.getLogger(__name__)


class Player:
    """Plays a source: shows each picture that comes with the faces known, carried along, and recognises the newest.

    The first picture behind a cut is shown when it has been recognised, where that takes no longer than a moment.

    Args:
        source: What to play.
        recognition: Finds, follows and names the faces.
        log: Receives the changes.
        seconds: From the beginning of one recognition to that of the next, at least.
        loop: Whether a film starts again at its end.
        patience: Seconds without a picture after which the source has failed.
        colours: See `facelib.live.view.LiveView`; may be replaced at any time.

    Attributes:
        recognition: Used only while `machine` is held.
        machine: Held while a picture is recognised.
        colours: As given.
    """

    def __init__(
        self,
        source: Source,
        recognition: Recognition,
        log: ChangeLog,
        *,
        seconds: float = 0.0,
        loop: bool = False,
        patience: float = math.inf,
        colours: Mapping[str, str],
    ) -> None:
        self.source, self.recognition, self.colours = source.name, recognition, colours
        self.machine = threading.Lock()
        self._log, self._seconds = log, seconds
        self._reader = Reader(source, loop=loop, patience=patience, on_state=self._take_state)
        self._following = Following()
        self._lock = threading.RLock()  # of all below, which the threads hand to each other
        self._work = threading.Condition(self._lock)
        self._waiting: Seen | None = None
        self._busy = False
        self._scene, self._settled = 0, 0  # of the newest picture, and of the last recognised
        self._took = 0.0  # from the arrival of the last recognised picture to its names
        self._view: LiveView | None = None
        self._recorder: Recorder | None = None
        self._final: tuple[State, str] | None = None
        self._failure, self._connected = "", False
        self._shown, self._recognized = Rate(2.0), Rate(5.0)
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._show_thread = threading.Thread(target=self._play, name="facelib live show", daemon=True)
        self._look_thread = threading.Thread(target=self._recognize, name="facelib live look", daemon=True)

    def start(self) -> None:
        """Begin to play. While it plays nothing happens; one that has ended cannot be started again.

        Raises:
            RuntimeError: When it has ended.
        """
        with self._lock:
            if self.over:
                raise RuntimeError("expected a session that has not ended, this one has; make a new one")
            if self._show_thread.ident is None:
                for thread in (self._reader, self._look_thread, self._show_thread):
                    thread.start()

    def stop(self) -> None:
        """End it: the source is released and a recording finished; may be called any number of times.

        Returns when all is done; from within a listener at once, since the player waits for that call itself.
        """
        self._stopping.set()
        with self._work:
            self._work.notify_all()
            never = self._show_thread.ident is None
        if never:
            self._close()
        elif threading.current_thread() not in (self._show_thread, self._look_thread, self._reader.thread):
            self._ended.wait()

    @property
    def running(self) -> bool:
        """Whether it was started and has not yet ended."""
        return self._show_thread.ident is not None and not self._ended.is_set()

    @property
    def over(self) -> bool:
        """Whether it has ended, or is about to."""
        return self._final is not None or self._stopping.is_set()

    @property
    def state(self) -> State:
        """What it is at; final only when all is released."""
        if self._final:
            return self._final[0]
        if self._reader.final:  # all is being released
            return "playing" if self._view else "connecting"
        return self._reader.state

    @property
    def message(self) -> str:
        """Why it waits or failed, or nothing; made for people to read."""
        return self._final[1] if self._final else self._reader.message

    @property
    def time(self) -> float:
        """Of the newest picture, in the session's time; 0 before the first."""
        view = self._view
        return view.time if view else 0.0

    def view(self) -> LiveView | None:
        """Return the newest picture with what is known of it, None before the first; the last one stays at the end."""
        view = self._view
        if view is None:
            return None
        return replace(
            view,
            state=self.state,
            message=self.message,
            frames_per_second=self._shown.per_second(),
            recognitions_per_second=self._recognized.per_second(),
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, `timeout` seconds at most; return whether it has."""
        return self._ended.wait(timeout)

    def _record(self, path: Path) -> None:
        """Record from the next picture on."""
        with self._lock:
            if self.over:
                raise RuntimeError("expected a session that has not ended, this one has; make a new one to record")
            if self._recorder is not None:
                raise RuntimeError(f"expected no recording, {str(self._recorder.path)!r} is being made; stop it first")
            self._recorder = Recorder(path)

    def stop_recording(self) -> Path | None:
        """Finish the recording and return its file; None where nothing was recorded."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
        if recorder is None:
            return None
        recorder.close()
        if recorder.problem:
            self._log.tell("unrecorded", at=self.time, message=recorder.problem)
        return recorder.path if recorder.written else None

    def _play(self) -> None:
        """Show every picture that comes, until the end; this thread also clears up."""
        try:
            self._show()
        except Exception as error:
            self._fail(error)
        finally:
            self._close()

    def _show(self) -> None:
        last = -1
        while not self._stopping.is_set():
            frame = self._reader.newest(after=last, timeout=0.1)
            if frame is None:
                if self._reader.final:
                    self._finish_looking()
                    return
                continue
            last = frame.number
            with self._work:
                self._waiting = seen = self._following.advance(frame)
                self._work.notify_all()
                self._hold(seen.scene)
                self._shown.add()
                delay, faces = time.monotonic() - frame.arrived, self._following.faces()
                view = LiveView(frame, faces, delay=delay, recognition_delay=self._took, colours=self.colours)
                self._view, recorder = view, self._recorder
            if recorder is not None:
                recorder.add(view)
                if recorder.problem:
                    self.stop_recording()

    def _hold(self, scene: int) -> None:
        """Behind a cut, wait until its first picture is recognised, if that takes no longer than a moment."""
        cut, self._scene = scene != self._scene, scene
        if cut and 0 < self._took <= _LONGEST_HOLD:
            self._work.wait_for(lambda: self._settled >= scene or self._stopping.is_set(), timeout=_LONGEST_HOLD)

    def _finish_looking(self) -> None:
        """Let the last picture of a film be recognised, at once and however long it takes."""
        with self._work:
            self._work.notify_all()
            self._work.wait_for(lambda: self._stopping.is_set() or not (self._busy or self._waiting))

    def _recognize(self) -> None:
        """Recognize the newest picture, again and again; the other thread."""
        try:
            self.recognition.warm_up()
            while (seen := self._next()) is not None:
                began = time.monotonic()
                with self.machine:
                    found = self.recognition.look(seen.frame, seen.scene)
                with self._work:
                    self._following.settle(found)
                    self._recognized.add()
                    self._busy, self._settled = False, found.scene
                    self._took = time.monotonic() - found.frame.arrived
                    if self._view is not None and self._view.number == self._following.number:
                        self._view = replace(self._view, faces=self._following.faces(), recognition_delay=self._took)
                    self._work.notify_all()
                self._tell_all(found.news, found.frame.time)
                with self._work:
                    pause = max(0.0, began + self._seconds - time.monotonic())
                    self._work.wait_for(lambda: self._stopping.is_set() or self._reader.final, timeout=pause)
        except Exception as error:
            self._fail(error)

    def _next(self) -> Seen | None:
        """Wait for a picture not yet looked at; None at the end."""
        asked = time.monotonic()
        while not self._stopping.is_set():
            with self._work:
                self._work.wait_for(lambda: self._waiting is not None or self._stopping.is_set(), timeout=0.25)
                seen, self._waiting = self._waiting, None
                self._busy = seen is not None
            if seen is not None:
                return seen
            if time.monotonic() - asked > _NOBODY_AFTER:
                self._let_leave()
        return None

    def _let_leave(self) -> None:
        with self.machine:
            news = self.recognition.end()
        self._tell_all(news, self.time)

    def _fail(self, error: Exception) -> None:
        _log.error("the live session ends", exc_info=error)
        self._failure = self._failure or f"{type(error).__name__}: {error}"
        self._stopping.set()
        with self._work:
            self._work.notify_all()

    def _close(self) -> None:
        """Release everything, and report the end; once."""
        if self._ended.is_set():
            return
        self._stopping.set()
        released = self._reader.stop(timeout=_LONGEST_READ)
        if self._look_thread.ident is not None:
            self._look_thread.join()
        self.stop_recording()
        self._let_leave()
        state, message = self._reader.state, self._reader.message
        if self._failure:
            state, message = "failed", self._failure
        elif not released:
            message = f"{self.source} does not answer; it will be released when it does"
        self._final = (state, message)
        assert state == "ended" or state == "stopped" or state == "failed"
        self._log.tell(state, at=self.time, message=message)
        self._ended.set()

    def _take_state(self, state: State, message: str) -> None:
        """Report that the source has come or gone; the end is reported when all is released."""
        connected = state == "playing"
        if state not in FINAL_STATES and (connected != self._connected or not connected):
            self._connected = connected
            self._log.tell("connected" if connected else "lost", at=self.time, message=message)

    def _tell_all(self, news: Iterable[News], at: float) -> None:
        for one in news:
            who = one.answer
            self._log.tell(one.kind, at=at, track=one.track, person=who.person, confidence=who.confidence)
