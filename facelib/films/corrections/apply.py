"""Corrections applied to the tracks of films."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import BOX, paired_iou
from facelib.films.tables import read_film_table
from facelib.project import Project
from facelib.project.names import NOT_A_FACE, UNKNOWN, group_number, is_group, why_no_label

_LEAST_OVERLAP = 0.5  # IoU from which a box is taken for the corrected one
_ANSWER = ("person", "cluster", "confidence", "reason", "source")
_MISSING = {"cluster": "", "confidence": 0.0, "reason": "", "source": ""}  # in tables that are not finished, or older


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """Tables of tracks with the user's decisions applied.

    Attributes:
        tables: By the film's file name: its tracks, with `person`, `cluster`, `confidence`, `reason` and `source` as
            decided, and the automatic answer in `auto_person` and so on, the last columns.
        left_out: The corrections that were not applied, and `why`.
        warnings: A sentence for each person whom the user named twice in one frame.
    """

    tables: dict[str, pd.DataFrame]
    left_out: pd.DataFrame
    warnings: list[str]

    @property
    def tracks(self) -> pd.DataFrame:
        """The tracks of the only film."""
        (table,) = self.tables.values()
        return table


def match_corrections(corrections: pd.DataFrame, detections: pd.DataFrame) -> NDArray[np.int64]:
    """Find each decision's track by its box, since track numbers change when a film is indexed again.

    Args:
        corrections: Rows about one film, any number.
        detections: The film's `frame`, `track`, `left`, `top`, `right`, `bottom`; other frames may be missing.

    Returns:
        `(n,)`: the number of the track whose box in that frame has the largest IoU with the row's, at least one half;
        -1 where there is none, the row is about a picture, or nobody can be called as it says.
    """
    asked = corrections[["frame", *BOX]].reset_index(drop=True).reset_index(names="row")
    asked = asked[((corrections["picture"] == "") & (_why_no_labels(corrections) == "")).to_numpy()]
    found = detections.loc[detections["frame"].isin(asked["frame"]), ["frame", "track", *BOX]]
    pairs = asked.merge(found, on="frame", suffixes=("", "_found"))
    ours, theirs = (pairs[[side + end for side in BOX]].to_numpy(np.float64) for end in ("", "_found"))
    pairs["overlap"] = paired_iou(ours, theirs)
    best = pairs[pairs["overlap"] >= _LEAST_OVERLAP].sort_values(["overlap", "track"], ascending=[False, True])
    best = best.drop_duplicates("row")
    matched = np.full(len(corrections), -1, np.int64)
    matched[best["row"].to_numpy(np.int64)] = best["track"].to_numpy(np.int64)
    return matched


def _why_no_labels(corrections: pd.DataFrame) -> pd.Series:
    said = {label: why_no_label(label) for label in corrections["is"].unique()}
    return corrections["is"].map(said).astype("str")


def match_project(project: Project, films: Iterable[Path], corrections: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions with `matched`: the number of the track that each is about now, -1 for none."""
    matched = pd.Series(-1, index=corrections.index, dtype="int64")
    for film in films:
        own = corrections[corrections["video"] == film.name]
        if len(own):
            matched[own.index] = match_corrections(own, _boxes_of(project, film, own["frame"]))
    return corrections.assign(matched=matched)


def _boxes_of(project: Project, film: Path, frames: Iterable[int]) -> pd.DataFrame:
    """Read the boxes of some frames of a film: `frame`, `track`, `left`, `top`, `right`, `bottom`."""
    columns = ["frame", "track", *BOX]
    wanted = [("frame", "in", sorted(set(frames)) or [-1])]
    return read_film_table(project.film(film).detections, columns, filters=wanted)


def current(corrections: pd.DataFrame) -> pd.DataFrame:
    """Return the last decision about each track, without those taken back.

    Args:
        corrections: Oldest first, with the column `matched`: the number of the track that each row is about now.
    """
    last = corrections[corrections["matched"] >= 0].drop_duplicates(["video", "matched"], keep="last")
    return last[last["is"] != ""]


def correct_films(
    tables: Mapping[str, pd.DataFrame], corrections: pd.DataFrame, *, renamed: Mapping[str, str] | None = None
) -> Corrected:
    """Apply decisions to the tracks of films.

    A decided track gets its name, or `unknown`, `not a face`, or its group, with confidence 1 and the source `user`.
    Everything starts from the automatic answer, so that applying twice changes nothing, and a decision that was taken
    back leaves no trace. Groups of unknown people are renumbered by every run: the group of a track that was confirmed
    as `Unknown 2` keeps this label whatever its number is now, and another group with this number gets a free one.

    Args:
        tables: By file name, the tracks of each film; without `renamed`, all films of the project that are there.
        corrections: As `read_corrections` returns them, with `matched`, see `current`.
        renamed: What `rename_groups` returns for the groups of all films; None computes it from `tables`.
    """
    video, track = corrections["video"].to_numpy(), corrections["matched"].to_numpy()
    there = {name: set(table["track"]) for name, table in tables.items()}
    found = np.array([number in there.get(name, ()) for name, number in zip(video, track, strict=True)], bool)
    decided = current(corrections[found])
    done = {name: _decide(automatic(table), decided[decided["video"] == name]) for name, table in tables.items()}
    if renamed is None and not any(map(is_group, decided["is"])):
        renamed = {}
    elif renamed is None:
        columns = ["track", "auto_cluster"]
        every = [table[columns].assign(video=name) for name, table in done.items() if len(table)]
        renamed = rename_groups(pd.concat(every), decided) if every else {}
    done = {name: _renamed(table, renamed) for name, table in done.items()}
    lost = corrections[~found].drop_duplicates(["video", "frame", *BOX], keep="last")
    lost = lost[lost["is"] != ""].drop(columns="matched").reset_index(drop=True)
    elsewhere = {True: "no track has a face there", False: "this film is not among the films"}
    why = [
        why_no_label(label) or elsewhere[name in there] for label, name in zip(lost["is"], lost["video"], strict=True)
    ]
    warnings = [line for name, table in done.items() for line in _doubles(name, table)]
    return Corrected(done, lost.assign(why=pd.Series(why, dtype="str")), warnings)


