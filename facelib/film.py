"""One pass over a film: decode, cut into shots, find faces, follow them, embed the best of each track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.faces import FloatArray
from facelib.project import FilmFiles, writing
from facelib.quality import quality
from facelib.shots import ShotFrame, split_shots
from facelib.track import DETECTIONS, Look, ShotTracker, Track, fill_frames
from facelib.video import probe, read_frames

_TRACK_TYPES = {
    "track": "int32",
    "shot": "int32",
    "start_frame": "int32",
    "end_frame": "int32",
    "start": "float64",
    "end": "float64",
    "faces": "int32",
}


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What one pass over a film found.

    Attributes:
        tracks: One row a track: `track`, `shot`, `start_frame`, `end_frame`, `start`, `end` (seconds),
            `faces` (how many sampled), `embedding` (quality-weighted mean of its best faces).
        read_until: Presentation time of the last frame that could be decoded, seconds.
        duration: How long the file says that it is, seconds; 0 when it does not say.
    """

    tracks: pd.DataFrame
    read_until: float
    duration: float

    @property
    def problem(self) -> str:
        """Why the result is not about the whole film, or nothing."""
        if self.read_until >= 0.98 * self.duration - 1:  # sound often runs a little longer than the pictures
            return ""
        return f"read to {self.read_until:.1f} of {self.duration:.1f} seconds: the rest is missing or damaged"


def find_tracks(
    video: str | Path,
    files: FilmFiles,
    finder: Detector,
    net: Embedder,
    *,
    seconds_between_samples: float = 0.2,
    faces_per_track: int = 8,
    shot_threshold: float = 3.0,
    progress: bool = True,
) -> Followed:
    """Find and follow the faces of a film; write `detections.parquet` and return its tracks, not yet named.

    The film is decoded once. Faces are looked for every so many seconds and in the first and the
    last frame of each shot; tracks never cross a cut. Memory holds one shot at a time.

    Args:
        video: Any film PyAV reads.
        files: Where to write.
        finder: Finds the faces.
        net: Embeds the best faces of each track.
        seconds_between_samples: 0 looks at every frame; raising it is faster and loses short appearances.
        faces_per_track: How many of its best faces speak for a track.
        shot_threshold: See `facelib.shots.split_shots`; raising it finds fewer cuts.
        progress: Show a bar with rate and time left.

    Raises:
        FileNotFoundError: When there is no such film.
        facelib.video.UnreadableFilm: When it cannot be decoded.
        OSError: When the results cannot be written.
    """
    info = probe(video)
    frames = split_shots(read_frames(video), threshold=shot_threshold)
    bar = tqdm(frames, total=info.frames or None, unit=" frames", desc=info.path.name, disable=not progress)
    rows: list[tuple[object, ...]] = []
    with writing(files.detections) as temporary, pq.ParquetWriter(temporary, DETECTIONS) as detections, bar:
        shot: _Shot | None = None
        for item in bar:
            if shot is None:
                shot = _Shot(item, len(rows), finder, net, seconds_between_samples, faces_per_track)
            shot.add(item)
            if item.last:
                found, tracks = shot.close()
                detections.write_table(pa.Table.from_pandas(found, DETECTIONS, preserve_index=False))
                rows += tracks
                shot = None
    table = pd.DataFrame(rows, columns=pd.Index([*_TRACK_TYPES, "embedding"])).astype(_TRACK_TYPES)
    return Followed(table, item.frame.time, info.duration)


class _Shot:
    """The frames of one shot as they pass, and the tracks that come out of them."""

    def __init__(
        self, item: ShotFrame, first_track: int, finder: Detector, net: Embedder, seconds: float, most: int
    ) -> None:
        self.finder, self.net, self.seconds, self.most = finder, net, seconds, most
        self.first_frame = item.frame.index
        self.times: list[float] = []
        self.due = -np.inf
        self.tracker = ShotTracker(item.shot, first_track, seconds_between_samples=seconds or 0.04)

    def add(self, item: ShotFrame) -> None:
        self.times.append(item.frame.time)
        if item.first or item.last or item.frame.time >= self.due - 1e-6:
            # On a grid from the shot's first frame, so that the mean distance is the one asked for.
            self.due += self.seconds
            if self.due <= item.frame.time:
                self.due = item.frame.time + self.seconds
            self._sample(item)

    def _sample(self, item: ShotFrame) -> None:
        image = item.frame.image()
        faces = self.finder.detect(image)
        tracks = self.tracker.update(item.frame.index, item.frame.time, faces)
        worth = quality(image, faces)
        wanted = [i for i, track in enumerate(tracks) if track is not None and track.wants(float(worth[i]), self.most)]
        if not wanted:
            return
        for i, chip in zip(wanted, self.net.chips(image, faces[wanted]), strict=True):
            track = tracks[i]
            assert track is not None
            track.keep(Look(float(worth[i]), chip), self.most)

    def close(self) -> tuple[pd.DataFrame, list[tuple[object, ...]]]:
        tracks = self.tracker.tracks
        times = np.asarray(self.times)
        vectors = _mean_embeddings(tracks, self.net)
        rows = [self._row(track, times, vector) for track, vector in zip(tracks, vectors, strict=True)]
        return fill_frames(tracks, times, self.first_frame), rows

    def _row(self, track: Track, times: NDArray[np.float64], vector: FloatArray) -> tuple[object, ...]:
        first, last = track.frames[0], track.frames[-1]
        start, end = times[first - self.first_frame], times[last - self.first_frame]
        return track.number, track.shot, first, last, start, end, len(track.frames), vector


def _mean_embeddings(tracks: list[Track], net: Embedder) -> list[FloatArray]:
    if not tracks:
        return []
    chips = np.stack([look.chip for track in tracks for look in track.looks])
    vectors = net.embed_chips(chips)
    means, start = [], 0
    for track in tracks:
        end = start + len(track.looks)
        weights = np.array([look.quality for look in track.looks]) + 1e-3
        means.append(np.average(vectors[start:end], axis=0, weights=weights).astype(np.float32))
        start = end
    return means
