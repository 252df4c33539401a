"""Faces linked over time, inside one shot, into tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import supervision as sv
from trackers import BIoU, SORTTracker

from facelib.faces import Faces, FloatArray, Image

DETECTIONS = pa.schema(
    [
        ("frame", pa.int32()),
        ("time", pa.float64()),
        ("shot", pa.int32()),
        ("track", pa.int32()),
        *((side, pa.float32()) for side in ("left", "top", "right", "bottom")),
        ("score", pa.float32()),
        ("interpolated", pa.bool_()),
    ]
)
"""The columns of `detections.parquet`: one row a face and frame, boxes in pixels of the film, times in seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One face of a track as the embedder sees it.

    Attributes:
        quality: 0 to 1, from `facelib.quality.quality`.
        chip: The aligned face, `(side, side, 3)` uint8 RGB.
    """

    quality: float
    chip: Image


@dataclass(slots=True, eq=False)
class Track:
    """One face followed through one shot.

    Attributes:
        number: Unique in its film, counted from 0.
        shot: 0-based number of its shot.
        frames: The sampled frames it was found in, ascending.
        boxes: One box a sampled frame: left, top, right, bottom in pixels of the film.
        scores: The detector's score in each of them.
        looks: Its best faces, at most as many as were asked for.
    """

    number: int
    shot: int
    frames: list[int] = field(default_factory=list)
    boxes: list[FloatArray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    def wants(self, quality: float, most: int) -> bool:
        """Tell whether a face of this quality would be among the `most` best of the track."""
        return len(self.looks) < most or quality > self.looks[-1].quality

    def keep(self, look: Look, most: int) -> None:
        """Add a look, and let the worst go when there are more than `most`."""
        self.looks = sorted([*self.looks, look], key=lambda one: -one.quality)[:most]


class ShotTracker:
    """SORT over the sampled frames of one shot; make a new one for every shot.

    A face must be found in two samples to begin a track. Where a face is lost for longer than
    `patience`, its track ends. Source: Bewley et al., "Simple online and realtime tracking" (ICIP 2016).

    Args:
        shot: The shot's number.
        first_number: The number of the first track.
        seconds_between_samples: The usual distance of the samples.
        patience: Seconds a face may be lost. Raising it joins more, across longer occlusions.
        least_overlap: The least IoU of a face with where its track should be, both widened by half of
            their sides each way. Raising it cuts tracks sooner.
    """

    def __init__(
        self,
        shot: int,
        first_number: int,
        *,
        seconds_between_samples: float,
        patience: float = 1.0,
        least_overlap: float = 0.15,
    ) -> None:
        self.shot = shot
        self.tracks: list[Track] = []
        self._first_number = first_number
        self._by_id: dict[int, Track] = {}
        self._unclaimed: list[tuple[int, FloatArray, float]] = []
        # Between two samples a face may move by more than its width: boxes are widened before they are compared.
        # Source: Yang et al., "Hard to track objects with irregular motions and similar appearances?
        # Make it easier by buffering the matching space" (WACV 2023).
        self._overlap = BIoU(buffer_ratio=0.5)
        self._sort = SORTTracker(
            lost_track_buffer=max(1, round(30 * patience)),
            frame_rate=1 / max(seconds_between_samples, 1e-3),
            track_activation_threshold=-np.inf,  # detectors' scores differ in scale and are filtered by the detector
            minimum_consecutive_frames=2,
            minimum_iou_threshold=least_overlap,
            iou=self._overlap,
        )

    def update(self, frame: int, time: float, faces: Faces) -> list[Track | None]:
        """Take the faces of the next sampled frame.

        Args:
            frame: The frame's number.
            time: Its presentation time in seconds, later than all before.
            faces: The faces found in it.

        Returns:
            The track of each face, None where it has none yet.
        """
        found = sv.Detections(xyxy=faces.boxes.astype(np.float64), confidence=faces.scores.astype(np.float64))
        ids = self._sort.update(found, timestamp=time).tracker_id
        linked: list[Track | None] = []
        unclaimed = []
        for i, (box, score) in enumerate(zip(faces.boxes, faces.scores, strict=True)):
            identity = int(ids[i]) if ids is not None and len(ids) else -1
            if identity < 0:
                unclaimed.append((frame, box, float(score)))
                linked.append(None)
                continue
            track = self._by_id.get(identity) or self._begin(identity, box)
            self._append(track, (frame, box, float(score)))
            linked.append(track)
        self._unclaimed = unclaimed
        return linked

    def _begin(self, identity: int, box: FloatArray) -> Track:
        # SORT names a face at its second sighting; the first one is found among those left over then.
        track = Track(self._first_number + len(self.tracks), self.shot)
        self.tracks.append(track)
        self._by_id[identity] = track
        if self._unclaimed:
            overlaps = self._overlap.compute(box[None], np.array([one[1] for one in self._unclaimed]))[0]
            if overlaps.max() > 0:
                self._append(track, self._unclaimed.pop(int(overlaps.argmax())))
        return track

    def _append(self, track: Track, sighting: tuple[int, FloatArray, float]) -> None:
        frame, box, score = sighting
        track.frames.append(frame)
        track.boxes.append(box)
        track.scores.append(score)


def fill_frames(tracks: Sequence[Track], times: FloatArray, first_frame: int) -> pd.DataFrame:
    """Return one row for every track and frame from its first to its last sample, sorted by frame.

    Boxes and scores between two samples are interpolated linearly over presentation time.

    Args:
        tracks: Tracks of one shot, each with at least one sample.
        times: Presentation time of each frame of the shot, seconds.
        first_frame: The number of the shot's first frame.

    Returns:
        The columns of `DETECTIONS`.
    """
    parts = [_fill_track(track, np.asarray(times, np.float64), first_frame) for track in tracks]
    if not parts:
        return pd.DataFrame(columns=pd.Index(DETECTIONS.names))
    return pd.concat(parts, ignore_index=True).sort_values(["frame", "track"], ignore_index=True)


def _fill_track(track: Track, times: FloatArray, first_frame: int) -> pd.DataFrame:
    frames = np.arange(track.frames[0], track.frames[-1] + 1)
    when = times[frames - first_frame]
    sampled = times[np.asarray(track.frames) - first_frame]
    boxes = np.asarray(track.boxes, np.float64)
    columns = {"frame": frames, "time": when, "shot": track.shot, "track": track.number}
    for name, values in zip(("left", "top", "right", "bottom"), boxes.T, strict=True):
        columns[name] = np.interp(when, sampled, values).astype(np.float32)
    columns["score"] = np.interp(when, sampled, track.scores).astype(np.float32)
    columns["interpolated"] = ~np.isin(frames, track.frames)
    return pd.DataFrame(columns)
