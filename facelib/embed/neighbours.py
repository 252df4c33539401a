"""The faces of a gallery nearest to others, by their embeddings, and copies of one picture among them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import pairwise_distances, pairwise_distances_chunked

FloatMatrix = NDArray[np.floating[Any]]
IntArray = NDArray[np.intp]
_CHUNK_MIB = 128

ALIKE = 0.4
"""Of the embedder's threshold: how near two faces of one person are that come of one picture.

Measured with dlib's embedding on Labeled Faces in the Wild: of copies that were resized, cropped, recompressed or
brightened 95 % lie within it; of 3,023 different pictures 2 % have another of their person so near.
"""


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


def near_duplicate_groups(vectors: ArrayLike, names: ArrayLike, *, threshold: float) -> NDArray[np.intp]:
    """Number the source groups of a gallery: faces so similar that one is no fair trial for the other.

    Faces of one person within `ALIKE * threshold` of each other are linked, and what is linked, over others too, is
    one group: copies of a picture, and frames of one scene. Faces of two people are never in one group.

    Args:
        vectors: `(n, d)` embeddings.
        names: `(n,)`.
        threshold: The embedder's own; NaN, where nobody measured it, puts each face into a group of its own.

    Returns:
        `(n,)`, the group of each face, numbered from 0 in the order of their first faces.

    Raises:
        ValueError: When the lengths disagree.

    Examples:
        >>> names = ["Ada", "Ada", "Ada", "Grace"]
        >>> near_duplicate_groups([[0.0], [0.01], [0.5], [0.02]], names, threshold=0.5).tolist()
        [0, 0, 1, 2]
    """
    matrix, labels = np.asarray(vectors), np.asarray(names, dtype=str)
    if len(matrix) != len(labels):
        raise ValueError(f"expected one embedding and one name per face, got {len(matrix)} and {len(labels)}")
    count, within = len(labels), ALIKE * threshold
    if not count or math.isnan(within):
        return np.arange(count)
    first, second = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for person in np.unique(labels):
        rows = np.flatnonzero(labels == person)
        one, other = np.nonzero(np.triu(pairwise_distances(matrix[rows]) <= within, 1))
        first.append(rows[one])
        second.append(rows[other])
    ends = np.concatenate(first), np.concatenate(second)
    linked = coo_matrix((np.ones(len(ends[0]), bool), ends), shape=(count, count))
    labelled = connected_components(linked, directed=False)[1]
    _, begin, found = np.unique(labelled, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(begin))[found], np.intp)
