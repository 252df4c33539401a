"""A long film: memory at its end against memory after one minute of it, and the same tables from any number of threads.

A film of half an hour is made by repeating clips, copied without encoding. The film step runs in a process of its own,
once with all cores and once with one, and its memory is read every second.

Usage: python benchmarks/memory.py [FOLDER OF CLIPS] [--minutes 30]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import psutil

from facelib.project import FilmFiles

SHARED = Path(__file__).parents[2] / "shared" / "data" / "film_clips" / "videos"
_LOOK = """
import sys
from pathlib import Path
import psutil
import facelib
from facelib.films import index as film
from facelib.project import FilmFiles

read_frames, process, folder = film.read_frames, psutil.Process(), Path(sys.argv[2])

def counted(path):
    due = 0.0
    for frame in read_frames(path):
        if frame.time >= due:
            print(f"{frame.time:.1f} {process.memory_info().rss / 1e6:.1f}", flush=True)
            due = frame.time + 1
        yield frame

film.read_frames = counted
finder = facelib.detector(smallest_face=16, working_size=640)
found = film.find_tracks(sys.argv[1], FilmFiles(folder), finder, facelib.embedder("dlib"), progress=False)
found.tracks.to_parquet(folder / "tracks.parquet")
"""


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


def look(film: Path, folder: Path, cores: list[int]) -> list[tuple[float, float]]:
    """Run the film step in a process of its own; return the film's time and the process's memory in MB, each second."""
    command = [sys.executable, "-c", _LOOK, str(film), str(folder)]
    process = psutil.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process.cpu_affinity(cores)
    lines = process.stdout.read().splitlines()
    if process.wait():
        raise RuntimeError("expected the film step to end well, it did not")
    return [(float(when), float(memory)) for when, memory in (line.split() for line in lines)]


def digests(files: FilmFiles) -> list[str]:
    """Return what tells two runs' tables apart, to the last bit."""
    tables = (files.detections, files.looks, files.keyframes, files.shots, files.tracks)
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in tables]


def main() -> None:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="?", type=Path, default=SHARED)
    parser.add_argument("--minutes", type=float, default=30)
    arguments = parser.parse_args()
    clips = sorted(arguments.clips.glob("*.mp4"))
    if not clips:
        print(f"left out: expected clips in {arguments.clips}")
        return
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as place:
        film, short = Path(place) / "long.mp4", Path(place) / "short.mp4"
        repeat(clips, film, 60 * arguments.minutes)
        repeat(clips, short, 60)
        started = time.monotonic()
        seen = look(film, Path(place) / "long", cores)
        took, end = time.monotonic() - started, seen[-1][0]
        early = max(memory for when, memory in seen if when <= 60)
        late = max(memory for when, memory in seen if when >= end - 60)
        print(
            f"{end / 60:.0f} minutes: at most {early:.0f} MB in the first minute of film, {late:.0f} MB in its last "
            f"({late / early - 1:+.1%}), looked through in {took / end:.2f} of its length"
        )
        print("MB at the end of each fifth minute:", *(round(m) for t, m in seen if 0 <= t % 300 < 1))
        runs = [FilmFiles(Path(place) / name) for name in ("all", "one")]
        for files, few in zip(runs, (cores, cores[:1]), strict=True):
            look(short, files.folder, few)
        same = digests(runs[0]) == digests(runs[1])
        print(f"tables from {len(cores)} cores and from one are {'the same' if same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
