"""What one pass over a film is asked for, and what it finds; `index` carries it out, and takes a second to import."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa

from facelib.faces import BOX

ShotMethod = Literal["adaptive", "content"]
"""How a cut is distinguished from movement: by standing out from the frames around it, or by its size alone."""

TrackMethod = Literal["sort", "bytetrack", "ocsort"]
"""How the faces of one sample are linked to those before it."""

DETECTIONS = pa.schema(
    [
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("shot", pa.int32()),
        ("track", pa.int32()),
        *((side, pa.float32()) for side in BOX),
        ("score", pa.float32()),
        ("interpolated", pa.bool_()),
    ]
)
"""The columns of `detections.parquet`: one row per face and frame, boxes in pixels of the film, times in seconds."""

TRACK_TYPES = {
    "track": "int32",
    "shot": "int32",
    "start_frame": "int32",
    "end_frame": "int32",
    "start": "float64",
    "end": "float64",
    "faces": "int32",
    "until": "float64",
}
"""The columns of an unnamed track, besides its embedding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How faces are found and tracked in a film.

    Attributes:
        seconds_between_samples: Seconds between the frames in which faces are detected; 0 is every frame. Raising it is
            faster and misses short appearances and fast faces.
        video_speedup: Sample every n-th frame instead; 0 goes by seconds.
        seconds_between_whole: Seconds between the samples whose whole picture is searched, twice as long while faces
            stay where they are expected; the samples between them are searched around known faces. 0 searches every
            sample whole, which takes more than twice the time; names may differ for faces that are hard to recognise.
        faces_per_track: How many of its best faces are embedded for a track.
        shot_method: See `facelib.films.shots.split_shots`.
        shot_threshold: Raising it finds fewer cuts; None takes the method's own.
        tracker: How faces are linked, see `facelib.films.track.ShotTracker`.

    Raises:
        ValueError: When a number is out of its range.
    """

    seconds_between_samples: float = 0.1
    video_speedup: int = 0
    seconds_between_whole: float = 0.5
    faces_per_track: int = 8
    shot_method: ShotMethod = "adaptive"
    shot_threshold: float | None = None
    tracker: TrackMethod = "bytetrack"

    def __post_init__(self) -> None:
        times = (self.seconds_between_samples, self.video_speedup, self.seconds_between_whole)
        if not all(0 <= time < math.inf for time in times) or self.faces_per_track < 1:
            raise ValueError(
                f"expected seconds_between_samples, video_speedup and seconds_between_whole to be finite and 0 or more "
                f"and faces_per_track 1 or more, got {self!r}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class FilmTracks:
    """What one pass over a film found.

    Attributes:
        tracks: One row per track: `track`, `shot`, `start_frame`, `end_frame`, `start`, `end` (seconds),
            `faces` (how many sampled), `until` (seconds: when its last frame leaves the screen, which is when the next
            one comes), `embedding` (mean of its best faces, those turned away counting little).
        read_until: Presentation time of the last frame that could be decoded, seconds.
        duration: How long the film is, seconds, on its own clock.
        dropped: How many tracks the filters dropped as false detections: too short, too unsteady or with low scores.
        problem: What of the film was lost; empty when nothing.
        notes: What cannot be carried over into the annotated film, a sentence each.
        made: The SHA-256 of all inputs; empty where it was not computed.
    """

    tracks: pd.DataFrame
    read_until: float
    duration: float
    dropped: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()
    made: str = ""
