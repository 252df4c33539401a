"""The groups of unknown people of a project, stored so that a new film is settled without reading the others."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from facelib.films.unknowns.sums import GROUP_COLUMNS
from facelib.project import Project, atomic_write
from facelib.project.names import UNKNOWN, free_groups

MEMBER_COLUMNS = ["film", "track", "auto_cluster", "cluster", "start", "end", "quality"]
_NAMES = ("groups", "members")
_FORM = 3
_FACTS = b"PANDAS_ATTRS"  # where pandas keeps a table's `attrs`, which it copies each time a column is taken


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The groups of unknown people over all films of a project that were embedded by one network.

    Attributes:
        groups: The columns of `table_of_groups`, without names that the user gave.
        members: One row per track: `film`, `track`, `auto_cluster` (the group that it was put in), `cluster` (its group
            after the user's decisions), `start`, `end` (seconds), `quality` (of its best face).
        threshold: The largest distance of two groups that join.
        weights: SHA-256 of the weights that embedded the faces.
        films: By file name, the digest of what the film's named tracks were made from.
        corrections: SHA-256 of the decisions that were applied.
        renamed: By label of the grouping, the label after the user's decisions.
        reserved: Labels of groups of films that another network embedded.
    """

    groups: pd.DataFrame
    members: pd.DataFrame
    threshold: float = 0.0
    weights: str = ""
    films: Mapping[str, str] = field(default_factory=dict)
    corrections: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    reserved: tuple[str, ...] = ()

    def clusters(self, film: str) -> dict[int, str]:
        """Return the group that each grouped track of a film was put in."""
        own = self.members[(self.members["film"] == film) & (self.members["auto_cluster"] != "")]
        return dict(zip(own["track"].tolist(), own["auto_cluster"].tolist(), strict=True))

    def with_members(self, tables: Mapping[str, pd.DataFrame], looks: Mapping[str, pd.DataFrame]) -> Groups:
        """Return the groups with the members that films have now, in place of those that they had."""
        own = self.members["film"].isin(list(tables))
        rest, before = self.members[~own], self.members[own].set_index(["film", "track"])["quality"]
        parts = [_members(film, table, looks.get(film), before) for film, table in tables.items()]
        filled = [part for part in [rest, *parts] if len(part)]
        return replace(self, members=pd.concat(filled, ignore_index=True) if filled else no_members())


def no_members() -> pd.DataFrame:
    """Return the table of no members."""
    types = dict.fromkeys(("film", "auto_cluster", "cluster"), "str") | {"track": "int64"}
    return pd.DataFrame({name: pd.Series(dtype=types.get(name, "float64")) for name in MEMBER_COLUMNS})


def no_groups(*, threshold: float = 0.0, weights: str = "") -> Groups:
    """Return the groups where nothing has been grouped."""
    return Groups(pd.DataFrame(columns=pd.Index(GROUP_COLUMNS)), no_members(), threshold, weights)


def _members(film: str, table: pd.DataFrame, looks: pd.DataFrame | None, before: pd.Series) -> pd.DataFrame:
    automatic = table.get("auto_cluster", table["cluster"])
    here = table["cluster"].where(table["person"] == UNKNOWN, "")
    told = table[["track", "start", "end"]].assign(film=film, auto_cluster=automatic, cluster=here)
    told = told[((automatic != "") | (here != "")).to_numpy()]
    known = before.xs(film) if film in before.index.get_level_values(0) else pd.Series(dtype="float64")
    best = known if looks is None else looks.groupby("track")["quality"].max()
    quality = best.reindex(told["track"]).to_numpy(np.float64)
    return told.assign(quality=np.nan_to_num(quality, nan=0.0))[MEMBER_COLUMNS]


