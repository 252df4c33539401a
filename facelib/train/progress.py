"""Training progress as t-SNE maps of the same held-out faces, beside a reference network."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from tqdm.auto import tqdm

from facelib.faces import FloatArray
from facelib.gallery.map import make_map, measure_map
from facelib.project.wording import counted
from facelib.train.measures import face_metrics

_log = logging.getLogger(__name__)

MEASURES = ("silhouette", "recall_at_1", "pair_accuracy")
"""What stands under each map."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingMaps:
    """Maps of the same faces: by one network at several times, and by a reference network.

    Attributes:
        maps: One row per face and time: `epoch`, `picture`, `person`, `x`, `y`; each map fills -1 to 1.
        measures: A row a time: `epoch`, `silhouette`, `recall_at_1` and `pair_accuracy`, over all validation faces.
        kept: The epoch of the network that was kept, one of `epochs`.
        reference: The other network's map, without `epoch`; empty where there is none.
        reference_measures: The same figures of it, NaN where there is none.
        reference_name: What it is called.
    """

    maps: pd.DataFrame
    measures: pd.DataFrame
    kept: int
    reference: pd.DataFrame
    reference_measures: dict[str, float]
    reference_name: str = ""

    @property
    def epochs(self) -> list[int]:
        """The times of the maps, 0 for the untrained network."""
        return [int(epoch) for epoch in self.measures["epoch"]]

    def summary(self) -> pd.DataFrame:
        """Return a row each for the untrained network, the trained one and the known one, with their measures."""
        names = ["untrained", f"trained, {counted(self.kept, 'epoch')}"]
        table = self.measures.iloc[[0, self.epochs.index(self.kept)]][list(MEASURES)]
        if self.reference_name:
            names.append(f"{self.reference_name}, as it comes")
            table = pd.concat([table, pd.DataFrame([self.reference_measures])[list(MEASURES)]])
        table = table.assign(network=names)[["network", *MEASURES]].reset_index(drop=True)
        return table.rename(columns={"recall_at_1": "recall@1", "pair_accuracy": "pair accuracy"})


def follow(
    snapshots: Mapping[int, FloatArray],
    validation: pd.DataFrame,
    *,
    kept: int | None = None,
    reference: FloatArray | None = None,
    reference_name: str = "dlib",
    most_people: int = 20,
    most_faces: int = 600,
    perplexity: float = 15.0,
    seed: int = 0,
    progress: bool = True,
) -> TrainingMaps:
    """Make a map of each snapshot of the validation faces, and measure how well people keep apart in it.

    Each map starts from the one before and is turned onto it, so that points move as little as possible and are
    easy to follow. Figures are of the vectors themselves, not of the map.

    Args:
        snapshots: The vectors by epoch, `(n, d)` float32, as `Result.snapshots`.
        validation: `picture` and `person` of each, as `Result.validation`.
        kept: The epoch of the network that was kept, as `Result.best_epoch`; the last one where it is not among them.
        reference: `(n, e)`, the same faces by another network; NaN where it found no face. Those are on no map of its.
        reference_name: What to call it.
        most_people: So many people are shown at most, those with most faces first.
        most_faces: So many faces are shown at most, as many of each person.
        perplexity: As in `make_map`.
        seed: Of the maps, and of the pairs that are told apart.
        progress: Show a bar.

    Raises:
        ValueError: When there is no snapshot, or the lengths differ.
    """
    rows = len(validation)
    wrong = {epoch: vectors.shape for epoch, vectors in snapshots.items() if len(vectors) != rows}
    if not snapshots or wrong or (reference is not None and len(reference) != rows):
        raise ValueError(
            f"expected snapshots of {rows} validation faces each, got {wrong or 'none'} "
            f"and a reference of {None if reference is None else len(reference)}"
        )
    if kept is None or kept not in snapshots:
        kept = max(snapshots)
    shown = _shown(validation, most_people, most_faces)
    people = validation["person"].to_numpy(object)
    maps, measures, before = [], [], None
    for epoch in tqdm(sorted(snapshots), desc="maps", unit=" maps", leave=False, disable=not progress):
        vectors = snapshots[epoch]
        before = _map(vectors[shown], before, perplexity, seed)
        maps.append(_table(validation.iloc[shown], before).assign(epoch=epoch))
        measures.append({"epoch": epoch, **measure_vectors(vectors, people, seed=seed)})
    table = pd.concat(maps, ignore_index=True)[["epoch", "picture", "person", "x", "y"]]
    if reference is None:
        nothing = _table(validation.iloc[:0], np.empty((0, 2)))
        return TrainingMaps(table, pd.DataFrame(measures), kept, nothing, dict.fromkeys(MEASURES, np.nan))
    found: NDArray[np.bool_] = np.asarray(np.isfinite(reference).all(axis=1))
    if not found.all():
        _log.warning("%s found no face in %d of %d pictures", reference_name, (~found).sum(), rows)
    seen = shown[found[shown]]
    start = None if before is None else before[np.isin(shown, seen)]
    points = _map(reference[seen], start, perplexity, seed)
    figures = measure_vectors(reference[found], people[found], seed=seed)
    others = _table(validation.iloc[seen], points)
    return TrainingMaps(table, pd.DataFrame(measures), kept, others, figures, reference_name)


def measure_vectors(vectors: FloatArray, people: NDArray[Any], *, seed: int = 0) -> dict[str, float]:
    """Return `silhouette`, `recall_at_1` and `pair_accuracy` of vectors, `(n, d)`; NaN where one does not exist."""
    whole = measure_map(vectors, np.zeros((len(vectors), 2), np.float32), people).iloc[-1]
    told = face_metrics(vectors, people, seed=seed)
    return dict(zip(MEASURES, (float(whole["silhouette"]), told.recall_at_1, told.pair_accuracy), strict=True))


def _shown(validation: pd.DataFrame, most_people: int, most_faces: int) -> NDArray[np.intp]:
    """Return the places of the faces on the maps: of the people with most, evenly over each one's pictures."""
    counts = validation["person"].value_counts()
    people = sorted(counts.sort_values(ascending=False, kind="stable").index[:most_people])
    each = max(1, most_faces // max(1, len(people)))
    chosen = []
    for person in people:
        own = np.flatnonzero(validation["person"].to_numpy(object) == person)
        chosen.append(own[np.unique(np.linspace(0, len(own) - 1, min(each, len(own))).round().astype(int))])
    return np.concatenate(chosen)


def _map(vectors: FloatArray, before: FloatArray | None, perplexity: float, seed: int) -> FloatArray:
    """Return a map within -1 and 1, turned and mirrored so that it lies as the one before does."""
    start = before if before is not None and len(before) == len(vectors) and np.ptp(before[:, 0]) else None
    points = make_map(vectors, perplexity=perplexity, seed=seed, start=start, progress=False)
    if start is not None:
        turn, _ = orthogonal_procrustes(points, start)
        points = points @ turn
    largest = float(np.abs(points).max(initial=0))
    return np.asarray(points / largest if largest else points, np.float32)


def _table(faces: pd.DataFrame, points: NDArray[Any]) -> pd.DataFrame:
    table = faces[["picture", "person"]].reset_index(drop=True)
    return table.assign(x=points[:, 0], y=points[:, 1])
