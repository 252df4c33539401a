"""Films, read frame by frame with their presentation times."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from facelib.faces import Frame, Image

log = logging.getLogger(__name__)


class UnreadableFilm(ValueError):
    """A file that was expected to be a film and is not, has no pictures, or cannot be decoded."""


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """What a film's file says of itself.

    Attributes:
        path: The file.
        width: Pixels of the upright picture.
        height: Pixels of the upright picture.
        duration: Seconds; 0 when the file does not say.
        rate: Frames a second on average; with a variable frame rate only good for estimates.
        frames: Number of frames, or an estimate from duration and rate; 0 when unknown.
        codec: The picture's codec, such as `h264`.
        has_sound: Whether there is at least one sound stream.
    """

    path: Path
    width: int
    height: int
    duration: float
    rate: float
    frames: int
    codec: str
    has_sound: bool


class FilmFrame:
    """A decoded frame whose picture is converted only when asked for, and only as large as needed.

    Attributes:
        index: 0-based number in the order of presentation.
        time: Presentation time in seconds.
    """

    __slots__ = ("index", "raw", "time", "turns")

    def __init__(self, raw: av.VideoFrame, index: int, time: float) -> None:
        """Wrap what the decoder gave."""
        self.raw = raw
        self.index = index
        self.time = time
        self.turns = round(raw.rotation / 90) % 4  # anticlockwise quarter turns that bring the picture upright

    @property
    def width(self) -> int:
        """Pixels of the upright picture."""
        return int(self.raw.height if self.turns % 2 else self.raw.width)

    @property
    def height(self) -> int:
        """Pixels of the upright picture."""
        return int(self.raw.width if self.turns % 2 else self.raw.height)

    def image(self) -> Image:
        """Return the picture as `(height, width, 3)` uint8 RGB, upright."""
        return self._upright(self.raw.to_ndarray(format="rgb24"))

    def preview(self, width: int) -> Image:
        """Return the picture about `width` pixels wide as `(h, w, 3)` uint8 in BGR order, for shot detection."""
        scale = width / self.raw.width
        height = max(1, round(self.raw.height * scale))
        small = self.raw.reformat(width=width, height=height, format="bgr24", interpolation="FAST_BILINEAR")
        return self._upright(small.to_ndarray())

    def planes(self) -> tuple[Image, Image, Image]:
        """Return the picture as 8-bit Y, U and V planes, upright, sides even, U and V half as large each way."""
        return _even_planes([self._upright(plane) for plane in _planes_of(self.raw)])

    def _upright(self, array: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(np.rot90(array, self.turns)) if self.turns else array


def _planes_of(raw: av.VideoFrame) -> list[Image]:
    converted = raw if raw.format.name in {"yuv420p", "yuvj420p"} else raw.reformat(format="yuv420p")
    return [plane_pixels(plane).copy() for plane in converted.planes]


def plane_pixels(plane: Any) -> Image:
    """Return a plane's own memory as `(height, width)`; each of its rows may be followed by padding."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _even_planes(planes: list[Image]) -> tuple[Image, Image, Image]:
    # yuv420p has no odd sides when encoded: the last row or column is repeated.
    luma, *chroma = planes
    missing = [(0, side % 2) for side in luma.shape]
    return np.pad(luma, missing, mode="edge"), chroma[0], chroma[1]


