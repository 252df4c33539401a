"""Group unknown tracks into `Unknown 1`, `Unknown 2`, ... over all films of a project."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations, count

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.films.linkage import link
from facelib.films.spans import frames_shared
from facelib.project.names import UNKNOWN

UNKNOWN_PEOPLE_COLUMNS = [
    "cluster", "seconds", "tracks", "films", "first_film", "first_time", "best_film", "best_track",
]  # fmt: skip

# Measured on LFW's faces made as small and blurred as a film's: of strangers with a quality of up to 0.1 each, the
# nearest pair in a thousand lies at 0.73 (dlib) or 0.55 (mobilefacenet) of the distance of the nearest pair in a
# thousand of good faces; from 0.2 on there is no difference, nor is there between poor faces and good ones.
_WORTHLESS, _GOOD = 0.1, 0.2


def group_unknowns(
    tables: Mapping[str, pd.DataFrame],
    *,
    threshold: float,
    looks: Mapping[str, pd.DataFrame] | None = None,
    fixed: Mapping[tuple[str, int], str] | None = None,
    together: Mapping[str, Sequence[Collection[int]]] | None = None,
    reserved: Iterable[str] = (),
    least_quality: float = 0.08,
    least_seconds: float = 1.0,
) -> dict[str, pd.DataFrame]:
    """Group the unknown people of films: fill `cluster` of their tracks with `Unknown 1`, `Unknown 2`, ...

    Tracks join by average linkage, see `linkage.link`. Two that share a frame are two people, and so
    are groups with such tracks. Tracks of poor quality, the mean of their looks', join good ones as others do, but
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
        fixed: The user's groups by film and track: tracks of one label are one person, whatever they look like, and
            those of two labels two people. The groups keep these labels; other tracks may join them. Tracks that do not
            exist, or are no longer `unknown`, are skipped.
        together: By film, sets of tracks that are one person's, see `places.tracks_of_one_place`; fixed tracks are
            taken out of them.
        reserved: Labels that no other group may get: those of groups that the user has named or merged, so that the
            rest keep their numbers.
        least_quality: A group whose best track is below it gets no number, unless its label is fixed. Raising it
            leaves more tracks without a group.
        least_seconds: So is a group that is on screen for less, over all films. With 0 here and for `least_quality`
            every track has a group.

    Returns:
        By film, in the order of `tables`, a copy with `cluster`: empty for tracks of the cast and for those without
        a group. Unknown tracks without a usable embedding have a group only where it is fixed.

    Raises:
        ValueError: When the threshold is NaN or negative, or a fixed label is empty.
    """
    labels = dict(fixed or {})
    if not all(labels.values()):
        raise ValueError(f"expected a label such as 'Unknown 2' for every fixed track, got {labels!r}")
    if not threshold >= 0:
        raise ValueError(f"expected threshold, a distance, to be 0 or more, got {threshold!r}")
    rows = unknown_rows(tables, looks, labels)
    rows["group"] = _group(rows, threshold, together or {})
    names = _names(rows, {*labels.values(), *reserved}, least_quality, least_seconds)
    rows["cluster"] = [names.get(group, "") for group in rows["group"]]
    return {film: fill_clusters(table, rows[rows["film"] == film]) for film, table in tables.items()}


def number_groups(tables: Mapping[str, pd.DataFrame], *, reserved: Iterable[str] = ()) -> dict[str, pd.DataFrame]:
    """Number the groups anew, longest on screen first, as `group_unknowns` does.

    Args:
        tables: By the film's file name, the columns of `tracks.parquet` with `cluster` filled.
        reserved: Labels that no group may get.
    """
    taken = {*reserved}
    free = (name for name in (f"Unknown {number}" for number in count(1)) if name not in taken)
    names = dict(zip(unknown_people(tables)["cluster"].tolist(), free, strict=False))
    return {
        film: table.assign(
            cluster=pd.Series([names.get(one, one) for one in table["cluster"]], index=table.index, dtype="str")
        )
        for film, table in tables.items()
    }


def unknown_rows(
    tables: Mapping[str, pd.DataFrame], looks: Mapping[str, pd.DataFrame] | None, labels: Mapping[tuple[str, int], str]
) -> pd.DataFrame:
    """Return the unknown tracks of all films, in the order of the films' names and of time."""
    columns = ["film", "row", "track", "start_frame", "end_frame", "start", "end", "embedding", "quality"]
    parts = []
    for film in sorted(tables):
        table = tables[film].reset_index(drop=True).reset_index(names="row").assign(film=film)
        known = (looks or {}).get(film)
        worth = np.inf if known is None else _quality(table["track"], known)
        # Chosen last: a column given to a table without rows would bring rows of its own.
        parts.append(table.assign(quality=worth).loc[table["person"] == UNKNOWN, columns])
    filled = [part for part in parts if len(part)]
    rows = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=pd.Index(columns))
    rows = rows.sort_values(["film", "start", "track"], kind="stable", ignore_index=True)
    rows["fixed"] = [labels.get(key, "") for key in zip(rows["film"], rows["track"], strict=True)]
    rows["usable"] = [is_usable(vector) for vector in rows["embedding"]]
    rows.loc[~rows["usable"].astype(bool), "quality"] = -np.inf
    return rows


def _quality(tracks: pd.Series, looks: pd.DataFrame) -> pd.Series:
    """Return the mean over each track's looks, as for its embedding; the best alone may be an outlier."""
    return tracks.map(looks.groupby("track")["quality"].mean()).astype(float).fillna(0.0)


