"""How well each tracker follows labelled faces, before and after stitching and the rules for false ones.

Faces are looked for once, every 0.2 seconds and at both ends of each shot; every tracker then gets the same ones.

Usage: python benchmarks/tracking.py [--data ../shared/data] [--detectors mtcnn centerface FILE.onnx]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from timing import seconds

from facelib.detect import Detector, load_detector
from facelib.embed import Embedder, load_embedder
from facelib.embed.quality import quality
from facelib.evaluate import Truth, count, load_truth, match_faces, score_tracking
from facelib.faces import Faces, FloatArray
from facelib.films.media.decode import read_frames
from facelib.films.merge import TrackFilters, merge_tracklets
from facelib.films.shots import split_shots
from facelib.films.track import FaceSample, ShotTracker, Track, fill_frames
from facelib.films.tracking import TrackMethod

HERE = Path(__file__).resolve().parent
STEP = 0.2  # seconds between samples
METHODS: tuple[TrackMethod, ...] = ("sort", "bytetrack", "ocsort")
REPEATS = 3
# The minimum score of a face, and that from which it may begin a track; the rest take the detector's own for both.
SCORES: dict[str, tuple[float, float | None]] = {"centerface": (0.3, 0.5), "yunet": (0.5, None)}


@dataclass
class Sample:
    """The faces of one frame that was looked at."""

    frame: int
    time: float
    faces: Faces
    worth: FloatArray
    vectors: FloatArray


@dataclass
class Shot:
    """One shot: when its frames are shown, and what was seen in it."""

    number: int
    first_frame: int
    times: list[float] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


@dataclass
class Film:
    """The shots of one film, and who truly is in it."""

    shots: list[Shot]
    truth: Truth


@dataclass(frozen=True)
class Settings:
    """What is done with the samples."""

    name: str
    method: TrackMethod
    sure_score: float | None
    stitched: bool = False
    filters: TrackFilters | None = None


def look_at(path: Path, truth: Path, detector: Detector, embedder: Embedder) -> Film:
    """Decode a film once and find and embed the faces of its samples."""
    shots: list[Shot] = []
    due = 0.0
    for item in split_shots(read_frames(path)):
        frame = item.frame
        if item.first:
            shots.append(Shot(item.shot, frame.index))
        shots[-1].times.append(frame.time)
        if item.first or item.last or frame.time >= due - 1e-6:
            due = frame.time + STEP if item.first or due + STEP <= frame.time else due + STEP
            image = frame.image()
            faces = detector.detect(image)
            shots[-1].samples.append(
                Sample(frame.index, frame.time, faces, quality(image, faces), embedder.embed(image, faces))
            )
    return Film(shots, load_truth(truth))


def follow(shot: Shot, settings: Settings, first_number: int) -> tuple[list[Track], FloatArray]:
    """Follow the faces of one shot; return its tracks and their mean embeddings."""
    tracker = ShotTracker(
        shot.number,
        first_number,
        seconds_between_samples=STEP,
        method=settings.method,
        sure_score=settings.sure_score,
    )
    seen: dict[int, list[tuple[float, FloatArray]]] = {}
    for sample in shot.samples:
        linked = tracker.update(sample.frame, sample.time, sample.faces)
        for track, worth, vector in zip(linked, sample.worth, sample.vectors, strict=True):
            if track is not None:
                track.keep(FaceSample(float(worth), np.empty((0, 0, 3), np.uint8)), 8)
                seen.setdefault(track.number, []).append((float(worth), vector))
    means = [mean_of(seen[track.number]) for track in tracker.tracks]
    return tracker.tracks, np.array(means, np.float32)


def mean_of(seen: list[tuple[float, FloatArray]]) -> FloatArray:
    """Return the mean embedding of the eight best faces, weighted by their quality."""
    best = sorted(seen, key=lambda one: -one[0])[:8]
    weights = [worth + 1e-3 for worth, _ in best]
    return np.asarray(np.average([vector for _, vector in best], axis=0, weights=weights), np.float32)


def table_of(film: Film, settings: Settings, embedder: Embedder) -> tuple[pd.DataFrame, int, int]:
    """Return the film's detections, and how many tracks were kept and dropped."""
    parts, kept, dropped = [], 0, 0
    for shot in film.shots:
        tracks, vectors = follow(shot, settings, kept + dropped)
        if settings.stitched:
            limit = 0.75 * embedder.threshold
            tracks = merge_tracklets(tracks, vectors, shot.times, shot.first_frame, largest_distance=limit)
        faces = tracks
        if (filters := settings.filters) is not None:
            faces = [track for track in tracks if not filters.why_no_face(track, shot.times, shot.first_frame)]
        parts.append(fill_frames(faces, shot.times, shot.first_frame, longest_gap=1.0))
        kept, dropped = kept + len(faces), dropped + len(tracks) - len(faces)
    whole = [part for part in parts if len(part)]
    return pd.concat(whole, ignore_index=True).assign(person="unknown", cluster=""), kept, dropped


