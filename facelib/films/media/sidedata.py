"""What a decoder tells beside a frame's pixels, such as how it is turned."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
import av.filter

_NEWER = range(28, 48)
"""FFmpeg's numbers of kinds that PyAV 18 does not know: of a frame with one of them it fails to give any."""


def side_data(raw: av.VideoFrame) -> Mapping[Any, Any]:
    """Return what a frame tells beside its pixels, by PyAV's names and without the kinds that PyAV does not know.

    Those are, for example, EXIF data in a camera's JPEG pictures, and the shape of the screen that a stereoscopic
    film was made for.
    """
    try:
        return raw.side_data
    except ValueError:
        return _without(_NEWER, raw).side_data


def _without(kinds: range, raw: av.VideoFrame) -> av.VideoFrame:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=raw.width, height=raw.height, format=raw.format, time_base=Fraction(1, 25))
    nodes = [graph.add("sidedata", mode="delete", type=str(kind)) for kind in kinds]
    graph.link_nodes(source, *nodes, graph.add("buffersink")).configure()
    graph.vpush(raw)
    return graph.vpull()
