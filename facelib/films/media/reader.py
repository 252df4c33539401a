"""One pass over a film: its frames in order and on one clock, and what was lost."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.container import InputContainer

from facelib.films.media.captions import CaptionFinder
from facelib.films.media.carried import streams_left_out
from facelib.films.media.cropping import Cropper, read_crop
from facelib.films.media.fields import Deinterlacer
from facelib.films.media.losses import GarbledPictures, PictureCount, SoundCount, join_sentences
from facelib.films.media.opening import (
    UnreadableFilm,
    decode_packet,
    open_film,
    picture_stream,
    read_packets,
    read_through,
    tagged_length,
)
from facelib.films.media.raw import UNFRAMED, ends_in_picture
from facelib.films.media.shown import FilmFrame, Stage, pixel_aspect
from facelib.films.media.structure import begins_another, first_break
from facelib.films.media.timecode import gop_timecode, read_timecode
from facelib.films.media.timeline import JOINABLE, FrameTimes, JointFinder, PictureClock
from facelib.project.processes import allowed_cores
from facelib.project.ranges import size_of

_log = logging.getLogger(__name__)

_UNTIMED = -(1 << 63)  # FFmpeg's AV_NOPTS_VALUE
_HELD = 8  # frames buffered for sorting, in a damaged film
_FIRST_GROUP = 64  # frames in which the first timecode of MPEG-2 pictures is looked for
# Containers in which a film may change its pixel aspect ratio midway, since only the pictures state it.
_SHAPELESS = frozenset({"mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "dv"})


class _Stamp(NamedTuple):
    number: int
    ticks: int
    source: float | None
    garbled: bool


@contextmanager
def open_reader(path: str | Path, *, cores: int | None = None) -> Iterator[FilmReader]:
    """Open a film to be read once from its beginning.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film or has no picture stream.
    """
    with open_film(path) as container:
        yield FilmReader(path, container, cores=cores)


class FilmReader:
    """One pass over a film: its frames in the order of presentation, and what was lost.

    Args:
        path: The film.
        container: Opened by `open_film`; nothing else may read from it.
        cores: How many cores may decode it; None takes all that this process may use.

    Attributes:
        stream: The stream of pictures.
        pictures: How many pictures there are, and how many were decoded.
        captions: Finds closed captions embedded in them.
    """

    def __init__(self, path: str | Path, container: InputContainer, *, cores: int | None = None) -> None:
        self.path, self.container = path, container
        self.stream = picture_stream(container)
        self.stream.thread_type = "AUTO"
        if (cores or allowed_cores()) == 1:  # such as many films at once, each on a core of its own
            self.stream.thread_count = 1
        self.pictures = PictureCount()
        self._garbled = GarbledPictures()
        joinable = not JOINABLE.isdisjoint(container.format.name.split(","))
        self._clock = PictureClock(Fraction(self.stream.time_base), self.stream.average_rate, joints=False)
        self.captions = CaptionFinder()
        self._shown_part = Cropper(read_crop(container, path, self.stream))
        self._joints = JointFinder(leaps=joinable)
        self._order = _Order(active=False)
        self._sortable = not joinable
        self._stage = Stage(aspect=pixel_aspect(self.stream.sample_aspect_ratio))
        self._shapeless = container.format.name in _SHAPELESS
        self._numbered = container.format.name == "dirac"  # its pictures have numbers in place of times
        self._source, self._ticks = array("q"), array("q")  # a film of hours has hundreds of thousands
        self._sounds: dict[int, SoundCount] = {}
        self._damage = ""
        self._last_key: int | None = None  # the byte at which the last key picture of a raw stream begins
        self._label, self._counted = read_timecode(container, path)
        self._gop = ""
        codec = self.stream.codec_context.codec.canonical_name
        self._has_gops = codec in {"mpeg1video", "mpeg2video"}
        self._can_caption = codec in {"mpeg2video", "h264", "hevc"}

    def frames(self, *, count_sound: bool = False) -> Iterator[FilmFrame]:
        """Decode the film, frame by frame; only the frames' times grow in memory with its length.

        What cannot be decoded is left out and logged, and reading continues after it to the end of the file.

        Args:
            count_sound: Also look for pieces of sound that are missing, without decoding any.

        Raises:
            UnreadableFilm: At the end, when not one frame could be decoded.
        """
        sounds = [one for one in self.container.streams.audio if one.time_base] if count_sound else []
        self._sounds = {stream.index: SoundCount(number) for number, stream in enumerate(sounds, 1)}
        for item in self.items(sounds):
            if isinstance(item, FilmFrame):
                yield item
            else:
                self._count_sound(item)

    def items(self, others: Sequence[Any]) -> Iterator[FilmFrame | Any]:
        """Yield the film's frames, and between them the packets of other streams, as they lie in the file.

        Raises:
            UnreadableFilm: At the end, when not one frame could be decoded.
        """
        fields: Deinterlacer[_Stamp] = Deinterlacer()
        for packet in read_packets(self.container, [self.stream, *others], self.path, on_damage=self._damaged):
            if packet.stream is not self.stream:
                yield packet
                continue
            for raw in self._order.push(self._decode(packet)):
                yield from self._frames(fields.push(raw, self._stamp(raw)))
        for raw in self._order.flush():
            yield from self._frames(fields.push(raw, self._stamp(raw)))
        yield from self._frames(fields.flush())
        if not self.pictures.shown:
            raise UnreadableFilm(f"expected a film with at least one frame, could decode none of {str(self.path)!r}")

    def _decode(self, packet: Any) -> list[av.VideoFrame]:
        if _is_header(packet):
            return []
        if self._can_caption:
            self.captions.push(packet)
        if packet.size and not packet.is_discard and _is_shown(packet):
            self.pictures.expect(packet.pts, corrupt=packet.is_corrupt)
        if packet.is_corrupt:
            self._garbled.lose(packet.pts)
        if packet.is_keyframe and packet.pos is not None and self.container.format.name in UNFRAMED:
            self._last_key = packet.pos
        if packet.dts is not None and self._joints.is_joint(packet.dts * self._clock.tick):
            self._clock.joint()
            self._garbled.restart()
        failed = partial(self._failed, packet.pts)
        return [self._shown_part(raw) for raw in decode_packet(packet, self.path, on_damage=failed)]

    def _failed(self, pts: int | None) -> None:
        if not self.pictures.failed:
            _log.warning("%s: pieces of the film cannot be decoded and are left out", self.path)
        self.pictures.fail(float(self._clock.last * self._clock.tick))
        self._garbled.lose(pts)
        self._order.active = self._sortable

    def _damaged(self, reason: str) -> None:
        self._damage = reason

    def _stamp(self, raw: av.VideoFrame) -> _Stamp:
        """Number a decoded frame and give it its time."""
        self.pictures.show(raw.pts)
        self.pictures.fields |= raw.interlaced_frame and self.stream.codec_context.name in {"h264", "hevc", "vvc"}
        if self._shapeless:
            self._stage.aspect = pixel_aspect(self.stream.codec_context.sample_aspect_ratio)
        if self._has_gops and not self._label and not self._gop and self._clock.count < _FIRST_GROUP:
            self._gop = gop_timecode(raw)
        pts = None if self._numbered else raw.pts
        self._source.append(_UNTIMED if pts is None else pts)
        ticks = self._clock.place(pts, raw.duration or 0)
        self._ticks.append(ticks)
        seconds = float(ticks * self._clock.tick)
        if raw.is_corrupt:
            self.pictures.spoil(seconds)
        source = None if pts is None else float(pts * self._clock.tick)
        return _Stamp(self._clock.count - 1, ticks, source, self._garbled.is_garbled(raw, seconds))

    def _frames(self, stamped: Iterator[tuple[av.VideoFrame, _Stamp]]) -> Iterator[FilmFrame]:
        for raw, (number, ticks, source, garbled) in stamped:
            time = float(ticks * self._clock.tick)
            yield FilmFrame(raw, number, time, stage=self._stage, ticks=ticks, source=source, garbled=garbled)

    def _count_sound(self, packet: Any) -> None:
        if packet.size and packet.pts is not None:
            base = packet.time_base
            length = float((packet.duration or 0) * base)
            self._sounds[packet.stream.index].add(float(packet.pts * base), length, corrupt=packet.is_corrupt)

    @property
    def rate(self) -> float:
        """Frames a second on average, as the file states it; 0 when it does not."""
        return float(self.stream.average_rate or self.stream.guessed_rate or 0)

    @property
    def duration(self) -> float:
        """Seconds, as the file states them; 0 when it does not."""
        stream = self.stream
        return float(stream.duration * stream.time_base) if stream.duration else (self.container.duration or 0) / 1e6

    @property
    def expected(self) -> int:
        """The number of frames, as the file states it or by its duration and rate; 0 when unknown."""
        return self.stream.frames or round(self.duration * self.rate)

    @property
    def tick(self) -> Fraction:
        """Seconds a tick of the film's clock lasts."""
        return self._clock.tick

    @property
    def end(self) -> int:
        """Film time at which the last frame read so far leaves the screen, in ticks."""
        return self._clock.end

    def times(self) -> FrameTimes:
        """Return when each frame read so far is shown."""
        tick = self._clock.tick
        pts = np.array(self._source, np.int64)
        source = np.where(pts == _UNTIMED, np.nan, pts * tick.numerator / tick.denominator)
        label, counted = (self._label, self._counted) if self._label else (self._gop, Fraction(0))
        began = self.stream.start_time
        known = next((int(pts[place]) for place in np.flatnonzero(pts != _UNTIMED)[:1]), None)
        lead = (known - began) * tick if self._label and None not in (known, began) else Fraction(0)
        return FrameTimes(
            np.array(self._ticks, np.int64),
            source,
            self._clock.end,
            tick,
            Fraction(self.stream.average_rate or self.stream.guessed_rate or 0),
            self._clock.segments,
            label,
            counted,
            max(lead, Fraction(0)),
        )

    def problem(self) -> str:
        """Return what of the film was lost, once it is read to its end; empty when it is whole.

        Raises:
            OSError: When its file cannot be read: nothing is known of its end.
        """
        times = self.times()
        rest = self._missing_end(times)
        if rest or self._damage:
            read_through(self.path)
        # An AVI counts frames that it leaves out on purpose.
        counted = self.container.format.name.startswith("mov") and self.stream.frames > self.pictures.expected
        broken_at, size = self._first_break(), size_of(self.path)
        damaged = bool(self._damage) or counted or broken_at is not None
        joints = len(times.segments) - 1
        absent = self.pictures.find_missing(times.source, self._sounds.values(), damaged=damaged, joints=joints)
        undecoded = [float(pts * self.tick) for pts in self.pictures.missing_times()[:1]]
        first = min([*undecoded, *([] if absent is None else [absent])], default=None)
        if first is not None and self.pictures.lost:
            self.pictures.near = times.to_film(first)
        sounds = [count.sentence(times) for count in self._sounds.values()]
        if not rest and broken_at == size:
            rest = f"read to {times.seconds:.1f} seconds: the rest of the file is missing"
        broken = f"the file is damaged: {self._damage}" if self._damage and not rest else ""
        if broken_at is not None and not (rest or broken or self.pictures.lost):
            joined = begins_another(self.path, broken_at)
            what = "another file is joined on, and may not be read, from" if joined else "the file is damaged at"
            broken = f"{what} byte {broken_at} of {size}"
        return join_sentences([rest, self.pictures.sentence(), broken, *sounds])

    def _first_break(self) -> int | None:
        kind = self.container.format.name
        if self._last_key is not None and ends_in_picture(self.path, kind, self._last_key):
            return size_of(self.path)
        return first_break(self.path, kind)

    def _missing_end(self, times: FrameTimes) -> str:
        told, slack = self._told_end(times)
        if told is None or len(times.segments) != 1:
            return ""
        until = float(times.segments[0].end)
        if until >= told - slack:
            return ""
        shift = float(times.segments[0].shift)
        return f"read to {until + shift:.1f} of {told + shift:.1f} seconds: the rest is missing or damaged"

    def _told_end(self, times: FrameTimes) -> tuple[float | None, float]:
        """Return when the pictures end according to the file, and by how much it may be wrong, seconds."""
        stream, frame = self.stream, times.seconds / max(1, len(times.ticks))
        if stream.duration and stream.frames:  # counted by the writer of the file
            return float(((stream.start_time or 0) + stream.duration) * stream.time_base), 1.5 * frame + 0.02
        if (tagged := tagged_length(stream)) is not None:
            return tagged, 3 * frame + 0.02
        seconds = (self.container.duration or 0) / 1e6
        if not seconds:
            return None, 0.0
        # Sound often runs a little longer than the pictures.
        return (self.container.start_time or 0) / 1e6 + seconds, max(min(1.0, seconds / 4), 0.02 * seconds, 3 * frame)


