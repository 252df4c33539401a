"""FFmpeg's filters for decoded frames, and their side data, such as the display matrix."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import av.filter

_NEWER = range(28, 48)
"""FFmpeg's numbers of kinds that PyAV 18 does not know: with one of them on a frame it cannot read any."""


def side_data(raw: av.VideoFrame, kind: str) -> bytes | None:
    """Return a frame's side data of one kind, by PyAV's name of it; None where the frame has none.

    Kinds that PyAV does not know, as the EXIF data in a camera's JPEG pictures and the reference displays of a
    stereoscopic film, are passed over.
    """
    try:
        told: Any = raw.side_data
    except ValueError:
        graph = filter_graph(raw, *(("sidedata", {"mode": "delete", "type": str(kind)}) for kind in _NEWER))
        graph.vpush(raw)
        told = graph.vpull().side_data
    found = told.get(kind) if len(told) else None
    return None if found is None else bytes(found)


def filter_graph(raw: av.VideoFrame, *filters: tuple[str, dict[str, str]]) -> av.filter.Graph:
    """Return filters in a row, each by its name and options, for frames like `raw` with a time base of 1/25."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=raw.width, height=raw.height, format=raw.format, time_base=Fraction(1, 25))
    nodes = [graph.add(name, **options) for name, options in filters]
    graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()
    return graph
