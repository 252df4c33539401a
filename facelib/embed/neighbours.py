"""The faces of a gallery nearest to others, by their embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances_chunked

FloatMatrix = NDArray[np.floating[Any]]
IntArray = NDArray[np.intp]
_CHUNK_MIB = 128


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """What `n` probes see in a gallery.

    Attributes:
        distances: `(n, k)`, ascending Euclidean distances to the nearest `k` gallery faces, offsets added.
        rows: `(n, k)`, the rows of these faces in the gallery; of equal distances the earlier row comes first.
        to_people: `(n, people)`, the distance to the nearest face of each person, without offsets.
        people_rows: `(n, people)`, the rows of those faces.
    """

    distances: FloatMatrix
    rows: IntArray
    to_people: FloatMatrix
    people_rows: IntArray


def nearest(distances: FloatMatrix, k: int) -> tuple[FloatMatrix, IntArray]:
    """Return the `k` smallest entries of each row, ascending, and their columns; equal ones in order of column."""
    k = min(k, distances.shape[1])
    columns = np.argpartition(distances, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(distances, columns, axis=1)
    order = np.lexsort((columns, found), axis=1)
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(columns, order, axis=1)


def find_neighbours(
    probes: FloatMatrix, gallery: FloatMatrix, people: IntArray, *, k: int, offsets: FloatMatrix | None = None
) -> Neighbours:
    """Compare probes with a whole gallery, by brute force in pieces that fit into memory.

    Args:
        probes: `(n, d)`.
        gallery: `(m, d)`, at least one row.
        people: `(m,)`, 0-based number of each gallery face's person, every number up to the largest occurring.
        k: How many neighbours to return; no more than `m` are.
        offsets: `(people,)`, added to the distances to each person's faces before the nearest are chosen.
    """
    shift = 0.0 if offsets is None else offsets[people]
    members = np.split(np.argsort(people, kind="stable"), np.cumsum(np.bincount(people))[:-1])
    if not len(probes):
        none, nobody = np.empty((0, min(k, len(gallery)))), np.empty((0, len(members)))
        return Neighbours(none, none.astype(np.intp), nobody, nobody.astype(np.intp))

    def reduce(block: FloatMatrix, _start: int) -> tuple[FloatMatrix, IntArray, FloatMatrix, IntArray]:
        block = block.astype(np.float64, copy=False)  # or a threshold would be rounded to float32 before it is compared
        closest = np.stack([rows[block[:, rows].argmin(axis=1)] for rows in members], axis=1)
        return *nearest(block + shift, k), np.take_along_axis(block, closest, axis=1), closest

    blocks = list(pairwise_distances_chunked(probes, gallery, reduce_func=reduce, working_memory=_CHUNK_MIB))
    return Neighbours(*(np.concatenate(part) for part in zip(*blocks, strict=True)))