def read_groups(project: Project) -> Groups | None:
    """Return the groups of a project, None where there are none, or a run was killed while writing them."""
    try:
        (groups, facts), (members, stamped) = (_read(project.unknowns / f"{name}.parquet") for name in _NAMES)
        if facts.pop("form") != _FORM or facts.pop("stamp") != stamped["stamp"]:
            return None
        facts["reserved"] = tuple(facts["reserved"])
        known = _without_facts(groups.drop_columns(["sums"])).assign(sums=_rows_of(groups["sums"]))
        return Groups(known[GROUP_COLUMNS], _without_facts(members)[MEMBER_COLUMNS], **facts)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def write_groups(project: Project, kept: Groups) -> None:
    """Write the groups of a project.

    Raises:
        OSError: When the folder cannot be written.
    """
    stamp = secrets.token_hex(8)
    plain = [one.name for one in fields(kept) if one.name not in {"groups", "members"}]
    facts = {"form": _FORM, "stamp": stamp} | {name: getattr(kept, name) for name in plain}
    groups = pa.Table.from_pandas(kept.groups.drop(columns="sums"), preserve_index=False)
    members = pa.Table.from_pandas(kept.members, preserve_index=False)
    first, second = (project.unknowns / f"{name}.parquet" for name in _NAMES)
    with atomic_write(first) as temporary:
        _write(groups.append_column("sums", _bytes_of(kept.groups["sums"])), facts, temporary)
        with atomic_write(second) as beside:  # here: without room for it, both stay as they were
            _write(members, {"stamp": stamp}, beside)


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read a table and its facts."""
    with open(path, "rb") as file:
        table = pq.read_table(file)
    return table, json.loads((table.schema.metadata or {})[_FACTS])


def _without_facts(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    frame.attrs = {}  # as former versions left them
    return frame


def _write(table: pa.Table, facts: Mapping[str, object], path: Path) -> None:
    described = table.replace_schema_metadata({**(table.schema.metadata or {}), _FACTS: json.dumps(facts)})
    texts = [field.name for field in table.schema if pa.types.is_large_string(field.type)]
    # Sums are hardly smaller when compressed, and no two are alike.
    pq.write_table(described, path, compression="NONE", use_dictionary=texts)


def _bytes_of(sums: pd.Series) -> pa.Array:
    """Return the sums as bytes, which are read and written several times as fast as lists of numbers."""
    if not len(sums):
        return pa.array([], pa.large_binary())
    matrix = np.concatenate(sums.to_list()).astype("<f4", copy=False).reshape(len(sums), -1)
    ends = np.arange(len(matrix) + 1, dtype=np.int64) * matrix[0].nbytes
    return pa.Array.from_buffers(pa.large_binary(), len(matrix), [None, pa.py_buffer(ends), pa.py_buffer(matrix)])


def _rows_of(column: pa.ChunkedArray) -> pd.Series:
    """Return the sums as one array per group."""
    if not len(column):
        return pd.Series(dtype=object)
    matrix = np.frombuffer(b"".join(column.to_pylist()), "<f4").reshape(len(column), -1)
    return pd.Series(list(matrix), dtype=object)


def people_of(members: pd.DataFrame) -> pd.DataFrame:
    """Return one row per group of unknown people, longest on screen first.

    Returns:
        `cluster`, `seconds` (on screen, over all films), `tracks`, `films` (how many), `first_film` (by name) and
        `first_time` (seconds), `best_film` and `best_track`: the track with the best face, to show a picture of.
    """
    rows = members[members["cluster"] != ""].reset_index(drop=True)
    group, labels = pd.factorize(rows["cluster"], sort=True)  # numbers, which are sorted ten times as fast as names
    film, names = pd.factorize(rows["film"], sort=True)
    start, track, seconds = rows["start"].to_numpy(), rows["track"].to_numpy(), rows["end"] - rows["start"]
    first = _first_of(group, film, start, track)
    best = _first_of(group, -rows["quality"].to_numpy(), -seconds.to_numpy(), film, start, track)
    total = seconds.groupby(group).sum().round(3).to_numpy()
    pairs = np.unique(group * np.int64(max(1, len(names))) + film) // max(1, len(names))
    table = pd.DataFrame(
        {
            "cluster": labels,
            "seconds": total,
            "tracks": np.bincount(group, minlength=len(labels)),
            "films": np.bincount(pairs, minlength=len(labels)),
            "first_film": names[film[first]],
            "first_time": start[first],
            "best_film": names[film[best]],
            "best_track": track[best],
        }
    )
    return table.iloc[np.lexsort((start[first], film[first], -total))].reset_index(drop=True)


def number_groups(tables: Mapping[str, pd.DataFrame], *, reserved: Iterable[str] = ()) -> dict[str, pd.DataFrame]:
    """Number the groups again, longest on screen first, as `group_unknowns` does.

    Args:
        tables: By the film's file name, the columns of `tracks.parquet` with `cluster` filled.
        reserved: Labels that no group may get.
    """
    groups = people_of(no_groups().with_members(tables, {}).members)["cluster"]
    names = dict(zip(groups, free_groups({*reserved}), strict=False))
    return {
        film: table.assign(
            cluster=pd.Series([names.get(one, one) for one in table["cluster"]], index=table.index, dtype="str")
        )
        for film, table in tables.items()
    }


def _first_of(group: NDArray[np.intp], *keys: NDArray[Any]) -> NDArray[np.intp]:
    """Return the row of each group, numbered from 0, that comes first by some keys."""
    order = np.lexsort((*reversed(keys), group))
    return order[np.searchsorted(group[order], np.arange(group.max(initial=-1) + 1))]
