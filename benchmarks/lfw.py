"""Labeled Faces in the Wild, end to end: the classification experiment, the development pairs, and an open set.

Usage: python benchmarks/lfw.py [--data ../shared/data/lfw] [--detectors mtcnn centerface] [--embedder dlib] [--print]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

import facelib
from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.evaluate import classify_pictures, cut_main_face, open_set, read_pairs, verify_pairs
from facelib.faces import FloatArray

HERE = Path(__file__).resolve().parent
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Pictures:
    """The vectors of one folder of people: `vectors[i]` is of `paths[i]`, NaN where no face was found."""

    folder: Path
    paths: list[Path]
    vectors: FloatArray

    @property
    def names(self) -> NDArray[np.str_]:
        """The person of each picture: its folder."""
        return np.array([path.parent.name for path in self.paths])


def variants(folder: Path, detector: Detector, embedder: Embedder) -> Iterator[tuple[str, Pictures]]:
    """Yield the vectors as they are, the mean with the mirrored face, and both brought to length 1."""
    paths = sorted(folder.rglob("*.jpg"))
    both = np.full((2, len(paths), embedder.dimension), np.nan, np.float32)
    for row, path in enumerate(tqdm(paths, desc=f"{detector.name}, {folder.name}", unit=" pictures")):
        chip = cut_main_face(path, detector, embedder)
        if chip is not None:
            both[:, row] = embedder.embed_chips(np.stack([chip, chip[:, ::-1]]))
    for name, vectors in (("as is", both[0]), ("mean with mirror image", both.mean(axis=0))):
        yield name, Pictures(folder, paths, vectors)
        yield f"{name}, length 1", Pictures(folder, paths, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def classification_row(people: Pictures) -> list[str]:
    """Return the accuracy of each classifier over draws of the training pictures."""
    cells = []
    for classifier in ("svm", "knn", "mean"):
        done = [classify_pictures(people.vectors, people.names, classifier=classifier, seed=seed) for seed in SEEDS[:3]]
        worst = min(each.accuracy for each in done)
        cells.append(f"{np.mean([each.accuracy for each in done]):.4f} ({worst:.4f})")
    return [f"{len(done[0].people)} people, {len(done[0].pictures)} pictures", *cells]


def pairs_row(pairs: Path, pictures: Pictures) -> list[str]:
    """Return the accuracy on the development pairs, over draws of the folds."""
    table = read_pairs(pairs)
    row = {path.relative_to(pictures.folder).as_posix(): number for number, path in enumerate(pictures.paths)}
    first, second = (pictures.vectors[table[side].map(row)] for side in ("first", "second"))
    apart = np.linalg.norm(first - second, axis=1)
    done = [verify_pairs(apart, table["same"], fold=table["fold"], seed=seed) for seed in SEEDS]
    accuracy, error = (np.mean([getattr(each, name) for each in done]) for name in ("accuracy", "standard_error"))
    return [f"{accuracy:.4f}", f"{error:.4f}", str(done[0].pairs), str(done[0].not_found)]


def open_set_row(people: Pictures, strangers: Pictures) -> list[str]:
    """Return FNIR at FPIR 1 % over draws of the halves."""
    done = open_set(people.vectors, people.names, strangers.vectors, seeds=SEEDS)
    fnir = done.trials["fnir"]
    return [f"{fnir.mean():.4f}", f"{fnir.min():.4f} to {fnir.max():.4f}", f"{done.trials['threshold'].mean():.3f}"]


def print_table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """Print one table."""
    print(f"\n{title}\n\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data/lfw")
    parser.add_argument("--detectors", nargs="*", default=["mtcnn", "centerface"])
    parser.add_argument("--embedder", default="dlib")
    parser.add_argument("--print", action="store_true", help="print the first classification as the tutorial does")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        raise SystemExit(f"expected the pictures in {str(arguments.data)!r}, found no folder; pass --data")
    embedder = facelib.load_embedder(arguments.embedder)
    classified: list[list[str]] = []
    paired: list[list[str]] = []
    opened: list[list[str]] = []
    for chosen in arguments.detectors:
        detector, start = facelib.load_detector(chosen), time.perf_counter()
        folders = [variants(arguments.data / name, detector, embedder) for name in ("people", "strangers", "pairs")]
        for (name, people), (_, strangers), (_, pairs) in zip(*folders, strict=True):
            if arguments.print and not classified:
                print(classify_pictures(people.vectors, people.names))
            classified.append([chosen, name, *classification_row(people)])
            paired.append([chosen, name, *pairs_row(arguments.data / "pairsDevTest.txt", pairs)])
            opened.append([chosen, name, *open_set_row(people, strangers)])
        print(f"{chosen}: {time.perf_counter() - start:.0f} s")
    what = ["detector", f"embedding ({embedder.name})"]
    print_table(
        "Classification: accuracy, mean of three draws (worst)", [*what, "test", "svm", "knn", "mean"], classified
    )
    print_table("Development pairs, 10 folds", [*what, "accuracy", "standard error", "pairs", "no face"], paired)
    print_table("Open set: FNIR at FPIR 1 %, five draws, OpenSetKNN", [*what, "mean", "range", "threshold"], opened)


if __name__ == "__main__":
    main()
