"""Find whether films without a container end early: raw streams, and files that only put lengths before pictures."""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import av

from facelib.project.ranges import open_file

UNFRAMED = frozenset({"h264", "hevc", "mjpeg"})
"""FFmpeg's names of streams in which nothing says how long a picture is."""

_LONGEST = 1 << 26  # bytes behind the last key picture that are decoded again
_FILLINGS = (b"\xaa\x55\x2b\xd4" * 1024, b"\x35\xca\x9d\x62" * 1024)  # no start codes
_BEFORE_PICTURES = {"h264": (0x1F, 0, {6, 7, 8, 9}), "hevc": (0x7E, 1, {32, 33, 34, 35, 39})}
_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"
_NUT_INDEX = bytes.fromhex("4e58dd672f23e64e")
_Y4M = re.compile(rb"YUV4MPEG2 ([^\n]*)\n")
_SUBSAMPLED = {"420": (2, 2), "422": (2, 1), "411": (4, 1), "444": (1, 1)}


def ends_in_picture(path: str | Path, kind: str, start: int) -> bool:
    """Return whether a raw stream was cut within its last picture.

    What follows the last key picture is decoded twice with different bytes behind it: pictures that differ were not
    whole in the file. A JPEG picture says itself where it ends. A stream that was cut between two pictures cannot be
    told from a whole one, and one whose last key picture lies more than 64 MB before its end is not looked at.

    Args:
        path: The file.
        kind: One of `UNFRAMED`.
        start: The byte at which the last key picture begins.
    """
    with open_file(path) as file:
        size = file.seek(0, 2)
        if not 0 < size - start <= _LONGEST:
            return False
        file.seek(start)
        data = file.read().rstrip(b"\0")
    if kind == "mjpeg":
        return data.rfind(_JPEG_END) <= data.rfind(_JPEG_SCAN)
    if _ends_in_header(data, kind):
        return True
    first, second = (_pictures(data + filling, kind) for filling in _FILLINGS)
    return any(one != other for one, other in itertools.zip_longest(first, second))


def _ends_in_header(data: bytes, kind: str) -> bool:
    """Return whether the last unit of a stream is one that only comes before a picture."""
    mask, shift, headers = _BEFORE_PICTURES[kind]
    at = data.rfind(b"\0\0\1") + 3
    return at >= len(data) or (at > 2 and (data[at] & mask) >> shift in headers)


def _pictures(data: bytes, kind: str) -> Iterator[object]:
    """Yield the pixels of each picture; behind the last one what is equal to nothing, where it had to be guessed."""
    codec: Any = av.CodecContext.create(kind, "r")
    codec.thread_count = 1  # with several, the marks of damage may come too late
    packets = [*codec.parse(data), *codec.parse(None)]
    last = len(packets) - 1
    for number, packet in enumerate([*packets, None]):
        if packet is not None:
            packet.pts = number
        try:
            frames = codec.decode(packet)
        except av.FFmpegError as error:
            yield object() if number == last else error.errno
            continue
        for frame in frames:
            yield [bytes(plane) for plane in frame.planes]
            if frame.pts == last and frame.is_corrupt:
                yield object()


def find_y4m_break(file: BinaryIO, size: int) -> int | None:
    """Return the byte at which a file of YUV4MPEG2 pictures breaks; None while it is whole."""
    head = _Y4M.match(file.read(4096))
    length = 0 if head is None else _y4m_length(head[1].decode("latin-1"))
    if head is None or not length:
        return None
    at = head.end()
    while at < size:
        file.seek(at)
        line = file.read(256).partition(b"\n")[0]
        if not b"FRAME".startswith(line[:5]):
            return at
        at += len(line) + 1 + length
    return size if at > size else None


def _y4m_length(parameters: str) -> int:
    """Return how many bytes one picture has; 0 for a kind that is not known."""
    told = {one[0]: one[1:] for one in parameters.split()[::-1] if one}
    width, height, kind = int(told.get("W", 0)), int(told.get("H", 0)), told.get("C", "420")
    deep = 2 if re.search(r"(p|mono)(9|1\d)$", kind) else 1
    if kind.startswith("mono"):
        return width * height * deep
    if kind[:3] not in _SUBSAMPLED:
        return 0
    across, down = _SUBSAMPLED[kind[:3]]
    planes = width * height * (2 if kind.startswith("444alpha") else 1) + 2 * -(-width // across) * -(-height // down)
    return planes * deep


def find_ivf_break(file: BinaryIO, size: int) -> int | None:
    """Return the byte at which an IVF file breaks; None while it is whole."""
    at = int.from_bytes(file.read(8)[6:8], "little")
    while at < size:
        file.seek(at)
        at += 12 + struct.unpack("<I8x", file.read(12))[0]
    return size if at > size else None


def find_dirac_break(file: BinaryIO, size: int) -> int | None:
    """Return the byte at which a Dirac or VC-2 stream breaks; None while it is whole."""
    at = 0
    while at < size:
        file.seek(at)
        mark, _, length = struct.unpack(">4sBI4x", file.read(13))
        if mark != b"BBCD":
            return at
        if not length:  # the last unit of a sequence, or one whose length was not known
            return None
        at += length
    return size if at > size else None


def find_nut_break(file: BinaryIO, size: int) -> int | None:
    """Return the end of a NUT file that lacks its index, which is written last; None while it is there."""
    file.seek(max(0, size - 12))
    length = int.from_bytes(file.read(8), "big")
    file.seek(max(0, size - length))
    return None if 0 < length <= size and file.read(8) == _NUT_INDEX else size
