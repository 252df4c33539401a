"""The annotated picture as it plays, written to an MP4 that can be played at any moment."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from facelib.films.media.encode import PictureWriter
from facelib.live.view import LiveView, draw_faces

# Pieces of a second each, so that what was written before a power cut plays; in the end the file gets the index of a
# plain MP4.
_OPTIONS = {"movflags": "hybrid_fragmented+frag_keyframe+negative_cts_offsets", "frag_duration": "1000000"}
_MOST_WAITING = 30  # pictures, about a second: an encoder that is slower loses some

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Picture:
    """What an MP4 needs to know of its source: ticks fine enough for any camera."""

    time_base = Fraction(1, 90_000)
    average_rate = Fraction(30)
    sample_aspect_ratio = None


class Recorder:
    """Writes views as they come, in a thread of its own, every picture at its own time.

    Attributes:
        path: The file.
        written: Pictures written so far.
        lost: Pictures that came faster than they could be written.
        problem: Why it ended before it was closed, or nothing.

    Raises:
        FileExistsError: When there is such a file.
        ValueError: When the suffix is not `.mp4`.
        OSError: When the folder cannot be made.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != ".mp4":
            raise ValueError(f"expected a recording's name to end in '.mp4', got {str(path)!r}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.path.touch(exist_ok=False)  # at once: another session may be about to write a file of this name
        except FileExistsError:
            raise FileExistsError(f"expected no file at {str(path)!r}, found one; choose another name") from None
        self.written = self.lost = 0
        self.problem = ""
        self._waiting: deque[LiveView] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"facelib recorder of {self.path.name}", daemon=True)
        self._thread.start()

    def add(self, view: LiveView) -> None:
        """Take the next picture; never waits."""
        with self._changed:
            if self._closed or self.problem:
                return
            if len(self._waiting) >= _MOST_WAITING:
                self._waiting.popleft()
                self.lost += 1
            self._waiting.append(view)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, and finish the file; a second time does nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        if self.lost:
            _log.warning("%s lacks %d pictures, which came faster than they could be written", self.path, self.lost)

    def _next(self) -> LiveView | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return self._waiting.popleft() if self._waiting else None

    def _run(self) -> None:
        try:
            self._write()
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            with self._changed:
                self.problem = f"expected to write the recording {str(self.path)!r}, got: {reason}; it ends there"
                self._waiting.clear()
        if not self.written:
            self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        view = self._next()
        if view is None:
            return
        with av.open(f"file:{self.path}", "w", options=_OPTIONS) as output:
            pictures = PictureWriter(output, _Picture(), view.frame.raw, quality=23, in_order=True)
            began, last = view.time, -1
            # The last picture lasts as long as the one before it.
            lasts = pictures.to_ticks(float(1 / _Picture.average_rate))
            while view is not None:
                planes = view.frame.planes()
                draw_faces(planes, view.faces, view.colours)
                at, view = max(last + 1, pictures.to_ticks(view.time - began)), self._next()
                lasts = pictures.to_ticks(view.time - began) - at if view else lasts
                pictures.write(planes, at, lasts=max(1, lasts))
                self.written, last = self.written + 1, at
            pictures.finish()
