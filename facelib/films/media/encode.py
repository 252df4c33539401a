"""Write MP4 files: H.264 pictures that keep their times, with sound, subtitles and tags."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
from av.container import OutputContainer
from av.video.frame import PictureType

from facelib.films.media.carried import SubtitleTrack, TrackWriter, carry_facts, carry_tags, is_text
from facelib.films.media.decode import FilmFrame
from facelib.films.media.losses import join_sentences
from facelib.films.media.opening import read_through
from facelib.films.media.reader import FilmReader, open_reader, read_times
from facelib.films.media.shown import Planes, plane_pixels
from facelib.films.media.soundtrack import SoundMode, add_sound
from facelib.films.media.timeline import FrameTimes
from facelib.films.threads import ahead
from facelib.project import atomic_write
from facelib.project.processes import allowed_cores

log = logging.getLogger(__name__)

# At a rate factor of 23 or 24 it looks as `veryfast` does at 20 (SSIM 0.995 of 720p films), takes two thirds of
# its time, and makes a file up to a third larger, which still is smaller than most sources.
_PRESET = "superfast"

# B-pictures stand in a fixed pattern: to look for the best one takes a tenth of the encoder's time, for pictures that
# are 0.1 to 0.2 dB better in files that are 2 to 5 % larger. All of a picture is quantized alike: x264's adaptive
# quantization takes a twelfth of the time, and bits from faces (0.7 to 1.3 dB) for what is flat.
_SIMPLE = {"b_strategy": "0", "aq-mode": "0"}

_FRAME_DURATION = 1 << 8  # FFmpeg's AV_CODEC_FLAG_FRAME_DURATION: the last frame has no next one that ends it
_MOST_FRAMES = 1000  # a second; a higher stated rate is taken as unknown

_AHEAD = 4  # pictures that wait between decoding and drawing
_MOST_THREADS = 16  # of the encoder; with more, x264's pictures get worse

Draw = Callable[[FilmFrame, Planes], object]
"""Draws on a frame's Y, U and V planes, in place."""


@dataclass(slots=True)
class WriteReport:
    """What could not be carried over into a film that was written, a sentence each."""

    problems: list[str] = field(default_factory=list)

    @property
    def problem(self) -> str:
        """All of it in one line; empty when the film is whole."""
        return join_sentences(self.problems)


def write_film(
    source: str | Path,
    destination: str | Path,
    draw: Draw,
    *,
    quality: int = 23,
    times: FrameTimes | None = None,
    cuts: Collection[int] | None = None,
    report: WriteReport | None = None,
    cores: int | None = None,
) -> int:
    """Write a film again as H.264 in MP4 with every frame redrawn, as it is shown, on its own clock; return how many.

    Every sound stream is copied bit for bit where an MP4 can hold it, and encoded where not. Languages, titles,
    default flags, chapters, subtitles that are text, the film's title and date are carried over. The file is readable
    from its beginning (`faststart`) and appears only when it is whole.

    Args:
        source: The film.
        destination: The file to write, `.mp4`.
        draw: Called with every frame in order.
        quality: x264's constant rate factor: 18 looks like the source, 28 is small; lower is larger.
        times: When the source's frames are shown, as an earlier pass over it found; None reads the film once more.
        cuts: The numbers of the frames that begin a shot, where known: players can jump to them, and the encoder need
            not look for them. None lets it look.
        report: Receives what could not be carried over.
        cores: How many cores to use; None takes all that this process may use.

    Raises:
        FileNotFoundError: When there is no such source.
        UnreadableFilm: When the source cannot be decoded.
        OSError: When the destination cannot be written, or the source not be read to its end.
    """
    times, cores = times or read_times(source), cores or allowed_cores()
    report = report if report is not None else WriteReport()
    pictures = partial(PictureWriter, quality=quality, cuts_known=cuts is not None, cores=cores)
    for mode in ("copy", "encode", None):
        try:
            with (
                atomic_write(destination) as temporary,
                open_reader(source, cores=cores) as reader,
                av.open(f"file:{temporary}", "w", options={"movflags": "faststart"}) as output,
            ):
                film = _FilmWriter(reader, output, times, mode, pictures, frozenset(cuts or ()))
                # Few cores are busy with the encoder: another thread of Python would only take turns with this one.
                film.copy(draw, most=_AHEAD if cores > 2 else 0)
                problems = film.problems()
            break
        except av.FFmpegError as error:
            # What a codec's packets hold is known to be wrong for MP4 only when they are written.
            if mode is None or error.errno not in {errno.EINVAL, errno.ENOSYS, 1094995529}:
                raise
            log.warning("%s: its sound cannot be written (%s); it is written in another way", source, error.strerror)
    report.problems += problems
    return reader.pictures.shown


