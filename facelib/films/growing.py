"""The tables that grow with each shot of a film: every face, the best faces of each track, one picture per shot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from facelib.faces import BOX
from facelib.films.tracking import DETECTIONS
from facelib.project import FilmFiles, atomic_write

LOOKS = pa.schema(
    [
        *((name, pa.int32()) for name in ("track", "shot", "frame")),
        ("time", pa.float64()),
        *((name, pa.float32()) for name in (*BOX, "score", "quality")),
        ("embedding", pa.list_(pa.float32())),
        *((name, pa.list_(pa.float16())) for name in ("clothes", "hair")),
        ("picture", pa.binary()),
        *((name, pa.float32()) for name in ("yaw", "pitch", "roll", "cut")),
    ]
)
"""The columns of `looks.parquet`: the best faces of each track, best first; `picture` is JPEG, of the four best.

`yaw`, `pitch` and `roll` are degrees, NaN where not known; `cut` is 1 where the picture's edge cuts the face.
"""

KEYFRAMES = pa.schema([("shot", pa.int32()), ("time", pa.float64()), ("picture", pa.binary())])
"""The columns of `keyframes.parquet`: one picture per shot, as JPEG."""


class GrowingTable:
    """A table written in batches of shots: many tiny row groups would take memory and enlarge the file's index."""

    def __init__(self, writer: pq.ParquetWriter, most: int) -> None:
        self._writer, self._most = writer, most
        self._waiting: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        """Add rows."""
        self._waiting.append(table)
        if sum(len(one) for one in self._waiting) >= self._most:
            self.flush()
            # What long films leave behind in memory would be more and more of it.
            pa.default_memory_pool().release_unused()

    def flush(self) -> None:
        """Write the buffered rows."""
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting = []


@dataclass(frozen=True, slots=True)
class GrowingTables:
    """The tables that grow with each shot."""

    detections: GrowingTable
    looks: GrowingTable
    keyframes: GrowingTable


@contextmanager
def growing_tables(files: FilmFiles) -> Iterator[GrowingTables]:
    """Yield the tables to write a film's shots to; they appear when the block succeeds.

    Raises:
        OSError: When they cannot be written.
    """
    with ExitStack() as stack:
        tables = [
            GrowingTable(stack.enter_context(pq.ParquetWriter(stack.enter_context(atomic_write(path)), schema)), most)
            for path, schema, most in (
                (files.detections, DETECTIONS, 16_384),
                (files.looks, LOOKS, 512),
                (files.keyframes, KEYFRAMES, 128),
            )
        ]
        yield GrowingTables(*tables)
        for table in tables:
            table.flush()
