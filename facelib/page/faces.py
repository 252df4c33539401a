"""The faces of a film's tracks as sheets of small pictures, loaded only when one of them is shown."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps

from facelib.films.tables import told_by_name
from facelib.images import encode_jpeg
from facelib.project.files import write_bytes

TILE = 80
"""The side of a face on a sheet, pixels."""

SHEET_COLUMNS = 8
"""Faces in a row of a sheet; a sheet has as many rows."""

_EACH = SHEET_COLUMNS * SHEET_COLUMNS


def write_face_sheets(looks: Path, tracks: NDArray[np.int64], folder: Path) -> int:
    """Write the best face of each track, 64 on a sheet, `faces-0.jpg` and so on; return how many sheets.

    Args:
        looks: `looks.parquet`.
        tracks: The numbers of the tracks in the order wanted; a track without a picture leaves its place empty.
        folder: Where the sheets go; sheets of an earlier, longer film are removed.

    Raises:
        OSError: When a sheet cannot be written.
    """
    count = -(-len(tracks) // _EACH)
    sheets = [_blank() for _ in range(count)]
    place = {int(track): i for i, track in enumerate(tracks)}
    for track, picture in best_pictures(looks):
        if track in place:
            _paste(sheets[place[track] // _EACH], place[track] % _EACH, picture)
    for number, sheet in enumerate(sheets):
        write_bytes(_encoded(sheet, len(tracks) - number * _EACH), folder / f"faces-{number}.jpg")
    for path in folder.glob("faces-*.jpg"):
        if path.stem.removeprefix("faces-").isdecimal() and int(path.stem.removeprefix("faces-")) >= count:
            path.unlink()
    return count


def face_sheet(pictures: Mapping[int, bytes], tracks: NDArray[np.int64], number: int) -> bytes | None:
    """Return a sheet of `write_face_sheets`, counted from 0, of `best_pictures`, as JPEG; None where there is none."""
    own = tracks[number * _EACH : (number + 1) * _EACH]
    if not len(own):
        return None
    sheet = _blank()
    for at, track in enumerate(own):
        if int(track) in pictures:
            _paste(sheet, at, pictures[int(track)])
    return _encoded(sheet, len(own))


def _blank(width: int = TILE * SHEET_COLUMNS, height: int = TILE * SHEET_COLUMNS) -> PillowImage.Image:
    return PillowImage.new("RGB", (width, height), "#808080")


def _paste(sheet: PillowImage.Image, at: int, picture: bytes) -> None:
    sheet.paste(tile(picture, TILE), (TILE * (at % SHEET_COLUMNS), TILE * (at // SHEET_COLUMNS)))


def _encoded(sheet: PillowImage.Image, faces: int) -> bytes:
    """Return a sheet of so many faces, or more, as a JPEG without rows that have none."""
    rows = -(-min(_EACH, faces) // SHEET_COLUMNS)
    return encode_jpeg(np.asarray(sheet.crop((0, 0, TILE * SHEET_COLUMNS, TILE * rows))), quality=80)


def best_pictures(looks: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number of each track and the JPEG of its best face; `looks.parquet` has the best first."""
    seen: set[int] = set()
    with told_by_name(looks), pq.ParquetFile(looks) as file:
        for batch in file.iter_batches(batch_size=2048, columns=["track", "picture"]):
            for track, picture in zip(batch["track"].to_pylist(), batch["picture"], strict=True):
                if track not in seen and picture.as_py():
                    seen.add(track)
                    yield track, picture.as_py()


def tile(picture: bytes, size: int) -> PillowImage.Image:
    """Return the middle of a JPEG as a square of `size` pixels; a grey one where it is damaged."""
    try:
        with PillowImage.open(io.BytesIO(picture), formats=("JPEG",)) as opened:
            opened.draft("RGB", (2 * size, 2 * size))  # decodes at a fraction of the size, several times as fast
            return ImageOps.fit(opened.convert("RGB"), (size, size), PillowImage.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError):
        return _blank(size, size)
