"""The threshold of an embedding network, measured on pictures of people that its user has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.evaluate.pictures import cut_main_face, embed_chip
from facelib.faces import FloatArray
from facelib.images import find_pictures_below
from facelib.nets.figures import NetworkFigures

CAST, PICTURES = 10, 12  # people of a drawn cast, and pictures of each at most
FEWEST_STRANGERS = 100
"""Of fewer people, nobody can say within which distance 1 % of them lie."""

_WANTED = 0.01


def embed_people(
    folders: Iterable[Path], detector: Detector, embedder: Embedder, *, progress: bool = True
) -> tuple[FloatArray, list[str], list[tuple[Path, str]]]:
    """Embed the main face of each picture below some folders.

    Args:
        folders: Each with a folder of pictures for each person.
        detector: Finds the faces.
        embedder: Embeds them.
        progress: Show a bar.

    Returns:
        The vectors, `(n, d)`; whose they are, by the picture's folder; and the pictures left out, with the reason.

    Raises:
        FileNotFoundError: When a folder is missing.
    """
    paths = [path for folder in folders for path in find_pictures_below(folder).pictures]
    vectors, names, left_out = [], [], []
    for path in tqdm(paths, desc="Faces", unit="picture", leave=False, disable=not progress):
        try:
            chip = cut_main_face(path, detector, embedder)
        except (OSError, ValueError) as error:
            left_out.append((path, str(error)))
            continue
        if chip is None:
            left_out.append((path, "no face"))
            continue
        vectors.append(embed_chip(chip, embedder))
        names.append(path.parent.name)
    return np.array(vectors, np.float32).reshape(-1, embedder.dimension), names, left_out


def measure_network(
    vectors: FloatArray, names: ArrayLike, *, sha256: str, draws: int = 20, seed: int = 0
) -> NetworkFigures:
    """Measure within which distance of a cast 1 % of strangers lie, as facelib's own thresholds were measured.

    Casts of ten people with up to twelve pictures are drawn from those with several; everybody else is a stranger, who
    counts with one picture in each draw.

    Args:
        vectors: `(n, d)` embeddings of one network.
        names: `(n,)`, whose they are.
        sha256: Of the network's file.
        draws: How many casts are drawn. Raising it measures more exactly, and takes longer.
        seed: Of the draws.

    Raises:
        ValueError: When there are fewer than ten people with two pictures, or too few strangers beside them.
    """
    matrix, labels = np.asarray(vectors, np.float64), np.asarray(names, str)
    people, counts = np.unique(labels, return_counts=True)
    several = people[counts > 1]
    if len(several) < CAST or len(people) - CAST < FEWEST_STRANGERS:
        raise ValueError(
            f"expected pictures of at least {CAST} people with two or more each and of {FEWEST_STRANGERS} others, got "
            f"{len(several)} with two or more of {len(people)} people; Labeled Faces in the Wild has enough"
        )
    random = np.random.default_rng(seed)
    rows = [_draw(matrix, labels, several, random) for _ in range(draws)]
    thresholds, missed = np.array(rows).T
    return NetworkFigures(
        sha256=sha256,
        threshold=float(thresholds.mean()),
        deviation=float(thresholds.std()),
        missed=float(missed.mean()),
        people=len(several),
        pictures=len(labels),
    )


def _draw(
    matrix: NDArray[np.float64], labels: NDArray[np.str_], several: NDArray[np.str_], random: np.random.Generator
) -> tuple[float, float]:
    """Return the threshold of one cast, and the share of its faces that lie beyond it from their own person's."""
    order = random.permutation(len(labels))
    cast = random.choice(several, CAST, replace=False)
    enrolled = np.concatenate([order[labels[order] == person][:PICTURES] for person in cast])
    others = order[~np.isin(labels[order], cast)]
    _, first = np.unique(labels[others], return_index=True)
    away = cdist(matrix[others[first]], matrix[enrolled]).min(axis=1)
    threshold = float(np.quantile(away, _WANTED))
    apart = cdist(matrix[enrolled], matrix[enrolled])
    apart[labels[enrolled, None] != labels[enrolled]] = np.inf
    np.fill_diagonal(apart, np.inf)
    return threshold, float((apart.min(axis=1) > threshold).mean())
