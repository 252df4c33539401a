"""Search by a face: the tracks nearest to it in all films, of the cast and of unknown people alike, exactly."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from facelib.archive.catalogue import Segment
from facelib.archive.opened import Archive, ArchivePart
from facelib.archive.readable import readable
from facelib.archive.segments import read_faces, segment_path
from facelib.project.processes import allowed_cores

FACE_HIT_COLUMNS = ["project", "film", "date", "track", "shot", "person", "start", "end", "confidence", "distance"]
"""The columns of `find_face`."""

_BLOCK = 16_384  # tracks that are compared at once


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """Tracks of a segment that may be among the nearest, by their rows, with their exact distances."""

    part: ArchivePart
    segment: Segment
    rows: NDArray[np.int64]
    distances: NDArray[np.float64]


def find_face(archive: Archive, vector: ArrayLike, *, most: int = 20, weights: str = "") -> pd.DataFrame:
    """Return the tracks whose faces are nearest to a face.

    Every track is compared, so that none is missed, but for those of `films_of_other_networks`. A million tracks of
    128 numbers are 516 MB, which are read from the disk once and then stay in the system's memory as far as there is
    room.

    Args:
        archive: The index.
        vector: The face's embedding, `(dimension,)`.
        most: How many tracks to return.
        weights: SHA-256 of the weights of the network that made it; empty takes every network whose embeddings have
            the same length.

    Returns:
        The nearest first: `project`, `film`, `date`, `track`, `shot`, `person` (the name, the group of unknown people,
        or `unknown`), `start`, `end`, `confidence`, `distance` (Euclidean).

    Raises:
        ValueError: When the vector is not one row of finite numbers, or the films' faces are of another network.
        OSError: When the index cannot be read.
    """
    sought = np.asarray(vector, np.float64)
    if sought.ndim != 1 or not len(sought) or not np.isfinite(sought).all() or most < 1:
        raise ValueError(f"expected one face as (dimension,) finite numbers, and most >= 1, got shape {sought.shape!r}")
    network = f"{weights}:{len(sought)}"
    places = [(part, one) for part in archive.parts for one in part.segments if one.network.endswith(network)]
    there = sorted({one.network.rpartition(":")[2] for part in archive.parts for one in part.segments} - {""})
    if not places and there:  # films without any face have no network
        raise ValueError(
            f"expected a face embedded by the network of the films, in {' or '.join(there)} numbers, "
            f"got {len(sought)} numbers{f' of the weights {weights[:12]}...' if weights else ''}"
        )
    near = []
    with ThreadPoolExecutor(allowed_cores()) as workers:
        for part, one in places:
            with readable(part.project.archive):
                near.append(_nearest(archive, part, one, sought, most, workers))
    return _table(archive, near, most)


def films_of_other_networks(archive: Archive, dimension: int, *, weights: str = "") -> list[str]:
    """Return the films, by file name, that `find_face` leaves out: another network embedded their faces."""
    others = {
        (part.name, one.number)
        for part in archive.parts
        for one in part.segments
        if one.network and not one.network.endswith(f"{weights}:{dimension}")
    }
    films = archive.films[["project", "segment", "film"]].itertuples(index=False, name=None)
    return [str(film) for project, segment, film in films if (project, segment) in others]


def _nearest(
    archive: Archive,
    part: ArchivePart,
    segment: Segment,
    sought: NDArray[np.float64],
    most: int,
    workers: Executor,
) -> _Near:
    """Return the tracks of a segment that are nearest, with their exact distances."""
    vectors = read_faces(part.project.archive, segment.number)
    # The square of a distance, but for that of the sought vector's length, is one product with these numbers.
    factors = np.append(-2 * sought, 1.0).astype(np.float32)
    squares = np.empty(len(vectors), np.float32)

    def compare(start: int) -> None:
        # Not by `matmul`, whose own threads wait for each other busily: twice the processor time.
        block = slice(start, start + _BLOCK)
        np.einsum("ij,j->i", vectors[block], factors, out=squares[block])

    list(workers.map(compare, range(0, len(vectors), _BLOCK)))
    squares[np.isnan(squares)] = np.inf
    squares[~_in_use(archive, part, segment, len(vectors))] = np.inf
    place = part.name, segment.number
    if place not in archive.longest:
        archive.longest[place] = float(np.nanmax(vectors[:, -1], initial=0.0)) ** 0.5
    rows = _candidates(squares, vectors.shape[1], archive.longest[place] + float(np.linalg.norm(sought)), most)
    exact = np.linalg.norm(np.asarray(vectors[rows, :-1], np.float64) - sought, axis=1)
    order = np.lexsort((rows, exact))[:most]
    return _Near(part, segment, rows[order], exact[order])


def _candidates(squares: NDArray[np.float32], terms: int, length: float, most: int) -> NDArray[np.int64]:
    """Return the rows that can be among the nearest, given how far rounding may have moved each square.

    Args:
        squares: The square of each distance, but for a constant; infinite for rows that are not to be found.
        terms: How many products each is the sum of.
        length: The length of the longest vector and of the one sought together.
        most: How many are wanted.
    """
    if not len(squares):
        return np.empty(0, np.int64)
    nearest = np.partition(squares, min(most, len(squares)) - 1)[min(most, len(squares)) - 1]
    if not np.isfinite(nearest):
        return np.flatnonzero(np.isfinite(squares))
    # Higham (2002): a product of n numbers is off by at most n roundings of the sum of its terms' sizes.
    rounding = 2 * terms * float(np.finfo(np.float32).eps) * length**2
    return np.flatnonzero(squares <= nearest + np.float32(rounding))


def _in_use(archive: Archive, part: ArchivePart, segment: Segment, count: int) -> NDArray[np.bool_]:
    """Return which tracks of a segment are of films as they are now."""
    if archive.rows_in_use.get((part.name, segment.number), 0) == segment.rows:
        return np.ones(count, bool)  # nothing of a former version of a film: usually so
    films = archive.films
    own = films[(films["project"] == part.name) & (films["segment"] == segment.number)]
    path = segment_path(part.project.archive, "tracks", segment.number)
    film = pq.read_table(path, columns=["film"])["film"]
    return np.asarray(pc.is_in(film, value_set=pa.array(own["entry"], pa.int32())).to_numpy(), bool)


def _table(archive: Archive, near: list[_Near], most: int) -> pd.DataFrame:
    """Return the nearest of all segments as a table."""
    distances = np.concatenate([np.empty(0), *(one.distances for one in near)])
    owner = np.repeat(np.arange(len(near)), [len(one.rows) for one in near])
    rows = np.concatenate([np.empty(0, np.int64), *(one.rows for one in near)])
    best = np.argsort(distances, kind="stable")[:most]
    found = []
    for place, one in enumerate(near):
        chosen = best[owner[best] == place]
        if len(chosen):
            with readable(one.part.project.archive):
                facts = _facts(one, rows[chosen])
            project = pa.repeat(one.part.name, len(chosen))
            found.append(facts.append_column("project", project).append_column("distance", [distances[chosen]]))
    if not found:
        return pd.DataFrame(columns=pd.Index(FACE_HIT_COLUMNS))
    table = pa.concat_tables(found).to_pandas().sort_values("distance", kind="stable").rename(columns={"film": "entry"})
    films = archive.films.loc[archive.films["entry"].isin(table["entry"]), ["project", "entry", "film", "date"]]
    if len(archive.parts) > 1:
        own = table["person"] + " (" + table["project"] + ")"
        table["person"] = table["person"].where(~table["group"], own)
    found_in_films: pd.DataFrame = table.merge(films, on=["project", "entry"])[FACE_HIT_COLUMNS]
    return found_in_films


def _facts(near: _Near, rows: NDArray[np.int64]) -> pa.Table:
    """Return what the index holds of some tracks of a segment; only the blocks they lie in are read."""
    with pq.ParquetFile(segment_path(near.part.project.archive, "tracks", near.segment.number)) as file:
        sizes = [file.metadata.row_group(one).num_rows for one in range(file.metadata.num_row_groups)]
        ends = np.cumsum(sizes)
        group = np.searchsorted(ends, rows, "right")
        needed = np.unique(group)
        first = dict(zip(needed, np.cumsum([0, *(sizes[one] for one in needed[:-1])]), strict=True))
        table = file.read_row_groups(needed.tolist())
    local = [first[one] + row - (ends[one] - sizes[one]) for one, row in zip(group, rows, strict=True)]
    return table.take(pa.array(local, pa.int64()))
