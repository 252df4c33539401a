"""The mistakes of films, one per track or missed stretch, the worst first: what to look at."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from facelib.evaluate.matching import NOT_NAMES, verdicts
from facelib.faces import BOX

_KINDS = ("named wrong", "stranger named", "no face named", "not named", "not found")
"""What went wrong, the gravest first: a name on the wrong face is worse than a face without one."""

_COLUMNS = ["film", "mistake", "label", "name", "confidence", "faces", "frame", "time", *BOX]


def list_mistakes(matches: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each mistake in `join_films` about one track, or about one person who was not found.

    Returns:
        `film`, `mistake` (one of `KINDS`), `label` and `name` (of truth and answer), `confidence` (of the name; NaN
        where none was given), `faces` (in how many labelled frames), and where to look: `frame`, `time` (seconds) and
        the box of the largest of these faces. Sorted by kind, then by confidence and by number of faces.
    """
    kind = verdicts(matches["label"], matches["name"]).replace("wrong", "named wrong")
    rows = matches.assign(mistake=kind, time=_times(matches))[kind.isin(_KINDS).to_numpy()]
    if rows.empty:
        return pd.DataFrame(columns=pd.Index(_COLUMNS)).astype({"faces": int, "frame": int, "confidence": float})
    rows = rows.assign(area=(rows["right"] - rows["left"]) * (rows["bottom"] - rows["top"]))
    # What was not found has no track: it is told by its person, and a stranger's or missing track stays one group.
    rows["track"] = rows["track"].fillna(-1) if "track" in rows else -1
    rows["confidence"] = rows["confidence"].where(~rows["name"].isin(NOT_NAMES)) if "confidence" in rows else np.nan
    group = ["film", "mistake", "label", "name", "track"]
    counts = rows.groupby(group)["area"].transform("size")
    best = rows.assign(faces=counts).sort_values("area", kind="stable").drop_duplicates(group, keep="last")
    order = pd.Categorical(best["mistake"], _KINDS, ordered=True)
    best = best.assign(order=order).sort_values(
        ["order", "confidence", "faces"], ascending=[True, False, False], kind="stable", ignore_index=True
    )
    return best[_COLUMNS]


def _times(matches: pd.DataFrame) -> NDArray[np.float64]:
    """Return the time of every row's frame; of frames in which nothing was found, by those around them."""
    times = matches["time"].to_numpy(float, copy=True) if "time" in matches else np.full(len(matches), np.nan)
    for _, rows in pd.Series(range(len(matches))).groupby(matches["film"].to_numpy()):
        where = rows.to_numpy()
        known = where[np.isfinite(times[where])]
        frames, place = np.unique(matches["frame"].to_numpy(float)[known], return_index=True)
        missing = where[~np.isfinite(times[where])]
        if len(frames) > 1 and len(missing):
            seconds = times[known][place]
            wanted = matches["frame"].to_numpy(float)[missing]
            step = (seconds[-1] - seconds[0]) / (frames[-1] - frames[0])
            beyond = np.where(wanted < frames[0], wanted - frames[0], np.maximum(wanted - frames[-1], 0)) * step
            times[missing] = np.maximum(np.interp(wanted, frames, seconds) + beyond, 0)
    return times
