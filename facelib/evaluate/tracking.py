"""How well faces were followed: HOTA, IDF1 and identity switches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from facelib.evaluate.matching import NOT_NAMES
from facelib.evaluate.truth import Truth
from facelib.faces import BOX, iou

Identity = Literal["track", "person"]
"""What must stay the same: a track within its shot, or the name over the whole film."""

_Frames = tuple[list[NDArray[np.intp]], list[NDArray[np.intp]], list[NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class TrackingScore:
    """How well labelled faces were followed; rates are NaN where no face is labelled.

    HOTA, IDF1 and switches are those of the library `trackers`, whose figures equal TrackEval's.

    Attributes:
        hota: Higher order tracking accuracy, 0 to 1: the geometric mean of finding and linking, over IoU thresholds
            from 0.05 to 0.95. Loose boxes in the truth lower it, whatever the tracker does. Source: Luiten et al.,
            "HOTA: a higher order metric for evaluating multi-object tracking" (IJCV 2021).
        detection: Its part for finding faces (DetA), 0 to 1.
        association: Its part for linking them (AssA), 0 to 1.
        idf1: The F-score of faces that bear the one identity that fits their truth best, 0 to 1. Source: Ristani et
            al., "Performance measures and a data set for multi-target, multi-camera tracking" (ECCV workshops 2016).
        switches: How often a labelled face goes over from one identity to another (IDSW). Source: Bernardin and
            Stiefelhagen, "Evaluating multiple object tracking performance" (2008).
        found: Identities that were found on labelled faces.
        labelled: Identities in the truth: persons and shots, or persons.
    """

    hota: float
    detection: float
    association: float
    idf1: float
    switches: int
    found: int
    labelled: int

    @property
    def found_per_labelled(self) -> float:
        """How many identities were found for each labelled one; 1 is best, NaN where none is labelled."""
        return self.found / self.labelled if self.labelled else math.nan


def score_tracking(
    films: Iterable[tuple[pd.DataFrame, Truth]], *, by: Identity = "track", least_iou: float = 0.3
) -> TrackingScore:
    """Compare how faces were followed with the truth, over one film or several.

    By track, each person and shot of the truth should be one track. By person, each person should bear one name
    through the whole film; unknown tracks bear their cluster's name, or none but their own.

    Args:
        films: For each, what was found (columns `frame`, `left`, `top`, `right`, `bottom`, `track`, `shot`, and by
            person also `person` and `cluster`) and the truth.
        by: What is an identity.
        least_iou: The least overlap of a match for IDF1 and switches.

    Raises:
        ValueError: When `by` is not known.
    """
    from trackers.eval import (
        aggregate_clear_metrics,
        aggregate_hota_metrics,
        aggregate_identity_metrics,
        compute_clear_metrics,
        compute_hota_metrics,
        compute_identity_metrics,
    )

    if by not in get_args(Identity):
        raise ValueError(f"expected by to be 'track' or 'person', got {by!r}")
    parts: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = []
    found = labelled = 0
    for table, truth in films:
        frames, there = _frames(table, truth, by)
        on_faces = [ids[(overlaps >= least_iou).any(axis=0)] for _, ids, overlaps in zip(*frames, strict=True)]
        found, labelled = found + len(set().union(*map(np.ndarray.tolist, on_faces))), labelled + there
        parts.append(
            (
                compute_hota_metrics(*frames),
                compute_identity_metrics(*frames, threshold=least_iou),
                compute_clear_metrics(*frames, threshold=least_iou),
            )
        )
    if not labelled:
        return TrackingScore(math.nan, math.nan, math.nan, math.nan, switches=0, found=found, labelled=0)
    hota, identity, clear = (list(part) for part in zip(*parts, strict=True))
    total = aggregate_hota_metrics(hota)
    return TrackingScore(
        hota=float(total["HOTA"]),
        detection=float(total["DetA"]),
        association=float(total["AssA"]),
        idf1=float(aggregate_identity_metrics(identity)["IDF1"]),
        switches=int(aggregate_clear_metrics(clear)["IDSW"]),
        found=found,
        labelled=labelled,
    )


def _frames(found: pd.DataFrame, truth: Truth, by: Identity) -> tuple[_Frames, int]:
    """Return the identities and overlaps of each frame as the library wants them, and how many are in the truth."""
    if truth.frames is not None:
        found = found[found["frame"].isin(truth.frames)]
    found = found.sort_values("frame", kind="stable", ignore_index=True)
    faces = truth.faces.sort_values("frame", kind="stable", ignore_index=True)
    owner = pieces(faces, shots_of(faces["frame"].to_numpy(), found, truth.cuts), whole_film=by == "person")
    bearer = found["track"].astype(str) if by == "track" else _names(found)
    truly, there = np.unique(owner.to_numpy(str), return_inverse=True)
    here = np.unique(bearer.to_numpy(str), return_inverse=True)[1]
    in_truth, in_found = faces["frame"].to_numpy(), found["frame"].to_numpy()
    boxes, others = faces[BOX].to_numpy(float), found[BOX].to_numpy(float)
    frames: _Frames = ([], [], [])
    for frame in np.union1d(in_truth, in_found):
        a, b = (slice(*np.searchsorted(side, [frame, frame + 1])) for side in (in_truth, in_found))
        frames[0].append(there[a])
        frames[1].append(here[b])
        frames[2].append(iou(boxes[a], others[b]).astype(np.float64))
    return frames, len(truly)


def _names(found: pd.DataFrame) -> pd.Series:
    """Return the name over the whole film: the person's, the cluster's, or a track's own; never twice in a frame."""
    own = "track " + found["track"].astype(str)
    name = ("named " + found["person"]).where(~found["person"].isin(NOT_NAMES), found["cluster"].fillna(""))
    name = name.where(name != "", own)
    again = pd.DataFrame({"frame": found["frame"], "name": name}).duplicated()
    return name.where(~again, own)


