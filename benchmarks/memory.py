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
import facelib
from pathlib import Path
from facelib.film import find_tracks
from facelib.project import FilmFiles
finder = facelib.detector(smallest_face=16, working_size=640)
found = find_tracks(sys.argv[1], FilmFiles(Path(sys.argv[2])), finder, facelib.embedder("dlib"), progress=False)
found.tracks.to_parquet(Path(sys.argv[2]) / "tracks.parquet")
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


def look(film: Path, folder: Path, cores: list[int]) -> list[float]:
    """Run the film step and return its memory in MB, once a second."""
    process = psutil.Popen([sys.executable, "-c", _LOOK, str(film), str(folder)], stderr=subprocess.DEVNULL)
    process.cpu_affinity(cores)
    seen = []
    while process.poll() is None:
        try:
            seen.append(process.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            break
        time.sleep(1)
    if process.wait():
        raise RuntimeError("expected the film step to end well, it did not")
    return seen


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
        seen = look(film, Path(place) / "long", cores)
        minute = round(len(seen) / arguments.minutes)
        early, late = max(seen[: minute + 1]), max(seen[-minute:])
        print(
            f"{arguments.minutes:g} minutes: {early:.0f} MB after one minute of film, {late:.0f} MB in its last minute "
            f"({late / early - 1:+.1%}), looked through in {len(seen) / 60 / arguments.minutes:.2f} of its length"
        )
        runs = [FilmFiles(Path(place) / name) for name in ("all", "one")]
        for files, few in zip(runs, (cores, cores[:1]), strict=True):
            look(short, files.folder, few)
        same = digests(runs[0]) == digests(runs[1])
        print(f"tables from {len(cores)} cores and from one are {'the same' if same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
