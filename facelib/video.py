"""Films: read frame by frame with their presentation times, and written again with their sound."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from facelib.faces import Frame, Image
from facelib.project import writing

log = logging.getLogger(__name__)

# What an MP4 may hold and a browser plays; any other sound is encoded again as AAC.
_SOUND_IN_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})

# At a rate factor of 23 or 24 it looks as `veryfast` does at 20 (SSIM 0.995 of 720p films), takes two thirds of
# its time, and makes a file up to a third larger, which still is smaller than most sources.
_PRESET = "superfast"


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
    return [_pixels(plane).copy() for plane in converted.planes]


def _pixels(plane: Any) -> Image:
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


def _picture_stream(container: InputContainer) -> Any:
    return next(stream for stream in container.streams.video if not _is_cover(stream))


def probe(path: str | Path) -> FilmInfo:
    """Return what a film's file says of itself; decodes its first frame, for the size when upright.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film, has no pictures, or not one frame can be decoded.
    """
    with open_film(path) as container:
        stream = _picture_stream(container)
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
        stream = _picture_stream(container)
        clock = _Clock(stream)
        for packet in _packets(container, [stream], path):
            for raw in _decode(packet, path):
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
        stream = _picture_stream(container)
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


class _Clock:
    """Numbers the frames of one stream and tells their times."""

    def __init__(self, stream: Any) -> None:
        stream.thread_type = "AUTO"
        self.count = 0
        self.step = 1 / float(stream.average_rate or 25)
        self.last = -self.step

    def stamp(self, raw: av.VideoFrame) -> FilmFrame:
        # A broken file may lack times, or repeat one: the next frame is then one step later.
        time = raw.time if raw.time is not None and raw.time > self.last else self.last + self.step
        frame = FilmFrame(raw, self.count, float(time))
        self.count += 1
        self.last = frame.time
        return frame


def _packets(container: InputContainer, streams: list[Any], path: str | Path) -> Iterator[Any]:
    try:
        yield from container.demux(streams)
    except av.FFmpegError as error:
        log.warning("%s is damaged or cut short; what lies before the damage was read: %s", path, error.strerror)
        for stream in streams:
            end = av.Packet()  # an empty packet makes the decoder hand out what it still holds
            end.stream = stream
            yield end


def _decode(packet: Any, path: str | Path) -> list[Any]:
    try:
        return list(packet.decode())
    except av.FFmpegError as error:
        log.warning("%s: a piece of the film could not be decoded and is left out: %s", path, error.strerror)
        return []


Draw = Callable[[FilmFrame], tuple[Image, Image, Image]]
"""Takes a frame and returns its Y, U and V planes, drawn upon."""


def write_film(source: str | Path, destination: str | Path, draw: Draw, *, quality: int = 23) -> int:
    """Write a film again as H.264 in MP4 with every frame redrawn, its sound and its times kept.

    The sound is copied bit for bit where an MP4 can hold it, and encoded as AAC where not. The
    file is readable from its beginning (`faststart`) and appears only when it is whole.

    Args:
        source: The film.
        destination: The file to write, `.mp4`.
        draw: Called with every frame in order.
        quality: x264's constant rate factor: 18 looks like the source, 28 is small; lower is larger.

    Returns:
        The number of frames written.

    Raises:
        FileNotFoundError: When there is no such source.
        UnreadableFilm: When the source cannot be decoded.
        OSError: When the destination cannot be written.
    """
    first = next(read_frames(source))
    with writing(destination) as temporary, open_film(source) as container:
        picture = _picture_stream(container)
        clock = _Clock(picture)
        with av.open(str(temporary), "w", options={"movflags": "faststart"}) as output:
            writer = _Writer(container, output, first, quality)
            for packet in _packets(container, [picture, *writer.sound], source):
                if packet.stream is picture:
                    for raw in _decode(packet, source):
                        writer.write(clock.stamp(raw), draw)
                elif packet.stream in writer.sound:
                    writer.copy_sound(packet)
            writer.finish()
    return clock.count


class _Writer:
    """One MP4 being written: pictures encoded, sound copied or encoded again."""

    def __init__(self, source: InputContainer, output: OutputContainer, first: FilmFrame, quality: int) -> None:
        # All streams are made before anything is written: an MP4's header lists them.
        self.output = output
        self.video = self._add_video(_picture_stream(source), first, quality)
        self.sound: dict[Any, Any] = {}
        for stream in source.streams.audio:
            if stream.codec_context.name in _SOUND_IN_MP4:
                self.sound[stream] = output.add_stream_from_template(stream)
            else:
                self.sound[stream] = output.add_stream("aac", rate=stream.codec_context.sample_rate)

    def _add_video(self, picture: Any, first: FilmFrame, quality: int) -> Any:
        rate = picture.average_rate or Fraction(25)
        video = self.output.add_stream("libx264", rate=rate, options={"preset": _PRESET, "crf": str(quality)})
        video.height, video.width = first.planes()[0].shape
        video.pix_fmt = "yuv420p"
        context, raw = video.codec_context, first.raw
        # The source's own ticks keep its presentation times exactly, constant or not.
        video.time_base = context.time_base = picture.time_base
        context.colorspace, context.color_range = raw.colorspace, raw.color_range
        context.color_primaries, context.color_trc = raw.color_primaries, raw.color_trc
        if picture.sample_aspect_ratio and not first.turns:
            context.sample_aspect_ratio = picture.sample_aspect_ratio
        return video

    def write(self, frame: FilmFrame, draw: Draw) -> None:
        drawn = av.VideoFrame(self.video.width, self.video.height, "yuv420p")
        for plane, values in zip(drawn.planes, draw(frame), strict=True):
            pixels = _pixels(plane)
            fits = values.shape == pixels.shape  # a broadcast may change its size on the way
            pixels[:] = (
                values if fits else cv2.resize(values, (plane.width, plane.height), interpolation=cv2.INTER_AREA)
            )
        ticks = self.video.codec_context.time_base
        drawn.pts, drawn.time_base = round(Fraction(frame.time) / ticks), ticks
        self.output.mux(self.video.encode(drawn))

    def copy_sound(self, packet: Any) -> None:
        target = self.sound[packet.stream]
        if packet.stream.codec_context.name in _SOUND_IN_MP4:
            if packet.dts is not None:  # the packet that ends a stream holds nothing
                packet.stream = target
                self._mux_sound(packet)
            return
        for samples in packet.decode():
            self.output.mux(target.encode(samples))

    def _mux_sound(self, packet: Any) -> None:
        try:
            self.output.mux(packet)
        except av.FFmpegError as error:  # a damaged piece, whose times run backwards
            log.warning("a piece of the sound could not be written and is left out: %s", error.strerror)

    def finish(self) -> None:
        self.output.mux(self.video.encode(None))
        for stream, target in self.sound.items():
            if stream.codec_context.name not in _SOUND_IN_MP4:
                self.output.mux(target.encode(None))
