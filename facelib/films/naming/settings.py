"""Settings, columns and types that all of naming shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from facelib.project.names import UNKNOWN

if TYPE_CHECKING:
    from facelib.recognize import OpenSetKNN, OpenSetSVM

TRACK_COLUMNS = [
    "track", "shot", "start_frame", "end_frame", "start", "end", "person", "cluster", "confidence",
    "distance", "second_person", "margin", "evidence", "faces", "embedding",
    "dominant", "reason", "scene", "source",
]  # fmt: skip

LOOK_COLUMNS = [
    "track", "shot", "left", "top", "right", "bottom", "quality", "embedding", "clothes", "hair", "yaw", "pitch", "cut",
]  # fmt: skip
"""The columns of `looks.parquet` that naming needs."""

Recognizer: TypeAlias = "OpenSetKNN | OpenSetSVM"
"""What puts names to embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingSettings:
    """When a track gets a name.

    Attributes:
        confidence_threshold: Minimum probability of a name; below it the track stays unknown. In context it is the
            probability among the cast's names, and the probability of a stranger may be at most two thirds of the rest
            to 1. Raising it names fewer.
        dominant_ratio: Minimum share of a track's faces, weighted by quality, whose nearest person is the track's; 0
            skips this vote.
        context: Whether small and turned faces are named by clothes and places as well; see `joint.name_jointly`.
        adapt_to_film: Whether the film's most certain faces are added to the gallery, and all tracks named once more.

    Raises:
        ValueError: When a share or a probability is not from 0 to 1.
    """

    confidence_threshold: float = 0.7
    dominant_ratio: float = 0.8
    context: bool = True
    adapt_to_film: bool = False

    def __post_init__(self) -> None:
        for name in ("confidence_threshold", "dominant_ratio"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"expected {name} from 0 to 1, got {value!r}")


def same_frame_conflicts(named: pd.DataFrame) -> list[int]:
    """Return the rows whose name a nearer track has in the same frame: nobody is twice in one.

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
