"""Small files that are huge once they are unpacked."""

from __future__ import annotations

import struct
import zlib


def bomb(width: int, height: int) -> bytes:
    """Return a small PNG that says it is huge, all of it black."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = _zeros((width // 8 + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _zeros(count: int, part: int = 1 << 20) -> bytes:
    """Return what `zlib.compress(bytes(count))` stands for, at once: one compressed part, again and again."""
    packer = zlib.compressobj(9, wbits=-15)
    whole = packer.compress(bytes(part)) + packer.flush(zlib.Z_FULL_FLUSH)
    rest = packer.compress(bytes(count % part)) + packer.flush()
    checked = (count % 65521) << 16 | 1  # Adler-32 of so many zeros
    return b"\x78\xda" + whole * (count // part) + rest + struct.pack(">I", checked)
