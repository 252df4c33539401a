"""What all of naming shares: who names, by which rules, and into which columns."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from facelib.recognize import UNKNOWN, OpenSetKNN, OpenSetSVM

TRACK_COLUMNS = [
    "track", "shot", "start_frame", "end_frame", "start", "end", "person", "cluster", "confidence",
    "distance", "second_person", "margin", "evidence", "faces", "embedding",
    "dominant", "reason", "scene", "source",
]  # fmt: skip

LOOK_COLUMNS = [
    "track", "shot", "left", "top", "right", "bottom", "quality", "embedding", "clothes", "yaw", "pitch", "cut",
]  # fmt: skip
"""What naming needs of `looks.parquet`."""

Recognizer = OpenSetKNN | OpenSetSVM
"""What puts names to embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingSettings:
    """When a track is given a name.

    Attributes:
        confidence_threshold: Least probability of a name; below it the track stays unknown. Raising it names fewer.
        dominant_ratio: Least share of a track's faces, by quality, whose nearest person is the one that the track's
            face is named; 0 asks no vote.
        context: Whether names travel to small and turned faces by clothes and places; see `joint.name_jointly`.
        adapt_to_film: Whether the film's surest faces are laid beside the gallery, and all tracks named once more.

    Raises:
        ValueError: When a share or a probability is not from 0 to 1.
    """

    confidence_threshold: float = 0.7
    dominant_ratio: float = 0.8
    context: bool = True
    adapt_to_film: bool = False

    def __post_init__(self) -> None:
        """Refuse what no probability and no share can be."""
        for name in ("confidence_threshold", "dominant_ratio"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"expected {name} from 0 to 1, got {value!r}")


def same_frame_conflicts(named: pd.DataFrame) -> list[int]:
    """Return the rows whose name a nearer track carries in the same frame: nobody is twice in one.

    Args:
        named: `person`, `distance`, `shot`, `start_frame`, `end_frame`; any index.
    """
    losers: list[int] = []
    for _, tracks in named[named["person"] != UNKNOWN].sort_values("distance").groupby(["person", "shot"]):
        taken: list[tuple[int, int]] = []
        for row, start, end in zip(tracks.index, tracks["start_frame"], tracks["end_frame"], strict=True):
            if any(start <= other_end and other_start <= end for other_start, other_end in taken):
                losers.append(row)
            else:
                taken.append((start, end))
    return losers
