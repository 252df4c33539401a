"""How many faces each detector finds, how many of its faces are none, and how long it takes.

Usage: python benchmarks/detectors.py [--data ../shared/data] [--every 10] [--only cnn mtcnn]
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from facelib.detect import Detector, load_detector
from facelib.faces import FloatArray, Image, iou

HERE = Path(__file__).resolve().parent
MATCH = 0.3  # intersection over union from which a found face counts as the true one
SIZES = ((0, 30), (30, 60), (60, 10_000))  # groups of the sitcom's faces, by the mean side of the true box in pixels

Setting = tuple[str, float, int | None]
FILM: tuple[Setting, ...] = tuple(
    (name, smallest, working)
    for name, smallest in (
        ("haar", 40),
        ("hog", 40),
        ("cnn", 40),
        ("cnn", 80),
        ("mtcnn", 40),
        ("mtcnn", 60),
        ("yunet", 40),
    )
    for working in (640, 960, None)
    if not (working is None and (name, smallest) == ("cnn", 40))  # four times 1280x720: seconds per frame
)
SITCOM: tuple[Setting, ...] = (
    *((name, smallest, None) for name in ("haar", "hog", "cnn", "mtcnn", "yunet") for smallest in (20, 40)),
    ("cnn", 80, None),
    ("mtcnn", 30, None),
)


@dataclass
class Counts:
    """What a detector did on the frames of a set."""

    found: int = 0
    false: int = 0
    milliseconds: list[float] = field(default_factory=list)
    by_size: dict[int, list[bool]] = field(default_factory=lambda: defaultdict(list))

    def recall(self, group: int | None = None) -> float:
        """Return the fraction of true faces found, in all or in one group of sizes."""
        hits = self.by_size[group] if group is not None else [hit for part in self.by_size.values() for hit in part]
        return float(np.mean(hits)) if hits else float("nan")

    @property
    def precision(self) -> float:
        """The fraction of found faces that are faces."""
        return (self.found - self.false) / self.found if self.found else float("nan")


def truth_of(table: Path) -> dict[int, FloatArray]:
    """Return the true boxes of every frame of a truth table."""
    boxes: dict[int, list[list[float]]] = defaultdict(list)
    with table.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            boxes[int(row["frame"])].append([float(row[side]) for side in ("left", "top", "right", "bottom")])
    return {frame: np.array(found, np.float32) for frame, found in boxes.items()}


def frames_of(film: Path, wanted: Callable[[int], bool]) -> Iterator[tuple[int, Image]]:
    """Yield the wanted frames of a film, RGB."""
    with av.open(str(film)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if wanted(index):
                yield index, frame.to_ndarray(format="rgb24")


def film_frames(data: Path, every: int) -> Iterator[tuple[Image, FloatArray]]:
    """Yield frames of the film clips with their true boxes."""
    for film in sorted((data / "film_clips/videos").glob("*.mp4")):
        truth = truth_of(data / "film_clips/truth" / f"{film.stem}.csv")
        for index, image in frames_of(film, lambda index: index % every == 0):
            yield image, truth.get(index, np.empty((0, 4), np.float32))


def sitcom_frames(data: Path) -> Iterator[tuple[Image, FloatArray]]:
    """Yield the labelled frames of the sitcom's scene with their true boxes."""
    truth = truth_of(data / "sitcom/truth/scene_a.csv")
    listed = {int(line) for line in (data / "sitcom/truth/scene_a.frames").read_text().split()}
    for index, image in frames_of(data / "sitcom/videos/scene_a.mp4", listed.__contains__):
        yield image, truth.get(index, np.empty((0, 4), np.float32))


def measure(detector: Detector, frames: Iterable[tuple[Image, FloatArray]]) -> Counts:
    """Run a detector over frames; each true box takes the found one that overlaps it most."""
    counts = Counts()
    for image, truth in frames:
        start = time.perf_counter()
        faces = detector.detect(image)
        counts.milliseconds.append((time.perf_counter() - start) * 1000)
        overlaps = iou(truth, faces.boxes)
        hit = overlaps.max(axis=1, initial=0) >= MATCH
        counts.found += len(faces)
        counts.false += int((overlaps.max(axis=0, initial=0) < MATCH).sum())
        for box, was_hit in zip(truth, hit, strict=True):
            side = float((box[2] - box[0] + box[3] - box[1]) / 2)
            group = next(number for number, (low, high) in enumerate(SIZES) if low <= side < high)
            counts.by_size[group].append(bool(was_hit))
    return counts


def row(setting: Setting, frames: list[tuple[Image, FloatArray]], *, sizes: bool) -> str:
    """Measure one setting and return it as a row of the table."""
    name, smallest, working = setting
    detector = load_detector(name, smallest_face=smallest, working_size=working)
    detector.detect(frames[0][0])  # the first run of a network also lays out its memory
    counts = measure(detector, frames)
    middle, quick = np.median(counts.milliseconds), np.percentile(counts.milliseconds, 10)
    cells = [name, f"{smallest:g}", working or "full", f"{counts.recall():.3f}", f"{counts.precision:.3f}"]
    cells += [f"{counts.recall(group):.2f}" for group in range(len(SIZES))] if sizes else []
    return "| " + " | ".join(str(cell) for cell in [*cells, f"{middle:.0f}", f"{quick:.0f}"]) + " |"


def table(title: str, settings: Iterable[Setting], frames: list[tuple[Image, FloatArray]], *, sizes: bool) -> None:
    """Print one table."""
    faces = sum(len(truth) for _, truth in frames)
    print(f"\n{title}: {len(frames)} frames, {faces} faces, matched at IoU {MATCH}\n")
    heads = ["detector", "smallest face", "working size", "recall", "precision"]
    heads += ["under 30 px", "30 to 60 px", "above"] if sizes else []
    heads += ["ms a frame (median)", "(10 % quickest)"]
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for setting in settings:
        print(row(setting, frames, sizes=sizes), flush=True)


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data")
    parser.add_argument("--every", type=int, default=30, help="take every n-th frame of the film clips")
    parser.add_argument("--only", nargs="*", default=None, help="names of the detectors to measure")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        raise SystemExit(f"expected the labelled films in {str(arguments.data)!r}, found no folder; pass --data")
    for title, settings, frames, sizes in (
        ("film clips, 1280x720", FILM, list(film_frames(arguments.data, arguments.every)), False),
        ("sitcom, 640x360", SITCOM, list(sitcom_frames(arguments.data)), True),
    ):
        chosen = [setting for setting in settings if arguments.only is None or setting[0] in arguments.only]
        table(title, chosen, frames, sizes=sizes)


if __name__ == "__main__":
    main()
