"""What a review shows of each track: its row, its best face, its pictures, and what checking it is worth."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import BOX
from facelib.films.corrections.apply import labels
from facelib.films.tables import read_film_table
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
    boxes = read_film_table(detections, columns)
    middle = boxes.groupby("track").cumcount() == boxes.groupby("track")["frame"].transform("size") // 2
    tables = [boxes[middle]]
    if looks.is_file():
        tables.insert(0, read_film_table(looks, [*columns, "quality"]).drop(columns="quality"))
    best = pd.concat(tables, ignore_index=True).drop_duplicates("track")[columns]
    return best.astype(dict.fromkeys(BOX, "float64")).round(1)


@kept_by_file(most=4)
def read_pictures(path: Path) -> dict[int, list[bytes]]:
    """Read the pictures of a film's tracks; they take some megabytes, and are read when first shown."""
    table = read_film_table(path, ["track", "picture"])
    found: dict[int, list[bytes]] = {}
    for track, picture in zip(table["track"].to_list(), table["picture"].to_list(), strict=True):
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
    number, names = pd.factorize(table["label"])
    seconds = table["seconds"].to_numpy(np.float64)
    undecided = (table["source"] != "user").to_numpy()
    asked = np.flatnonzero(undecided & np.array([is_group(name) for name in names], bool)[number])
    asked = asked[np.argsort(-seconds[asked], kind="stable")]
    asked = asked[np.unique(number[asked], return_index=True)[1]]  # the longest of each group
    effect = seconds.copy()
    effect[asked] = table["seconds"].groupby(number).sum().to_numpy()[number[asked]]
    doubt = 1 - table["confidence"].to_numpy(np.float64)
    doubt = np.where(_twice(table), np.maximum(doubt, 0.5), doubt)
    return table.assign(effect=effect, worth=np.where(undecided, doubt, 0.0) * effect)


def _twice(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return for each track whether another one of its film has its name at the same time."""
    rows = np.flatnonzero(~table["label"].isin([UNKNOWN, NOT_A_FACE]))
    named = table.iloc[rows]
    number = pd.factorize(named["label"])[0] * (1 + len(rows)) + pd.factorize(named["video"])[0]
    first, last = (named[name].to_numpy(np.int64) for name in ("start_frame", "end_frame"))
    # One group's frames behind those of another, so that all are gone through at once.
    behind = number * (1 + last.max(initial=0))
    order = np.argsort(first + behind, kind="stable")
    ends = np.maximum.accumulate((last + behind)[order])
    again = ends[:-1] >= (first + behind)[order][1:]
    twice = np.zeros(len(table), bool)
    twice[rows[order[1:]]] |= again
    twice[rows[order[:-1]]] |= again
    return twice
