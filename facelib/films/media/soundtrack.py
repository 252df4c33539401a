"""Write the sound streams of a film: copied bit for bit where MP4 can hold them, else encoded again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from av.container import OutputContainer

from facelib.films.media.carried import TrackWriter
from facelib.films.media.channels import Channels, aac_layout, take_channels
from facelib.films.media.opening import decode_packet
from facelib.films.media.sound import SampleCount, SamplePlacer, Samples, aac_rate, frame_of
from facelib.films.media.timeline import ClockSegment

COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})
"""The codecs, by FFmpeg's names, that MP4 can hold and players support there."""

_GAP = 2.5  # packets: what lasts longer holds a gap; those of AAC may have twice the samples that are told

SoundMode = Literal["copy", "encode"]


def add_sound(
    stream: Any, output: OutputContainer, segments: tuple[ClockSegment, ...], path: str | Path, mode: SoundMode
) -> TrackWriter | None:
    """Add a sound stream to a film of which nothing is written yet; None for one of an unknown kind."""
    context = stream.codec_context
    if context is None or not context.sample_rate:
        return None
    channels = take_channels(stream)
    if not context.layout.nb_channels:
        return None
    if mode == "copy" and context.codec.canonical_name in COPIED:
        return CopiedTrack(stream, output, segments)
    return EncodedTrack(stream, output, channels, segments, path)


class CopiedTrack(TrackWriter):
    """Sound whose packets are written as they are, with times that are counted in samples."""

    def __init__(self, stream: Any, output: OutputContainer, segments: tuple[ClockSegment, ...]) -> None:
        super().__init__(stream, output.add_stream_from_template(stream), output)
        self._rate = int(stream.codec_context.sample_rate)
        self.target.time_base = Fraction(1, self._rate)
        self._tick = Fraction(stream.time_base)
        self._frame = _samples_a_packet(stream.codec_context)
        self._count = SampleCount(self._rate, segments, self._tick)
        self._early: list[Any] = []  # packets that end before the first picture, ready to be written

    def write(self, packet: Any) -> None:
        """Write a packet, unless it repeats what was written."""
        if not packet.size:  # the packet that ends a stream
            return
        samples = self._samples(packet)
        place = self._count.place(None if packet.pts is None else packet.pts * self._tick, samples)
        if 2 * (self._count.expected - place) > samples:  # where pieces of films overlap
            return
        if place > self._count.expected:
            # A player skips as much sound as lies before the first picture, and takes none of a gap for sound.
            self._early = []
        place = max(place, self._count.expected)
        self._count.expected = place + samples
        packet.stream, packet.time_base = self.target, Fraction(1, self._rate)
        packet.pts = packet.dts = place
        packet.duration = samples
        self._early.append(packet)
        if place + samples > 0:
            self.finish()

    def _samples(self, packet: Any) -> int:
        told = (packet.duration or 0) * self._tick * self._rate
        # Containers round to their ticks; most codecs have as many samples in each packet. MP4 has gaps only as packets
        # that last long.
        if self._frame and (abs(told - self._frame) <= self._tick * self._rate + 1 or told > _GAP * self._frame):
            return self._frame
        return round(told) or self._frame or 1024

    def finish(self) -> None:
        """Write what is still held."""
        for packet in self._early:
            samples = packet.duration
            try:
                self._output.mux(packet)
            except av.FFmpegError:
                self.lost += samples / self._rate
        self._early = []


def _samples_a_packet(context: Any) -> int:
    """Return how many samples each packet of a stream has; 0 where they differ, or nobody tells."""
    if context.codec.canonical_name == "flac" and len(context.extradata or b"") >= 4:
        least, most = (int.from_bytes(context.extradata[place : place + 2], "big") for place in (0, 2))
        return most if least == most else 0
    return int(context.frame_size or 0)


class EncodedTrack(TrackWriter):
    """Sound that is decoded and encoded: as AAC, or as FLAC where AAC cannot keep rate and channels."""

    def __init__(
        self,
        stream: Any,
        output: OutputContainer,
        channels: Channels,
        segments: tuple[ClockSegment, ...],
        path: str | Path,
    ) -> None:
        self._path, self._rate = path, int(stream.codec_context.sample_rate)
        kept = aac_layout(channels.layout)
        plain = kept is not None and aac_rate(self._rate) == self._rate
        self._layout = kept if plain and kept is not None else channels.layout
        self._channels = av.AudioLayout(self._layout).nb_channels
        target = output.add_stream("aac" if plain else "flac", rate=self._rate, layout=self._layout)
        super().__init__(stream, target, output)
        if plain:
            self.target.bit_rate = 2 * self._rate * self._channels  # 96 kbit/s a channel at 48 kHz
        self._placer = SamplePlacer(self._rate, self._layout, channels, segments, Fraction(stream.time_base))
        self._written: int | None = None  # the place behind the last sample
        self._before: int | None = None  # the time of the packet before, ticks

    def write(self, packet: Any) -> None:
        """Decode a packet and encode what is in it."""
        for frame in decode_packet(packet, self._path, on_damage=lambda: self._lose(packet)):
            if frame.samples:
                for place, samples in self._placer.push(frame):
                    self._place(place, samples)
        self._before = packet.pts if packet.pts is not None else self._before

    def _lose(self, packet: Any) -> None:
        length = packet.duration or 0
        if not length and packet.pts is not None and self._before is not None:  # the file does not tell it
            length = max(0, packet.pts - self._before)
        self.lost += float(length * packet.time_base)

    def _place(self, place: int, samples: Samples) -> None:
        if place < 0:  # before the first picture
            place, samples = 0, samples[:, -place:]
        if self._written is not None:
            while self._written < place:
                missing = min(place - self._written, self._rate)
                self._encode(self._written, np.zeros((self._channels, missing), np.float32))
        self._encode(place, samples)

    def _encode(self, place: int, samples: Samples) -> None:
        if samples.shape[1] == 0:
            return
        self._output.mux(self.target.encode(frame_of(samples, self._layout, self._rate, place)))
        self._written = place + samples.shape[1]

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._output.mux(self.target.encode(None))
