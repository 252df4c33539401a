"""An open source: its pictures in order, with their times where the source has them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from facelib.films.media.decode import PresentationClock
from facelib.films.media.losses import GarbledPictures
from facelib.films.media.opening import picture_stream
from facelib.films.media.shown import pixel_aspect
from facelib.live.source import Source
from facelib.project.content import open_container

OPEN_SECONDS = 8.0
"""How long a stream may take to be opened."""

SILENT_SECONDS = 4.0
"""How long a stream may send nothing before it counts as lost."""

MOST_PIXELS = 8192 * 4320
"""Pixels of the largest picture that is taken: of larger ones a few fill the memory of a small machine."""

_LATE = 0.4  # seconds behind from which pictures that no other needs are not decoded
_FAR_BEHIND = 2.0  # seconds behind from which everything up to the next key frame is skipped

# A stream is analysed for a second at most before it plays; TCP, since a lost UDP packet is a smeared face.
_OPTIONS = {
    "rtsp": {"rtsp_transport": "tcp", "fflags": "nobuffer", "analyzeduration": "1000000"},
    "rtsps": {"rtsp_transport": "tcp", "fflags": "nobuffer", "analyzeduration": "1000000"},
}

# For these formats FFmpeg invents the times: 25 pictures per second, however they come.
_WITHOUT_CLOCK = frozenset({"mpjpeg", "mjpeg", "h264", "hevc", "m4v"})

_log = logging.getLogger(__name__)


class SourceLost(ConnectionError):
    """A source that cannot be opened, or has stopped sending."""


@dataclass(frozen=True, slots=True)
class FeedFrame:
    """A picture as it came.

    Attributes:
        raw: As the decoder gave it.
        time: Its presentation time in seconds, on the source's own clock; None where the source has none.
        garbled: Whether it shows what a loss has left behind.
        aspect: Width of a stored pixel divided by its height.
    """

    raw: av.VideoFrame
    time: float | None
    garbled: bool = False
    aspect: Fraction = Fraction(1)


class CameraFeed:
    """A camera of this machine, through OpenCV.

    Args:
        camera: Its number; or the path of a film, which OpenCV reads in the same way.

    Attributes:
        paced: Whether its pictures can be had at any speed, so that they must be held back to their times.
    """

    paced = False

    def __init__(self, camera: int | str) -> None:
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what is wrong is said below
        try:
            self._camera = cv2.VideoCapture(camera)
        finally:
            cv2.utils.logging.setLogLevel(level)
        if not self._camera.isOpened():
            raise SourceLost(f"no camera {camera} that can be opened; is it plugged in, and not in use elsewhere?")
        self._camera.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # buffered pictures are late

    def pictures(self) -> Iterator[FeedFrame]:
        """Give the pictures in order, until a `SourceLost`; a camera has no clock of its own."""
        while True:
            there, image = self._camera.read()
            if not there:
                raise SourceLost("the camera gives no more pictures; is it still plugged in?")
            yield FeedFrame(av.VideoFrame.from_ndarray(np.asarray(image, np.uint8), "bgr24"), None)

    def behind(self, seconds: float) -> None:
        """Do nothing: a camera is never behind."""

    def close(self) -> None:
        """Release the camera."""
        self._camera.release()


class ContainerFeed:
    """A stream or a film, through FFmpeg; as `CameraFeed`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        scheme = source.place.partition("://")[0].lower() if source.kind == "stream" else ""
        began = time.monotonic()
        try:
            self._container = (
                open_container(source.place)
                if source.kind == "film"
                else av.open(
                    source.place,
                    options=_OPTIONS.get(scheme, {}),
                    timeout=(OPEN_SECONDS, SILENT_SECONDS),
                    metadata_errors="replace",
                )
            )
        except (av.FFmpegError, OSError) as error:
            raise SourceLost(f"{source.name} cannot be opened: {_reason(error, began, OPEN_SECONDS)}") from error
        try:
            self._stream = picture_stream(self._container)
        except ValueError:
            self._container.close()
            raise SourceLost(f"{source.name} sends no pictures") from None
        # What a server holds whole comes as fast as the line, but for those whose protocol keeps the time.
        self.paced = source.kind == "film" or (scheme in {"http", "https"} and bool(self._container.duration))
        self._clock = PresentationClock(self._stream) if source.kind == "film" else None
        self._keeps_time = self._container.format.name not in _WITHOUT_CLOCK
        if not self._clock:
            # A decoder that works on several pictures at a time hands each out that many pictures later.
            self._stream.thread_type = "SLICE"
        self._skipping = False
        self._garbled = GarbledPictures()

    def pictures(self) -> Iterator[FeedFrame]:
        """Give the pictures in order, until the end of a film, or a `SourceLost`."""
        for packet in self._packets():
            if self._skipping and packet.size:
                if not packet.is_keyframe:
                    continue
                self._skipping = False
            if packet.is_corrupt:
                self._garbled.lose(packet.pts)
            for raw in self._decoded(packet):
                if raw.width * raw.height > MOST_PIXELS:
                    raise SourceLost(
                        f"{self._source.name} sends pictures of {raw.width} x {raw.height} pixels, expected at most "
                        f"{MOST_PIXELS / 1e6:.0f} million; set it to a smaller size"
                    )
                at = self._time_of(raw)
                garbled = self._garbled.is_garbled(raw, time.monotonic() if at is None else at)
                shape = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio
                yield FeedFrame(raw, at, garbled, pixel_aspect(shape))
        if not self.paced:
            raise SourceLost(f"{self._source.name} has ended")

    def _time_of(self, raw: av.VideoFrame) -> float | None:
        if self._clock:
            return self._clock.stamp(raw).time
        return float(raw.time) if self._keeps_time and raw.time is not None else None

    def _packets(self) -> Iterator[Any]:
        asked = time.monotonic()
        try:
            for packet in self._container.demux(self._stream):
                yield packet
                asked = time.monotonic()
        except (av.FFmpegError, OSError) as error:
            raise SourceLost(f"{self._source.name} was lost: {_reason(error, asked, SILENT_SECONDS)}") from error
        except IndexError:  # PyAV flushes streams too that only damage made FFmpeg find
            raise SourceLost(f"{self._source.name} was lost: it is damaged") from None

    def _decoded(self, packet: Any) -> list[av.VideoFrame]:
        try:
            return list(packet.decode())
        except av.FFmpegError as error:  # a packet damaged in transit; the next may be whole
            _log.debug("%s: a piece could not be decoded: %s", self._source.name, error.strerror)
            self._garbled.lose(packet.pts)
            return []

    def behind(self, seconds: float) -> None:
        """Report the delay in seconds: the larger, the more pictures are skipped without decoding."""
        self._stream.codec_context.skip_frame = "NONREF" if seconds > _LATE else "DEFAULT"
        self._skipping = self._skipping or seconds > _FAR_BEHIND

    def close(self) -> None:
        """Release the file or the line."""
        self._container.close()


def _reason(error: Exception, asked: float, seconds: float) -> str:
    # FFmpeg's own message holds the whole address, with the password. RTSP calls a broken-off wait invalid data.
    if isinstance(error, av.ExitError) or time.monotonic() - asked >= seconds:
        return f"no answer within {seconds:g} seconds"
    return getattr(error, "strerror", None) or type(error).__name__
