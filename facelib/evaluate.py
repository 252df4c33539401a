"""Predictions against ground truth: how many faces were found, and how many named right or wrong."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from facelib.faces import iou
from facelib.project import FilmFiles
from facelib.recognize import UNKNOWN

_BOX = ["left", "top", "right", "bottom"]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of labelled faces, one a face and frame, over one film or several added up.

    Attributes:
        labelled: Faces in the truth.
        found: Of these, matched by a face that was found.
        cast: Labelled faces with a name.
        right: Of the cast, found and given their name.
        wrong: Of the cast, found and given another name.
        strangers: Labelled faces of nobody of the cast.
        strangers_named: Of the strangers, found and given a name.
        false: Faces found where the truth has none.
        false_named: Of these, given a name.
    """

    labelled: int = 0
    found: int = 0
    cast: int = 0
    right: int = 0
    wrong: int = 0
    strangers: int = 0
    strangers_named: int = 0
    false: int = 0
    false_named: int = 0

    def __add__(self, other: Self) -> Self:
        """Add two films up."""
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def recall(self) -> float:
        """The fraction of labelled faces that were found; 1 when there are none."""
        return self.found / self.labelled if self.labelled else 1.0

    @property
    def named_right(self) -> float:
        """The fraction of the cast's labelled faces that got their name; 1 when there are none."""
        return self.right / self.cast if self.cast else 1.0

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.recall:.1%} of {self.labelled} faces found; of {self.cast} faces of the cast "
            f"{self.named_right:.1%} named right, {self.wrong} named wrong; of {self.strangers} faces of strangers "
            f"{self.strangers_named} given a name; {self.false_named} names given where nobody is"
        )


def read_truth(path: str | Path) -> pd.DataFrame:
    """Read a truth table: `frame,left,top,right,bottom,person`, with `unknown` for strangers.

    Raises:
        ValueError: When a column is missing.
    """
    table = pd.read_csv(path, keep_default_na=False)
    missing = [name for name in ["frame", *_BOX, "person"] if name not in table]
    if missing:
        raise ValueError(f"expected the columns frame, left, top, right, bottom, person in {str(path)!r}: no {missing}")
    return table


def score_film(files: FilmFiles, truth: pd.DataFrame, *, least_iou: float = 0.3) -> Score:
    """Compare what `05_annotate_video` wrote for a film with its truth, in every frame.

    Args:
        files: The film's results: `detections.parquet` and `tracks.parquet`.
        truth: A table as `read_truth` gives, with every face of every frame of the film.
        least_iou: How well a found box must cover a labelled one to match it.

    Raises:
        FileNotFoundError: When the film has not been annotated yet.
    """
    detections = pd.read_parquet(files.detections)
    tracks = pd.read_parquet(files.tracks, columns=["track", "person"])
    return score(detections.merge(tracks, on="track"), truth, least_iou=least_iou)


def score(found: pd.DataFrame, truth: pd.DataFrame, *, least_iou: float = 0.3) -> Score:
    """Compare named boxes with labelled boxes: columns `frame`, `left`, `top`, `right`, `bottom`, `person` in both.

    In each frame boxes are matched one to one so that their IoU adds up highest.
    """
    total = Score()
    found_in, truth_in = _by_frame(found), _by_frame(truth)
    for frame in sorted(found_in.keys() | truth_in.keys()):
        total += _score_frame(found_in.get(frame, found[:0]), truth_in.get(frame, truth[:0]), least_iou)
    return total


def _by_frame(table: pd.DataFrame) -> dict[int, pd.DataFrame]:
    return {int(str(frame)): rows for frame, rows in table.groupby("frame")}


def _score_frame(found: pd.DataFrame, truth: pd.DataFrame, least_iou: float) -> Score:
    overlaps = iou(truth[_BOX].to_numpy(), found[_BOX].to_numpy())
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    good = overlaps[rows, columns] >= least_iou
    labels, names = truth["person"].to_numpy(), found["person"].to_numpy()
    is_cast = labels != UNKNOWN
    matched = pd.Series(UNKNOWN, index=range(len(truth)), dtype=object)
    matched[rows[good]] = names[columns[good]]
    got = matched.to_numpy()
    left_over = np.delete(names, columns[good])
    return Score(
        labelled=len(truth),
        found=int(good.sum()),
        cast=int(is_cast.sum()),
        right=int((is_cast & (got == labels)).sum()),
        wrong=int((is_cast & (got != labels) & (got != UNKNOWN)).sum()),
        strangers=int((~is_cast).sum()),
        strangers_named=int((~is_cast & (got != UNKNOWN)).sum()),
        false=len(left_over),
        false_named=int((left_over != UNKNOWN).sum()),
    )
