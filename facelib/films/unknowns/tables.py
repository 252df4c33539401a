"""Group unknown tracks into `Unknown 1`, `Unknown 2`, ... over all films of a project."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.films.linkage import link
from facelib.films.spans import frames_shared
from facelib.project.names import UNKNOWN, free_groups

# Measured on LFW's faces made as small and blurred as a film's: of strangers with a quality of up to 0.1 each, the
# nearest pair in a thousand lies at 0.73 (dlib) or 0.55 (mobilefacenet) of the distance of the nearest pair in a
# thousand of good faces; from 0.2 on there is no difference, nor is there between poor faces and good ones.
_WORTHLESS, _GOOD = 0.1, 0.2

LEAST_QUALITY, LEAST_SECONDS = 0.08, 1.0
"""A group whose best track is below the one, or that is on screen for less than the other, gets no number."""


def group_unknowns(
    tables: Mapping[str, pd.DataFrame],
    *,
    threshold: float,
    looks: Mapping[str, pd.DataFrame] | None = None,
    together: Mapping[str, Sequence[Collection[int]]] | None = None,
    reserved: Iterable[str] = (),
    groups: pd.DataFrame | None = None,
    least_quality: float = LEAST_QUALITY,
    least_seconds: float = LEAST_SECONDS,
) -> dict[str, pd.DataFrame]:
    """Group the unknown people of films: fill `cluster` of their tracks with `Unknown 1`, `Unknown 2`, ...

    Tracks join by average linkage, see `linkage.link`. Two that share a frame are two people, and so
    are groups with such tracks. Tracks of poor quality, the mean of their samples', join good ones as others do, but
    hardly each other. A group gets no number where all its tracks are too poor to tell people apart, or where it is on
    screen only for a moment: most of those are false detections.

    `Unknown 1` is longest on screen, over all films; what is equally long is numbered in the order of the films'
    names and the time of the first track. The order of `tables` does not matter.

    Args:
        tables: By the film's file name, the columns of `tracks.parquet`: `track`, `start_frame`, `end_frame`,
            `start`, `end`, `person`, `embedding`. Tracks with a person other than `unknown` get an empty `cluster`.
        threshold: See `fit_grouping`. Raising it makes fewer, larger groups.
        looks: By film, `looks.parquet`: `track` and `quality`. Tracks of films that it lacks count as good, tracks
            without any look as of quality 0.
        together: By film, sets of tracks that are one person's, see `places.tracks_of_one_place`.
        reserved: Labels that no other group may get: those of groups that the user has named or merged, so that the
            rest keep their numbers.
        groups: The groups of other films, see `table_of_groups`: tracks join them too, and these films need not be
            read. They keep their labels, and never join each other; new groups get the next numbers. A new one that is
            too short or too poor for a number is dropped, and grouping all films again may still find it.
        least_quality: A group whose best track is below it gets no number. Raising it leaves more without one.
        least_seconds: So is a group that is on screen for less, over all films. With 0 here and for `least_quality`
            every track has a group.

    Returns:
        By film, in the order of `tables`, a copy with `cluster`: empty for tracks of the cast and for those without
        a group or without a usable embedding.

    Raises:
        ValueError: When the threshold is NaN or negative.
    """
    if not threshold >= 0:
        raise ValueError(f"expected threshold, a distance, to be 0 or more, got {threshold!r}")
    rows = unknown_rows(tables, looks)
    rows = rows[rows["usable"].astype(bool)].reset_index(drop=True)
    there = [] if groups is None else groups["cluster"].to_list()
    found = _group(rows, threshold, together or {}, groups)
    fresh = rows.assign(group=found)[found >= len(there)]
    names = names_of(fresh, {*reserved, *there}, least_quality=least_quality, least_seconds=least_seconds)
    rows["cluster"] = [there[group] if group < len(there) else names.get(group, "") for group in found.tolist()]
    return {film: fill_clusters(table, rows[rows["film"] == film]) for film, table in tables.items()}


def unknown_rows(tables: Mapping[str, pd.DataFrame], looks: Mapping[str, pd.DataFrame] | None) -> pd.DataFrame:
    """Return the unknown tracks of all films, in the order of the films' names and of time."""
    columns = ["film", "row", "track", "start_frame", "end_frame", "start", "end", "embedding", "quality"]
    parts = []
    for film in sorted(tables):
        table = tables[film].reset_index(drop=True).reset_index(names="row").assign(film=film)
        known = (looks or {}).get(film)
        # The mean over each track's samples, as for its embedding; the best alone may be an outlier.
        mean = None if known is None else known.groupby("track")["quality"].mean()
        worth = np.inf if mean is None else table["track"].map(mean).astype(float).fillna(0.0)
        # Chosen last: a column given to a table without rows would bring rows of its own.
        parts.append(table.assign(quality=worth).loc[table["person"] == UNKNOWN, columns])
    filled = [part for part in parts if len(part)]
    rows = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=pd.Index(columns))
    rows = rows.sort_values(["film", "start", "track"], kind="stable", ignore_index=True)
    rows["usable"] = [is_usable(vector) for vector in rows["embedding"]]
    rows.loc[~rows["usable"].astype(bool), "quality"] = -np.inf
    return rows


