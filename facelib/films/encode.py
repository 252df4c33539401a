"""MP4 files being written: H.264 pictures that keep their times, and sound copied or encoded as AAC."""

from __future__ import annotations

import logging
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
from av.container import InputContainer, OutputContainer
from av.video.frame import PictureType

from facelib.faces import Image
from facelib.films.decode import (
    FilmFrame,
    PresentationClock,
    decode_packet,
    open_film,
    picture_stream,
    plane_pixels,
    read_frames,
    read_packets,
)
from facelib.project import atomic_write

log = logging.getLogger(__name__)

# What an MP4 may hold and a browser plays; any other sound is encoded again as AAC.
_SOUND_IN_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})

# At a rate factor of 23 or 24 it looks as `veryfast` does at 20 (SSIM 0.995 of 720p films), takes two thirds of
# its time, and makes a file up to a third larger, which still is smaller than most sources.
_PRESET = "superfast"

_FRAME_DURATION = 1 << 8  # FFmpeg's AV_CODEC_FLAG_FRAME_DURATION: the last frame has no next one that ends it

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
    with atomic_write(destination) as temporary, open_film(source) as container:
        picture = picture_stream(container)
        clock = PresentationClock(picture)
        with av.open(str(temporary), "w", options={"movflags": "faststart"}) as output:
            # All streams are made before anything is written: an MP4's header lists them.
            pictures = PictureWriter(output, picture, first, quality=quality)
            sound = _SoundWriter(source, container, output)
            for packet in read_packets(container, [picture, *sound.targets], source):
                if packet.stream is picture:
                    for raw in decode_packet(packet, source):
                        frame = clock.stamp(raw)
                        pictures.write(draw(frame), pictures.to_ticks(frame.time))
                elif packet.stream in sound.targets:
                    sound.write(packet)
            pictures.finish()
            sound.finish()
    return clock.count


class PictureWriter:
    """The pictures of one MP4 being written as H.264, at the size and with the ticks of their source.

    Args:
        output: Opened for writing; nothing has been written yet.
        picture: The source's picture stream: its ticks keep its presentation times exactly, constant or not.
        first: A frame of the source: the size when upright, and the colour space.
        quality: x264's constant rate factor.
    """

    def __init__(self, output: OutputContainer, picture: Any, first: FilmFrame, *, quality: int) -> None:
        """Add the stream to the output."""
        self.output = output
        self.ticks = Fraction(picture.time_base)
        rate = picture.average_rate or Fraction(25)
        self.stream: Any = output.add_stream("libx264", rate=rate, options={"preset": _PRESET, "crf": str(quality)})
        self.stream.height, self.stream.width = first.planes()[0].shape
        self.stream.pix_fmt = "yuv420p"
        context, raw = self.stream.codec_context, first.raw
        self.stream.time_base = context.time_base = self.ticks
        context.flags |= _FRAME_DURATION
        context.colorspace, context.color_range = raw.colorspace, raw.color_range
        context.color_primaries, context.color_trc = raw.color_primaries, raw.color_trc
        if picture.sample_aspect_ratio and not first.turns:
            context.sample_aspect_ratio = picture.sample_aspect_ratio

    def to_ticks(self, seconds: float) -> int:
        """Return a presentation time in the source's ticks."""
        return round(Fraction(seconds) / self.ticks)

    def write(self, planes: tuple[Image, Image, Image], at: int, *, lasts: int = 0, key: bool = False) -> None:
        """Write one picture.

        Args:
            planes: Y, U and V; of another size than the first frame, they are resized.
            at: When it is shown, in ticks.
            lasts: For how long, in ticks; 0 leaves it to the next picture.
            key: Whether a player can jump to it.
        """
        drawn = av.VideoFrame(self.stream.width, self.stream.height, "yuv420p")
        for plane, values in zip(drawn.planes, planes, strict=True):
            pixels = plane_pixels(plane)
            fits = values.shape == pixels.shape  # a broadcast may change its size on the way
            pixels[:] = (
                values if fits else cv2.resize(values, (plane.width, plane.height), interpolation=cv2.INTER_AREA)
            )
        drawn.pts, drawn.time_base, drawn.duration = at, self.ticks, lasts
        if key:
            drawn.pict_type = PictureType.I
        self.output.mux(self.stream.encode(drawn))

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self.output.mux(self.stream.encode(None))


class _SoundWriter:
    """The sound of one MP4 being written: copied, or encoded again."""

    def __init__(self, path: str | Path, source: InputContainer, output: OutputContainer) -> None:
        self.path, self.output = path, output
        self.targets: dict[Any, Any] = {}
        for stream in source.streams.audio:
            if stream.codec_context is None:
                log.warning("%s: a sound stream of an unknown kind is left out", path)
            elif stream.codec_context.name in _SOUND_IN_MP4:
                self.targets[stream] = output.add_stream_from_template(stream)
            else:
                self.targets[stream] = output.add_stream("aac", rate=aac_rate(stream.codec_context.sample_rate))

    def write(self, packet: Any) -> None:
        target = self.targets[packet.stream]
        if packet.stream.codec_context.name in _SOUND_IN_MP4:
            if packet.dts is not None:  # the packet that ends a stream holds nothing
                packet.stream = target
                self._copy(packet)
            return
        for samples in decode_packet(packet, self.path):
            self.output.mux(target.encode(samples))

    def _copy(self, packet: Any) -> None:
        try:
            self.output.mux(packet)
        except av.FFmpegError as error:  # a damaged piece, whose times run backwards
            log.warning("a piece of the sound could not be written and is left out: %s", error.strerror)

    def finish(self) -> None:
        for stream, target in self.targets.items():
            if stream.codec_context.name not in _SOUND_IN_MP4:
                self.output.mux(target.encode(None))


def aac_rate(rate: int) -> int:
    """Return the rate, in samples a second, at which AAC holds sound of a given rate: its own where it can.

    Example:
        >>> aac_rate(44100), aac_rate(192000), aac_rate(6000)
        (44100, 48000, 48000)
    """
    return rate if rate in (av.Codec("aac", "w").audio_rates or []) else 48000
