"""The sound of a film, read from front to back, as samples at known places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from facelib.films.decode import decode_packet, read_packets
from facelib.films.encode import aac_rate

Samples = NDArray[np.float32]
"""Sound as `(channels, samples)`, from -1 to 1."""

# Layouts that every AAC decoder knows; any other comes as stereo.
_LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"})
_SIDE_LAYOUTS = {"5.0(side)": "5.0", "5.1(side)": "5.1"}

# Seconds by which the file's times may disagree with the count of samples: containers round them to milliseconds.
_JITTER = 0.01


def open_sound(container: InputContainer, path: str | Path) -> Sound | None:
    """Return the main sound of a film, or nothing when it has none that can be decoded.

    Args:
        container: A film that `facelib.films.decode.open_film` opened; nothing else may read from it.
        path: The film, for messages.
    """
    best = container.streams.best("audio")
    # A stream of an unknown kind has no decoder.
    streams = [one for one in (best, *container.streams.audio) if one is not None and one.codec_context is not None]
    if not streams:
        return None
    frames = (
        frame
        for packet in read_packets(container, streams[:1], path)
        for frame in decode_packet(packet, path)
        if frame.samples
    )
    # What the file says of its sound may be wrong, or nothing where the sound begins late: the first frame knows.
    first = next(frames, None)
    return None if first is None else Sound(first, chain([first], frames))


class Sound:
    """One film's main sound, at a rate and layout that AAC can hold.

    What the file lacks is silence: before its first sample, behind its last, and where it is damaged.

    Args:
        first: A decoded frame; its rate and layout are kept where AAC can hold them.
        frames: All frames in their order, lazily.
    """

    def __init__(self, first: av.AudioFrame, frames: Iterable[av.AudioFrame]) -> None:
        """Choose rate and layout."""
        layout = _SIDE_LAYOUTS.get(first.layout.name, first.layout.name)
        self.rate = aac_rate(first.sample_rate)
        self.layout = layout if layout in _LAYOUTS else "mono" if first.layout.nb_channels == 1 else "stereo"
        self.channels: int = av.AudioLayout(self.layout).nb_channels
        self._blocks = self._read(frames)
        self._block: tuple[int, Samples] = (0, np.zeros((self.channels, 0), np.float32))

    def take(self, first: int, count: int) -> Samples:
        """Return some samples; what lies before them is forgotten, so that memory does not grow.

        Args:
            first: Place of the first one, counted from time 0 at `rate`; never less than at the last call.
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

    def _read(self, frames: Iterable[av.AudioFrame]) -> Iterator[tuple[int, Samples]]:
        """Yield blocks of samples with their places, ascending; none overlaps the one before."""
        clock, convert = _SampleClock(self.rate), _Converter(self.rate, self.layout)
        for part in (part for frame in frames for part in convert(frame)):
            samples = part.to_ndarray().astype(np.float32, copy=False)
            place = clock.place(part)
            repeated = max(0, clock.expected - place)  # by a damaged or badly joined file
            if repeated < samples.shape[1]:
                clock.expected = place + samples.shape[1]
                yield place + repeated, samples[:, repeated:]


class _SampleClock:
    """Tells where decoded samples lie: by count while the file's times agree with it, else by these times."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.expected = -(1 << 62)  # the place behind the last sample; before the first, long ago
        self.shift = 0  # by how much the file's times have jumped back

    def place(self, frame: av.AudioFrame) -> int:
        begun = self.expected > -(1 << 62)
        if frame.pts is None or frame.time_base is None:
            return self.expected if begun else 0
        told = round(frame.pts * frame.time_base * self.rate) + self.shift
        if begun and told < self.expected - self.rate:  # films joined without care begin again at 0
            self.shift += self.expected - told
            return self.expected
        return self.expected if abs(told - self.expected) <= _JITTER * self.rate else told


class _Converter:
    """Brings decoded sound to one rate and layout, also when a broadcast changes its own on the way."""

    def __init__(self, rate: int, layout: str) -> None:
        self.rate, self.layout = rate, layout
        self.kind: tuple[object, ...] = ()

    def __call__(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self.kind:
            self.kind = kind
            self.resampler = av.AudioResampler(format="fltp", layout=self.layout, rate=self.rate)
        return self.resampler.resample(frame)
