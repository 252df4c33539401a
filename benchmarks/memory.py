"""A long film through the stages of notebook 05: time and memory of each, and the same tables from any number of cores.

The film is made by repeating clips, copied without encoding. Early and late are the first and last quarter of a stage.

With --height the clips are made smaller once, and with --every faces are searched less often, so that a film of two
hours is worked on within a quarter of an hour, and without drawing in half of that: the pieces that grow with its
length are the same.

Usage: python benchmarks/memory.py [--minutes 1 20] [--height 180] [--every 1.0] [--no-drawing] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
from context import info_for

import facelib
from facelib.films.identify import grouping_of
from facelib.films.indexed import index_film
from facelib.films.name import name_film
from facelib.films.present import draw_films, export_films
from facelib.films.settle import settle_films
from facelib.films.tracking import TrackingSettings
from facelib.gallery import build_gallery
from facelib.plots import project_colours
from facelib.project.processes import memory_settings

SHARED = Path(__file__).parents[2] / "shared" / "data" / "film_clips"
MB = 1e6


class Stages:
    """What each stage of the film step costs, and the memory of this process meanwhile, read every half second."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self.memory: list[float] = []
        self.process = psutil.Process()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.memory.append(self.process.memory_info().rss / MB)
            time.sleep(0.5)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        before, start, busy = len(self.memory), time.perf_counter(), time.process_time()
        yield
        wall, busy = time.perf_counter() - start, time.process_time() - busy
        memory = self.memory[before:] or self.memory[-1:]
        quarter = max(1, len(memory) // 4)
        figures = {"early MB": max(memory[:quarter]), "late MB": max(memory[-quarter:]), "peak MB": max(memory)}
        self.rows.append({"stage": name, "seconds": wall, "processor seconds": busy, **figures})


def work(place: Path, cores: list[int], *, every: float, draw: bool, export: bool) -> dict[str, object]:
    """Run the stages of notebook 05 on a film in this process; return their rows, and the digests of the tables.

    Args:
        place: Holds `data/long` and gets `output/long`; the recognizer knows every second of the clips' people.
        cores: Which cores may be used.
        every: Seconds between the samples in which faces are searched.
        draw: Also write the annotated film.
        export: Also write the exports.
    """
    psutil.Process().cpu_affinity(cores)
    project = facelib.Project("long", place / "data", place / "output")
    detector, embedder = facelib.load_detector(smallest_face=16, working_size=640), facelib.load_embedder("dlib")
    known = build_gallery(project, detector, embedder, progress=False).query("used")
    knn = facelib.OpenSetKNN(k=5, threshold=embedder.threshold)
    knn.fit(np.stack(known["embedding"].to_list()), known["person"].to_numpy())
    info, stages, (film,) = info_for(known, embedder), Stages(), project.find_videos()
    files = project.film(film)
    tracking, content = TrackingSettings(seconds_between_samples=every), project.digest(film)
    with stages.stage("index"):
        found = index_film(film, files, detector, embedder, content=content, tracking=tracking, progress=False)
    with stages.stage("name"):
        name_film(found, files, knn, info)
    with stages.stage("settle"):
        threshold = grouping_of(embedder, knn, info).threshold
        settled = settle_films(project, [film], threshold=threshold, weights=embedder.sha256)
    if draw:
        with stages.stage("draw"):
            draw_films(settled, project_colours(project, sorted(set(known["person"]))), progress=False)
    if export:
        with stages.stage("export"):
            export_films(settled)
    tables = (files.found, files.named, files.tracks, files.looks, files.keyframes, files.shots)
    return {"stages": stages.rows, "digests": [hashlib.sha256(path.read_bytes()).hexdigest() for path in tables]}


def repeat(clips: list[Path], destination: Path, seconds: float) -> None:
    """Write the pictures of clips one after the other, again and again, without encoding them anew."""
    with av.open(destination, "w") as target:
        stream, shift, number = None, 0, 0
        while stream is None or shift * stream.time_base < seconds:
            with av.open(clips[number % len(clips)]) as source:
                pictures = source.streams.video[0]
                stream = stream or target.add_stream_from_template(pictures)
                end = shift
                for packet in source.demux(pictures):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    end = max(end, packet.pts + (packet.duration or 512))
                    target.mux(packet)
            shift, number = end, number + 1


def smaller(clips: list[Path], folder: Path, height: int) -> list[Path]:
    """Encode clips anew at a height in pixels, without their sound; return their paths."""
    folder.mkdir()
    for clip in clips:
        with av.open(clip) as source, av.open(folder / clip.name, "w") as target:
            pictures = source.streams.video[0]
            width = round(pictures.width * height / pictures.height / 2) * 2
            stream = target.add_stream("libx264", rate=25, width=width, height=height, options={"preset": "veryfast"})
            stream.pix_fmt = "yuv420p"
            for number, frame in enumerate(source.decode(pictures)):
                frame = frame.reformat(width, height, "yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
    return [folder / clip.name for clip in clips]


def project_of(place: Path, data: Path, clips: list[Path], seconds: float) -> Path:
    """Make a project whose one film is the clips, again and again, and whose cast is every second of their people."""
    folder = place / "data" / "long"
    (folder / "videos").mkdir(parents=True)
    (folder / "people").mkdir()
    for person in sorted((data / "people").iterdir())[::2]:
        (folder / "people" / person.name).symlink_to(person.resolve())
    repeat(clips, folder / "videos" / "long.mp4", seconds)
    return place


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 20])
    parser.add_argument("--height", type=int, default=0, help="of the film, pixels; 0: as the clips are")
    parser.add_argument("--every", type=float, default=0.1, help="seconds between the samples")
    parser.add_argument("--no-drawing", action="store_true", help="leave out the annotated film")
    parser.add_argument("--data", type=Path, default=SHARED)
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        print(f"left out: expected people/ and videos/ in {arguments.data}; name its place with --data")
        return
    os.environ.update(memory_settings())  # for the processes below, to work as the kernel of a notebook does
    cores, digests = sorted(os.sched_getaffinity(0)), []
    print("| minutes | stage | seconds | of the film's length | processor seconds | early MB | late MB | peak MB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        clips = sorted((arguments.data / "videos").glob("*.mp4"))
        clips = smaller(clips, Path(place) / "clips", arguments.height) if arguments.height else clips
        for minutes in arguments.minutes:
            folder = project_of(Path(place) / f"{minutes}", arguments.data, clips, 60 * minutes)
            figures = _apart(folder, cores, every=arguments.every, draw=not arguments.no_drawing, export=True)
            for row in figures["stages"]:
                share = row["seconds"] / 60 / minutes
                memory = " | ".join(f"{row[name]:.0f}" for name in ("early MB", "late MB", "peak MB"))
                spent = f"{row['seconds']:.1f} | {share:.3f} | {row['processor seconds']:.1f}"
                print(f"| {minutes:g} | {row['stage']} | {spent} | {memory} |", flush=True)
        for number, few in enumerate((cores, cores[:1])):
            folder = project_of(Path(place) / f"again {number}", arguments.data, clips, 60)
            digests.append(_apart(folder, few, every=arguments.every, draw=False, export=False)["digests"])
    print(f"tables from {len(cores)} cores and from one are {'the same' if digests[0] == digests[1] else 'DIFFERENT'}")


def _apart(folder: Path, cores: list[int], *, every: float, draw: bool, export: bool) -> dict[str, Any]:
    """Work in a process of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, folder, cores, every=every, draw=draw, export=export).result()


if __name__ == "__main__":
    main()