def rows_together(rows: pd.DataFrame, together: Mapping[str, Sequence[Collection[int]]]) -> list[list[int]]:
    """Return the rows of tracks that are one person's, of those in `rows` whose group is not fixed.

    Args:
        rows: As `unknown_rows` returns them, numbered from 0.
        together: By film, sets of tracks.
    """
    keys = zip(rows["film"], rows["track"], strict=True)
    place = {key: row for row, (key, label) in enumerate(zip(keys, rows["fixed"], strict=True)) if not label}
    sets = [
        [place[film, track] for track in own if (film, track) in place] for film in together for own in together[film]
    ]
    return [sorted(own) for own in sets if len(own) > 1]


def _group(
    rows: pd.DataFrame, threshold: float, one_place: Mapping[str, Sequence[Collection[int]]]
) -> NDArray[np.intp]:
    """Return the group of each row, identified by its first one; rows without a usable embedding stand alone."""
    groups = np.arange(len(rows))
    vectors = rows["embedding"].to_list()
    usable = np.flatnonzero(rows["usable"])
    first_of: dict[str, int] = {}  # the groups of fixed tracks, also where none of them has an embedding
    for row, label in enumerate(rows["fixed"]):
        if label:
            groups[row] = first_of.setdefault(label, row)
    if not len(usable):
        return groups
    some = rows.iloc[usable].reset_index(drop=True)
    together = [list(own.index) for label, own in some.groupby("fixed", sort=False) if label]
    meeting = frames_shared(some["film"], some["start_frame"], some["end_frame"])
    apart = [*map(tuple, meeting.tolist()), *combinations([own[0] for own in together], 2)]
    linked = link(
        np.stack([vectors[row] for row in usable]),
        threshold=threshold,
        worth=worth_of(some),
        together=[*together, *rows_together(some, one_place)],
        apart=apart,
    )
    groups[usable] = usable[linked]
    for label, first in first_of.items():
        own = np.flatnonzero(rows["fixed"] == label)
        groups[np.isin(groups, groups[own])] = first
    return groups


def is_usable(vector: object) -> bool:
    """Return whether an embedding is there, finite and not zero."""
    if not isinstance(vector, np.ndarray | list | tuple) or not len(vector):
        return False
    length = float(np.linalg.norm(np.asarray(vector, float)))
    return math.isfinite(length) and length > 0


def worth_of(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return how informative each track's face is, 0 to 1, by its `quality`."""
    return np.asarray((rows["quality"].to_numpy(float) - _WORTHLESS) / (_GOOD - _WORTHLESS), np.float64)


def _names(rows: pd.DataFrame, taken: set[str], least_quality: float, least_seconds: float) -> dict[int, str]:
    """Return the label of each numbered group."""
    seconds = (rows["end"] - rows["start"]).astype(float)
    table = rows.assign(seconds=seconds).groupby("group", sort=True)
    groups = table.agg(seconds=("seconds", "sum"), quality=("quality", "max"), fixed=("fixed", "max"))
    # Rounded, so that equal times in other orders of adding are equal; groups stand in the order of their first rows.
    groups = groups.assign(seconds=groups["seconds"].round(6)).sort_values("seconds", ascending=False, kind="stable")
    free = (name for name in (f"Unknown {number}" for number in count(1)) if name not in taken)
    listed = (groups["quality"] >= least_quality) & (groups["seconds"] >= least_seconds)
    named = groups[listed | (groups["fixed"] != "")]
    return {group: label or next(free) for group, label in zip(named.index.tolist(), named["fixed"], strict=True)}


def fill_clusters(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return a film's tracks with the `cluster` of those that `unknown_rows` returned."""
    cluster = np.full(len(table), "", dtype=object)
    cluster[rows["row"].to_numpy(np.intp)] = rows["cluster"]
    return table.assign(cluster=pd.Series(cluster, index=table.index, dtype="str"))


def unknown_people(
    tables: Mapping[str, pd.DataFrame], *, looks: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Return one row a group of unknown people, longest on screen first.

    Args:
        tables: By the film's file name, the columns of `tracks.parquet` with `cluster` filled.
        looks: By film, `looks.parquet`: `track` and `quality`; without them the longest track is the best.

    Returns:
        `cluster`, `seconds` (on screen, over all films), `tracks`, `films` (how many), `first_film` (by name) and
        `first_time` (seconds), `best_film` and `best_track`: the track with the best look, to show a picture of.
    """
    parts = [_members(film, tables[film], (looks or {}).get(film)) for film in sorted(tables)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=pd.Index(["cluster"]))
    people = [_person(str(cluster), own) for cluster, own in rows.groupby("cluster")]
    table = pd.DataFrame(people, columns=pd.Index(UNKNOWN_PEOPLE_COLUMNS))
    order = ["seconds", "first_film", "first_time", "cluster"]
    return table.sort_values(order, ascending=[False, True, True, True], kind="stable", ignore_index=True)


def _members(film: str, table: pd.DataFrame, looks: pd.DataFrame | None) -> pd.DataFrame:
    own = table.loc[(table["person"] == UNKNOWN) & (table["cluster"] != ""), ["cluster", "track", "start", "end"]]
    best = 0.0 if looks is None else own["track"].map(looks.groupby("track")["quality"].max()).astype(float).fillna(0.0)
    return own.assign(film=film, seconds=own["end"] - own["start"], quality=best)


def _person(cluster: str, rows: pd.DataFrame) -> tuple[object, ...]:
    ascending = ["film", "start", "track"]
    first = rows.sort_values(ascending).iloc[0]
    best = rows.sort_values(["quality", "seconds", *ascending], ascending=[False, False, True, True, True]).iloc[0]
    seconds = round(float(rows["seconds"].sum()), 3)
    films = rows["film"].nunique()
    return cluster, seconds, len(rows), films, first["film"], first["start"], best["film"], int(best["track"])
