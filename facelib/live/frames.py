"""One picture of a live source, converted lazily and once."""

from __future__ import annotations

import threading
import time
from typing import Self

import av
import numpy as np

from facelib.faces import Image
from facelib.films.media.decode import FilmFrame


class LiveFrame:
    """A picture as it came from the source; may be asked by several threads.

    Attributes:
        raw: As the decoder gave it.
        number: 0-based, counted over the whole session, skipped pictures included.
        time: Seconds of the source since the session's first picture.
        arrived: When it was there, in seconds of `time.monotonic`.
    """

    __slots__ = ("_image", "_lock", "_preview", "arrived", "number", "raw", "time")

    def __init__(self, raw: FilmFrame, *, arrived: float) -> None:
        self.raw, self.number, self.time, self.arrived = raw, raw.index, raw.time, arrived
        self._lock = threading.Lock()  # PyAV's converter is not made for two threads at one time
        self._image: Image | None = None
        self._preview: Image | None = None

    @classmethod
    def of(cls, image: Image, *, number: int = 0, time_: float = 0.0, arrived: float | None = None) -> Self:
        """Make one of an RGB picture, `(height, width, 3)` uint8."""
        raw = FilmFrame(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24"), number, time_)
        return cls(raw, arrived=time.monotonic() if arrived is None else arrived)

    @property
    def image(self) -> Image:
        """The picture, `(height, width, 3)` uint8 RGB, upright, not to be written to."""
        with self._lock:
            if self._image is None:
                self._image = self.raw.image()
                self._image.flags.writeable = False
            return self._image

    def preview(self, width: int) -> Image:
        """Return the picture about `width` pixels wide, `(h, w, 3)` uint8 in BGR order; always ask for the same."""
        with self._lock:
            if self._preview is None:
                self._preview = self.raw.preview(width)
            return self._preview

    def planes(self) -> tuple[Image, Image, Image]:
        """Return new 8-bit Y, U and V planes, as in `facelib.films.media.decode.FilmFrame.planes`."""
        with self._lock:
            return self.raw.planes()
