"""LFW's protocol: are two pictures of one person? And the vectors of pictures that are each of one person."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.detect.portraits import find_portrait
from facelib.embed import Embedder
from facelib.faces import FloatArray, Image
from facelib.images import read_image
from facelib.project.spreadsheets import decoded

_FOLDS = 10  # of LFW's protocol


def embed_pictures(
    paths: Iterable[Path], detector: Detector, embedder: Embedder, *, progress: bool = True
) -> FloatArray:
    """Return the vector of each picture's main face, `(n, d)` float32; NaN where no face was found.

    Raises:
        FileNotFoundError: When a picture is missing.
        facelib.images.UnreadablePicture: When a picture cannot be read.
    """
    asked = list(paths)
    vectors = np.full((len(asked), embedder.dimension), np.nan, np.float32)
    for row, path in enumerate(tqdm(asked, desc="faces", unit=" pictures", leave=False, disable=not progress)):
        chip = cut_main_face(path, detector, embedder)
        if chip is not None:
            vectors[row] = embedder.embed_chips(chip[None])[0]
    return vectors


def cut_main_face(path: Path, detector: Detector, embedder: Embedder) -> Image | None:
    """Return a picture's main face cut out as the network wants it, `(side, side, 3)` uint8; None where there is none.

    Raises:
        FileNotFoundError: When the picture is missing.
        facelib.images.UnreadablePicture: When it cannot be read.
    """
    portrait = find_portrait(read_image(path), detector)
    if not len(portrait.faces):
        return None
    return np.asarray(embedder.chips(portrait.image, portrait.main)[0], np.uint8)


def read_pairs(path: str | Path) -> pd.DataFrame:
    """Read a list of pairs in LFW's form: `pairs.txt` with its ten folds, or `pairsDevTest.txt` without.

    The first line gives the number of folds, where there are any, and of pairs of one person in each; as many
    of two people follow.

    Returns:
        `fold` (from 0), `first`, `second` (as `Name/Name_0001.jpg`) and `same`.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When a line is not of this form, or lines are missing.
    """
    lines = [line.split("\t") for line in decoded(Path(path).read_bytes()).splitlines() if line.strip()]
    head = [int(word) for word in lines[0]] if lines and all(word.strip().isdecimal() for word in lines[0]) else []
    if not 1 <= len(head) <= 2 or 0 in head:
        raise ValueError(f"expected the number of pairs in the first line of {str(path)!r}, got {lines[:1]!r}")
    folds, each = (1, head[0]) if len(head) == 1 else head
    if len(lines) - 1 != 2 * folds * each:
        raise ValueError(f"expected {2 * folds * each} pairs in {str(path)!r}, got {len(lines) - 1}")
    rows = [(number // (2 * each), *_pair(line, path)) for number, line in enumerate(lines[1:])]
    return pd.DataFrame(rows, columns=["fold", "first", "second", "same"])


def _pair(line: list[str], path: str | Path) -> tuple[str, str, bool]:
    try:
        if len(line) == 3:
            return _picture(line[0], line[1]), _picture(line[0], line[2]), True
        name, number, other, another = line
        return _picture(name, number), _picture(other, another), False
    except ValueError:
        form = "name, number, number, or name, number, name, number"
        raise ValueError(f"expected {form} in {str(path)!r}, got {line!r}") from None


def _picture(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"


@dataclass(frozen=True, slots=True, eq=False)
class PairScore:
    """How well pairs of pictures were told to be of one person or of two.

    Attributes:
        folds: Per fold: `fold`, `pairs`, `threshold` (the largest distance called one person, chosen on the other
            folds), `accuracy`.
        pairs: Their number.
        not_found: Pairs with a picture in which no face was found; they count as mistakes.
    """

    folds: pd.DataFrame
    pairs: int
    not_found: int

    @property
    def accuracy(self) -> float:
        """The mean over the folds of the fraction told right, 0 to 1."""
        return float(self.folds["accuracy"].mean())

    @property
    def standard_error(self) -> float:
        """Of the mean over the folds; NaN for one fold."""
        return float(self.folds["accuracy"].std(ddof=1)) / math.sqrt(len(self.folds))

    def __str__(self) -> str:
        """Say it as LFW's results are given: accuracy, plus or minus its standard error."""
        return f"{self.accuracy:.4f} ± {self.standard_error:.4f} on {self.pairs} pairs, {self.not_found} with no face"