def _with_pictures(items: Iterator[Any]) -> Iterator[tuple[Any, av.VideoFrame | None]]:
    """Yield a film's frames, each with its picture to draw on, and the packets of other streams with None."""
    for item in items:
        yield item, _picture_of(item.planes(own=False)) if isinstance(item, FilmFrame) else None


class _FilmWriter:
    """Copies a film from one container to another; without a mode, without its sound."""

    def __init__(
        self,
        reader: FilmReader,
        output: OutputContainer,
        times: FrameTimes,
        mode: SoundMode | None,
        pictures: Callable[..., PictureWriter],
        cuts: frozenset[int],
    ) -> None:
        self._reader, self._output, self._times, self._mode = reader, output, times, mode
        self._make_pictures, self._cuts = pictures, cuts
        self._tracks: dict[Any, TrackWriter | None] = {
            stream: None
            for stream in reader.container.streams
            if (stream.type == "audio" and mode) or (stream.type == "subtitle" and is_text(stream))
        }
        self._pictures: PictureWriter | None = None
        self._waiting: list[Any] = []  # packets before the first picture
        self._held: tuple[av.VideoFrame, int, bool] | None = None  # until it is known how long it lasts

    def copy(self, draw: Draw, *, most: int) -> None:
        """Write the film; `most` pictures are decoded ahead while others are drawn on and encoded."""
        with closing(ahead(_with_pictures(self._reader.items([*self._tracks])), most=most)) as items:
            for item, picture in items:
                if picture is None:
                    self._packet(item)
                else:
                    self._picture(item, picture, draw)
        whole = len(self._times.ticks) == self._reader.pictures.shown
        if not whole:
            read_through(self._reader.path)
        self._flush(self._times.end if whole else self._reader.end)
        for writer in (self._pictures, *self._tracks.values()):
            if writer is not None:
                writer.finish()

    def _picture(self, frame: FilmFrame, picture: av.VideoFrame, draw: Draw) -> None:
        pictures = self._pictures or self._begin(frame)
        draw(frame, picture_planes(picture))
        self._flush(frame.ticks)
        self._held = picture, frame.ticks, frame.index in self._cuts
        if pictures.count == 0:
            for packet in self._waiting:
                self._packet(packet)
            self._waiting = []

    def _flush(self, until: int) -> None:
        if self._held is not None and self._pictures is not None:
            picture, at, begins = self._held
            self._pictures.encode(picture, at, lasts=max(1, until - at), key=begins)

    def _begin(self, first: FilmFrame) -> PictureWriter:
        """Make all streams before anything is written: an MP4's header lists them."""
        reader, output, segments = self._reader, self._output, self._times.segments
        self._pictures = self._make_pictures(output, reader.stream, first)
        carry_tags(reader.stream, self._pictures.stream)
        for stream in self._tracks:
            if stream.type == "subtitle":
                self._tracks[stream] = SubtitleTrack(stream, output, segments, reader.path, self._times.seconds)
            elif self._mode:
                self._tracks[stream] = add_sound(stream, output, segments, reader.path, self._mode)
        carry_facts(reader.container, output, self._times)
        output.start_encoding()
        return self._pictures

    def _packet(self, packet: Any) -> None:
        if self._pictures is None:
            self._waiting.append(packet)
        elif track := self._tracks.get(packet.stream):
            track.write(packet)

    def problems(self) -> list[str]:
        """Return what of the sound was lost."""
        sounds = [track for stream, track in self._tracks.items() if stream.type == "audio"]
        return ["its sound could not be written"] * (self._mode is None) + [
            f"{track.lost:.{1 if track.lost >= 0.05 else 3}f} seconds of sound {number} could not be written"
            for number, track in enumerate(sounds, 1)
            if track is not None and track.lost
        ]


