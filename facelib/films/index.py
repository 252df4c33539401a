"""One pass over a film: decode, split into shots, detect and track faces, embed the best of each track."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.embed.pose import cut_off, head_pose, turned_away, view_weights
from facelib.embed.quality import quality_of
from facelib.faces import BOX, FloatArray, Image
from facelib.films.clothes import clothes_and_hair
from facelib.films.growing import KEYFRAMES, LOOKS, GrowingTables, growing_tables
from facelib.films.hidden import drop_hidden
from facelib.films.media.decode import FilmFrame
from facelib.films.media.losses import GARBLED_WORTH
from facelib.films.media.reader import FilmReader, left_out, open_reader
from facelib.films.media.timeline import FrameTimes
from facelib.films.media.times import write_times
from facelib.films.merge import TrackFilters, merge_tracklets
from facelib.films.scenes import background, find_scenes, find_setups, small_picture
from facelib.films.search import Sample, Sampler, SearchedFrame, search_faces
from facelib.films.shots import split_shots
from facelib.films.threads import ahead
from facelib.films.track import FaceSample, ShotTracker, Track, fill_frames
from facelib.films.tracking import DETECTIONS, TRACK_TYPES, FilmTracks, TrackingSettings
from facelib.images import crop, encode_jpeg, sharpness, thumbnail
from facelib.project import FilmFiles, text_of, write_table, write_text
from facelib.project.processes import allowed_cores

_FAINT = 0.6  # of the least score: a face with this score may continue a track, never begin one
_LEAST_AHEAD, _MOST_AHEAD = 6, 24  # frames that wait between decoding and the search, and after it, at most
_PIXELS_AHEAD = 24e6  # of the frames that wait: of a large picture there are fewer
_PIXELS_UNCUT, _SECONDS_UNCUT = 24e6, 2.5  # of the samples that hold faces to be cut out, at most
_LIKE = 0.75  # of the embedder's threshold: two tracklets of one shot that near are one person
_PICTURES = 4  # of the best samples of a track are kept to be shown
_PICTURE_SIZE = 224  # pixels of the longer side
_KEYFRAME_SIZE = 320
_BACKGROUNDS = 32  # small pictures of a shot that are kept at most


def find_tracks(
    video: str | Path,
    files: FilmFiles,
    detector: Detector,
    embedder: Embedder,
    *,
    tracking: TrackingSettings | None = None,
    progress: bool = True,
) -> FilmTracks:
    """Detect and track the faces of a film; return its tracks, not yet named.

    The film is decoded once. Faces are searched in sampled frames (see `facelib.films.search.search_faces`) and in the
    first and the last frame of each shot; tracks never cross a cut. Decoding, search and what follows run in three
    threads, on one core in one; the tables are the same for any number of cores. Memory holds one shot at a time.
    Written are `detections.parquet`, `looks.parquet`, `keyframes.parquet`, `shots.csv` and `times.parquet`.

    Args:
        video: Any film PyAV reads.
        files: Where to write.
        detector: Finds the faces. Faces with three fifths of its least score may continue a track; frames in which a
            track's face is fainter than the least score are left out of the detections.
        embedder: Embeds the best faces of each track.
        tracking: How to find and track faces; None takes the defaults.
        progress: Show a bar with rate and time left.

    Raises:
        FileNotFoundError: When there is no such film.
        facelib.films.media.decode.UnreadableFilm: When it cannot be decoded.
        OSError: When the results cannot be written.
    """
    tracking = tracking or TrackingSettings()
    path = Path(video)
    shots: list[_ShotRow] = []
    rows: list[tuple[object, ...]] = []
    dropped = 0
    with open_reader(video) as reader, growing_tables(files) as tables, ExitStack() as threads:
        write_text(f"{text_of(path.name)}\n", files.source)
        most = _frames_ahead(reader)
        frames = reader.frames(count_sound=True)
        split = split_shots(frames, method=tracking.shot_method, threshold=tracking.shot_threshold)
        split = threads.enter_context(closing(ahead(split, most=most)))
        sampler = Sampler(tracking.seconds_between_samples, tracking.video_speedup)
        faint = detector.at_score(_FAINT * detector.score)
        searched = search_faces(split, faint, sampler, seconds_between_whole=tracking.seconds_between_whole)
        searched = threads.enter_context(closing(ahead(searched, most=most)))
        total = reader.expected or None
        bar = tqdm(searched, total=total, unit=" frames", desc=path.name, leave=False, disable=not progress)
        shot: _Shot | None = None
        for item in bar:
            if shot is None:
                shot = _Shot(item, len(rows), detector, embedder, tracking)
            shot.add(item)
            if item.last:
                rows += shot.close(tables)
                shots.append(shot.row())
                dropped += shot.dropped
                shot = None
        times, problem, notes = reader.times(), reader.problem(), left_out(reader)
    write_table(_shot_table(shots), files.shots)
    write_times(times, files.times)
    return FilmTracks(_track_table(rows, times), item.time, times.seconds, dropped, problem, tuple(notes))


def _track_table(rows: list[tuple[object, ...]], times: FrameTimes) -> pd.DataFrame:
    columns = [*(name for name in TRACK_TYPES if name != "until"), "embedding"]
    table = pd.DataFrame(rows, columns=pd.Index(columns))
    # What is shown last of a track stays on screen until the next frame comes, or the film ends.
    table["until"] = np.append(times.times, times.seconds)[table["end_frame"].to_numpy(np.int64) + 1]
    return table.astype(TRACK_TYPES)


_ShotRow = tuple[int, int, int, float, float, str, Image]


class _Shot:
    """Collects the frames of one shot, and makes its tracks."""

    def __init__(
        self, item: SearchedFrame, first_track: int, detector: Detector, embedder: Embedder, tracking: TrackingSettings
    ) -> None:
        self.detector, self.embedder, self.tracking = detector, embedder, tracking
        self.number, self.transition = item.shot, item.transition
        self.first_frame, self.times = item.index, list[float]()
        self.place = _Place()
        self.sure, self.first_track, self.dropped = detector.score, first_track, 0
        self.waiting: Sample | None = None  # until it is known whether another one follows soon
        self.sampled = -np.inf  # time of the sample before
        # Samples with the tracks that took faces of them: cut out later, when many are no longer among the best.
        self.uncut: list[tuple[Sample, list[Track]]] = []
        self.tracker = ShotTracker(
            item.shot,
            first_track,
            method=tracking.tracker,
            seconds_between_samples=tracking.seconds_between_samples or 0.04,
            sure_score=detector.score,
        )

    def add(self, item: SearchedFrame) -> None:
        self.times.append(item.time)
        if item.sample is not None:
            self._sample(item.sample.frame.time)
            self.waiting = item.sample

    def _sample(self, following: float) -> None:
        """Track the faces of the sample that waits; `following` is the time of the next one."""
        if self.waiting is None:
            return
        frame, faces, sample = self.waiting.frame, self.waiting.faces, self.waiting
        alone = min(frame.time - self.sampled, following - frame.time) > self.tracker.patience
        self.sampled, self.waiting = frame.time, None
        self.place.add(sample)
        tracks = self.tracker.update(frame.index, frame.time, faces, alone=alone)
        if not len(faces):
            return
        poses, most = head_pose(faces.landmarks), self.tracking.faces_per_track
        worth = _worth(sample, poses)
        wanted = [(i, track) for i, track in enumerate(tracks) if track and track.wants(float(worth[i]), most)]
        for i, track in wanted:
            where = {"frame": frame.index, "time": frame.time, "face": i, "box": faces.boxes[i]}
            track.keep(FaceSample(float(worth[i]), **where, score=float(faces.scores[i]), pose=poses[i]), most)
        self.uncut += [(sample, [track for _, track in wanted])] if wanted else []
        pixels = len(self.uncut) * frame.width * frame.height
        if self.uncut and (pixels > _PIXELS_UNCUT or frame.time - self.uncut[0][0].frame.time > _SECONDS_UNCUT):
            self._cut()

    def _cut(self) -> None:
        """Cut those faces out of the samples that wait which still are among the best of their tracks."""
        for sample, tracks in self.uncut:
            at = sample.frame.index
            places = [(track, i) for track in tracks for i, look in enumerate(track.looks) if look.frame == at]
            looks = [track.looks[i] for track, i in places]
            shown = [i < _PICTURES for _, i in places]  # one that is not among the best never will be
            for (track, i), look in zip(places, self._looks(sample, looks, shown), strict=True):
                track.looks[i] = look
        self.uncut = []

    def _looks(self, sample: Sample, looks: list[FaceSample], shown: list[bool]) -> Iterator[FaceSample]:
        if not looks:
            return
        faces = sample.faces[[look.face for look in looks]]
        image = sample.picture if sample.is_whole else sample.frame.image()
        chips = self.embedder.chips(image, faces)
        dressed, heads = clothes_and_hair(image, faces, np.stack([look.pose for look in looks]))
        cuts = cut_off(faces, *image.shape[:2])
        for i, look in enumerate(looks):
            yield replace(
                look,
                chip=chips[i],
                picture=thumbnail(crop(image, faces.boxes[i], margin=0.5), size=_PICTURE_SIZE) if shown[i] else None,
                clothes=dressed[i],
                hair=heads[i],
                cut=float(cuts[i]),
            )

    def close(self, tables: GrowingTables) -> list[tuple[object, ...]]:
        """Write the shot's results, and return a row for each track."""
        self._sample(np.inf)
        self._cut()
        times = np.asarray(self.times)
        tracks = self._tracks(times)
        found = fill_frames(tracks, times, self.first_frame, longest_gap=self.tracker.patience)
        found = drop_hidden(found[found["score"] >= self.sure].reset_index(drop=True), self.tracker.samples)
        tables.detections.add(pa.Table.from_pandas(found, DETECTIONS, preserve_index=False))
        looks = [row for track in tracks for row in _look_rows(track)]
        tables.looks.add(pa.Table.from_pylist(looks, LOOKS))
        time, picture = self.place.keyframe()
        keyframe = {"shot": self.number, "time": time, "picture": picture}
        tables.keyframes.add(pa.Table.from_pylist([keyframe], KEYFRAMES))
        numbers, frames = found["track"].to_numpy(), found["frame"].to_numpy()
        return [self._row(track, frames[numbers == track.number], times) for track in tracks]

    def _tracks(self, times: NDArray[np.float64]) -> list[Track]:
        """Return the tracks of the shot, with tracklets of one face joined, without false detections."""
        tracks = self.tracker.tracks
        _embed(tracks, self.embedder)
        means = np.array([_mean(track) for track in tracks])
        like = _LIKE * (self.embedder.threshold if np.isfinite(self.embedder.threshold) else 0.0)
        joined = merge_tracklets(tracks, means, times, self.first_frame, largest_distance=like)
        filters = TrackFilters.of(self.detector.name)
        kept = [track for track in joined if not filters.why_no_face(track, times, self.first_frame)]
        self.dropped = len(joined) - len(kept)
        for number, track in enumerate(kept):
            track.number = self.first_track + number
        return kept

    def row(self) -> _ShotRow:
        """Return the shot's row."""
        last = self.first_frame + len(self.times) - 1
        return (
            *(self.number, self.first_frame, last, self.times[0], self.times[-1]),
            self.transition,
            self.place.background(),
        )

    def _row(self, track: Track, frames: NDArray[np.int64], times: NDArray[np.float64]) -> tuple[object, ...]:
        first, last = int(frames[0]), int(frames[-1])
        start, end = times[first - self.first_frame], times[last - self.first_frame]
        return track.number, track.shot, first, last, start, end, len(track.frames), _mean(track)