def automatic(table: pd.DataFrame) -> pd.DataFrame:
    """Return the tracks as named automatically; this answer is also kept in the last columns."""
    table = table.reset_index(drop=True)
    for name, value in _MISSING.items():
        if name not in table:
            kind = "str" if value == "" else "float32"
            table = table.assign(**{name: pd.Series(value, index=table.index, dtype=kind)})
    kept = [f"auto_{name}" for name in _ANSWER]
    told = {name: own if own in table else name for name, own in zip(_ANSWER, kept, strict=True)}
    plain = [name for name in table.columns if name not in kept]
    return table[[told.get(name, name) for name in plain] + list(told.values())].set_axis(plain + kept, axis=1)


def _decide(table: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """Write the decisions into the tracks of one film."""
    columns = (decided[name].tolist() for name in ("matched", "is", "by", "when"))
    said = {track: answer for track, *answer in zip(*columns, strict=True)}
    rows = table["track"].isin(list(said)).to_numpy()
    if not rows.any():
        return table
    given = [said[track] for track in table["track"].to_numpy()[rows].tolist()]
    labels = np.array([label for label, *_ in given], dtype="object")
    groups = np.array([is_group(label) for label in labels])
    cluster = table["cluster"].to_numpy(dtype="object")[rows]
    own = {
        "person": np.where(groups, UNKNOWN, labels),
        "cluster": np.where(groups, labels, np.where(labels == UNKNOWN, cluster, "")),
        "reason": [_reason(*answer) for answer in given],
        "source": np.full(len(given), "user", dtype="object"),
    }
    texts = {}
    for name, values in own.items():
        column = table[name].to_numpy(dtype="object", copy=True)
        column[rows] = values
        texts[name] = pd.Series(column, index=table.index, dtype="str")
    return table.assign(**texts, confidence=table["confidence"].mask(rows, 1.0))


def _reason(label: str, by: str, when: str) -> str:
    marked = {NOT_A_FACE: "marked as no face", UNKNOWN: "marked as unknown"}
    did = "grouped" if is_group(label) else marked.get(label, "named")
    return f"{did} by {by or 'the user'} on {when[:10]}"


def rename_groups(grouped: pd.DataFrame, decided: pd.DataFrame) -> dict[str, str]:
    """Return the groups of unknown people to rename, so that each has the label of its confirmed tracks.

    Args:
        grouped: `video`, `track` and `auto_cluster`, the label that grouping gave, of the tracks of all films.
        decided: What `current` returns.

    Returns:
        The new label of each renamed group, by the label that grouping gave.
    """
    if decided.empty or grouped.empty:
        return {}
    said = decided[decided["is"].map(is_group).astype(bool)].merge(
        grouped, left_on=["video", "matched"], right_on=["video", "track"], suffixes=("_said", "")
    )
    said = said[(said["is"] == said["was"]) & (said["auto_cluster"] != "")]
    anchors = {str(label): set(names) for label, names in said.groupby("auto_cluster")["is"]}
    taken = set().union(*anchors.values())
    labels = sorted({str(label) for label in grouped["auto_cluster"].unique()} - {""}, key=group_number)
    free = 1 + max([0, *map(group_number, [*labels, *decided["is"]])])
    renamed = {}
    for label in labels:
        if confirmed := anchors.get(label):
            # A group that was split off has the higher number, so the rest of its origin keeps the lower one.
            renamed[label] = label if label in confirmed else min(confirmed, key=group_number)
        elif label in taken:  # the user gave this label to another group, under an older numbering
            renamed[label] = f"Unknown {free}"
            free += 1
    return renamed


def _renamed(table: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    if not labels:
        return table
    open_rows = (table["source"] != "user") & table["cluster"].isin(list(labels))
    return table.assign(cluster=table["cluster"].mask(open_rows, table["cluster"].map(labels)).astype("str"))


def _doubles(video: str, table: pd.DataFrame) -> list[str]:
    """Return a sentence for each two tracks that share a frame and a name, where the user gave it to one of them."""
    if (table["source"] != "user").all():
        return []
    columns = [table[name].tolist() for name in ("start_frame", "track", "end_frame", "start", "source")]
    named = list(zip(labels(table).tolist(), *columns, strict=True))
    given = {label for label, *_, source in named if source == "user"} - {UNKNOWN, NOT_A_FACE}
    lines = []
    last_label, last, last_end, last_source = "", -1, -1, ""
    for label, first, track, end, start, source in sorted(row for row in named if row[0] in given):
        if label != last_label:
            last_label, last, last_end, last_source = label, track, end, source
            continue
        if first <= last_end and "user" in (source, last_source):
            lines.append(f"{label} is on screen twice at {start:.1f} s of {video}, in tracks {last} and {track}")
        if end > last_end:
            last, last_end, last_source = track, end, source
    return lines


def labels(tracks: pd.DataFrame) -> pd.Series:
    """Return the label of each track: its person, or its group of unknown people where it has one."""
    grouped = (tracks["person"] == UNKNOWN) & (tracks["cluster"] != "")
    return tracks["person"].mask(grouped, tracks["cluster"])
