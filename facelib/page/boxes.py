"""The boxes of a film's tracks, kept as key boxes: those between two keys are interpolated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.faces import BOX
from facelib.page.pack import Packed

_TOLERANCE = 0.25  # pixels by which a box between two keys may differ from the table
_UNIT = 0.25  # pixels: the step in which boxes are kept
_LARGEST = 32767


@dataclass(frozen=True, slots=True)
class BoxKeys:
    """Key boxes of each track; those between two keys are interpolated linearly over presentation time.

    Attributes:
        offsets: Where the keys of each track begin, one more at the end, `(tracks + 1,)` uint32.
        frames: `(keys,)` uint32: twice the frame's 0-based number, plus 1 where the track has no boxes up to its next
            key; of each the difference to the key before it, modulo 2^32.
        boxes: `(keys, 4)` int16: left, top, right, bottom in steps of `unit`; of each the difference to the key before
            it, modulo 2^16. Differences compress to half.
        unit: Pixels of the film in one step.
    """

    offsets: Packed
    frames: Packed
    boxes: Packed
    unit: float


def box_keys(detections: pd.DataFrame, tracks: NDArray[np.int64]) -> BoxKeys:
    """Choose the key boxes, so that no interpolated box is off by more than half a pixel.

    Args:
        detections: `track`, `frame`, `time` and the four sides of each face, of `detections.parquet`.
        tracks: The numbers of the tracks to keep, in the order wanted.
    """
    place = pd.Series(np.arange(len(tracks)), index=tracks)
    table = detections[detections["track"].isin(tracks)]
    table = table.assign(place=place[table["track"]].to_numpy()).sort_values(["place", "frame"], kind="stable")
    owner, frames = table["place"].to_numpy(), table["frame"].to_numpy(np.int64)
    boxes, times = table[BOX].to_numpy(np.float64), table["time"].to_numpy(np.float64)
    ends = _run_ends(owner, frames)
    keep = _keys(boxes, times, ends)
    offsets = np.searchsorted(owner[keep], np.arange(len(tracks) + 1))
    unit = max(_UNIT, float(np.abs(boxes).max(initial=0)) / _LARGEST)
    return BoxKeys(
        Packed.of(offsets, "uint32"),
        Packed.of(np.diff(2 * frames[keep] + ends[keep], prepend=0), "uint32"),
        Packed.of(np.diff(np.rint(boxes[keep] / unit).astype(np.int64), axis=0, prepend=0), "int16"),
        unit,
    )


def _run_ends(owner: NDArray[np.int64], frames: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows are the last of a run: the next row is of another track, or not of the next frame."""
    goes_on = (np.diff(owner) == 0) & (np.diff(frames) == 1)
    return np.asarray(np.append(~goes_on, True)[: len(frames)], bool)


def _keys(boxes: NDArray[np.float64], times: NDArray[np.float64], ends: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the rows to keep: the ends of runs, and those that linear interpolation would miss."""
    keep = np.asarray(ends | np.append(True, ends[:-1])[: len(ends)], bool)
    rows = np.arange(len(keep))
    while len(rows):
        keys, number = np.flatnonzero(keep), np.cumsum(keep)[rows]
        before, after = keys[number - 1], keys[number - keep[rows]]
        span = times[after] - times[before]
        share = np.divide(times[rows] - times[before], span, out=np.zeros_like(span), where=span > 0)
        wrong = np.abs(boxes[before] + share[:, None] * (boxes[after] - boxes[before]) - boxes[rows]).max(axis=1)
        # The worst row of each stretch becomes a key, as Ramer, Douglas and Peucker thin out lines (1972, 1973).
        starts = np.flatnonzero(np.append(True, before[1:] != before[:-1]))
        most, length = np.maximum.reduceat(wrong, starts), np.diff(np.append(starts, len(rows)))
        off = np.repeat(most > _TOLERANCE, length)
        worst = np.flatnonzero(off & (wrong == np.repeat(most, length)))
        keep[rows[worst[np.append(before[worst][1:] != before[worst][:-1], True)[: len(worst)]]]] = True
        rows = rows[off]  # a stretch that is near enough stays so
    return keep
