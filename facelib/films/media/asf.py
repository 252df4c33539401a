"""Find where the structure of an ASF file (WMV and WMA) breaks.

The layout is that of Microsoft's Advanced Systems Format specification, revision 01.20.06.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_FACTS = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_LENGTHS = (0, 1, 2, 4)  # bytes of a number, by its type
_CORRECTION = 0x82  # a packet begins with two bytes for the correction of errors


def find_asf_break(file: BinaryIO, size: int) -> int | None:
    """Return the byte at which the chain of objects or packets of a file breaks; None while it is whole."""
    at, packet, live = 0, 0, True
    while at < size:
        file.seek(at)
        kind, length = struct.unpack("<16sQ", file.read(24))
        if at == 0:
            live, packet = _facts(file.read(min(length, 1 << 20)))
        if kind == _DATA:
            end = size if live or not length else at + length
            return _broken_packet(file, at + 50, min(end, size), packet) or (size if end > size else None)
        if length < 24:
            return at
        at += length
    return size


def _facts(header: bytes) -> tuple[bool, int]:
    """Return whether a file was recorded live, so that its lengths are unknown, and how long its packets are."""
    place = header.find(_FACTS)
    facts = header[place + 24 : place + 104] if place >= 0 else b""
    if len(facts) < 72:
        return True, 0
    return bool(facts[64] & 1), int.from_bytes(facts[68:72], "little")


def _broken_packet(file: BinaryIO, start: int, end: int, length: int) -> int | None:
    file.seek(start)
    if not length or file.read(1)[:1] != bytes([_CORRECTION]):
        return None
    for at in range(start, end, length):
        file.seek(at)
        data = file.read(min(length, end - at))
        if len(data) < length or not _is_packet(data):
            return at
    return None


def _is_packet(data: bytes) -> bool:
    """Return whether a packet's payloads and its padding fill it exactly."""
    if data[0] != _CORRECTION:
        return False
    lengths, properties, at = data[3], data[4], 5
    sizes = [_LENGTHS[lengths >> shift & 3] for shift in (5, 1, 3)]  # of its length, sequence and padding
    total, _, padding = (
        int.from_bytes(data[at + sum(sizes[:i]) : at + sum(sizes[: i + 1])], "little") for i in range(3)
    )
    at += sum(sizes) + 6  # and when it is to be sent, and how long it lasts
    end = (total or len(data)) - padding
    if not at <= end <= len(data):
        return False
    if not lengths & 1:
        return _payload_end(data, at, properties, 0) <= end
    count, size = data[at] & 63, _LENGTHS[data[at] >> 6]
    at += 1
    for _ in range(count):
        at = _payload_end(data, at, properties, size)
        if at > end:
            return False
    return at == end


def _payload_end(data: bytes, at: int, properties: int, size: int) -> int:
    """Return where a payload ends; its own length has `size` bytes, and 0 takes all that follows its head."""
    number, offset, replicated = (_LENGTHS[properties >> shift & 3] for shift in (4, 2, 0))
    at += 1 + number + offset
    at += replicated + int.from_bytes(data[at : at + replicated], "little")
    return at + size + int.from_bytes(data[at : at + size], "little")
