"""The tables of the index: which columns they have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

APPEARANCES = pa.schema(
    [
        ("person", pa.string()),
        ("group", pa.bool_()),
        ("film", pa.int32()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("confidence", pa.float32()),
        ("track", pa.int32()),
    ]
)
"""One stretch of one person on screen, sorted by person, film and start; `track` is its longest track, `group` says
that the person is a group of unknown people."""

TRACKS = pa.schema(
    [
        ("person", pa.string()),
        ("group", pa.bool_()),
        ("film", pa.int32()),
        ("track", pa.int32()),
        ("shot", pa.int32()),
        ("scene", pa.int32()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("confidence", pa.float32()),
    ]
)
"""One track, sorted as the appearances; unknown people in no group are called `unknown`."""

SHOTS = pa.schema(
    [("film", pa.int32()), ("shot", pa.int32()), ("scene", pa.int32()), ("start", pa.float64()), ("end", pa.float64())]
)
"""One shot, sorted by film and number; the end is exclusive, as everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmRows:
    """What a segment of the index holds of one film or more.

    Attributes:
        appearances: Has the columns of `APPEARANCES`.
        tracks: Has the columns of `TRACKS`.
        shots: Has the columns of `SHOTS`.
        vectors: The embeddings of the tracks in their order, `(tracks, dimension + 1)` float32, the last number being
            the square of the length of the others; NaN where a track has none.
        network: The network that made them and their length; empty without any.
        seconds: The length of the film.
    """

    appearances: pa.Table
    tracks: pa.Table
    shots: pa.Table
    vectors: NDArray[np.float32]
    network: str
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """How many appearances and tracks there are."""
        return int(self.appearances.num_rows + self.tracks.num_rows)
