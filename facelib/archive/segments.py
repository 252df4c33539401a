"""The files of the index: Parquet tables sorted by person, and the faces as one array beside them.

Each film is written into files of its own at first. As soon as there are sixteen of a size they are merged into one
sixteen times as large, so that a row is rewritten a few times however many films come, and a search reads few files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from facelib.archive.tables import APPEARANCES, SHOTS, TRACKS, FilmRows
from facelib.project.files import write_array

MERGED = 16
"""How many segments of a level become one of the next."""

# Rows that are skipped together where none is of a person sought; of tracks, single ones are read by their place.
_ROW_GROUPS = {"appearances": 32_768, "tracks": 4_096, "shots": 32_768}
_KINDS = tuple(_ROW_GROUPS)
_SEGMENT = re.compile(r"^(?:appearances|tracks|shots|faces)-([0-9]+)\.[a-z]+$", re.MULTILINE)


def segment_path(folder: Path, kind: str, number: int) -> Path:
    """Return where a table of a segment lies: `appearances`, `tracks`, `shots`, or `faces`, which is an array."""
    return folder / f"{kind}-{number}.{'npy' if kind == 'faces' else 'parquet'}"


def write_segment(rows: FilmRows, folder: Path, number: int) -> None:
    """Write the files of a segment, to be named in the catalogue afterwards.

    Raises:
        OSError: When they cannot be written.
    """
    for kind in _KINDS:
        table = getattr(rows, kind)
        named = ["person"] if "person" in table.column_names else False
        path = segment_path(folder, kind, number)
        pq.write_table(table, path, row_group_size=_ROW_GROUPS[kind], use_dictionary=named, compression="zstd")
    write_array(rows.vectors, segment_path(folder, "faces", number))


def read_faces(folder: Path, number: int) -> NDArray[np.float32]:
    """Return the faces of a segment's tracks, `(tracks, dimension)`, mapped and not read into memory.

    Raises:
        OSError: When they cannot be read.
    """
    path = segment_path(folder, "faces", number)
    vectors: NDArray[np.float32] = np.load(path, allow_pickle=False)[:0] if _is_empty(path) else np.load(path, "r")
    return vectors


def _is_empty(path: Path) -> bool:
    """Return whether an array has no numbers, which cannot be mapped."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, _ = np.lib.format.read_array_header_1_0(file)
    return 0 in shape


def merge_segments(folder: Path, numbers: Sequence[int], films: Sequence[int], network: str) -> FilmRows:
    """Return the rows of segments of one network, sorted again, without those of films that are no longer in them.

    Raises:
        OSError: When a file cannot be read.
    """
    kept = pa.array(sorted(films), pa.int32())
    merged = {
        kind: pa.concat_tables([pq.read_table(segment_path(folder, kind, one), schema=schema) for one in numbers])
        for kind, schema in zip(_KINDS, (APPEARANCES, TRACKS, SHOTS), strict=True)
    }
    chosen = {kind: _order(table, kept) for kind, table in merged.items()}
    vectors = np.concatenate([read_faces(folder, one) for one in numbers])
    tables = {kind: merged[kind].take(pa.array(chosen[kind])) for kind in _KINDS}
    return FilmRows(
        **tables,
        vectors=vectors[chosen["tracks"]] if vectors.size else vectors[: len(chosen["tracks"])],
        network=network,
    )


def _order(table: pa.Table, films: pa.Array) -> NDArray[np.int64]:
    """Return the rows of some films in the order in which they are written."""
    rows = np.flatnonzero(pc.is_in(table["film"], value_set=films).to_numpy())
    names = ["person", "film", "start"] if "person" in table.column_names else ["film", "shot"]
    order = pc.sort_indices(table.select(names).take(pa.array(rows)), [(name, "ascending") for name in names])
    return np.asarray(rows[order.to_numpy()], np.int64)


def remove_segments(folder: Path, numbers: Sequence[int]) -> None:
    """Remove the files of segments."""
    for number in numbers:
        for kind in (*_KINDS, "faces"):
            segment_path(folder, kind, number).unlink(missing_ok=True)


def stray_segments(folder: Path, known: set[int]) -> list[int]:
    """Return the numbers of segments whose files lie in the folder but are not in the catalogue: of a killed run."""
    # At once: the files of thousands of films that were replaced of late may still be there.
    found = {int(number) for number in _SEGMENT.findall("\n".join(os.listdir(folder)))}
    return sorted(found - known)
