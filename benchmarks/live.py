"""Live sessions against the same film looked through offline: how right the names are, and how late all is.

All labelled clips, joined to one film of 640x360, are played by GStreamer's RTSP server, as a camera's MJPEG over HTTP,
and from the file; the names shown in each picture are compared with the truth, as are those of the film step. Then
recognition is slowed down to two pictures per second, and the delays are measured for two minutes, with the memory that
all takes at most. Every line tells the machine's load too, since what is live depends on it.

Usage: python benchmarks/live.py [--seconds 120] [--data FOLDER] [--parts names delay]
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd

import facelib
from facelib.detect import Detector
from facelib.evaluate.counting import Score, count
from facelib.evaluate.matching import found_faces, match_faces
from facelib.faces import Faces, Image
from facelib.films.identify import identify_films
from facelib.films.media.decode import read_frames
from facelib.films.naming import NamingSettings
from facelib.gallery import Gallery, build_gallery, describe_search, write_gallery
from facelib.images import encode_jpeg
from facelib.live import LiveSession, LiveView
from facelib.project import Project
from facelib.recognize import OpenSetKNN, RecognizerInfo, load_recognizer, save_recognizer

SHARED = Path(__file__).parents[2] / "shared" / "data" / "film_clips"
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "live"))
RATE, SIZE, BITS = 30, (640, 360), 13
SETTLED = 0.5  # seconds after which a face should have its name


class Slow:
    """A detector that takes half a second for a picture."""

    def __init__(self, detector: Detector, seconds: float) -> None:
        self._finder, self._seconds = detector, seconds
        self.name, self.description, self.score = detector.name, detector.description, detector.score

    def at_score(self, score: float) -> Slow:
        """See `facelib.detect.Detector`."""
        return Slow(self._finder.at_score(score), self._seconds)

    def detect(self, image: Image) -> Faces:
        """Find the faces, and wait until the half second is over."""
        began = time.monotonic()
        faces = self._finder.detect(image)
        time.sleep(max(0.0, self._seconds - (time.monotonic() - began)))
        return faces


def join(data: Path, destination: Path, *, seconds: float = 0) -> pd.DataFrame:
    """Write all clips as one film, again and again up to `seconds`; return the truth of the first time."""
    truths: list[pd.DataFrame] = []
    number = 0
    with av.open(str(destination), "w") as output:
        options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(RATE)}
        stream = output.add_stream("libx264", rate=RATE, options=options)
        (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        while True:
            for clip in sorted((data / "videos").glob("*.mp4")):
                first = number
                for frame in read_frames(clip):
                    small = cv2.resize(frame.image(), SIZE, interpolation=cv2.INTER_AREA)
                    raw = av.VideoFrame.from_ndarray(numbered(small, number), format="rgb24")
                    raw.pts, raw.time_base = number, Fraction(1, RATE)
                    output.mux(stream.encode(raw))
                    number += 1
                truth = pd.read_csv(data / "truth" / f"{clip.stem}.csv", keep_default_na=False)
                sides = ["left", "top", "right", "bottom"]
                truth[sides] *= SIZE[0] / frame.width
                truths.append(truth.assign(frame=truth["frame"] + first))
            if number >= seconds * RATE:
                output.mux(stream.encode(None))
                return pd.concat(truths, ignore_index=True)


def numbered(image: Image, number: int) -> Image:
    """Write a picture's number into its lower border, as blocks of black and white: a stream may begin anywhere."""
    image = image.copy()
    for bit in range(BITS):
        image[-8:, 16 * bit : 16 * bit + 16] = 255 * (number >> bit & 1)
    return image


def read_number(image: Image) -> int:
    """Return what `numbered` wrote."""
    return sum(1 << bit for bit in range(BITS) if image[-4, 16 * bit + 8].mean() > 127)


def make_project(data: Path, folder: Path) -> Project:
    """Make a project of the clips' cast, with a recognizer."""
    project = Project("live", folder / "data", folder / "output")
    project.data.mkdir(parents=True)
    project.people.symlink_to((data / "people").resolve())
    detector, embedder = facelib.load_detector("centerface"), facelib.load_embedder("dlib")
    table = build_gallery(project, detector, embedder)
    made = {"detector": describe_search(detector), "embedder": embedder.name, "weights_sha256": embedder.sha256}
    write_gallery(table, project.faces, **made, threshold=embedder.threshold)
    gallery = Gallery(table, **made)
    nothing = (float("nan"), float("nan"))
    info = RecognizerInfo(
        kind="knn", k=5, threshold=embedder.threshold, wanted_fpir=0.01, fpir=0.01, fnir=0.1, fpir_interval=nothing,
        fnir_interval=nothing, impostor_trials=0, genuine_trials=0, **made, facelib_version="0",
        pictures=tuple(gallery.pictures), confidence_slope=-30.0, confidence_intercept=15.5,
    )  # fmt: skip
    knn = OpenSetKNN(k=5, threshold=embedder.threshold).fit(gallery.vectors, gallery.names)
    save_recognizer(knn, project.recognizer, info)
    return project


@contextmanager
def served(film: Path, how: str) -> Iterator[str]:
    """Give the address under which a film is played."""
    from servers import MjpegServer, RtspServer

    if how == "film":
        yield str(film)
        return
    server = RtspServer(film) if how == "rtsp" else MjpegServer(jpegs(film), rate=RATE)
    server.start()
    try:
        yield server.address
    finally:
        server.kill() if how == "rtsp" else server.stop()


