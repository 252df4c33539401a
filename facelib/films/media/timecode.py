"""A film's own timecode and its rate, which may differ from that of the pictures."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import opentimelineio as otio
from av.container import InputContainer

from facelib.films.media.sidedata import side_data
from facelib.project.ranges import open_file

RATES = tuple(
    Fraction(*pair)
    for pair in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1))
)
"""The frame rates that editing programs know, in frames a second: 23.976 to 60."""

_LABEL = re.compile(r"(\d{1,2}):(\d\d):(\d\d)([:;.])(\d{1,3})")
_HOLDERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
_MXF_TIMECODE = bytes.fromhex("060e2b34025301010d01010101011400")
_MOST_DESCRIPTION = 1 << 16  # bytes of it that are read
_MXF_HEAD = 1 << 20  # bytes in which the header of an MXF file lies


def read_timecode(container: InputContainer, path: str | Path) -> tuple[str, Fraction]:
    """Return a film's timecode: the label of its first picture, or nothing, and the frames a second it counts, or 0."""
    labels = [one.metadata for one in (*container.streams, container)]
    label = next((one["timecode"] for one in labels if one.get("timecode")), "")
    if not label:
        return "", Fraction(0)
    with open_file(path) as file:
        if container.format.name.startswith("mov"):
            return label, _quicktime_rate(file)
        return label, _mxf_rate(file) if container.format.name == "mxf" else Fraction(0)


def gop_timecode(raw: av.VideoFrame) -> str:
    """Return the timecode that MPEG-2 keeps in the pictures themselves, empty where the frame has none."""
    data = side_data(raw, "GOP_TIMECODE")
    if data is None:
        return ""
    bits = int.from_bytes(data[:8], "little")
    hours, minutes, seconds, frames = bits >> 19 & 31, bits >> 13 & 63, bits >> 6 & 63, bits & 63
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if bits >> 24 & 1 else ':'}{frames:02d}"


def is_drop_frame(label: str) -> bool:
    """Return whether a timecode is drop-frame, as one without a label is taken to be."""
    return not label or ";" in label or "." in label


def first_frame(label: str, counted: Fraction, rate: Fraction) -> int:
    """Return which frame of a timeline since `00:00:00:00` a timecode names; 0 for what is no timecode.

    Args:
        label: Such as `01:00:00;15`.
        counted: The rate at which it counts, frames a second; 0 takes the timeline's. Where the timeline has a rate
            such as 29.97, a whole number such as 30 stands for that.
        rate: The timeline's, frames a second.

    Examples:
        >>> first_frame("01:00:00;15", Fraction(30000, 1001), Fraction(60000, 1001))  # the track counts half as fast
        215814
        >>> first_frame("00:00:02:00", Fraction(25), Fraction(50))
        100
    """
    if not _LABEL.fullmatch(label):
        return 0
    if rate.denominator == 1001 and counted.denominator == 1:
        counted *= Fraction(1000, 1001)
    target = counted or rate
    own = min(RATES, key=lambda one: abs(one - target))
    try:
        number = int(otio.opentime.from_timecode(label.replace(".", ";"), float(own)).value)
    except ValueError:  # a frame that this rate does not have, or one that is left out
        return 0
    return round(number * rate / own)


def _quicktime_rate(file: BinaryIO) -> Fraction:
    """Return the rate of the first timecode track of a QuickTime film, 0 without one."""
    for description in sample_descriptions(file):
        entry = description[8:]  # version, flags, count of entries
        if entry[4:8] == b"tmcd" and len(entry) >= 33:
            # After the entry's head: reserved, flags, ticks a second, ticks a frame, frames a second.
            scale, length = struct.unpack(">II", entry[24:32])
            return Fraction(scale, length) if scale and length else Fraction(entry[32])
    return Fraction(0)


def sample_descriptions(file: BinaryIO) -> Iterator[bytes]:
    """Yield what a QuickTime film or MP4 tells of the samples of each track, in order: the content of its `stsd`."""
    file.seek(0, 2)
    for _, start, end in _boxes(file, 0, file.tell()):
        file.seek(start)
        yield file.read(min(end - start, _MOST_DESCRIPTION))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the boxes between two places that lead to a track's description: kind, and where the content lies."""
    while start + 8 <= end:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
        head = 8
        if size == 1:
            size, head = int.from_bytes(file.read(8), "big"), 16
        if size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        if kind in _HOLDERS:
            yield from _boxes(file, start + head, start + size)
        elif kind == b"stsd":
            yield kind, start + head, start + size
        start += size


def _mxf_rate(file: BinaryIO) -> Fraction:
    """Return the whole number at which an MXF file's timecode counts, 0 when it is not found."""
    head = file.read(_MXF_HEAD)
    place = head.find(_MXF_TIMECODE)
    found = re.compile(rb"\x15\x02\x00\x02(..)", re.DOTALL).search(head, place, place + 512) if place >= 0 else None
    return Fraction(int.from_bytes(found.group(1), "big")) if found else Fraction(0)