class _Place:
    """A shot's keyframe, from its second half, and its background without passers-by."""

    def __init__(self) -> None:
        self._keyframe: FilmFrame | None = None
        self._small: list[Image] = []
        self._count, self._step = 0, 1

    def add(self, sample: Sample) -> None:
        if self._count & (self._count + 1) == 0:  # the 1st, 2nd, 4th, 8th ...: the last of them is never an early one
            self._keyframe = sample.frame
        if self._count % self._step == 0:
            self._small.append(small_picture(sample.preview)[:, :, ::-1])
            if len(self._small) > _BACKGROUNDS:
                self._small, self._step = self._small[::2], self._step * 2
        self._count += 1

    def keyframe(self) -> tuple[float, bytes]:
        """Return its time and its picture as JPEG."""
        assert self._keyframe is not None
        return self._keyframe.time, encode_jpeg(self._keyframe.picture(_KEYFRAME_SIZE), quality=80)

    def background(self) -> Image:
        return background(self._small)


def _frames_ahead(reader: FilmReader) -> int:
    """Return how many frames may wait: enough for what is decoded while samples of a second are searched.

    On one core none does: there threads only take turns.
    """
    if allowed_cores() == 1:
        return 0
    context = reader.stream.codec_context
    pixels = max(1, context.width * context.height)
    return int(min(_MOST_AHEAD, max(_LEAST_AHEAD, _PIXELS_AHEAD / pixels)))


