"""A t-SNE map of embeddings, and measures of how far to trust it."""

from __future__ import annotations

import logging
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from openTSNE import TSNE
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors
from tqdm.auto import tqdm

from facelib.faces import FloatArray

_log = logging.getLogger(__name__)

SMALLEST_MAP = 5
"""The number of faces from which t-SNE is used; below it, distances are laid out by principal components."""


def make_map(
    vectors: FloatArray,
    *,
    perplexity: float = 30.0,
    seed: int = 0,
    start: FloatArray | None = None,
    progress: bool = True,
) -> FloatArray:
    """Arrange embeddings in the plane so that neighbours stay neighbours: `(n, 2)` float32, centred on the origin.

    t-SNE (van der Maaten and Hinton, 2008) in openTSNE's implementation, starting from the two principal components, so
    that the same vectors and seed give the same map. Distances between groups and the sizes of groups mean nothing on
    it. Below `SMALLEST_MAP` faces, where t-SNE has no neighbourhoods to keep, the principal components are the map.

    Args:
        vectors: `(n, d)` float32.
        perplexity: About the number of neighbours each face is kept near: a larger value shows the large groups,
            a smaller one the fine ones. Brought down to `(n - 1) / 3` when there are fewer faces than that needs.
        seed: Of the generator of random numbers.
        start: `(n, 2)`, where the points begin, such as another map of the same faces, so that they stay near it where
            they can; None: the principal components.
        progress: Show a bar of the steps; 3000 faces take about 7 s.

    Raises:
        ValueError: When `vectors` is not two-dimensional or holds NaN, `perplexity` is below 1, or `start` is no such
            array.

    Examples:
        >>> make_map(np.eye(3, 8, dtype=np.float32), progress=False).shape
        (3, 2)
    """
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError(
            f"expected finite embeddings of shape (faces, dimension), got shape {vectors.shape!r} with "
            f"{np.count_nonzero(~np.isfinite(vectors))} values that are not finite; take the gallery's used rows only"
        )
    if not perplexity >= 1:
        raise ValueError(f"expected a perplexity of 1 or more, got {perplexity!r}")
    flat = _principal(vectors)
    if len(vectors) < SMALLEST_MAP or not np.ptp(flat):
        return flat
    begin = flat if start is None else np.asarray(start)
    if begin.shape != flat.shape or not np.isfinite(begin).all() or not np.ptp(begin[:, 0]):
        raise ValueError(f"expected a start of shape {flat.shape!r}, finite and spread out, got shape {begin.shape!r}")
    # openTSNE wants a start with a standard deviation of 1e-4, as wide as its first steps are long.
    steps = {"early_exaggeration_iter": 250, "n_iter": 500}
    bar = tqdm(total=sum(steps.values()), desc="map", unit=" steps", leave=False, disable=not progress)
    with bar:
        spread = TSNE(
            perplexity=usable_perplexity(len(vectors), perplexity),
            initialization=begin.astype(np.float64) / max(float(begin[:, 0].std()), 1e-12) * 1e-4,
            neighbors="exact" if len(vectors) < 10_000 else "auto",
            negative_gradient_method="bh",  # that for many points was measured 6 times slower on 3,000
            n_jobs=1,  # threads give the same map, but were measured 3 times slower on a busy machine
            random_state=seed,
            callbacks=lambda *_: bool(bar.update(50)) and False,  # returning True would stop it
            callbacks_every_iters=50,
            **steps,
        ).fit(vectors.astype(np.float64))
    points = np.asarray(spread, np.float32)
    return cast(FloatArray, points - points.mean(axis=0))


def usable_perplexity(count: int, wanted: float) -> float:
    """Return the perplexity that a map of `count` faces can have: `wanted`, or a third of the others.

    Examples:
        >>> usable_perplexity(1000, 30), usable_perplexity(31, 30)
        (30.0, 10.0)
    """
    most = max(1.0, (count - 1) / 3)
    if wanted > most:
        _log.info("perplexity brought down from %g to %g: there are only %d faces", wanted, most, count)
    return min(float(wanted), most)


def map_table(faces: pd.DataFrame, points: FloatArray) -> pd.DataFrame:
    """Return the table of the map: `picture`, `face`, `person`, `x`, `y`, in the order of `faces`.

    Args:
        faces: One row per face, such as the used rows of the gallery.
        points: `(n, 2)`, from `make_map`.

    Raises:
        ValueError: When the two differ in length.
    """
    if points.shape != (len(faces), 2):
        raise ValueError(f"expected points of shape {(len(faces), 2)!r}, got {points.shape!r}")
    table = faces[["picture", "face", "person"]].reset_index(drop=True)
    return table.assign(x=points[:, 0], y=points[:, 1])