def jpegs(film: Path) -> list[bytes]:
    return [encode_jpeg(frame.image(), quality=90) for frame in read_frames(film)]


def views(session: LiveSession, until: float) -> Iterator[LiveView]:
    """Give every picture shown, until a time of the source."""
    last = -1
    while session.running:
        view = session.view()
        if view is not None and view.time > until:
            return
        if view is not None and view.number != last:
            last = view.number
            yield view
        else:
            time.sleep(0.002)


def offline(project: Project, film: Path, truth: pd.DataFrame, *, context: bool) -> tuple[Score, Score]:
    """Return what the film step makes of the film."""
    recognizer, info = load_recognizer(project.recognizer)
    detector, embedder = facelib.load_detector("centerface"), facelib.load_embedder(info.embedder)
    identify_films(
        [film], project, detector, embedder, recognizer, info, naming=NamingSettings(context=context), progress=False
    )
    return judge(found_faces(project.film(film)), truth)


def judge(found: pd.DataFrame, truth: pd.DataFrame, shown: set[int] | None = None) -> tuple[Score, Score]:
    """Return the score of all faces, and of those that have been there for a while."""
    runs = truth.sort_values("frame").groupby("person")["frame"].diff().ne(1).groupby(truth["person"]).cumsum()
    began = truth.groupby([truth["person"], runs])["frame"].transform("min")
    seen = truth["frame"].isin(truth["frame"] if shown is None else shown)
    truth, late = truth[seen], truth[seen & (truth["frame"] - began >= SETTLED * RATE)]
    return count(match_faces(found, truth)), count(match_faces(found[found["frame"].isin(late["frame"])], late))


def live(project: Project, address: str, truth: pd.DataFrame, seconds: float) -> tuple[tuple[Score, Score], str]:
    """Return what a live session shows in the pictures that it shows, and how often it recognizes."""
    rows, shown, rates = [], set(), []
    with LiveSession(address, project) as session:
        for view in views(session, seconds):
            frame = read_number(view.image)
            shown.add(frame)
            rates.append(view.recognitions_per_second)
            rows += [(frame, *face.box.tolist(), face.person) for face in view.faces]
    found = pd.DataFrame(rows, columns=["frame", "left", "top", "right", "bottom", "person"])
    scores = judge(found, truth, shown)
    pace = f"{len(shown) / seconds:.1f} pictures and {np.median(rates):.1f} recognitions a second"
    return scores, f"of {scores[0].strangers}; {pace}, {load()}"


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f} of {os.cpu_count()}"


def memory() -> float:
    """Return the megabytes that are held now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def print_score(name: str, scores: tuple[Score, Score], more: str = "") -> None:
    """Print the score of all faces, and of those that have been there for a while."""
    score, settled = scores
    named = score.right + score.wrong + score.strangers_named + score.false_named
    print(
        f"{name:22} right: {score.right / named:6.1%} of the names given, {score.named_right:6.1%} of the cast's faces "
        f"({settled.named_right:6.1%} from {SETTLED:g} s after they came); wrong {score.wrong}, "
        f"strangers named {score.strangers_named} {more}",
        flush=True,
    )


def print_delays(project: Project, film: Path, how: str, seconds: float) -> None:
    """Print the delays of a session whose recognition takes half a second."""
    delays, known, rates, held = [], [], [], []
    detector = Slow(facelib.load_detector("centerface"), 0.5)
    with served(film, how) as address, LiveSession(address, project, detector=detector) as session:
        for view in views(session, seconds):
            if view.recognition_delay:
                delays.append(view.delay)
                known.append(view.recognition_delay)
                rates.append(view.recognitions_per_second)
                held.append(memory())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"{how}: {len(delays)} pictures in {seconds:g} s, {np.median(rates):.1f} recognized a second, {load()}")
    print(f"  memory: {held[0]:.0f} MB at first, {held[-1]:.0f} MB at last, {peak:.0f} MB at most since it was started")
    for what, values in (("arrival to shown", delays), ("arrival to named", known)):
        parts = [np.asarray(part) for part in np.array_split(values, 4)]
        quarters = ", ".join(f"{np.median(part):.3f}" for part in parts)
        longest, most = np.max(values), np.quantile(values, 0.99)
        print(
            f"  {what}: median by quarters {quarters}; 99 % within {most:.3f} s, longest {longest:.3f} s, "
            f"below 0.7 s {np.mean(np.asarray(values) < 0.7):.2%}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--parts", nargs="*", default=["names", "delay"])
    parser.add_argument("--how", nargs="*", default=["film", "rtsp", "mjpeg"])
    arguments = parser.parse_args()
    if not (arguments.data / "videos").is_dir():
        print(f"left out: expected labelled clips in {arguments.data}; name a folder with --data")
        return
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(arguments.data, Path(folder))
        film = Path(folder) / "joined.mp4"
        if "names" in arguments.parts:
            truth = join(arguments.data, film)
            length = truth["frame"].max() / RATE
            for context in (True, False):
                score = offline(project, film, truth, context=context)
                print_score(f"film step, {'context' if context else 'faces alone'}", score, f"of {score[0].strangers}")
            for how in arguments.how:
                with served(film, how) as address:
                    print_score(f"live, {how}", *live(project, address, truth, length))
        if "delay" in arguments.parts:
            join(arguments.data, film, seconds=arguments.seconds + 10)
            for how in (how for how in arguments.how if how != "film"):
                print_delays(project, film, how, arguments.seconds)


if __name__ == "__main__":
    main()
