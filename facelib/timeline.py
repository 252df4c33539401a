"""Who is on screen, and from when to when."""

from __future__ import annotations

import numpy as np
import pandas as pd

from facelib.recognize import UNKNOWN

APPEARANCE_COLUMNS = ["person", "start", "end", "start_timecode", "end_timecode", "confidence", "tracks"]


def timecode(seconds: float) -> str:
    """Write a time as hours, minutes, seconds and thousandths, which holds for variable frame rates too.

    Example:
        >>> timecode(3725.0404)
        '01:02:05.040'
    """
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def appearances(tracks: pd.DataFrame, *, longest_gap: float = 1.0) -> pd.DataFrame:
    """Join the tracks of each person into stretches on screen.

    Args:
        tracks: The columns of `tracks.parquet`; unknown tracks are left out.
        longest_gap: Stretches of one person that lie at most so many seconds apart become one.

    Returns:
        The columns of `appearances.csv`, by start; `confidence` is that of the tracks, weighted by
        their length, and `tracks` their numbers with a space between.
    """
    rows = []
    for person, own in tracks[tracks["person"] != UNKNOWN].sort_values("start").groupby("person"):
        # A new stretch begins where the next track starts too long after all before it have ended.
        gap = own["start"] - own["end"].cummax().astype(float).shift(fill_value=-np.inf)
        for _, stretch in own.groupby((gap > longest_gap).cumsum()):
            rows.append(_stretch(str(person), stretch))
    return pd.DataFrame(rows, columns=pd.Index(APPEARANCE_COLUMNS)).sort_values(["start", "person"], ignore_index=True)


def _stretch(person: str, tracks: pd.DataFrame) -> dict[str, object]:
    start, end = float(tracks["start"].min()), float(tracks["end"].max())
    weights = tracks["end"] - tracks["start"] + 1e-3
    return {
        "person": person,
        "start": round(start, 3),
        "end": round(end, 3),
        "start_timecode": timecode(start),
        "end_timecode": timecode(end),
        "confidence": round(float(np.average(tracks["confidence"], weights=weights)), 4),
        "tracks": " ".join(str(number) for number in tracks["track"]),
    }


def screen_time(appeared: pd.DataFrame) -> pd.DataFrame:
    """Return one row a person, longest first: `person`, `seconds`, `stretches`, `first`, `last` (seconds)."""
    spans = appeared.assign(seconds=appeared["end"] - appeared["start"])
    table = spans.groupby("person").agg(
        seconds=("seconds", "sum"), stretches=("seconds", "size"), first=("start", "min"), last=("end", "max")
    )
    return table.sort_values("seconds", ascending=False).reset_index()
