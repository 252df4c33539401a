"""Detected faces matched with labelled ones, frame by frame: the table behind every figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from facelib.evaluate.truth import UNNAMED, Truth
from facelib.faces import BOX, iou
from facelib.films.tables import read_film_table
from facelib.project import FilmFiles
from facelib.project.names import NOT_A_FACE, UNKNOWN

NOBODY = ""
"""The name of a face that was not found."""

NO_FACE = "no face"
"""The label of a found face where the truth has none."""

NOT_NAMES = frozenset({UNKNOWN, NOBODY, NOT_A_FACE})

_TRACK_COLUMNS = ["track", "person", "cluster", "confidence", "distance", "second_person", "evidence"]


def found_faces(files: FilmFiles) -> pd.DataFrame:
    """Return every face that was found in a film with what its track says, one row per face and frame.

    Tracks that somebody has corrected to be no face are left out.

    Returns:
        The columns of `detections.parquet`, and of `tracks.parquet` `person`, `cluster`, `confidence`, `distance`,
        `second_person` and `evidence`.

    Raises:
        FileNotFoundError: When the film has not been annotated yet.
        facelib.films.tables.UnusableTables: When a table is damaged, or lacks a column.
    """
    for path in (files.detections, files.tracks):
        if not path.is_file():
            raise FileNotFoundError(f"expected the faces of a film at {str(path)!r}, found none; run 05_annotate_video")
    tracks = read_film_table(files.tracks, _TRACK_COLUMNS)
    tracks = tracks[tracks["person"] != NOT_A_FACE]
    return read_film_table(files.detections, needs=["track", "frame", *BOX]).merge(tracks, on="track")


def match_faces(found: pd.DataFrame, truth: Truth | pd.DataFrame, *, least_iou: float = 0.3) -> pd.DataFrame:
    """Match found faces with labelled ones, one to one in each frame so that their IoU adds up highest.

    Args:
        found: Columns `frame`, `left`, `top`, `right`, `bottom`, `person`, and any others, which are handed on.
        truth: What is truly there; a bare table means that every frame is labelled.
        least_iou: The least intersection over union of a match, above 0 and at most 1.

    Returns:
        A row for each labelled face, and one for each face found where the truth has none, sorted by frame; found
        faces in frames that are not labelled are left out. `frame`; `label` (the truth's `person`, or `no face`),
        `identity`, `name` (the name given: `unknown`, or empty where the face was not found), `iou` (0 where not
        matched), the box (of the truth; of the found face where there is no truth), and the further columns of
        `found`, missing where nothing was found.

    Raises:
        ValueError: When `least_iou` is out of range.
    """
    if not 0 < least_iou <= 1:
        raise ValueError(f"expected least_iou above 0 and at most 1, got {least_iou!r}")
    labelled = truth.faces if isinstance(truth, Truth) else truth
    frames = truth.frames if isinstance(truth, Truth) else None
    if frames is not None:
        found = found[found["frame"].isin(frames)]
    found = found.sort_values("frame", kind="stable", ignore_index=True)
    labelled = labelled.sort_values("frame", kind="stable", ignore_index=True)
    rows, columns, overlap = _pairs(labelled, found, least_iou)
    missed = np.setdiff1d(np.arange(len(labelled)), rows)
    extra = np.setdiff1d(np.arange(len(found)), columns)
    nothing = np.full(len(extra), -1)
    return _table(
        labelled,
        found,
        np.concatenate([rows, missed, nothing]),
        np.concatenate([columns, np.full(len(missed), -1), extra]),
        np.concatenate([overlap, np.zeros(len(missed) + len(extra))]),
    )


def _pairs(
    labelled: pd.DataFrame, found: pd.DataFrame, least_iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return the rows of both sorted tables that match, and how well."""
    boxes, others = labelled[BOX].to_numpy(float), found[BOX].to_numpy(float)
    in_truth, in_found = labelled["frame"].to_numpy(), found["frame"].to_numpy()
    parts: list[tuple[Any, Any, Any]] = []
    for frame in np.intersect1d(in_truth, in_found):
        a, b = (np.searchsorted(side, [frame, frame + 1]) for side in (in_truth, in_found))
        overlaps = iou(boxes[a[0] : a[1]], others[b[0] : b[1]])
        rows, columns = linear_sum_assignment(overlaps, maximize=True)
        good = overlaps[rows, columns] >= least_iou
        parts.append((a[0] + rows[good], b[0] + columns[good], overlaps[rows, columns][good]))
    if not parts:
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    rows, columns, overlap = (np.concatenate(part) for part in zip(*parts, strict=True))
    return rows, columns, overlap


def _table(
    labelled: pd.DataFrame,
    found: pd.DataFrame,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    overlap: NDArray[np.float64],
) -> pd.DataFrame:
    """Lay rows of both tables side by side; -1 stands for none."""
    known = "identity" in labelled
    left = labelled[["frame", *BOX, "person", *["identity"] * known]].reindex(rows).reset_index(drop=True)
    right = found.reindex(columns).reset_index(drop=True)
    here, there = rows >= 0, columns >= 0
    table = pd.DataFrame(
        {
            "frame": np.where(here, left["frame"], right["frame"]).astype(np.int64),
            "label": np.where(here, left["person"], NO_FACE),
            "identity": np.where(here, left["identity"] if known else UNNAMED, UNNAMED),
            "name": np.where(there, right["person"], NOBODY),
            "iou": overlap,
            **{side: np.where(here, left[side], right[side]).astype(float) for side in BOX},
        }
    )
    further = [name for name in found if name not in {"frame", "person", *BOX}]
    return pd.concat([table, right[further]], axis=1).sort_values("frame", kind="stable", ignore_index=True)


def verdicts(label: pd.Series, name: pd.Series) -> pd.Series:
    """Return what became of each labelled or found face, or of each track, by its label and its name.

    Returns:
        `right`, `wrong` and `not named` for the cast, `stranger` and `stranger named` for strangers, `no face` and
        `no face named` where the truth has none, `not found`; empty where the truth does not say whose the face is.
    """
    named = ~name.isin(NOT_NAMES)
    cases = {
        "not found": name == NOBODY,
        "": label == UNNAMED,
        "no face named": (label == NO_FACE) & named,
        "no face": label == NO_FACE,
        "stranger named": (label == UNKNOWN) & named,
        "stranger": label == UNKNOWN,
        "not named": ~named,
        "right": name == label,
    }
    found = np.select(list(cases.values()), list(cases), "wrong")
    return pd.Series(found.tolist(), index=label.index, dtype="str")


def join_films(matches: Sequence[pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
    """Put the matches of several films under one another, with the column `film` in front.

    Raises:
        ValueError: When there are not as many names as tables.
    """
    parts = [table.assign(film=name) for table, name in zip(matches, names, strict=True)]
    if not parts:
        return empty_matches()
    joined = pd.concat(parts, ignore_index=True)
    return joined[["film", *(name for name in joined if name != "film")]]


def empty_matches() -> pd.DataFrame:
    """Return the table of `join_films` for no film at all."""
    texts = ["film", "label", "identity", "name", "cluster", "second_person", "evidence"]
    numbers = ["frame", "iou", *BOX, "time", "shot", "track", "score", "confidence", "distance"]
    columns = {name: pd.Series(dtype=str) for name in texts} | {name: pd.Series(dtype=float) for name in numbers}
    return pd.DataFrame(columns)