def rows_together(rows: pd.DataFrame, together: Mapping[str, Sequence[Collection[int]]]) -> list[list[int]]:
    """Return the rows of tracks that are one person's, of those in `unknown_rows`, numbered from 0."""
    place = {key: row for row, key in enumerate(zip(rows["film"], rows["track"], strict=True))}
    sets = [
        [place[film, track] for track in own if (film, track) in place] for film in together for own in together[film]
    ]
    return [sorted(own) for own in sets if len(own) > 1]


def _group(
    rows: pd.DataFrame,
    threshold: float,
    one_place: Mapping[str, Sequence[Collection[int]]],
    groups: pd.DataFrame | None,
) -> NDArray[np.intp]:
    """Return the group of each row: the number of an existing one, or how many there are plus its first row."""
    if rows.empty:
        return np.empty(0, np.intp)
    # Thousands of rows are put behind one another three times as fast as stacked.
    sums: Iterable[NDArray[np.float32]] = () if groups is None else groups["sums"]
    return link(
        np.stack(rows["embedding"].to_list()),
        threshold=threshold,
        worth=worth_of(rows),
        together=rows_together(rows, one_place),
        apart=frames_shared(rows["film"], rows["start_frame"], rows["end_frame"]).tolist(),
        sums=np.concatenate([np.empty(0, np.float32), *sums]),
        sizes=() if groups is None else groups["size"],
    )


def is_usable(vector: object) -> bool:
    """Return whether an embedding is there, finite and not zero."""
    if not isinstance(vector, np.ndarray | list | tuple) or not len(vector):
        return False
    length = float(np.linalg.norm(np.asarray(vector, float)))
    return math.isfinite(length) and length > 0


def worth_of(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return how informative each track's face is, 0 to 1, by its `quality`."""
    return np.asarray((rows["quality"].to_numpy(float) - _WORTHLESS) / (_GOOD - _WORTHLESS), np.float64)


def names_of(
    rows: pd.DataFrame, taken: set[str], *, least_quality: float = LEAST_QUALITY, least_seconds: float = LEAST_SECONDS
) -> dict[int, str]:
    """Return the label of each `group` of rows that gets a number, by the group; none of those `taken`."""
    seconds = (rows["end"] - rows["start"]).astype(float)
    table = rows.assign(seconds=seconds).groupby("group", sort=True)
    groups = table.agg(seconds=("seconds", "sum"), quality=("quality", "max"))
    # Rounded, so that equal times in other orders of adding are equal; groups stand in the order of their first rows.
    groups = groups.assign(seconds=groups["seconds"].round(6)).sort_values("seconds", ascending=False, kind="stable")
    listed = (groups["quality"] >= least_quality) & (groups["seconds"] >= least_seconds)
    return dict(zip(groups.index[listed.to_numpy()].tolist(), free_groups(taken), strict=False))


def fill_clusters(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a film's tracks with the `cluster` of those that `unknown_rows` returned."""
    cluster = np.full(len(table), "", dtype=object)
    cluster[rows["row"].to_numpy(np.intp)] = rows["cluster"]
    return table.assign(cluster=pd.Series(cluster, index=table.index, dtype="str"))