class PictureWriter:
    """The pictures of one MP4 being written as H.264, with square pixels and the ticks of their source.

    Args:
        output: Opened for writing; nothing has been written yet.
        picture: The source's picture stream: its ticks keep its presentation times exactly, constant or not.
        first: A frame of the source: the size when shown, and the colours.
        quality: x264's constant rate factor.
        cuts_known: Whether `key` is given for each picture that begins a shot, so that the encoder need not look.
        cores: How many cores may encode; None takes all that this process may use.
        in_order: Whether pictures are written in the order in which they are shown. Else MP4 states a shorter length
            than the last picture's time where the distances between pictures vary much.
    """

    def __init__(
        self,
        output: OutputContainer,
        picture: Any,
        first: FilmFrame,
        *,
        quality: int,
        cuts_known: bool = False,
        cores: int | None = None,
        in_order: bool = False,
    ) -> None:
        self.output = output
        self.count = 0
        self.ticks = Fraction(picture.time_base)
        rate = picture.average_rate or Fraction(25)
        rate = rate if 0 < rate <= _MOST_FRAMES else Fraction(25)
        options = {"preset": _PRESET, "crf": str(quality)} | _SIMPLE | ({"sc_threshold": "0"} if cuts_known else {})
        options |= {"bf": "0"} if in_order else {}
        self.stream: Any = output.add_stream("libx264", rate=rate, options=options)
        self.stream.width, self.stream.height = (side + side % 2 for side in (first.width, first.height))
        self.stream.pix_fmt = "yuv420p"
        context, colours = self.stream.codec_context, first.colours
        # Several pictures at once: PyAV's default, parts of one picture at once, leaves cores idle between pictures,
        # and no part may refer to another.
        cores = cores or allowed_cores()
        context.thread_type = "FRAME"
        context.thread_count = 1 if cores == 1 else min(_MOST_THREADS, cores * 3 // 2)  # as x264 chooses of all
        self.stream.time_base = context.time_base = self.ticks
        context.flags |= _FRAME_DURATION
        context.colorspace, context.color_range = colours.space, colours.range
        context.color_primaries, context.color_trc = colours.primaries, colours.curve

    def to_ticks(self, seconds: float) -> int:
        """Return a presentation time in the source's ticks."""
        return round(Fraction(seconds) / self.ticks)

    def write(self, planes: Planes, at: int, *, lasts: int = 0, key: bool = False) -> None:
        """Write one picture, of which a copy is made.

        Args:
            planes: Y, U and V; of another size than the first frame, they are resized.
            at: When it is shown, in ticks.
            lasts: For how long, in ticks; 0 leaves it to the next picture.
            key: Whether a player can jump to it.
        """
        # A camera may change its size on the way.
        self.encode(_picture_of(planes, (self.stream.width, self.stream.height)), at, lasts=lasts, key=key)

    def encode(self, picture: av.VideoFrame, at: int, *, lasts: int = 0, key: bool = False) -> None:
        """Write one picture in `yuv420p`, of the first frame's size; the other arguments are those of `write`."""
        picture.pts, picture.time_base, picture.duration = at, self.ticks, lasts
        if key:
            picture.pict_type = PictureType.I
        self.output.mux(self.stream.encode(picture))
        self.count += 1

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self.output.mux(self.stream.encode(None))


def picture_planes(picture: av.VideoFrame) -> Planes:
    """Return the memory of a `yuv420p` picture's Y, U and V planes."""
    luma, first, second = (plane_pixels(plane) for plane in picture.planes)
    return luma, first, second


def _picture_of(planes: Planes, size: tuple[int, int] | None = None) -> av.VideoFrame:
    """Return a new picture of Y, U and V planes, resized where a width and height are given that differ."""
    width, height = size or (planes[0].shape[1], planes[0].shape[0])
    picture = av.VideoFrame(width, height, "yuv420p")
    for pixels, values in zip(picture_planes(picture), planes, strict=True):
        same, wanted = values.shape == pixels.shape, pixels.shape[::-1]
        pixels[:] = values if same else cv2.resize(values, wanted, interpolation=cv2.INTER_AREA)
    return picture
