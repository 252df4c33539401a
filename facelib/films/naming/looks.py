"""The face samples of a film as naming reads them: a piece at a time, with colours by track, not by sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from facelib.faces import FloatArray
from facelib.films.naming.settings import LOOK_COLUMNS
from facelib.films.tables import told_by_name

COLOURS = ("clothes", "hair")
_ROWS = 256  # read at once
_NOTHING = np.empty(0, np.float32)


def read_looks(path: str | Path, columns: Sequence[str] = LOOK_COLUMNS) -> pd.DataFrame:
    """Read columns of a film's `looks.parquet`, `track` among them, in half of the memory that reading it whole takes.

    Returns:
        These columns, with `clothes` and `hair` in the first row of each track only: the mean of its samples, `(576,)`
        float32, where one is known. `facelib.films.clothes.track_colours` gives the same for it as for all samples.

    Raises:
        OSError: When the table cannot be read.
    """
    traits = [name for name in COLOURS if name in columns]
    means = {name: _Means() for name in traits}
    parts = []
    with told_by_name(Path(path)), pq.ParquetFile(path) as file:
        for batch in _batches(file, list(columns)):
            parts.append(batch.select([name for name in columns if name not in traits]).to_pandas())
            for name in traits:
                means[name].add(batch["track"].to_numpy(), batch[name])
        empty = file.schema_arrow.empty_table().to_pandas()
    table: pd.DataFrame = pd.concat(parts, ignore_index=True) if parts else empty
    for name in traits:
        table[name] = means[name].column(table["track"])
    return table[list(columns)]


def _batches(file: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yield a table in pieces. Arrow keeps the memory of what it decoded unless it is asked to give it back."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=_ROWS, row_groups=[group], columns=columns, use_threads=False)
        pa.default_memory_pool().release_unused()


class _Means:
    """The running mean of one trait over the samples of each track."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[FloatArray, int]] = {}

    def add(self, tracks: NDArray[np.int32], seen: pa.Array) -> None:
        """Add some samples: the track of each, and lists of numbers that are empty where nothing is known."""
        for track, rows in _runs(tracks, seen):
            total, count = self._sums.get(track, (np.float32(0), 0))
            self._sums[track] = np.add.reduce([total + rows[0], *rows[1:]], axis=0), count + len(rows)

    def column(self, tracks: pd.Series) -> pd.Series:
        """Return the means, each in the first row of its track; the sums are given up."""
        found: list[FloatArray] = [_NOTHING] * len(tracks)
        for row in np.flatnonzero(~tracks.duplicated()).tolist():
            total, count = self._sums.pop(int(tracks.iloc[row]), (_NOTHING, 1))
            found[row] = np.divide(total, np.float32(count), out=total)
        return pd.Series(found, index=tracks.index, dtype=object)


def _runs(tracks: NDArray[np.int32], seen: pa.Array) -> Iterator[tuple[int, FloatArray]]:
    """Yield each track with its rows of numbers, `(n, d)` float32."""
    known = seen.value_lengths().fill_null(0).to_numpy(zero_copy_only=False) > 0
    if not known.any():
        return
    rows = seen.flatten().to_numpy(zero_copy_only=False).reshape(known.sum(), -1)
    own = tracks[known]
    for some in np.split(np.arange(len(own)), np.flatnonzero(np.diff(own)) + 1):
        yield int(own[some[0]]), rows[some].astype(np.float32)