def verify_pairs(distances: ArrayLike, same: ArrayLike, *, fold: ArrayLike | None = None, seed: int = 0) -> PairScore:
    """Tell pairs of one person from pairs of two by their distance, each fold at the threshold of the others.

    Source: Huang et al., "Labeled faces in the wild" (2007), its image-restricted protocol.

    Args:
        distances: `(n,)`, of each pair; NaN where a face was not found, which is a mistake.
        same: `(n,)`, whether it is one person.
        fold: `(n,)`, the fold of each pair; None, or all in one, deals them out by chance into ten.
        seed: Of that.

    Raises:
        ValueError: When the lengths disagree, or there are fewer than ten pairs to deal out.
    """
    apart, truly = np.asarray(distances, np.float64), np.asarray(same, bool)
    parts = _dealt(truly, seed) if fold is None or np.ptp(fold) == 0 else np.asarray(fold)
    if not len(apart) == len(truly) == len(parts):
        lengths = [len(apart), len(truly), len(parts)]
        raise ValueError(f"expected one distance, answer and fold a pair, got {lengths!r} of them")
    found, rows = np.isfinite(apart), []
    for number in np.unique(parts):
        test = parts == number
        threshold = _best_threshold(apart[found & ~test], truly[found & ~test])
        right = ((apart[test] <= threshold) == truly[test]) & found[test]
        rows.append([int(number), int(test.sum()), threshold, float(right.mean())])
    table = pd.DataFrame(rows, columns=["fold", "pairs", "threshold", "accuracy"])
    return PairScore(table, len(apart), int((~found).sum()))


def verify_pictures(
    pairs: str | Path,
    folder: str | Path,
    detector: Detector,
    embedder: Embedder,
    *,
    seed: int = 0,
    progress: bool = True,
) -> PairScore:
    """Do LFW's protocol end to end: from `read_pairs` and the pictures `<Name>/<Name>_0001.jpg` to the accuracy.

    A picture without a face is a mistake. `seed` is that of the folds where the list has none.

    Raises:
        FileNotFoundError: When the list or a picture is missing.
        ValueError: When the list is not of this form.
    """
    table = read_pairs(pairs)
    names = sorted({*table["first"], *table["second"]})
    vectors = embed_pictures([Path(folder) / name for name in names], detector, embedder, progress=progress)
    rows = pd.Series(range(len(names)), index=names)
    apart = vectors[rows[table["first"]]] - vectors[rows[table["second"]]]
    return verify_pairs(np.linalg.norm(apart, axis=1), table["same"], fold=table["fold"], seed=seed)


def _dealt(same: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Deal pairs out, as many of either kind to each fold."""
    if len(same) < _FOLDS:
        raise ValueError(f"expected at least {_FOLDS} pairs to deal out, got {len(same)}")
    random, parts = np.random.default_rng(seed), np.empty(len(same), np.intp)
    for kind in (True, False):
        rows = random.permutation(np.flatnonzero(same == kind))
        parts[rows] = np.arange(len(rows)) % _FOLDS
    return parts


def _best_threshold(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """Return the threshold with most right; where several are as good, the middle of them."""
    steps = np.concatenate([[0.0], np.unique(distances)])
    together = np.searchsorted(np.sort(distances[same]), steps, side="right")
    apart = (~same).sum() - np.searchsorted(np.sort(distances[~same]), steps, side="right")
    best = np.flatnonzero(together + apart == (together + apart).max())
    return float(steps[best[[0, -1]]].mean())
