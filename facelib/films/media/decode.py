"""Read films frame by frame: numbered, on one clock, as they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from facelib.faces import Frame
from facelib.films.media.opening import UnreadableFilm
from facelib.films.media.reader import FilmReader, open_reader
from facelib.films.media.shown import FilmFrame, Stage, pixel_aspect
from facelib.films.media.timeline import FrameTimes, PictureClock

__all__ = ["FilmFrame", "FilmInfo", "PresentationClock", "UnreadableFilm", "probe", "read_frame_at", "read_frames"]

_EARLIER = (0.0, 1.0, 5.0, 20.0)  # seconds before the wanted time at which reading starts


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """A film's metadata, as its file states it.

    Attributes:
        path: The file.
        width: Pixels of the picture as it is shown.
        height: Pixels of the picture as it is shown.
        duration: Seconds; 0 when unknown.
        rate: Frames a second on average; an estimate where the frame rate varies.
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


def probe(path: str | Path) -> FilmInfo:
    """Return a film's metadata; decodes its first frame, for the size when shown.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film, has no pictures, or not one frame can be decoded.
    """
    with open_reader(path) as reader:
        duration, rate, frames = reader.duration, reader.rate, reader.expected
        codec, sound = reader.stream.codec_context.name, bool(reader.container.streams.audio)
        first = next(reader.frames())
    return FilmInfo(Path(path), first.width, first.height, duration, rate, frames, codec, sound)


def read_frames(path: str | Path) -> Iterator[FilmFrame]:
    """Decode a film once, frame by frame in the order of presentation; see `FilmReader.frames`.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film, has no pictures, or not one frame can be decoded.
    """
    with open_reader(path) as reader:
        yield from reader.frames()


def read_frame_at(path: str | Path, seconds: float, *, times: FrameTimes | None = None) -> Frame:
    """Read the frame that is on screen at a time, without decoding all before it.

    Args:
        path: The film.
        seconds: Time in the film; before the first frame gives the first, after the last the last.
        times: When its frames are shown, for a film whose file times jump; None takes its first frame as time 0.

    Returns:
        The frame; its `index` is estimated from its time and the film's mean rate.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the film cannot be decoded.
    """
    with open_reader(path) as reader:
        first = next(reader.frames())
    began = reader.times().to_source(0.0)
    wanted = times.to_source(seconds) if times is not None else seconds + began
    if seconds <= 0:
        return Frame(first.image(), first.index, first.time)
    # Some containers have no index: a seek then lands after the last keyframe. Where times restart, anywhere.
    joined = times is not None and len(times.segments) > 1
    for earlier in (None,) if joined else (*_EARLIER, None):
        with open_reader(path) as reader:
            begin = None if earlier is None else max(began, wanted - earlier)
            shown = _frame_at(reader, seconds, None) if begin is None else _frame_at(reader, wanted, begin)
            if shown is not None:
                break
    if shown is None:
        return Frame(first.image(), first.index, first.time)
    time = shown.time if begin is None or shown.source is None else shown.source - wanted + seconds
    return Frame(shown.image(), round(time * float(reader.stream.average_rate or 25)), time)


def _frame_at(reader: FilmReader, wanted: float, begin: float | None) -> FilmFrame | None:
    """Return the frame that is on screen at a time; None where reading cannot begin there, or begins later.

    Both times are of the file, but `wanted` is one of the film where that is read from its beginning.
    """
    stream = reader.stream
    try:
        if begin is not None:
            reader.container.seek(round(begin / stream.time_base), stream=stream)
    except av.FFmpegError:  # a raw stream
        return None
    shown: FilmFrame | None = None
    with suppress(UnreadableFilm):  # nothing comes after that place
        for frame in reader.frames():
            time = frame.time if begin is None else frame.source
            if time is None:
                return None
            if time > wanted + 1e-6:
                break
            shown = frame
    return shown


class PresentationClock:
    """Numbers the frames of one stream and gives their times."""

    def __init__(self, stream: Any) -> None:
        stream.thread_type = "AUTO"
        self._clock = PictureClock(Fraction(stream.time_base), stream.average_rate)
        self._stage = Stage(aspect=pixel_aspect(stream.sample_aspect_ratio))

    def stamp(self, raw: av.VideoFrame) -> FilmFrame:
        """Return a decoded frame with its number, and with a time later than that of the frame before."""
        index, ticks = self._clock.count, self._clock.place(raw.pts, raw.duration or 0)
        return FilmFrame(raw, index, float(ticks * self._clock.tick), stage=self._stage, ticks=ticks)