@contextmanager
def open_film(path: str | Path) -> Iterator[InputContainer]:
    """Open a film for reading.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film or has no picture stream.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a film, found no file at {str(path)!r}")
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise UnreadableFilm(f"expected a film, could not read {str(path)!r}: {error.strerror or error}") from error
    with container:
        pictures = [stream for stream in container.streams.video if not _is_cover(stream)]
        if not pictures:
            kinds = [stream.type for stream in container.streams]
            raise UnreadableFilm(f"expected a film with pictures, {str(path)!r} has only streams of {kinds!r}")
        yield container


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def picture_stream(container: InputContainer) -> Any:
    """Return the first stream of moving pictures of a film that `open_film` opened; a cover is none."""
    return next(stream for stream in container.streams.video if not _is_cover(stream))


def probe(path: str | Path) -> FilmInfo:
    """Return what a film's file says of itself; decodes its first frame, for the size when upright.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film, has no pictures, or not one frame can be decoded.
    """
    with open_film(path) as container:
        stream = picture_stream(container)
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        duration = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
        codec, frames, sound = stream.codec_context.name, stream.frames, bool(container.streams.audio)
    first = next(read_frames(path))
    return FilmInfo(
        path=Path(path),
        width=first.width,
        height=first.height,
        duration=duration,
        rate=rate,
        frames=frames or round(duration * rate),
        codec=codec,
        has_sound=sound,
    )


def read_frames(path: str | Path) -> Iterator[FilmFrame]:
    """Decode a film once, frame by frame in the order of presentation; memory does not grow with its length.

    What cannot be decoded is left out and told in the log, and reading goes on behind it as far
    as the file goes.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film, has no pictures, or not one frame can be decoded.
    """
    with open_film(path) as container:
        stream = picture_stream(container)
        clock = PresentationClock(stream)
        for packet in read_packets(container, [stream], path):
            for raw in decode_packet(packet, path):
                yield clock.stamp(raw)
    if clock.count == 0:
        raise UnreadableFilm(f"expected a film with at least one frame, could decode none of {str(path)!r}")


def read_frame_at(path: str | Path, seconds: float) -> Frame:
    """Read the frame that is on screen at a time, without decoding all that lies before it.

    Args:
        path: The film.
        seconds: Presentation time; before the first frame gives the first, behind the last the last.

    Returns:
        The frame; its `index` is estimated from its time and the film's mean rate.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the film cannot be decoded.
    """
    with open_film(path) as container:
        stream = picture_stream(container)
        # A seek lands on the last picture at or before the time that can be decoded alone.
        container.seek(max(0, round(seconds / stream.time_base)), stream=stream)
        shown = None
        for raw in container.decode(stream):
            if shown is not None and raw.time is not None and raw.time > seconds + 1e-6:
                break
            shown = raw
        if shown is None:
            raise UnreadableFilm(f"expected a frame at {seconds!r} s, could decode none of {str(path)!r}")
        time = float(shown.time or 0.0)
        frame = FilmFrame(shown, round(time * float(stream.average_rate or 25)), time)
        return Frame(frame.image(), frame.index, frame.time)


class PresentationClock:
    """Numbers the frames of one stream and tells their times."""

    def __init__(self, stream: Any) -> None:
        stream.thread_type = "AUTO"
        self.count = 0
        self.step = 1 / float(stream.average_rate or 25)
        self.last = -self.step

    def stamp(self, raw: av.VideoFrame) -> FilmFrame:
        """Return a decoded frame with its number, and with a time later than that of the frame before."""
        # A broken file may lack times, or repeat one: the next frame is then one step later.
        time = raw.time if raw.time is not None and raw.time > self.last else self.last + self.step
        frame = FilmFrame(raw, self.count, float(time))
        self.count += 1
        self.last = frame.time
        return frame


def read_packets(container: InputContainer, streams: list[Any], path: str | Path) -> Iterator[Any]:
    """Read the packets of some streams in the file's order; damage ends the film, and is told in the log."""
    try:
        yield from container.demux(streams)
    except av.FFmpegError as error:
        log.warning("%s is damaged or cut short; what lies before the damage was read: %s", path, error.strerror)
        for stream in streams:
            end = av.Packet()  # an empty packet makes the decoder hand out what it still holds
            end.stream = stream
            yield end


def decode_packet(packet: Any, path: str | Path) -> list[Any]:
    """Decode a packet; what cannot be decoded is left out and told in the log, which names `path`."""
    try:
        return list(packet.decode())
    except av.FFmpegError as error:
        log.warning("%s: a piece of the film could not be decoded and is left out: %s", path, error.strerror)
        return []
