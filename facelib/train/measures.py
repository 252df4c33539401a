"""Metrics on held-out people: recall@1, KNN accuracy and pair accuracy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn import functional

from facelib.evaluate.pairs import PairScore, verify_pairs
from facelib.faces import FloatArray
from facelib.train.augment import to_input
from facelib.train.data import Crops


@dataclass(frozen=True, slots=True)
class Scores:
    """The metrics of a set of vectors, each 0 to 1.

    Attributes:
        recall_at_1: Fraction of faces whose nearest other face is of the same person.
        knn_accuracy: Fraction of faces whose person has most of the five nearest others.
        pair_accuracy: Fraction of pairs classified right by their distance; half the pairs are of one person. The
            threshold of each tenth is chosen on the others (LFW's protocol).
    """

    recall_at_1: float
    knn_accuracy: float
    pair_accuracy: float


def embed_crops(
    model: nn.Module, crops: Crops, *, device: str = "cpu", batch_size: int = 64, mirrored: bool = False
) -> FloatArray:
    """Return the vectors of faces, `(n, dimension)` float32 of length 1, in the order of `crops.table`.

    Args:
        model: On `device`; it is left in the mode, training or evaluation, in which it was.
        crops: The faces.
        device: Where to compute.
        batch_size: Faces at once.
        mirrored: Whether to take the mean of the vectors of a face and of its mirror image.
    """
    was = model.training
    model.eval()
    parts: list[FloatArray] = []
    with torch.inference_mode():
        for start in range(0, len(crops), batch_size):
            faces = crops.faces(range(start, min(start + batch_size, len(crops))))
            pictures = to_input(torch.from_numpy(faces).to(device))
            vectors = model(pictures)
            if mirrored:
                vectors = functional.normalize(vectors + model(pictures.flip(3)))
            parts.append(vectors.float().cpu().numpy())
    model.train(was)
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def face_metrics(vectors: ArrayLike, names: ArrayLike, *, seed: int = 0) -> Scores:
    """Measure vectors of faces.

    Args:
        vectors: `(n, d)`; compared by Euclidean distance.
        names: `(n,)`, the person of each; people with one face are nobody's neighbour but wrong ones.
        seed: Of the pairs and their folds.

    Raises:
        ValueError: When there are fewer than two people, nobody has two faces, or the lengths disagree.
    """
    found, who = np.asarray(vectors, np.float32), np.asarray(names)
    pairs = pair_score(found, who, seed=seed)
    search = NearestNeighbors(n_neighbors=min(5, len(found) - 1)).fit(found)
    nearest = who[search.kneighbors(return_distance=False)]  # of the others
    voted = [Counter(row).most_common(1)[0][0] for row in nearest.tolist()]
    return Scores(
        recall_at_1=float((nearest[:, 0] == who).mean()),
        knn_accuracy=float((np.array(voted) == who).mean()),
        pair_accuracy=pairs.accuracy,
    )


def pair_score(vectors: ArrayLike, names: ArrayLike, *, pairs: int = 3000, seed: int = 0) -> PairScore:
    """Classify balanced pairs as one person or two, each tenth at the threshold of the other nine.

    The vectors, `(n, d)`, are compared by Euclidean distance; `pairs` are of either kind.

    Raises:
        ValueError: When there are fewer than two people, nobody has two faces, or the lengths disagree.
    """
    found, who = np.asarray(vectors, np.float32), np.asarray(names)
    if len(found) != len(who):
        raise ValueError(f"expected one name per vector, got {len(who)} names and {len(found)} vectors")
    first, second, same = balanced_pairs(who, pairs=pairs, seed=seed)
    return verify_pairs(np.linalg.norm(found[first] - found[second], axis=1), same, seed=seed)


def balanced_pairs(
    names: ArrayLike, *, pairs: int = 3000, seed: int = 0
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Draw as many pairs of one person as of two, every person as often as any other.

    Args:
        names: `(n,)`, the person of each face.
        pairs: Of either kind.
        seed: The same one gives the same pairs.

    Returns:
        The places of the first and of the second faces, and whether they are of one person, each `(2 * pairs,)`.

    Raises:
        ValueError: When there are fewer than two people, or nobody has two faces.
    """
    who = np.asarray(names)
    own = [np.flatnonzero(who == name) for name in np.unique(who)]
    several = [rows for rows in own if len(rows) > 1]
    if len(own) < 2 or not several:
        raise ValueError(
            f"expected faces of at least two people, and somebody with two, got {len(own)} people and {len(who)} faces"
        )
    random = np.random.default_rng(seed)
    person = random.integers(len(several), size=pairs)
    one = random.integers(len(own), size=pairs)
    other = (one + random.integers(1, len(own), size=pairs)) % len(own)
    first, second = _two_of_each([several[number] for number in person], random)
    left, right = (_one_of_each([own[number] for number in numbers], random) for numbers in (one, other))
    return np.concatenate([first, left]), np.concatenate([second, right]), np.arange(2 * pairs) < pairs


def _one_of_each(sets: list[NDArray[np.intp]], random: np.random.Generator) -> NDArray[np.intp]:
    sizes = np.array([len(rows) for rows in sets])
    return np.array([rows[place] for rows, place in zip(sets, random.integers(sizes), strict=True)], np.intp)


def _two_of_each(
    sets: list[NDArray[np.intp]], random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw two different ones out of each set."""
    sizes = np.array([len(rows) for rows in sets])
    places = random.integers(sizes)
    others = (places + random.integers(1, sizes)) % sizes
    table = [(rows[a], rows[b]) for rows, a, b in zip(sets, places, others, strict=True)]
    return np.array(table, np.intp)[:, 0], np.array(table, np.intp)[:, 1]
