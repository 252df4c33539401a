"""The unknown people of one more film, matched to the groups that a project has already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.films.unknowns.linkage import _POOR_SHARE
from facelib.films.unknowns.tables import _GOOD, _WORTHLESS, group_unknowns

GROUP_COLUMNS = ["cluster", "sums", "size", "seconds", "quality"]
Matrix = NDArray[np.float64]


def table_of_groups(
    tables: Mapping[str, pd.DataFrame], *, looks: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Return one row a group: `cluster`, `sums`, `size`, `seconds` on screen, `quality` of its best track.

    `sums` is the sum of the members' embeddings, each brought to length 1, and behind it that of how poor they are,
    0 to 1: all that average linkage needs to know of a group.

    Args:
        tables: By the film's file name, the columns of `tracks.parquet` with `cluster` filled.
        looks: By film, `looks.parquet`: `track` and `quality`; without them all tracks count as good.
    """
    parts = [_members(table, (looks or {}).get(film)) for film, table in tables.items()]
    filled = [part for part in parts if len(part)]
    if not filled:
        return pd.DataFrame(columns=pd.Index(GROUP_COLUMNS))
    rows = pd.concat(filled, ignore_index=True)
    codes, labels = pd.factorize(rows["cluster"])
    vectors = np.stack(rows["vector"].to_list())
    sums = np.zeros((len(labels), vectors.shape[1]))
    np.add.at(sums, codes, vectors)
    own = rows.groupby(codes)
    facts = own.agg(seconds=("seconds", "sum"), quality=("quality", "max"), size=("seconds", "size"))
    return facts.assign(cluster=list(labels), sums=list(sums)).reset_index(drop=True)[GROUP_COLUMNS]


def _members(table: pd.DataFrame, looks: pd.DataFrame | None) -> pd.DataFrame:
    own = table.loc[table["cluster"] != "", ["cluster", "track", "start", "end", "embedding"]]
    quality = own["track"].map({} if looks is None else looks.groupby("track")["quality"].mean())
    quality = quality.astype(float).fillna(np.inf if looks is None else 0.0)
    poor = 1 - ((quality - _WORTHLESS) / (_GOOD - _WORTHLESS)).clip(0, 1)
    vectors = [_with_poor(vector, worth) for vector, worth in zip(own["embedding"], poor, strict=True)]
    return own.assign(
        quality=quality, seconds=own["end"] - own["start"], vector=pd.Series(vectors, own.index, dtype=object)
    )


def _with_poor(vector: NDArray[np.float32], poor: float) -> Matrix:
    length = np.linalg.norm(vector)
    return np.append(np.asarray(vector, np.float64) / (length or 1.0), poor)


def match_unknowns(
    film: str,
    table: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    threshold: float,
    looks: pd.DataFrame | None = None,
    reserved: Iterable[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Group the unknown people of one film, and join those groups to the ones there are; no other film is read.

    The groups there are keep their labels and never join each other; what joins none of them gets the next free
    numbers. Two tracks that share a frame are never of one group.

    Args:
        film: Its file name.
        table: The columns of `tracks.parquet`.
        groups: The columns of `table_of_groups`.
        threshold: As of `group_unknowns`.
        looks: The film's `looks.parquet`: `track` and `quality`.
        reserved: Labels that no group may get.

    Returns:
        The table with `cluster` filled, and the groups with this film's tracks in them.
    """
    seen = None if looks is None else {film: looks}
    own = group_unknowns({film: table}, threshold=threshold, looks=seen)[film]
    found = table_of_groups({film: own}, looks=seen)
    joined = _nearest_free(own, found, groups, threshold)
    taken = {*reserved, *groups["cluster"]}
    free = (name for name in (f"Unknown {number}" for number in count(1)) if name not in taken)
    names = {str(label): joined.get(str(label)) or next(free) for label in found["cluster"]}
    labelled = own.assign(cluster=own["cluster"].map(lambda label: names.get(label, "")).astype("str"))
    return labelled, _joined(groups, found.assign(cluster=found["cluster"].map(names)))


def _nearest_free(own: pd.DataFrame, found: pd.DataFrame, groups: pd.DataFrame, threshold: float) -> dict[str, str]:
    """Return the label there is for each of a film's groups that is near enough to it, the nearest pairs first."""
    if found.empty or groups.empty:
        return {}
    ours, theirs = (_means(table) for table in (found, groups))
    ours[:, -1] *= -(1 - _POOR_SHARE**2) * threshold**2 / 2
    near = ours @ theirs.T
    pairs = np.argwhere(near >= 1 - threshold**2 / 2) if threshold else np.empty((0, 2), int)
    order = np.argsort(-near[pairs[:, 0], pairs[:, 1]], kind="stable")
    spans = {label: rows[["start_frame", "end_frame"]].to_numpy() for label, rows in own.groupby("cluster")}
    joined: dict[str, str] = {}
    there: dict[str, list[NDArray[np.int64]]] = {}
    for one, other in pairs[order].tolist():
        label, target = str(found["cluster"].iloc[one]), str(groups["cluster"].iloc[other])
        meets = any(_share_a_frame(spans[label], others) for others in there.get(target, []))
        if label not in joined and not meets:
            joined[label] = target
            there.setdefault(target, []).append(spans[label])
    return joined


def _means(groups: pd.DataFrame) -> Matrix:
    return np.asarray(np.stack(groups["sums"].to_list()) / groups["size"].to_numpy(float)[:, None], np.float64)


def _share_a_frame(ones: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    return bool(((ones[:, None, 0] <= others[None, :, 1]) & (others[None, :, 0] <= ones[:, None, 1])).any())


def _joined(groups: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return the groups with a film's groups added to them."""
    place = {label: row for row, label in enumerate(groups["cluster"])}
    table = groups.copy()
    for _, group in found[found["cluster"].isin(list(place))].iterrows():
        row = place[group["cluster"]]
        table.at[row, "sums"] = np.asarray(table.at[row, "sums"]) + group["sums"]
        table.loc[row, ["size", "seconds"]] += group[["size", "seconds"]]
        table.loc[row, "quality"] = max(table.at[row, "quality"], group["quality"])
    new = found[~found["cluster"].isin(list(place))]
    return pd.concat([part for part in (table, new) if len(part)] or [groups], ignore_index=True)