def _worth(sample: Sample, poses: FloatArray) -> FloatArray:
    """Return the quality of each face of a sample; of a garbled picture little is left, so that others are taken."""
    frame, faces = sample.frame, sample.faces
    luma, _, _ = frame.planes(own=False)  # as it lies in the film: no colours are converted
    sharp = [frame.contrast**2 * sharpness(luma, box) for box in faces.boxes]
    worth = quality_of(faces, poses, sharp, frame.height, frame.width)
    return worth * np.float32(GARBLED_WORTH if frame.garbled else 1)


def _shot_table(shots: list[_ShotRow]) -> pd.DataFrame:
    columns = ["shot", "start_frame", "end_frame", "start", "end", "transition", "background"]
    table = pd.DataFrame(shots, columns=pd.Index(columns))
    backgrounds = table.pop("background").to_list()
    return table.assign(scene=find_scenes(backgrounds, table["start"].to_list()), setup=find_setups(backgrounds))


def _embed(tracks: list[Track], embedder: Embedder) -> None:
    """Fill in the embeddings of all face samples, computed in one batch."""
    looks = [look for track in tracks for look in track.looks]
    if not looks:
        return
    vectors = iter(embedder.embed_chips(np.stack([look.chip for look in looks if look.chip is not None])))
    for track in tracks:
        track.looks = [replace(look, embedding=next(vectors)) for look in track.looks]


def _mean(track: Track) -> FloatArray:
    """Return the mean embedding of a track's best faces, weighted by `view_weights`."""
    away = turned_away(np.stack([look.pose for look in track.looks]), np.array([look.cut for look in track.looks]))
    weights = view_weights(np.array([look.quality for look in track.looks]), away)
    vectors = np.stack([look.embedding for look in track.looks if look.embedding is not None])
    return np.asarray(np.average(vectors, axis=0, weights=weights), np.float32)


def _look_rows(track: Track) -> Iterator[dict[str, Any]]:
    for place, look in enumerate(track.looks):
        assert look.box is not None
        yield {
            "track": track.number,
            "shot": track.shot,
            "frame": look.frame,
            "time": look.time,
            **dict(zip(BOX, look.box.tolist(), strict=True)),
            "score": look.score,
            "quality": look.quality,
            "embedding": look.embedding,
            **{
                name: [] if seen is None else seen.astype(np.float16)
                for name, seen in (("clothes", look.clothes), ("hair", look.hair))
            },
            "picture": b"" if place >= _PICTURES or look.picture is None else encode_jpeg(look.picture, quality=88),
            **dict(zip(("yaw", "pitch", "roll"), look.pose.tolist(), strict=True)),
            "cut": look.cut,
        }