def measure_map(vectors: FloatArray, points: FloatArray, names: NDArray[np.object_] | list[str]) -> pd.DataFrame:
    """Measure how well people are separated, in the embeddings themselves and on the map.

    Nearest-neighbour purity is the share of faces whose nearest other face is the same person's. The silhouette
    (Rousseeuw, 1987) is the mean of `(b - a) / max(a, b)`, where `a` is a face's mean distance to its own person
    and `b` that to the nearest other person: 1 is far apart, 0 touching, below 0 mixed up. If the map shows
    more order than the embeddings have, trust the embeddings.

    Args:
        vectors: `(n, d)`, the embeddings.
        points: `(n, 2)`, the map of the same faces.
        names: `(n,)`, the person of each.

    Returns:
        One row per person, sorted, and `everybody` last; the columns `person`, `faces`, `purity`, `purity_on_map`,
        `silhouette`, `silhouette_on_map`. NaN where a figure does not exist: purity of a person with one face,
        silhouette of a person with one face or of a cast of one.

    Raises:
        ValueError: When the three differ in length.
    """
    people = np.asarray(names, dtype=object)
    if not len(vectors) == len(points) == len(people):
        raise ValueError(f"expected as many names as points, got {len(vectors)}, {len(points)}, {len(people)}")
    table = pd.DataFrame(
        {
            "person": people,
            "purity": _pure(vectors, people),
            "purity_on_map": _pure(points, people),
            "silhouette": _silhouettes(vectors, people),
            "silhouette_on_map": _silhouettes(points, people),
        }
    )
    figures = ["purity", "purity_on_map", "silhouette", "silhouette_on_map"]
    by_person = table.groupby("person", sort=True)[figures].mean()
    by_person.insert(0, "faces", table.groupby("person", sort=True).size())
    everybody = table[figures].mean().to_frame("everybody").T
    everybody.insert(0, "faces", len(table))
    return pd.concat([by_person, everybody]).rename_axis("person").reset_index()


def find_strays(faces: pd.DataFrame, vectors: FloatArray, *, k: int = 5) -> pd.DataFrame:
    """Return the faces that lie among another person's, the farthest astray first.

    Judged by the embeddings themselves, not by the map: a face is astray when more of its `k` nearest other faces
    are one other person's than its own person's.

    Args:
        faces: One row per face, with `person`, such as the used rows of the gallery.
        vectors: `(n, d)`, their embeddings.
        k: How many neighbours are compared; fewer where there are fewer.

    Returns:
        Those rows of `faces`, with two columns more: `among` (the other person) and `share` (of the neighbours, 0 to 1,
        who are that person's).

    Raises:
        ValueError: When the two differ in length, or `k` is below 1.
    """
    if len(faces) != len(vectors) or k < 1:
        raise ValueError(f"expected one vector per face and k of 1 or more, got {len(faces)}, {len(vectors)}, k={k!r}")
    k = min(k, len(faces) - 1)
    people, codes = np.unique(faces["person"].to_numpy(dtype=str), return_inverse=True)
    if k < 1 or len(people) < 2:
        return faces.iloc[:0].assign(among="", share=0.0)
    nearest = NearestNeighbors(n_neighbors=k).fit(vectors).kneighbors(return_distance=False)
    votes = np.stack([np.bincount(row, minlength=len(people)) for row in codes[nearest]])
    rows = np.arange(len(faces))
    own = votes[rows, codes].copy()
    votes[rows, codes] = 0
    other = votes.argmax(axis=1)
    found: pd.DataFrame = faces.assign(among=people[other], share=votes[rows, other] / k)[votes[rows, other] > own]
    return found.sort_values("share", ascending=False, kind="stable")


def _principal(vectors: FloatArray) -> FloatArray:
    """Return the first two principal components, `(n, 2)`, each turned so that its largest entry is positive."""
    if not len(vectors):
        return np.zeros((0, 2), np.float32)
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    points = (left * np.where(sizes > 1e-9, sizes, 0.0))[:, :2]
    points *= np.sign(points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])])
    flat = np.zeros((len(vectors), 2), np.float32)
    flat[:, : points.shape[1]] = points
    return flat


def _pure(points: FloatArray, people: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return 1 where the nearest other face is the same person's, 0 where not, NaN for a person's only face."""
    alone = ~pd.Series(people).duplicated(keep=False).to_numpy()
    if len(points) < 2:
        return np.full(len(points), np.nan)
    # Without query points scikit-learn leaves out each face itself, even beside copies at distance 0.
    nearest = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(return_distance=False)[:, 0]
    return np.where(alone, np.nan, people[nearest] == people)


def _silhouettes(points: FloatArray, people: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return each face's silhouette; NaN for a person's only face, and for all when it is not defined."""
    different = len(set(people))
    if not 2 <= different < len(people):
        return np.full(len(people), np.nan)
    codes = pd.factorize(people)[0]
    alone = np.bincount(codes)[codes] == 1
    return np.where(alone, np.nan, silhouette_samples(points, codes))
