"""Find where the structure of a film's file breaks: damage that demuxers pass over without a word.

Most containers are chains of pieces that state their own length. A piece that begins with something unknown, or runs
past the end of the file, shows that bytes were overwritten or are missing. Only the heads of the pieces are read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from facelib.films.media.asf import find_asf_break
from facelib.films.media.raw import find_dirac_break, find_ivf_break, find_nut_break, find_y4m_break
from facelib.project.ranges import open_file

_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_TOP_ELEMENTS = frozenset(
    {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, _EBML, _SEGMENT}
)
_IN_CLUSTER = frozenset({0xE7, 0x5854, 0xA7, 0xAB, 0xA3, 0xA0, 0xAF, 0xEC, 0xBF})
_MXF_KEY, _MXF_INDEX = bytes.fromhex("060e2b34"), bytes.fromhex("060e2b34020501010d01020101110100")
_MXF_HEADER = bytes.fromhex("060e2b34020501010d01020101")
_SECTIONS = np.array([0, 1, 1, 2, 2, 2, *[3, *[4] * 15] * 9])  # of the 150 blocks of a DV sequence
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def first_break(path: str | Path, kind: str) -> int | None:
    """Return the byte at which a file's structure breaks, by damage or by its end; None while it is whole.

    Args:
        path: The file.
        kind: FFmpeg's name of its container, such as `matroska,webm`; None is returned for those without a structure.
    """
    walk = next((walk for name, walk in _WALKS.items() if name in kind.split(",")), None)
    if walk is None:
        return None
    with open_file(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        try:
            return walk(file, size)
        except (struct.error, IndexError):  # the file ends within the head of a piece
            return size


def begins_another(path: str | Path, at: int) -> bool:
    """Return whether another file begins at a byte: one that was joined on, of which not all may be read."""
    with open_file(path) as file:
        return _begins_file(file, at)


def _begins_file(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    head = file.read(8)
    return head[4:] == b"ftyp" or head.startswith((_EBML.to_bytes(4, "big"), b"FLV\x01"))


def _matroska(file: BinaryIO, size: int) -> int | None:
    at, end, cluster_end, strange = 0, size, size, False
    while at < end:
        file.seek(at)
        element, length, head = read_element(file.read(12))
        if element in (_SEGMENT, _CLUSTER):
            stop = size if length is None else at + head + length
            if stop > size:
                return size
            end, cluster_end = (stop, stop) if element == _SEGMENT else (end, stop)
            at, strange = at + head, False
            continue
        known = element in _TOP_ELEMENTS or element in _IN_CLUSTER
        within = cluster_end if at < cluster_end else end
        if length is None or (strange and not known) or not element:
            return at
        if at + head + length > within:
            return at if within < size else size
        # One unknown element in a row is allowed: readers pass over what a later version of the format adds.
        at, strange = at + head + length, not known
    return at if at < size and _begins_file(file, at) else None


def read_element(data: bytes) -> tuple[int, int | None, int]:
    """Return the identifier of the Matroska element that begins here, its length (None for unknown), that of both.

    Raises:
        IndexError: When the data end before.
    """
    first = 9 - data[0].bit_length()
    if first > 4:
        return 0, None, 0
    second = 9 - data[first].bit_length()
    if second > 8:
        return 0, None, 0
    length = int.from_bytes(data[first : first + second], "big") & (1 << 7 * second) - 1
    return int.from_bytes(data[:first], "big"), None if length == (1 << 7 * second) - 1 else length, first + second


def _ogg(file: BinaryIO, size: int) -> int | None:
    at = 0
    following: dict[int, int] = {}  # the number of the next page of each stream
    while at < size:
        file.seek(at)
        head = file.read(27)
        if head[:4] != b"OggS":
            return at
        serial, number, told, segments = struct.unpack("<IIIB", head[14:27])
        expected = 0 if head[5] & 2 else following.get(serial, number)  # the first page of a stream
        lacing = file.read(segments)
        body = file.read(sum(lacing))
        if len(lacing) < segments or len(body) < sum(lacing):
            return size
        page = head[:22] + bytes(4) + head[26:] + lacing + body
        if _ogg_sum(page) != told or number != expected:
            return at
        following[serial] = number + 1 & 0xFFFFFFFF
        at += len(page)
    return None


def _ogg_sum(page: bytes) -> int:
    """Return the checksum of a page: the polynomial is zlib's, the bits are in the other order."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