def shots_of(frames: NDArray[Any], found: pd.DataFrame, cuts: Sequence[int] | None) -> NDArray[np.intp]:
    """Return the shot of each frame, by the labelled cuts, else by what was found: that of the last face before it.

    Args:
        frames: `(n,)`.
        found: With the columns `frame`, ascending, and `shot`; not used where cuts are given.
        cuts: The first frame of each shot but the first, ascending; None: not known.
    """
    if cuts is not None:
        return np.searchsorted(np.asarray(cuts, int), frames, side="right")
    if found.empty:
        return np.zeros(len(frames), np.intp)
    first = found.groupby("frame", sort=True)["shot"].min()
    place = np.searchsorted(first.index.to_numpy(), frames, side="right") - 1
    return np.asarray(first.to_numpy()[np.maximum(place, 0)], np.intp)


def pieces(faces: pd.DataFrame, shots: NDArray[np.intp], *, whole_film: bool = False) -> pd.Series:
    """Return which piece of the truth each labelled face belongs to, as text: one per person and shot.

    Strangers whom the truth does not tell apart are linked from frame to frame of a shot where their boxes overlap.

    Args:
        faces: Of `Truth`, sorted by frame.
        shots: `(n,)`, the shot of each face.
        whole_film: Whether a person whose identity is known is one piece over all shots.
    """
    known = (faces["identity"] != "").to_numpy()
    where = [""] * len(faces) if whole_film else [f" in shot {shot}" for shot in shots]
    piece = [f"{who}{place}" for who, place in zip(faces["identity"], where, strict=True)]
    boxes, frames = faces[BOX].to_numpy(float), faces["frame"].to_numpy()
    last: dict[int, NDArray[np.float64]] = {}  # where each stranger of the shot was seen last
    count, before = 0, -1
    strange = pd.Series(np.flatnonzero(~known))
    for (shot, _), rows in strange.groupby([shots[~known], frames[~known]], sort=True):
        if shot != before:
            last, before = {}, int(str(shot))
        for row, to in zip(rows, _link(boxes[rows], last), strict=True):
            number = count if to is None else to
            count += to is None
            last[number] = boxes[row]
            piece[row] = f"stranger {number}"
    return pd.Series(piece, dtype=str)


def _link(boxes: NDArray[np.float64], former: Mapping[int, NDArray[np.float64]]) -> list[int | None]:
    """Return the number in `former` that each box goes on from, None for a new one."""
    linked: list[int | None] = [None] * len(boxes)
    if former:
        numbers, overlaps = list(former), iou(boxes, np.stack(list(former.values())))
        for row, column in zip(*linear_sum_assignment(overlaps, maximize=True), strict=True):
            if overlaps[row, column] > 0:
                linked[row] = numbers[column]
    return linked
