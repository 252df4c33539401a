"""Link faces over time into tracks, inside one shot."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import supervision as sv
from numpy.typing import ArrayLike, NDArray
from trackers import BIoU, ByteTrackTracker, OCSORTTracker, SORTTracker

from facelib.faces import BOX, Faces, FloatArray, Image
from facelib.films.tracking import DETECTIONS, TrackMethod

_LEAST_OVERLAP = 0.15  # IoU of a face with where its track should be, both widened by half of their sides each way
_Sighting = tuple[int, FloatArray, float]  # frame, box, score


@dataclass(frozen=True, slots=True, eq=False)
class FaceSample:
    """One face of a track, in one frame.

    Attributes:
        quality: 0 to 1, from `facelib.embed.quality.quality`.
        chip: The face as the embedder needs it, `(side, side, 3)` uint8 RGB; None until it is cut out, as are picture,
            clothes and hair, with the cut unknown until then.
        frame: The frame's number.
        time: Its presentation time, seconds.
        face: Its number among the faces of the frame.
        box: Left, top, right, bottom in pixels of the film.
        score: The detector's.
        picture: The face with its surroundings, `(height, width, 3)` uint8 RGB, for display.
        clothes: From `facelib.films.clothes`; None where they are not in the picture.
        hair: The same.
        pose: Yaw, pitch and roll in degrees, from `facelib.embed.pose.head_pose`; NaN where not known.
        cut: 0 to 1, how far the picture's edge cuts the face, from `facelib.embed.pose.cut_off`.
        embedding: Of the chip; None until the shot has ended.
    """

    quality: float
    chip: Image | None = None
    frame: int = 0
    time: float = 0.0
    face: int = 0
    box: FloatArray | None = None
    score: float = 0.0
    picture: Image | None = None
    clothes: FloatArray | None = None
    hair: FloatArray | None = None
    pose: FloatArray = field(default_factory=lambda: np.full(3, np.nan, np.float32))
    cut: float = 0.0
    embedding: FloatArray | None = None


@dataclass(slots=True, eq=False)
class Track:
    """One face followed through one shot.

    Attributes:
        number: Unique in its film, counted from 0.
        shot: 0-based number of its shot.
        frames: The sampled frames it was found in, ascending.
        boxes: One box per sampled frame: left, top, right, bottom in pixels of the film.
        scores: The detector's score in each of them.
        looks: Its best faces, at most as many as were asked for.
        missed: In how many samples between its first and its last it was not found.
    """

    number: int
    shot: int
    frames: list[int] = field(default_factory=list)
    boxes: list[FloatArray] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    looks: list[FaceSample] = field(default_factory=list)
    missed: int = 0

    def wants(self, quality: float, most: int) -> bool:
        """Return whether a face of this quality would be among the `most` best of the track."""
        return len(self.looks) < most or quality > self.looks[-1].quality

    def add(self, frame: int, box: FloatArray, score: float) -> None:
        """Add what was found in one sampled frame, later than all before."""
        self.frames.append(frame)
        self.boxes.append(box)
        self.scores.append(score)

    def keep(self, look: FaceSample, most: int) -> None:
        """Add a face sample, and drop the worst when there are more than `most`."""
        self.looks = sorted([*self.looks, look], key=lambda one: -one.quality)[:most]


class ShotTracker:
    """Follows faces over the sampled frames of one shot; make a new one for every shot.

    A face must be found in `sightings` samples to begin a track. Where a face is lost for longer than
    `patience`, its track ends. Sources: Bewley et al., "Simple online and realtime tracking" (ICIP 2016); Zhang et
    al., "ByteTrack: multi-object tracking by associating every detection box" (ECCV 2022); Cao et al.,
    "Observation-centric SORT" (CVPR 2023).

    Args:
        shot: The shot's number.
        first_number: The number of the first track.
        seconds_between_samples: The usual distance of the samples.
        method: `sort` links all faces at once; `bytetrack` those with high scores first; `ocsort` also checks whether a
            face lies in the direction of its track.
        patience: Seconds a face may be lost; at least one and a half times those between samples are taken.
            Raising it joins more, across longer occlusions.
        sure_score: The detector's score from which a face may begin a track; fainter ones only continue one. None lets
            every face begin one.
        sightings: In how many samples a face must be found to begin a track: with 1 every certain face begins one,
            false ones too; with 2 the first sighting is added to the track at the second one.

    Attributes:
        tracks: The tracks so far, in the order of their numbers.
        samples: The sampled frames, ascending.
        patience: Seconds a face may be lost.

    Raises:
        ValueError: When there is no such method.
    """

    def __init__(
        self,
        shot: int,
        first_number: int,
        *,
        seconds_between_samples: float,
        method: TrackMethod = "bytetrack",
        patience: float = 1.0,
        sure_score: float | None = None,
        sightings: Literal[1, 2] = 2,
    ) -> None:
        self.shot = shot
        self.tracks: list[Track] = []
        self.samples: list[int] = []
        self._least_patience, self.patience = patience, max(patience, 1.5 * seconds_between_samples)
        self._first_number = first_number
        self._sure = -np.inf if sure_score is None else sure_score
        self._at_once = sightings == 1
        self._by_id: dict[int, Track] = {}
        self._young: list[tuple[float, Track]] = []  # begun at once; the linker has no number for them yet
        self._unclaimed: list[_Sighting] = []  # the last sample's faces without a number
        self._numbered: dict[int, _Sighting] = {}  # faces with one that may not begin a track yet
        # Between two samples a face may move by more than its width: boxes are widened before they are compared.
        # Source: Yang et al., "Hard to track objects with irregular motions and similar appearances?
        # Make it easier by buffering the matching space" (WACV 2023).
        self._overlap = BIoU(buffer_ratio=0.5)
        self._linker = _linker(method, self._overlap, seconds_between_samples, self.patience, self._sure, sightings)

    def expect(self, seconds: float) -> None:
        """Be as patient as samples need that lie so many seconds apart; to be called where that changes."""
        self.patience = max(self._least_patience, 1.5 * seconds)
        self._linker.maximum_time_without_update = self.patience

    def update(self, frame: int, time: float, faces: Faces, *, alone: bool = False) -> list[Track | None]:
        """Take the faces of the next sampled frame, whose time in seconds is later than all before.

        Where it is `alone`, no other sample lies near enough for a second sighting, as in a series of stills: every
        sure face then begins a track.

        Returns:
            The track of each face, None where it has none yet.
        """
        self.samples.append(frame)
        self._young = [(seen, track) for seen, track in self._young if time - seen <= self.patience]
        linked: list[Track | None] = []
        unclaimed: list[_Sighting] = []
        for identity, box, score in zip(self._identities(time, faces), faces.boxes, faces.scores, strict=True):
            sighting = (frame, box, float(score))
            if identity < 0:
                track = self._begin_at_once(time, sighting) if alone or self._at_once else None
            else:
                track = self._by_id.get(identity) or self._begin(identity, sighting)
            if track is not None:
                if track.frames:
                    track.missed += len(self.samples) - 1 - bisect_right(self.samples, track.frames[-1])
                track.add(*sighting)
            elif identity < 0:
                unclaimed.append(sighting)
            linked.append(track)
        self._unclaimed = unclaimed
        return linked

    def _identities(self, time: float, faces: Faces) -> list[int]:
        """Return the linker's number for each face, -1 where it has none."""
        count = len(faces)
        found = sv.Detections(
            xyxy=faces.boxes.astype(np.float64),
            confidence=faces.scores.astype(np.float64),
            data={"face": np.arange(count)},
        )
        linked = self._linker.update(found, timestamp=time)
        identities = np.full(count, -1)
        if len(linked) and linked.tracker_id is not None:
            # Some return the faces in another order.
            identities[np.asarray(linked.data["face"])] = linked.tracker_id
        return [int(one) for one in identities]

    def _begin_at_once(self, time: float, sighting: _Sighting) -> Track | None:
        if sighting[2] < self._sure:
            return None
        track = self._new_track()
        self._young.append((time, track))
        return track

    def _begin(self, identity: int, sighting: _Sighting) -> Track | None:
        young = self._claim_young(sighting)
        if young is not None:
            self._by_id[identity] = young
            return young
        first = self._first_sighting(identity, sighting)
        if first is None or max(first[2], sighting[2]) < self._sure:
            self._numbered[identity] = sighting
            return None
        track = self._by_id[identity] = self._new_track()
        track.add(*first)
        return track

    def _new_track(self) -> Track:
        self.tracks.append(Track(self._first_number + len(self.tracks), self.shot))
        return self.tracks[-1]

    def _claim_young(self, sighting: _Sighting) -> Track | None:
        earlier = [(seen, track) for seen, track in self._young if track.frames[-1] < sighting[0]]
        nearest = self._nearest(sighting, [track.boxes[-1] for _, track in earlier])
        if nearest is None:
            return None
        self._young.remove(earlier[nearest])
        return earlier[nearest][1]

    def _first_sighting(self, identity: int, sighting: _Sighting) -> _Sighting | None:
        # A face gets its number at its second sighting; the first is among those left over in the sample before.
        if identity in self._numbered:
            return self._numbered.pop(identity)
        nearest = self._nearest(sighting, [box for _, box, _ in self._unclaimed])
        return None if nearest is None else self._unclaimed.pop(nearest)

    def _nearest(self, sighting: _Sighting, boxes: list[FloatArray]) -> int | None:
        if not boxes:
            return None
        overlaps = self._overlap.compute(sighting[1][None], np.array(boxes))[0]
        return int(overlaps.argmax()) if overlaps.max() > 0 else None


