"""A live session on the command line: in a window, or as lines of JSON."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import cv2

from facelib.live.records import Change
from facelib.live.session import LiveSession
from facelib.live.view import LiveView

_STEP = 0.1  # seconds between two checks whether to end
_KEYS = "q: quit   s: snapshot   r: record"


class ChangePrinter:
    """A listener that prints every change at once as one line of JSON.

    Attributes:
        gone: Set when nothing more can be printed: whoever reads has ended, as behind `| head`, or the disk is full.
        problem: Why, where it is an error.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.gone = threading.Event()
        self.problem = ""

    def __call__(self, change: Change) -> None:
        """Print a change."""
        if self.gone.is_set():
            return
        try:
            self._out.write(change.as_json() + "\n")
            self._out.flush()
        except (BrokenPipeError, ValueError):  # ValueError: the file has been closed
            self.gone.set()
        except OSError as error:
            self.problem = f"the changes cannot be written: {error.strerror or error}"
            self.gone.set()


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Yield an event that Ctrl-C and SIGTERM set, instead of interrupting."""
    asked = threading.Event()
    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in wanted}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def play_headless(session: LiveSession, *, seconds: float, asked: threading.Event, gone: threading.Event) -> None:
    """Play without a window until the end, until `seconds` have passed (0: never), or until asked to stop."""
    with session:
        began = time.monotonic()
        while not (session.wait(_STEP) or asked.is_set() or gone.is_set()):
            if seconds and time.monotonic() - began >= seconds:
                return


def check_display() -> None:
    """Check that a window can be opened: OpenCV aborts the process if not.

    Raises:
        OSError: When there is no display, or this OpenCV has no windows.
    """
    remedy = "choose --headless for one line of JSON a change, and --record FILE for a film of it"
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise OSError(f"expected a display to open a window on, found none; {remedy}")
    if "GUI:                           NONE" in cv2.getBuildInformation():
        raise OSError(f"expected OpenCV with windows, this one was built without (headless); {remedy}")


def play_in_window(session: LiveSession, *, seconds: float, asked: threading.Event) -> None:
    """Show the picture in a window until it is closed, `q` or Esc is pressed, or as `play_headless` ends."""
    title = f"facelib: {session.source}"
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    shown: LiveView | None = None
    began = cv2.getTickCount()
    try:
        with session:
            while session.running and not asked.is_set():
                view = session.view()
                if view is not None and (shown is None or view.number != shown.number):
                    if shown is None:
                        cv2.resizeWindow(title, view.image.shape[1], view.image.shape[0])
                    cv2.imshow(title, cv2.cvtColor(view.annotated(), cv2.COLOR_RGB2BGR))
                    cv2.setWindowTitle(title, f"{title} — {status(session, view)}")
                    shown = view
                if not _act_on(cv2.waitKey(10), session) or cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
                    return
                if seconds and (cv2.getTickCount() - began) / cv2.getTickFrequency() >= seconds:
                    return
    finally:
        cv2.destroyAllWindows()


def status(session: LiveSession, view: LiveView) -> str:
    """Return a status line such as `playing, 25 pictures per second, 20 ms behind, 9 recognised per second`."""
    parts = [
        view.state,
        f"{view.frames_per_second:.0f} pictures per second",
        f"{1000 * view.delay:.0f} ms behind",
        f"{view.recognitions_per_second:.0f} recognised per second",
        *([f"recording {session.recording.name}"] if session.recording else []),
        *([view.message] if view.message else []),
        _KEYS,
    ]
    return ", ".join(parts)


def _act_on(key: int, session: LiveSession) -> bool:
    """Do what a key asks for; return whether to continue."""
    pressed = chr(key & 0xFF) if key >= 0 else ""
    if pressed in {"q", "\x1b"} and pressed:
        return False
    if pressed == "s" and session.view() is not None:
        print(session.snapshot(), file=sys.stderr)
    if pressed == "r":
        print(session.stop_recording() if session.recording else session.record(), file=sys.stderr)
    return True
