"""Cropping that a film's file asks for: Matroska's crop elements and QuickTime's clean aperture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import av
import av.filter
from av.container import InputContainer

from facelib.films.media.sidedata import filter_graph
from facelib.films.media.structure import read_element
from facelib.films.media.timecode import sample_descriptions
from facelib.project.content import moving_streams
from facelib.project.ranges import open_file

_SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_EDGES = (0x54CC, 0x54BB, 0x54DD, 0x54AA)  # left, top, right, bottom
_HEAD = 1 << 20  # bytes in which the description of a Matroska film's tracks lies
_VISUAL = 86  # bytes of a picture's sample description before the boxes in it


class Crop(NamedTuple):
    """How many pixels are cut off at each edge of the stored picture."""

    left: int
    top: int
    right: int
    bottom: int


WHOLE = Crop(0, 0, 0, 0)


def read_crop(container: InputContainer, path: str | Path, stream: Any) -> Crop:
    """Return how a film's file asks its pictures to be cropped; `WHOLE` where it does not, or asks for too much."""
    width, height = stream.codec_context.width, stream.codec_context.height
    crop, names = WHOLE, container.format.name.split(",")
    if "matroska" in names:
        with open_file(path) as file:
            crops = list(_matroska_crops(file))
        number = moving_streams(container).index(stream)
        crop = crops[number] if number < len(crops) else WHOLE
    elif "mov" in names:
        with open_file(path) as file:
            tracks = list(sample_descriptions(file))
        crop = _clean_aperture(tracks[stream.index], width, height) if stream.index < len(tracks) else WHOLE
    fits = min(crop) >= 0 and crop.left + crop.right < width and crop.top + crop.bottom < height
    return crop if fits else WHOLE


class Cropper:
    """Crops decoded frames without copying pixels."""

    def __init__(self, crop: Crop) -> None:
        self._crop = crop
        self._graph: av.filter.Graph | None = None
        self._kind: tuple[object, ...] = ()

    def __call__(self, raw: av.VideoFrame) -> av.VideoFrame:
        """Return a frame cropped; one that is too small for it is returned unchanged."""
        left, top, right, bottom = self._crop
        width, height = raw.width - left - right, raw.height - top - bottom
        if not any(self._crop) or min(width, height) < 1:
            return raw
        kind = (raw.width, raw.height, raw.format.name)
        if self._graph is None or kind != self._kind:
            options = {"w": str(width), "h": str(height), "x": str(left), "y": str(top), "exact": "0"}
            self._kind, self._graph = kind, filter_graph(raw, ("crop", options))
        self._graph.vpush(raw)
        shown = self._graph.vpull()
        shown.time_base = raw.time_base
        return shown


def _matroska_crops(file: BinaryIO) -> Iterator[Crop]:
    """Yield the cropping of each track of pictures, in the file's order."""
    head = file.read(_HEAD)
    places = [(0, len(head))]
    for kind in (_SEGMENT, _TRACKS, _TRACK, _VIDEO):
        within = (element for place in places for element in _elements(head, *place))
        places = [(start, end) for found, start, end in within if found == kind]
    for place in places:
        told = {edge: int.from_bytes(head[start:end], "big") for edge, start, end in _elements(head, *place)}
        yield Crop(*(told.get(edge, 0) for edge in _EDGES))


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the elements between two places: identifier, and where the content lies."""
    while start < end:
        kind, length, head = read_element(data[start : start + 12].ljust(12, b"\0"))
        if not head:
            return
        begin = start + head
        start = end if length is None else min(begin + length, end)
        yield kind, begin, start


def _clean_aperture(description: bytes, width: int, height: int) -> Crop:
    """Return what lies outside the clean aperture in a track's sample description."""
    at = 8 + _VISUAL  # after version, flags and count of entries
    while at + 8 <= len(description):
        size, kind = struct.unpack(">I4s", description[at : at + 8])
        if kind == b"clap" and size >= 40 and at + 40 <= len(description):
            return _inside(struct.unpack(">IIIIiIiI", description[at + 8 : at + 40]), width, height)
        at += max(size, 8)
    return WHOLE


def _inside(told: tuple[int, ...], width: int, height: int) -> Crop:
    if not all(told[1::2]):
        return WHOLE
    wide, high, across, down = (Fraction(told[place], told[place + 1]) for place in (0, 2, 4, 6))
    left, top = (width - wide) / 2 + across, (height - high) / 2 + down
    return Crop(round(left), round(top), round(width - wide - left), round(height - high - top))
