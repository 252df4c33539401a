"""The film step and drawing by the height of the picture and by the faces on screen, each beside its physical limit.

One clip is scaled to other heights; several clips are tiled in one picture of 1280x720, so that many faces are on
screen. The limit of the film step is decoding alone, that of drawing is decoding and encoding; all four take turns.

Usage: python benchmarks/film_sizes.py [--clips FOLDER] [--heights 360 720 1080 2160] [--tiles 1 2 3] [--repeats 3]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from film import SHARED, encode, ffmpeg, medians

import facelib
from facelib.films.annotate import annotate_film
from facelib.films.index import find_tracks
from facelib.films.media.decode import probe, read_frames
from facelib.films.tracking import FilmTracks
from facelib.project import FilmFiles
from facelib.project.processes import memory_settings

SECONDS = "4"  # of each film
CODED = ("-t", SECONDS, "-an", "-c:v", "libx264", "-preset", "fast", "-crf", "20", "-r", "30")


def scaled(clip: Path, height: int, folder: Path) -> Path:
    """Return the clip at another height."""
    film = folder / f"height_{height}.mp4"
    ffmpeg("-i", clip, "-vf", f"scale=-2:{height}", *CODED, film)
    return film


def tiled(clips: list[Path], side: int, folder: Path) -> Path:
    """Return a film of 1280x720 in which so many clips stand beside and below each other."""
    width, height = 1280 // side // 2 * 2, 720 // side // 2 * 2
    fit = f"fps=30,scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}:-1:-1,setsar=1"
    parts = [f"[{place}:v]{fit}[p{place}]" for place in range(side * side)]
    layout = "|".join(f"{x * width}_{y * height}" for y in range(side) for x in range(side))
    joined = "".join(f"[p{place}]" for place in range(side * side))
    stack = f"{joined}xstack=inputs={side * side}:layout={layout}" if side > 1 else "[p0]null"
    film = folder / f"tiles_{side}.mp4"
    inputs = [word for clip in clips[: side * side] for word in ("-i", clip)]
    ffmpeg(*inputs, "-filter_complex", f"{';'.join(parts)};{stack}", *CODED, film)
    return film


def measure(film: Path, folder: Path, repeats: int) -> None:
    """Print the row of one film."""
    files = FilmFiles(folder / film.stem)
    detector = facelib.load_detector(smallest_face=16, working_size=640)
    embedder = facelib.load_embedder("dlib-mirrored")

    def look() -> FilmTracks:
        return find_tracks(film, files, detector, embedder, progress=False)

    def decode() -> None:
        for _ in read_frames(film):
            pass

    tracks = look().tracks.assign(person="unknown")
    works = (
        decode,
        look,
        lambda: encode(film, folder / "again.mp4"),
        lambda: annotate_film(film, files, tracks, {"unknown": "#888888"}, progress=False),
    )
    (decoding, looking, encoding, drawing), info = medians(works, repeats), probe(film)
    print(
        f"| {info.width}x{info.height} | {len(tracks)} | {decoding[0]:.2f} | {looking[0]:.2f} ({looking[1]:.2f}) | "
        f"{looking[0] / decoding[0]:.1f} | {encoding[0]:.2f} | {drawing[0]:.2f} ({drawing[1]:.2f}) | "
        f"{drawing[0] / encoding[0]:.1f} | {(looking + drawing)[0] / info.duration:.2f} |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=SHARED / "videos")
    parser.add_argument("--heights", type=int, nargs="*", default=[360, 720, 1080, 2160], help="pixels")
    parser.add_argument("--tiles", type=int, nargs="*", default=[1, 2, 3], help="so many clips beside each other")
    parser.add_argument("--repeats", type=int, default=3, help="of which the medians are printed")
    given = parser.parse_args()
    clips = sorted(given.clips.glob("*.mp4"))
    if len(clips) < max(given.tiles, default=1) ** 2:
        print(f"left out: expected clips enough in {given.clips}; name another folder by --clips")
        return
    print(f"Seconds for {SECONDS} s of film, in brackets processor seconds.\n")
    print("| picture | tracks | decoding | film step | times decoding | decoding and encoding | drawing |", end=" ")
    print("times both | film step and drawing, of the film's length |\n|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = next((clip for clip in clips if clip.stem == "ford1"), clips[0])
        for height in given.heights:
            measure(scaled(one, height, folder), folder, given.repeats)
        for side in given.tiles:
            measure(tiled(clips, side, folder), folder, given.repeats)


if __name__ == "__main__":
    if not memory_settings().items() <= os.environ.items():  # to run as the kernel of a notebook does
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | memory_settings())
    main()
