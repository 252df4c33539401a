"""What a review shows of each track: its row, its best face, its pictures, and what checking it is worth."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from facelib.faces import BOX
from facelib.films.corrections.apply import labels
from facelib.project import Project
from facelib.project.digests import state_of
from facelib.project.kept import kept_by_file
from facelib.project.names import NOT_A_FACE, UNKNOWN, is_group

FACE = ["frame", *BOX]
"""The columns by which a decision's track is found again."""

_SHORTEST = 0.2  # seconds counted for even a track of one frame


def best_faces(project: Project, film: Path) -> pd.DataFrame:
    """Return the best face of each track: from its samples, or else the one in the middle of the track."""
    files = project.film(film)
    tables = files.detections, files.looks
    return _best_faces(*tables, *map(state_of, tables)).assign(video=film.name)


@lru_cache(maxsize=256)
def _best_faces(detections: Path, looks: Path, *_states: tuple[int, int]) -> pd.DataFrame:
    """Do so once for each state of the two tables, which are large and change only when a film is indexed again."""
    columns = ["track", *FACE]
    boxes = pd.read_parquet(detections, columns=columns)
    middle = boxes.groupby("track").cumcount() == boxes.groupby("track")["frame"].transform("size") // 2
    tables = [boxes[middle]]
    if looks.is_file():
        tables.insert(0, pd.read_parquet(looks, columns=[*columns, "quality"]).drop(columns="quality"))
    best = pd.concat(tables, ignore_index=True).drop_duplicates("track")[columns]
    return best.astype(dict.fromkeys(BOX, "float64")).round(1)


@kept_by_file(most=4)
def read_pictures(path: Path) -> dict[int, list[bytes]]:
    """Read the pictures of a film's tracks; they take some megabytes, and are read when first shown."""
    table = pq.read_table(path, columns=["track", "picture"])
    found: dict[int, list[bytes]] = {}
    for track, picture in zip(table["track"].to_pylist(), table["picture"].to_pylist(), strict=True):
        if picture:
            found.setdefault(track, []).append(picture)
    return found


def worth_asking(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return tracks with `label`, `seconds`, `effect` and `worth`: the least confident and longest on screen have most.

    `worth = (1 - confidence) * effect`: the expected seconds on screen that are named wrong now and right after the
    review. `effect` is the track's own length in seconds, at least 0.2; in a group of unknown people the longest track
    that nobody has decided about stands for all of the group, so its effect is the group's seconds, because naming it
    names the group. Of two tracks with one name in one moment at least one is wrong: their confidence counts as at most
    one half. What the user has decided is worth nothing.

    Args:
        tracks: The columns of `tracks.parquet`, and `video`.
    """
    table = tracks.assign(label=labels(tracks), seconds=(tracks["end"] - tracks["start"]).clip(lower=_SHORTEST))
    open_rows = table["source"] != "user"
    effect = table["seconds"].astype(float)
    grouped = table["label"].map(is_group).astype(bool)
    asked = table[grouped & open_rows].sort_values("seconds", ascending=False, kind="stable")
    asked = asked.drop_duplicates("label")
    effect[asked.index] = asked["label"].map(table.groupby("label")["seconds"].sum()).astype(float)
    doubt = 1 - table["confidence"].astype(float)
    doubt = doubt.mask(_twice(table), doubt.clip(lower=0.5)).where(open_rows, 0.0)
    return table.assign(effect=effect, worth=doubt * effect)


def _twice(table: pd.DataFrame) -> pd.Series:
    """Return for each track whether another one of its film has its name at the same time."""
    named = table[~table["label"].isin([UNKNOWN, NOT_A_FACE])].sort_values("start_frame", kind="stable")
    by = [named["label"], named["video"]]
    ends = named.groupby(by)["end_frame"].cummax()
    before = ends.groupby(by).shift().fillna(-1)
    after = named.groupby(by)["start_frame"].shift(-1).fillna(np.inf)
    return ((before >= named["start_frame"]) | (after <= ends)).reindex(table.index, fill_value=False)