def _program_stream(file: BinaryIO, size: int) -> int | None:
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(14)
        if head[:3] == bytes(3):  # stuffing before the next piece, or up to the end
            zeros = len(head) - len(head.lstrip(b"\0"))
            at += zeros if zeros == len(head) == size - at else zeros - 2
        elif head[:3] != b"\0\0\1" or head[3] < 0xB9:
            return at
        elif head[3] == 0xB9:
            at += 4
        elif head[3] == 0xBA:
            at += 14 + (head[13] & 7) if head[4] >> 6 == 1 else 12
        else:
            at += 6 + int.from_bytes(head[4:6], "big")
    return size if at > size else None


def _transport_stream(file: BinaryIO, size: int) -> int | None:
    head = np.frombuffer(file.read(1 << 16), np.uint8) == 0x47
    marked = {
        (length, lead, start): float(head[start::length].mean())
        for length, lead in ((188, 0), (192, 4), (204, 0))
        for start in range(min(length + lead, len(head)))
    }
    if not marked:
        return None
    length, lead, start = max(marked, key=lambda one: marked[one])
    return _transport_packets(file, max(0, start - lead), size, length, lead) if len(head) > 8 * length else None


def _transport_packets(file: BinaryIO, start: int, size: int, length: int, lead: int) -> int | None:
    """Return where a packet does not begin with its mark, or has lost its end."""
    at = start
    while at + length <= size:
        file.seek(at)
        count = min(1 << 14, (size - at) // length)
        marks = np.frombuffer(file.read(count * length), np.uint8)[lead::length]
        wrong = np.flatnonzero(marks != 0x47)
        if len(wrong):
            place = at + length * int(wrong[0])
            file.seek(place)
            # Some recorders fill the file up with zeros.
            return None if not any(file.read(length)) else place
        at += count * length
    file.seek(at)
    return size if file.read(lead + 1)[lead:] == b"\x47" else None


def _flv(file: BinaryIO, size: int) -> int | None:
    at = int.from_bytes(file.read(9)[5:9], "big") + 4
    while at < size:
        file.seek(at)
        head = file.read(11)
        if head[0] & 0x1F not in (8, 9, 18):
            return at
        at += 15 + int.from_bytes(head[1:4], "big")
    return size if at > size + 4 else None


def _gif(file: BinaryIO, size: int) -> int | None:
    flags = file.read(13)[10]
    file.seek(13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))
    while True:
        at, kind = file.tell(), file.read(1)
        if kind == b";":
            return None
        if kind == b",":
            flags = file.read(9)[8]
            file.seek((3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1, 1)
        elif kind == b"!":
            file.seek(1, 1)
        else:
            return at
        while length := file.read(1)[0]:
            file.seek(length, 1)


def _mxf(file: BinaryIO, size: int) -> int | None:
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(25)
        if head[:4] != _MXF_KEY:
            return at
        length, extra = head[16], 0
        if length & 0x80:
            extra = length & 0x7F
            length = int.from_bytes(head[17 : 17 + extra], "big")
        if at == 0 and head.startswith(_MXF_HEADER):
            file.seek(17 + extra + 24)
            if int.from_bytes(file.read(8), "big") >= size:  # where the file says that its footer lies
                return size
        at += 17 + extra + length
        if head.startswith(_MXF_INDEX):
            break
    return size if at > size else None


def _avi(file: BinaryIO, size: int) -> int | None:
    head = file.read(8)
    return size if int.from_bytes(head[4:], "little") + 8 > size + 1 else None


def _quicktime(file: BinaryIO, size: int) -> int | None:
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length < 8 or not kind.isascii():
            return None
        if at and kind == b"ftyp":
            return at
        at += length
    return size if at > size else None


def _dv(file: BinaryIO, size: int) -> int | None:
    length = next((one for one in (120_000, 144_000, 240_000, 288_000) if _at(file, one) == b"\x1f\x07\0"), 0)
    pattern = np.resize(_SECTIONS, length // 80)
    for at in range(0, size, length) if length else ():
        file.seek(at)
        blocks = np.frombuffer(file.read(length), np.uint8)
        if len(blocks) < length:
            return size
        wrong = np.flatnonzero(blocks[::80] >> 5 != pattern)
        if len(wrong):
            return at + 80 * int(wrong[0])
    return None


def _at(file: BinaryIO, place: int) -> bytes:
    file.seek(place)
    return file.read(3)


_WALKS: dict[str, Callable[[BinaryIO, int], int | None]] = {
    "matroska": _matroska,
    "ogg": _ogg,
    "mpeg": _program_stream,
    "mpegts": _transport_stream,
    "flv": _flv,
    "asf": find_asf_break,
    "gif": _gif,
    "mxf": _mxf,
    "avi": _avi,
    "mov": _quicktime,
    "dv": _dv,
    "nut": find_nut_break,
    "ivf": find_ivf_break,
    "yuv4mpegpipe": find_y4m_break,
    "dirac": find_dirac_break,
}