class _Order:
    """Puts frames in order where a decoder returns them too early, as in a damaged film."""

    def __init__(self, *, active: bool) -> None:
        self.active = active
        self._held: list[av.VideoFrame] = []

    def push(self, frames: list[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        if not self.active:
            yield from frames
            return
        self._held += frames
        while len(self._held) > _HELD:
            yield self._take()

    def flush(self) -> Iterator[av.VideoFrame]:
        while self._held:
            yield self._take()

    def _take(self) -> av.VideoFrame:
        # A frame without a time keeps its place.
        keys = [-1 << 62 if one.pts is None else one.pts for one in self._held]
        return self._held.pop(keys.index(min(keys)))


def _is_header(packet: Any) -> bool:
    # Theora's headers come again where files were joined.
    return packet.stream.codec_context.name == "theora" and packet.size and bool(bytes(packet)[0] & 128)


def _is_shown(packet: Any) -> bool:
    codec = packet.stream.codec_context.name
    if codec == "dirac":
        return not bytes(packet).startswith(b"BBCD\x10")  # the end of a sequence
    # VP8 keeps reference pictures that are never shown in packets of their own.
    return codec not in {"vp8", "libvpx"} or bool(bytes(packet)[0] & 16)


def left_out(reader: FilmReader) -> list[str]:
    """Return what of a film that was read cannot be carried over, a sentence each."""
    hidden = ["closed captions embedded in the pictures not carried over"] if reader.captions.found else []
    return [*streams_left_out(reader.container), *hidden]


def read_times(path: str | Path) -> FrameTimes:
    """Decode a film to find when each frame is shown; no picture is converted.

    Raises:
        FileNotFoundError: When there is no such file.
        UnreadableFilm: When the file is not a film, has no pictures, or not one frame can be decoded.
    """
    with open_reader(path) as reader:
        for _ in reader.frames():
            pass
        return reader.times()