def _linker(
    method: TrackMethod,
    overlap: BIoU,
    seconds: float,
    patience: float,
    sure: float,
    sightings: int,
) -> SORTTracker | ByteTrackTracker | OCSORTTracker:
    common: dict[str, Any] = {
        "lost_track_buffer": max(1, round(30 * patience)),
        "frame_rate": 1 / max(seconds, 1e-3),
        "minimum_consecutive_frames": sightings,
        "minimum_iou_threshold": _LEAST_OVERLAP,
        "iou": overlap,
    }
    # Detectors' scores differ in scale and have been filtered by the detector: the library's own limits stay open.
    if method == "sort":
        return SORTTracker(**common, track_activation_threshold=sure)
    if method == "bytetrack":
        return ByteTrackTracker(**common, track_activation_threshold=sure, high_conf_det_threshold=sure)
    if method == "ocsort":
        # Where a face was lost, this one would give it its number back only when it had been found twice again.
        common["minimum_consecutive_frames"] = 1
        return OCSORTTracker(**common, high_conf_det_threshold=-np.inf)
    raise ValueError(f"expected method 'sort', 'bytetrack' or 'ocsort', got {method!r}")


def fill_frames(
    tracks: Sequence[Track], times: ArrayLike, first_frame: int, *, longest_gap: float = np.inf
) -> pd.DataFrame:
    """Return one row of `DETECTIONS` for each track and frame from its first to its last sample, sorted by frame.

    Boxes and scores between two samples are interpolated linearly over presentation time.

    Args:
        tracks: Tracks of one shot, each with at least one sample.
        times: Presentation time of each frame of the shot, seconds.
        first_frame: The number of the shot's first frame.
        longest_gap: Seconds between two samples beyond which boxes are not interpolated: there are no rows then. Must
            be more than the seconds between samples.
    """
    when = np.asarray(times, np.float64)
    parts = [_fill_track(track, when, first_frame, longest_gap) for track in tracks]
    if not parts:
        return pd.DataFrame(columns=pd.Index(DETECTIONS.names))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in DETECTIONS.names}
    order = np.lexsort([columns["track"], columns["frame"]])
    return pd.DataFrame({name: values[order] for name, values in columns.items()})


def _fill_track(
    track: Track, times: NDArray[np.float64], first_frame: int, longest_gap: float
) -> dict[str, NDArray[Any]]:
    found = np.asarray(track.frames)
    sampled = times[found - first_frame]
    follows = np.append(np.repeat(np.diff(sampled) <= longest_gap + 1e-6, np.diff(found)), True)
    frames = np.arange(found[0], found[-1] + 1)
    seen = np.isin(frames, found)
    frames, seen = frames[seen | follows], seen[seen | follows]
    when = times[frames - first_frame]
    shot, number = (np.full(len(frames), value) for value in (track.shot, track.number))
    columns = {"frame": frames, "time": when, "shot": shot, "track": number}
    for name, values in zip(BOX, np.asarray(track.boxes, np.float64).T, strict=True):
        columns[name] = np.interp(when, sampled, values).astype(np.float32)
    columns["score"] = np.interp(when, sampled, track.scores).astype(np.float32)
    columns["interpolated"] = ~seen
    return columns
