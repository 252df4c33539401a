"""What a recognizer was made from, and its error rates, as written beside it; read without scikit-learn."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facelib.project.wording import with_type
from facelib.recognize.calibration import logistic

if TYPE_CHECKING:
    from facelib.embed import Embedder

RecognizerKind = Literal["knn", "svm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizerInfo:
    """What a recognizer was made from, and its error rates.

    Rates are fractions, 0 to 1, and NaN where nothing could be measured; intervals are (low, high).

    Attributes:
        kind: `"knn"` or `"svm"`.
        k: How many neighbours vote; 1 for an SVM.
        threshold: The recognizer's threshold: a distance for KNN, a probability for SVM.
        wanted_fpir: The fraction of strangers given a name that the threshold was fitted for.
        fpir: The fraction measured at the threshold.
        fnir: The fraction of faces of the cast not given their name.
        fpir_interval: 95 % interval of `fpir`.
        fnir_interval: 95 % interval of `fnir`.
        impostor_trials: How many trials `fpir` rests on.
        genuine_trials: How many trials `fnir` rests on.
        detector: Name of the detector that found the gallery's faces.
        embedder: Name of the network that made the embeddings.
        weights_sha256: Of that network's weights.
        facelib_version: The version that made it.
        pictures: The gallery's pictures in the order of its rows, relative to the project's data folder.
        confidence_slope: With `confidence_intercept`: a name at distance `d` is right with probability
            `1 / (1 + exp(-(intercept + slope * d)))`.
        confidence_intercept: See `confidence_slope`.
        strangers: How many of the impostor trials were pictures of strangers, and not the cast's own.
        per_person: Whether people have thresholds of their own, which the recognizer holds in `thresholds`.
        threshold_from: Where the threshold is from: `"trials"` (fitted), `"embedder"` (its own, the trials being too
            few), `"parameter"`, or `"hand"`, which stays until it is undone; empty in files of former versions.
        unnamed: The fraction of genuine trials given no name at all: `fnir` without the wrong names.
        aliases: Pairs of names that looked like one person's and were no strangers to each other.
    """

    kind: RecognizerKind
    k: int
    threshold: float
    wanted_fpir: float
    fpir: float
    fnir: float
    fpir_interval: tuple[float, float]
    fnir_interval: tuple[float, float]
    impostor_trials: int
    genuine_trials: int
    detector: str
    embedder: str
    weights_sha256: str
    facelib_version: str
    pictures: tuple[str, ...]
    confidence_slope: float
    confidence_intercept: float
    strangers: int = 0
    per_person: bool = False
    threshold_from: str = ""
    unnamed: float = math.nan
    aliases: tuple[tuple[str, str], ...] = ()

    def check_embedder(self, embedder: Embedder) -> None:
        """Check that an embedder is the network for which the recognizer was fitted.

        Raises:
            ValueError: When it is another one.
        """
        if embedder.sha256 != self.weights_sha256:
            raise ValueError(
                f"expected the embeddings of {self.embedder!r} with weights {self.weights_sha256[:12]!r}, on which the "
                f"recognizer was fitted, got {embedder.name!r} with weights {embedder.sha256[:12]!r}; run 02 and 04 "
                f"again with this embedder, or choose the other one here"
            )

    def confidence(self, distances: ArrayLike) -> NDArray[np.float64]:
        """Return the probability, 0 to 1, that a name at such a distance is right; NaN stays NaN."""
        values = np.asarray(distances, np.float64)
        return logistic(values, self.confidence_slope, self.confidence_intercept)


def read_recognizer_info(path: str | Path) -> RecognizerInfo:
    """Read the description beside a recognizer that `save_recognizer` wrote to `path`, not the recognizer itself.

    Raises:
        FileNotFoundError: When one of the two files is missing.
        ValueError: When the description is broken, or is not of the same run as the recognizer.
    """
    path = Path(path)
    digest, info = read_description(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise two_runs(path)
    return info


def read_description(path: Path) -> tuple[str, RecognizerInfo]:
    """Return what the description of a recognizer says: the SHA-256 of the recognizer's own file, and the rest.

    Raises:
        FileNotFoundError: When one of the two files is missing.
        ValueError: When the description is broken.
    """
    description = path.with_suffix(".json")
    for file in (path, description):
        if not file.is_file():
            raise FileNotFoundError(
                f"expected a recognizer's file at {str(file)!r}, found none; run notebook 04_tune_threshold first"
            )
    try:
        fields: dict[str, Any] = json.loads(description.read_text(encoding="utf-8"))
        digest = fields.pop("recognizer_sha256")
        info = RecognizerInfo(**{name: _from_json(value) for name, value in fields.items()})
        if info.kind not in get_args(RecognizerKind):
            raise ValueError(f"unknown kind {info.kind!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"expected the description of a recognizer at {str(description)!r}, could not read it: {with_type(error)}; "
            f"run notebook 04_tune_threshold again"
        ) from error
    return digest, info


def two_runs(path: Path) -> ValueError:
    """Return the error that a recognizer and its description do not belong together."""
    return ValueError(
        f"expected {path.name!r} and {path.with_suffix('.json').name!r} in {str(path.parent)!r} to be of one run, "
        f"they are not: the sha256 differs; run notebook 04_tune_threshold again"
    )


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_from_json(item) for item in value)
    return math.nan if value is None else value
