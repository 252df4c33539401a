"""PNG pictures that Pillow refuses: those with broken or very large metadata, and those with very many pixels."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import ExifTags
from PIL import Image as PillowImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_LARGEST_EXIF = 1 << 16
_STRIP = 1 << 23  # bytes of rows that are decoded at one time
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of grey, RGB, palette, grey and RGB with transparency


class _Chunk(NamedTuple):
    kind: bytes
    content: bytes
    whole: bytes

    @property
    def is_sound(self) -> bool:
        return zlib.crc32(self.kind + self.content) == int.from_bytes(self.whole[-4:], "big")


def without_metadata(path: Path) -> io.BytesIO | None:
    """Return a PNG reduced to its pixels and its orientation; None for another file, or where nothing else is in it.

    Pillow gives up a picture whose metadata have a wrong checksum, or take more than a megabyte, as editors' do.
    """
    with path.open("rb") as file:
        if file.read(8) != SIGNATURE:
            return None
        chunks = list(_chunks(file))
    kept = [one for one in chunks if one.kind in _NEEDED or _is_orientation(one)]
    return None if len(kept) == len(chunks) else io.BytesIO(SIGNATURE + b"".join(one.whole for one in kept))


def read_large_png(path: Path, *, steps: int, size: tuple[int, int]) -> PillowImage.Image:
    """Return a PNG made smaller by a power of two while it is decoded, a strip of rows at a time.

    Args:
        path: The picture.
        steps: Its sides are divided by 2 to the power of this.
        size: Width and height of what is stored.

    Raises:
        OSError: When it is interlaced, has other than 8 bits a channel, or is damaged.
    """
    with path.open("rb") as file:
        file.seek(8)
        chunks = _chunks(file)
        header = next(chunks).content
        depth, colour, interlaced = header[8], header[9], header[12]
        if depth != 8 or interlaced or colour not in _CHANNELS:
            kind = "an interlaced one" if interlaced else f"one of {depth} bits"
            raise OSError(f"expected a plain 8-bit PNG of so many pixels, got {kind}: save it smaller, or as JPEG")
        strips = _Strips(header, size, steps)
        for chunk in chunks:
            if chunk.kind == b"IDAT":
                strips.push(chunk.content)
            elif chunk.kind in (b"PLTE", b"tRNS"):
                strips.between += chunk.whole
            elif _is_orientation(chunk):
                strips.orientation = _orientation(chunk.content)
    return strips.picture()


class _Strips:
    """Rows of a PNG, decoded by Pillow as small pictures of their own.

    A row may be stored as its difference from the one before, so each strip begins with the last row of the one
    before, stored as it is.
    """

    def __init__(self, header: bytes, size: tuple[int, int], steps: int) -> None:
        self.between, self.orientation = b"", 1
        self._header, self._factor = header, 1 << steps
        self._width, self._height = size
        self._row = 1 + self._width * _CHANNELS[header[9]]
        self._rows = max(1, _STRIP // self._row // self._factor) * self._factor
        self._inflate = zlib.decompressobj()
        self._waiting, self._before, self._done = bytearray(), b"", 0
        self._pixels = np.empty((-(-self._height // self._factor), -(-self._width // self._factor), 3), np.uint8)

    def push(self, packed: bytes) -> None:
        while packed:
            self._waiting += self._inflate.decompress(packed, _STRIP)
            packed = self._inflate.unconsumed_tail
            while len(self._waiting) >= self._rows * self._row:
                self._take(self._rows)

    def _take(self, rows: int) -> None:
        data = self._before + bytes(self._waiting[: rows * self._row])
        del self._waiting[: rows * self._row]
        repeated = 1 if self._before else 0
        header = self._header[:4] + struct.pack(">I", rows + repeated) + self._header[8:]
        body = _chunk(b"IHDR", header) + self.between + _chunk(b"IDAT", zlib.compress(data, 0)) + _chunk(b"IEND", b"")
        with PillowImage.open(io.BytesIO(SIGNATURE + body), formats=("PNG",)) as strip:
            self._before = b"\0" + np.asarray(strip)[-1].tobytes()
            shown = on_white(strip.crop((0, repeated, self._width, rows + repeated))).reduce(self._factor)
        at = self._done // self._factor
        self._pixels[at : at + shown.height] = np.asarray(shown)
        self._done += rows

    def picture(self) -> PillowImage.Image:
        rest = min(len(self._waiting) // self._row, self._height - self._done)
        if rest:
            self._take(rest)
        if self._done < self._height or not self._inflate.eof:
            raise OSError(f"image file is truncated: {self._height - self._done} of {self._height} rows are missing")
        picture = PillowImage.fromarray(self._pixels)
        picture.info["stored size"] = self._width, self._height
        picture.getexif()[ExifTags.Base.Orientation] = self.orientation
        return picture


def on_white(picture: PillowImage.Image) -> PillowImage.Image:
    """Return a picture in RGB; what is transparent is laid on white."""
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        coloured = picture.convert("RGBA")
        picture = PillowImage.alpha_composite(PillowImage.new("RGBA", coloured.size, "white"), coloured)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    """Yield the chunks from the file's place on, up to where it ends or breaks."""
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        content = file.read(length + 4)
        if len(content) < length + 4:
            yield _Chunk(kind, content, head + content)
            return
        yield _Chunk(kind, content[:-4], head + content)
        if kind == b"IEND":
            return


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _is_orientation(chunk: _Chunk) -> bool:
    return (
        chunk.kind == b"eXIf"
        and len(chunk.content) <= _LARGEST_EXIF
        and chunk.is_sound
        and _orientation(chunk.content) > 1
    )


def _orientation(content: bytes) -> int:
    exif = PillowImage.Exif()
    try:
        exif.load(content)
        told = int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # as in `read_image`
        return 1
    return told if 1 <= told <= 8 else 1
