"""The existing groups of a project as sums of their members, beside which a new film's unknown people are grouped."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from facelib.films.unknowns.tables import unknown_rows, worth_of

GROUP_COLUMNS = ["cluster", "sums", "size", "seconds", "quality"]


def table_of_groups(
    tables: Mapping[str, pd.DataFrame], *, looks: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Return what `group_unknowns` needs of the existing groups, one row per group.

    Args:
        tables: By the film's file name, the columns of `tracks.parquet` with `cluster` filled.
        looks: By film, `looks.parquet`: `track` and `quality`; without them all tracks count as good.

    Returns:
        `cluster`; `sums`, `(d + 1,)`: the sum of the members' embeddings, each brought to length 1, followed by that of
        how poor they are, 0 to 1; `size`, the number of members; `seconds` on screen; `quality` of the best track.
    """
    types = {"cluster": "str", "sums": "object", "size": "float64", "seconds": "float64", "quality": "float64"}
    return add_to_groups(pd.DataFrame(columns=pd.Index(GROUP_COLUMNS)).astype(types), tables, looks=looks)


def add_to_groups(
    groups: pd.DataFrame, tables: Mapping[str, pd.DataFrame], *, looks: Mapping[str, pd.DataFrame] | None = None
) -> pd.DataFrame:
    """Return groups with the tracks of further films in those that their `cluster` names; new ones come last."""
    rows = unknown_rows(tables, looks)
    clusters = {film: table["cluster"].to_numpy(object) for film, table in tables.items()}
    own = [clusters[film][row] for film, row in zip(rows["film"], rows["row"], strict=True)]
    return _with_members(groups, rows.assign(cluster=own))


def _with_members(groups: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the groups with tracks added, and new groups after them in the order of their first tracks."""
    rows = rows[(rows["cluster"] != "") & rows["usable"].astype(bool)]
    if rows.empty:
        return groups
    vectors = np.stack(rows["embedding"].to_list()).astype(np.float64)
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    own = np.column_stack([vectors, 1 - np.clip(worth_of(rows), 0, 1)])
    named, there = rows["cluster"].to_list(), groups["cluster"].to_list()
    known = set(there)
    new = [name for name in dict.fromkeys(named) if name not in known]
    labels = there + new
    place = pd.Index(labels, dtype="object").get_indexer(pd.Index(named, dtype="object"))
    sums = groups["sums"].to_list() + [np.zeros(own.shape[1])] * len(new)
    touched, row = np.unique(place, return_inverse=True)  # of thousands of groups a film has few
    added = np.zeros((len(touched), own.shape[1]))
    np.add.at(added, row, own)
    for group, more in zip(touched.tolist(), added, strict=True):
        sums[group] = (sums[group] + more).astype(np.float32)
    size, seconds = (np.append(groups[name].to_numpy(float), np.zeros(len(new))) for name in ("size", "seconds"))
    quality = np.append(groups["quality"].to_numpy(float), np.full(len(new), -np.inf))
    np.maximum.at(quality, place, rows["quality"].to_numpy(float))
    table = {
        "cluster": pd.Series(labels, dtype="str"),
        "sums": sums,
        "size": size + np.bincount(place, minlength=len(labels)),
        "seconds": seconds + np.bincount(place, (rows["end"] - rows["start"]).to_numpy(float), len(labels)),
        "quality": quality,
    }
    return pd.DataFrame(table)[GROUP_COLUMNS]