def row(films: list[Film], settings: Settings, embedder: Embedder, ratio: float) -> str:
    """Measure one way of following and return it as a row of the table."""
    tables = [table_of(film, settings, embedder) for film in films]
    pairs = [(table, film.truth) for (table, _, _), film in zip(tables, films, strict=True)]
    scores = [count(match_faces(found, truth)) for found, truth in pairs]
    total = sum(scores[1:], scores[0])
    followed = score_tracking(pairs)
    cells = [
        settings.name,
        f"{sum(kept for _, kept, _ in tables)}",
        f"{sum(dropped for _, _, dropped in tables)}",
        f"{followed.found_per_labelled:.2f}",
        f"{total.recall:.3f}",
        f"{total.false}",
        f"{followed.idf1:.3f}",
        f"{followed.hota:.3f}",
        f"{followed.association:.3f}",
        f"{followed.switches}",
        f"{ratio:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def speeds(films: list[Film], choices: list[Settings]) -> list[float]:
    """Return how many times as long as the first each way takes to link the samples, all by turns."""

    def link(settings: Settings) -> None:
        for film in films:
            for shot in film.shots:
                follow(shot, settings, 0)

    rounds = [[seconds(lambda one=one: link(one)) for one in choices] for _ in range(REPEATS)]  # type: ignore[misc]
    middle = [statistics.median(times) for times in zip(*rounds, strict=True)]
    return [one / middle[0] for one in middle]


def print_table(title: str, films: list[Film], embedder: Embedder, *, name: str, sure_score: float | None) -> None:
    """Print how every tracker does on some films."""
    plain = [Settings(method, method, sure_score) for method in METHODS]
    filters = TrackFilters.of(name)
    more = [
        Settings("bytetrack, stitched", "bytetrack", sure_score, stitched=True),
        Settings("bytetrack, stitched, rules", "bytetrack", sure_score, stitched=True, filters=filters),
    ]
    heads = ["tracker", "tracks", "dropped", "for each person and shot", "recall", "false faces", "IDF1", "HOTA"]
    heads += ["AssA", "switches", "time against sort"]
    print(f"\n{title}\n\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    ratios = speeds(films, plain)
    for settings, ratio in zip([*plain, *more], [*ratios, ratios[1], ratios[1]], strict=True):
        print(row(films, settings, embedder, ratio), flush=True)


def films_of(folder: Path, detector: Detector, embedder: Embedder) -> Iterable[Film]:
    """Yield the films of one set of data that have a truth table."""
    for path in sorted((folder / "videos").glob("*.mp4")):
        yield look_at(path, folder / "truth" / f"{path.stem}.csv", detector, embedder)


def main() -> None:
    """Print a table for each set of data and detector."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--detectors", nargs="*", default=["mtcnn", "centerface"])
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        print(f"left out: expected the labelled films in {str(arguments.data)!r}, found no folder; pass --data")
        return
    embedder = load_embedder("dlib")
    for name in arguments.detectors:
        kind = "yunet" if "yunet" in name else name
        score, sure_score = SCORES.get(kind, (None, None))
        for folder, smallest, working in (("film_clips", 40, 640), ("sitcom", 16, None)):
            detector = load_detector(name, smallest_face=smallest, score=score, working_size=working)
            films = list(films_of(arguments.data / folder, detector, embedder))
            print_table(f"{folder}, {detector.description}", films, embedder, name=kind, sure_score=sure_score)


if __name__ == "__main__":
    main()
