"""The channels of a film's sound: their layout, and the order in which a file lists them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import av

# Layouts that every AAC decoder knows; any other comes as stereo.
_LAYOUTS = frozenset({"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"})
_COUNTED = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1")
_USUAL = {"5.0(side)": "5.0", "5.1(side)": "5.1"} | {f"{n} channels": name for n, name in enumerate(_COUNTED, 1)}
_KNOWN = (
    *("mono", "stereo", "2.1", "3.0", "3.0(back)", "3.1", "4.0", "quad", "quad(side)", "4.1", "5.0", "5.0(side)"),
    *("5.1", "5.1(side)", "6.0", "hexagonal", "6.1", "6.1(back)", "7.0", "7.1", "7.1(wide)", "octagonal"),
)


class Channels(NamedTuple):
    """The channels of a sound stream.

    Attributes:
        layout: FFmpeg's name of the layout.
        order: The place in the file of each channel of the layout; empty where they lie in the layout's own order.
    """

    layout: str
    order: tuple[int, ...] = ()


def take_channels(stream: Any) -> Channels:
    """Return the channels of a sound stream; to be called once, before any of it is decoded.

    QuickTime files may list channels in any order. PyAV 18 frees such a list twice, which ends the process: its decoder
    is given only their number.
    """
    context = stream.codec_context
    told = context.layout
    channels = _named(told)
    with suppress(ValueError):  # a kind that has a name but cannot be made from it
        context.layout = f"{told.nb_channels} channels" if channels.order else told.name
    return channels


def _named(told: Any) -> Channels:
    """Return the known layout with the same channels; where there is none, they are only counted."""
    if " channels (" not in told.name:
        return Channels(named_layout(told.name))
    names = [channel.name for channel in told.channels]
    for layout in _KNOWN:
        usual = [channel.name for channel in av.AudioLayout(layout).channels]
        if sorted(usual) == sorted(names):
            return Channels(layout, tuple(names.index(name) for name in usual))
    counted = f"{told.nb_channels} channels"
    return Channels(named_layout(counted), tuple(range(told.nb_channels)))


def named_layout(layout: str) -> str:
    """Return the usual name of a layout, also where a file only counts its channels.

    Examples:
        >>> named_layout("2 channels"), named_layout("5.1(side)")
        ('stereo', '5.1')
    """
    return _USUAL.get(layout, layout)


def aac_layout(layout: str) -> str | None:
    """Return the layout in which AAC holds the same channels, None where not every decoder knows one.

    Examples:
        >>> aac_layout("5.1(side)"), aac_layout("2.1")
        ('5.1', None)
    """
    layout = named_layout(layout)
    return layout if layout in _LAYOUTS else None
