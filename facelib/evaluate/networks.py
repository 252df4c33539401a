"""The threshold of an embedding network, measured on pictures of people that its user has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from tqdm.auto import tqdm

from facelib.detect import Detector
from facelib.detect.portraits import Portrait, find_portrait
from facelib.embed import Embedder
from facelib.embed.shapes import CAUTIOUS, DLIB_SHAPE
from facelib.faces import FloatArray, Image
from facelib.images import find_pictures_below, read_image
from facelib.nets.figures import EvidenceShape, NetworkFigures

CAST, PICTURES = 10, 12  # people of a drawn cast, and pictures of each at most
FEWEST_STRANGERS = 100
"""Of fewer people, nobody can say within which distance 1 % of them lie."""

SMALL = 19.0
"""Pixels: the height of faces that hardly say anything, see `facelib.films.naming.evidence.muteness`."""

_WANTED = 0.01
_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPeople:
    """The main faces of pictures of people.

    Attributes:
        vectors: `(n, d)`.
        small: `(n, d)`, of the same faces in pictures made so small that a face is 19 pixels high.
        names: `(n,)`, whose they are, by the picture's folder.
        left_out: The other pictures, each with the reason.
    """

    vectors: FloatArray
    small: FloatArray
    names: list[str]
    left_out: list[tuple[Path, str]]


def embed_people(
    folders: Iterable[Path], detector: Detector, embedder: Embedder, *, progress: bool = True
) -> EmbeddedPeople:
    """Embed the main face of each picture below some folders with one for each person, as it is and made small.

    Raises:
        FileNotFoundError: When a folder is missing.
    """
    paths = [path for folder in folders for path in find_pictures_below(folder).pictures]
    chips, names, left_out = [], [], []
    vectors, small = np.empty((2, 0, embedder.dimension), np.float32)
    for path in tqdm(paths, desc="faces", unit=" pictures", leave=False, disable=not progress):
        try:
            portrait = find_portrait(read_image(path), detector)
        except (OSError, ValueError) as error:
            left_out.append((path, str(error)))
            continue
        if not len(portrait.main):
            left_out.append((path, "no face"))
            continue
        chips += [embedder.chips(portrait.image, portrait.main)[0], _small_chip(portrait, embedder)]
        names.append(path.parent.name)
        if len(chips) >= _BATCH:
            vectors, small = _embedded(vectors, small, chips, embedder)
            chips.clear()
    vectors, small = _embedded(vectors, small, chips, embedder)
    return EmbeddedPeople(vectors, small, names, left_out)


def _small_chip(portrait: Portrait, embedder: Embedder) -> Image:
    """Return the main face cut out of the picture made small."""
    factor = min(1.0, SMALL / float(portrait.main.heights[0]))
    height, width = (max(1, round(factor * side)) for side in portrait.image.shape[:2])
    picture = np.asarray(cv2.resize(portrait.image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(embedder.chips(picture, portrait.main.scaled(factor))[0], np.uint8)


def _embedded(
    vectors: FloatArray, small: FloatArray, chips: list[Image], embedder: Embedder
) -> tuple[FloatArray, FloatArray]:
    """Return the vectors of both kinds with those of more chips, by turns large and small, behind them."""
    if not chips:
        return vectors, small
    found = embedder.embed_chips(np.stack(chips))
    return np.concatenate([vectors, found[::2]]), np.concatenate([small, found[1::2]])


def measure_network(
    vectors: FloatArray,
    names: ArrayLike,
    *,
    sha256: str,
    small: FloatArray | None = None,
    draws: int = 20,
    seed: int = 0,
) -> NetworkFigures:
    """Measure within which distance of a cast 1 % of strangers lie, as facelib's own thresholds were measured.

    Casts of ten people with up to twelve pictures are drawn from those with several; everybody else is a stranger, who
    counts with one picture in each draw. How much distances say is measured beside dlib's on the same kind of pictures.

    Args:
        vectors: `(n, d)` embeddings of one network.
        names: `(n,)`, whose they are.
        sha256: Of the network's file.
        small: `(n, d)`, of the same faces made small, see `embed_people`; None does not measure `shape`.
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
    casts = [_Cast.draw(labels, several, random) for _ in range(draws)]
    # The distance from a cast within which so many strangers lie.
    nearest = (cdist(matrix[one.strangers], matrix[one.enrolled]).min(axis=1) for one in casts)
    thresholds = [float(np.quantile(away, _WANTED)) for away in nearest]
    missed = [_missed(matrix, labels, one, limit) for one, limit in zip(casts, thresholds, strict=True)]
    threshold = float(np.mean(thresholds))
    shape = None
    if small is not None:
        shape = _shape(*_seen_by(casts, [matrix, np.asarray(small, np.float64)], labels, threshold))
    return NetworkFigures(
        sha256=sha256,
        threshold=threshold,
        deviation=float(np.std(thresholds)),
        missed=float(np.mean(missed)),
        people=len(several),
        pictures=len(labels),
        shape=shape,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Cast:
    """The rows of ten people's pictures, and of one picture of everybody else."""

    enrolled: NDArray[np.intp]
    strangers: NDArray[np.intp]

    @classmethod
    def draw(cls, labels: NDArray[np.str_], several: NDArray[np.str_], random: np.random.Generator) -> _Cast:
        order = random.permutation(len(labels))
        cast = random.choice(several, CAST, replace=False)
        enrolled = np.concatenate([order[labels[order] == person][:PICTURES] for person in cast])
        others = order[~np.isin(labels[order], cast)]
        _, first = np.unique(labels[others], return_index=True)
        return cls(enrolled, others[first])


def _missed(matrix: NDArray[np.float64], labels: NDArray[np.str_], cast: _Cast, threshold: float) -> float:
    """Return the share of a cast's faces that lie beyond the threshold from their own person's."""
    enrolled = cast.enrolled
    apart = cdist(matrix[enrolled], matrix[enrolled])
    apart[labels[enrolled, None] != labels[enrolled]] = np.inf
    np.fill_diagonal(apart, np.inf)
    return float((apart.min(axis=1) > threshold).mean())


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where faces of one size are as likely one person's as two people's, and how steeply that changes."""

    even: float  # in thresholds
    steep: float  # of the logarithm of the odds, for each threshold's length

    @classmethod
    def of(cls, same: NDArray[np.float64], other: NDArray[np.float64]) -> _Seen:
        """Return it by the means and deviations of both kinds of distances, in thresholds."""
        near, far = same.mean(), other.mean()
        by, of = max(same.std(), 1e-3), max(other.std(), 1e-3)
        return cls(float((near * of + far * by) / (by + of)), float((far - near) / (by * of)))


# dlib's, measured in this way on 62 people of LFW with up to nine pictures and 500 others: how far beyond the threshold
# strangers lie, large faces and small ones.
_DLIB_ROOM = 0.290
_DLIB_SEEN = (_Seen(1.083, 38.4), _Seen(1.251, 19.8))


def _shape(seen: list[_Seen], room: float) -> EvidenceShape:
    """Return dlib's shape, moved by as much as this network differs from dlib's on portraits.

    Films may be harder for it than portraits tell, so it is nowhere less cautious than that of a network nobody
    measured: with the figures of portraits alone, MobileFaceNet named 131 of 585 left-out faces of films, and 61 so.
    """
    moved = [
        (at * _DLIB_ROOM + mine.even - dlib.even) / room
        for mine, dlib, at in zip(seen, _DLIB_SEEN, DLIB_SHAPE.even, strict=True)
    ]
    steep = [
        falls / _DLIB_ROOM * mine.steep / dlib.steep * room
        for mine, dlib, falls in zip(seen, _DLIB_SEEN, DLIB_SHAPE.slope, strict=True)
    ]
    return EvidenceShape(even=_at_most(moved, CAUTIOUS.even), slope=_at_most(steep, DLIB_SHAPE.slope))


def _at_most(values: list[float], most: tuple[float, float]) -> tuple[float, float]:
    large, small = (round(min(value, limit), 2) for value, limit in zip(values, most, strict=True))
    return large, small


def _seen_by(
    casts: list[_Cast], probes: list[NDArray[np.float64]], labels: NDArray[np.str_], threshold: float
) -> tuple[list[_Seen], float]:
    """Return what large and small faces say, and how far beyond the threshold strangers lie, all in thresholds.

    The probes are the vectors of large faces, which are enrolled, and of the same faces made small.
    """
    matrix = probes[0]
    distances: list[tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]] = [([], []), ([], [])]
    usual = []
    for cast in casts:
        people = [cast.enrolled[labels[cast.enrolled] == person] for person in np.unique(labels[cast.enrolled])]
        people = [own for own in people if len(own) > 1]
        for (same, other), faces in zip(distances, probes, strict=True):
            for own in people:
                apart = cdist(faces[own], matrix[own])
                np.fill_diagonal(apart, np.inf)
                same.append(_nearest(apart, most=len(own) - 1))
                other.append(_nearest(cdist(faces[cast.strangers], matrix[own]), most=len(own)))
        usual.append(np.median(_to_others(matrix, people)))
    seen = [_Seen.of(np.concatenate(same) / threshold, np.concatenate(other) / threshold) for same, other in distances]
    return seen, float(np.clip(np.mean(usual) / threshold, *DLIB_SHAPE.strangers)) - 1


def _nearest(apart: NDArray[np.float64], *, most: int) -> NDArray[np.float64]:
    """Return the mean of each row's three smallest values."""
    return np.asarray(np.sort(apart, axis=1)[:, : min(3, most)].mean(axis=1), np.float64)


def _to_others(matrix: NDArray[np.float64], people: list[NDArray[np.intp]]) -> NDArray[np.float64]:
    """Return the distance of each person's faces to the nearest other person."""
    found = []
    for number, own in enumerate(people):
        others = [rows for one, rows in enumerate(people) if one != number]
        apart = [_nearest(cdist(matrix[own], matrix[rows]), most=len(rows)) for rows in others]
        found.append(np.min(apart, axis=0))
    return np.concatenate(found)
