"""Deinterlacing of pictures whose two fields were taken one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Generic, TypeVar

import av
import av.filter

from facelib.films.media.sidedata import filter_graph

_Label = TypeVar("_Label")
_WEAVER = ("bwdif", {"mode": "send_frame", "deint": "interlaced"})


class Deinterlacer(Generic[_Label]):
    """Passes frames through FFmpeg's `bwdif` from the first marked as interlaced; one comes out for each.

    Frames not marked so pass unchanged. Each frame carries a label, which comes out with it.
    """

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._kind: tuple[object, ...] = ()
        self._labels: deque[_Label] = deque()
        self._pushed = 0

    def push(self, raw: av.VideoFrame, label: _Label) -> Iterator[tuple[av.VideoFrame, _Label]]:
        """Take the next frame; yield what is ready, up to one frame late."""
        if self._graph is None and not raw.interlaced_frame:
            yield raw, label
            return
        kind = (raw.width, raw.height, raw.format.name)
        if kind != self._kind:
            yield from self.flush()
            self._graph, self._kind = filter_graph(raw, _WEAVER), kind
        assert self._graph is not None
        raw.pts, raw.time_base = self._pushed, Fraction(1, 25)
        self._pushed += 1
        self._labels.append(label)
        self._graph.vpush(raw)
        yield from self._pull()

    def flush(self) -> Iterator[tuple[av.VideoFrame, _Label]]:
        """Yield what is still held."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._pull()
        self._graph, self._kind = None, ()
        self._labels.clear()

    def _pull(self) -> Iterator[tuple[av.VideoFrame, _Label]]:
        assert self._graph is not None
        while self._labels:
            try:
                raw = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            yield raw, self._labels.popleft()
