"""The sound of a film on the film's clock: samples at known positions, or packets with times by sample count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from facelib.films.media.channels import Channels, aac_layout, take_channels
from facelib.films.media.opening import decode_packet, read_packets
from facelib.films.media.timeline import ClockSegment, StreamClock

Samples = NDArray[np.float32]
"""Sound as `(channels, samples)`, from -1 to 1."""

# Seconds by which the file's times may disagree with the count of samples: containers round them to milliseconds.
_JITTER = Fraction(1, 100)


def aac_rate(rate: int) -> int:
    """Return the rate, in samples per second, at which AAC holds sound of a given rate: its own where it can.

    Examples:
        >>> aac_rate(44100), aac_rate(192000), aac_rate(6000)
        (44100, 48000, 48000)
    """
    return rate if rate in (av.Codec("aac", "w").audio_rates or []) else 48000


def open_sound(container: InputContainer, path: str | Path, segments: tuple[ClockSegment, ...] = ()) -> Sound | None:
    """Return the main sound of a film, None when it has none that can be decoded.

    Args:
        container: A film that `facelib.films.media.opening.open_film` opened; nothing else may read from it.
        path: The film, for messages.
        segments: The film's map from the times of its file.
    """
    best = container.streams.best("audio")
    # A stream of an unknown kind has no decoder.
    streams = [one for one in (best, *container.streams.audio) if one is not None and one.codec_context is not None]
    if not streams:
        return None
    channels = take_channels(streams[0])
    frames = (
        frame
        for packet in read_packets(container, streams[:1], path)
        for frame in decode_packet(packet, path)
        if frame.samples
    )
    # The file's sound format may be wrong, or missing where the sound begins late: the first frame has it.
    first = next(frames, None)
    return None if first is None else Sound(first, chain([first], frames), channels, segments)


class Sound:
    """One film's main sound, at a rate and layout that AAC can hold.

    Where the file has no sound there is silence: before its first sample, after its last, and where it is damaged.

    Args:
        first: A decoded frame; its rate and layout are kept where AAC can hold them.
        frames: All frames in their order, lazily.
        channels: The stream's.
        segments: The film's map from the times of its file.
    """

    def __init__(
        self,
        first: av.AudioFrame,
        frames: Iterable[av.AudioFrame],
        channels: Channels,
        segments: tuple[ClockSegment, ...] = (),
    ) -> None:
        self.rate = aac_rate(first.sample_rate)
        told = channels.layout if channels.order else first.layout.name
        self.layout = aac_layout(told) or ("mono" if first.layout.nb_channels == 1 else "stereo")
        self.channels: int = av.AudioLayout(self.layout).nb_channels
        placer = SamplePlacer(self.rate, self.layout, channels, segments, Fraction(first.time_base or 0))
        self._blocks = (block for frame in frames for block in placer.push(frame))
        self._block: tuple[int, Samples] = (0, np.zeros((self.channels, 0), np.float32))

    def take(self, first: int, count: int) -> Samples:
        """Return some samples; earlier ones are dropped, so that memory does not grow.

        Args:
            first: Place of the first one, counted from the first picture at `rate`; never less than at the last call.
            count: How many.
        """
        taken = np.zeros((self.channels, count), np.float32)
        while True:
            place, samples = self._block
            begin, end = max(place, first), min(place + samples.shape[1], first + count)
            if begin < end:
                taken[:, begin - first : end - first] = samples[:, begin - place : end - place]
            if place + samples.shape[1] >= first + count:
                return taken
            following = next(self._blocks, None)
            if following is None:
                return taken
            self._block = following


class SamplePlacer:
    """Finds the position of a stream's samples in the film, without overlaps, at a rate and in a layout."""

    def __init__(
        self,
        rate: int,
        layout: str,
        channels: Channels,
        segments: tuple[ClockSegment, ...] = (),
        tick: Fraction = Fraction(0),
    ) -> None:
        self._count = SampleCount(rate, segments, tick)
        self._convert = _Converter(rate, layout, channels)

    def push(self, frame: av.AudioFrame) -> Iterator[tuple[int, Samples]]:
        """Take the next decoded frame; yield blocks of samples with their places, counted from the first picture."""
        parts = self._convert(frame)
        time = None if frame.pts is None or not frame.time_base else frame.pts * frame.time_base
        for part in parts:
            samples = _samples_of(part)
            place = self._count.place(time, samples.shape[1])
            time = None  # what follows from the same frame follows at once
            repeated = max(0, self._count.expected - place)  # by a damaged or badly spliced file
            if repeated < samples.shape[1]:
                self._count.expected = place + samples.shape[1]
                yield place + repeated, samples[:, repeated:]


class SampleCount:
    """Positions of sound by sample count while the file's times agree with it, else by these times.

    `rate` is in samples a second, and `tick` the seconds by which the file rounds its times.

    Attributes:
        expected: The place after the last sample, which the caller sets.
    """

    def __init__(self, rate: int, segments: tuple[ClockSegment, ...], tick: Fraction = Fraction(0)) -> None:
        self.rate = rate
        self.expected = 0
        self._begun = False
        self._clock = StreamClock(segments)
        self._jitter = max(_JITTER, tick) * rate

    def place(self, time: Fraction | None, samples: int) -> int:
        """Return the place of the next samples, from the film's first picture.

        Args:
            time: Their time in the file, seconds; None where it has none.
            samples: How many there are.
        """
        if time is None:
            return self.expected
        told = round(self._clock.place(time, Fraction(samples, self.rate)) * self.rate)
        begun, self._begun = self._begun, True
        if not begun:
            self.expected = told
        return self.expected if abs(told - self.expected) <= self._jitter else told


class _Converter:
    """Converts decoded sound to one rate and layout, also when a broadcast changes them midway."""

    def __init__(self, rate: int, layout: str, channels: Channels) -> None:
        self.rate, self.layout, self.channels = rate, layout, channels
        self.kind: tuple[object, ...] = ()
        self.packer = av.AudioResampler(format="flt")

    def __call__(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        if len(self.channels.order) == frame.layout.nb_channels:
            return [one for part in self.packer.resample(frame) for one in self._convert(self._in_order(part))]
        return self._convert(frame)

    def _in_order(self, packed: av.AudioFrame) -> av.AudioFrame:
        samples = _samples_of(packed)[list(self.channels.order)]
        return frame_of(samples, self.channels.layout, packed.sample_rate, 0)

    def _convert(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self.kind:
            self.kind = kind
            self.resampler = av.AudioResampler(format="flt", layout=self.layout, rate=self.rate)
        return self.resampler.resample(frame)


# Channels lie side by side in frames, not each by itself: of those, PyAV reads one too many where there are eight.
def _samples_of(frame: av.AudioFrame) -> Samples:
    packed = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
    return np.ascontiguousarray(packed.T, np.float32)


def frame_of(samples: Samples, layout: str, rate: int, place: int) -> av.AudioFrame:
    """Return samples as a frame that an encoder takes; its first sample lies at a place counted at `rate`."""
    packed = np.ascontiguousarray(samples.T, np.float32).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
    return frame
