"""From a gallery to a recognizer: trials, the threshold, its error rates."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelib.gallery import Gallery, alias_questions
from facelib.gallery.strangers import read_strangers
from facelib.project import Project
from facelib.recognize import OpenSetKNN, OpenSetSVM, RecognizerInfo
from facelib.recognize.info import RecognizerKind
from facelib.recognize.svm import Kernel
from facelib.recognize.thresholds import (
    Fitted,
    OwnThresholds,
    Trials,
    confidence_model,
    find_look_alikes,
    fit_offsets,
    fit_per_person,
    fit_threshold,
)
from facelib.recognize.tuning.material import Material
from facelib.recognize.tuning.svm import with_offsets
from facelib.recognize.tuning.tuning import Tuning, in_unit
from facelib.recognize.votes import VoteWeights

LARGEST_K = 20
SVM_FALLBACK = 0.5


def tune(
    gallery: Gallery,
    *,
    fallback: float,
    kind: RecognizerKind = "knn",
    k: int = 5,
    weights: VoteWeights = "uniform",
    kernel: Kernel = "linear",
    C: float = 1.0,
    wanted_fpir: float = 0.01,
    strangers: Gallery | ArrayLike | None = None,
    aliases: Iterable[tuple[str, str]] | None = None,
    per_person: bool = False,
    leave_out_near_duplicates: bool = True,
    largest_k: int = LARGEST_K,
    seed: int = 0,
    progress: bool = True,
) -> Tuning:
    """Test a gallery against itself and fit the threshold for a wanted error.

    Args:
        gallery: The known faces; at least one is used.
        fallback: The embedder's own threshold, a distance: taken where the cast is too small to fit one.
            For an SVM the limit is a probability of 0.5, and it is the farthest that a face may lie from a person's.
        kind: `"knn"`, the nearest faces vote; `"svm"`, one support vector machine a person.
        k: How many neighbours vote; see `OpenSetKNN`. Ignored for an SVM.
        weights: How votes count; see `OpenSetKNN`. Ignored for an SVM.
        kernel: See `OpenSetSVM`.
        C: See `OpenSetSVM`.
        wanted_fpir: The wanted fraction of strangers given a name, 0 to 1.
        strangers: Faces of people who are not of the cast, as further impostor trials: of
            `facelib.gallery.strangers.embed_strangers`, or their embeddings, `(s, d)`.
        aliases: Pairs of names that may be one person: until that is answered they do not count as strangers to
            each other. None looks for them; see `facelib.gallery.find_aliases`.
        per_person: Whether each person gets a threshold of their own; see `thresholds.fit_per_person`. Without it,
            only look-alikes do who would lower everybody's, see `thresholds.find_look_alikes`. The
            machines of an SVM are calibrated person by person as it is, and gain next to nothing.
        leave_out_near_duplicates: Whether a face is tested without the faces of its person that come from the same
            source; see `thresholds.near_duplicate_groups`. Without it, copies of a picture flatter the figures.
        largest_k: Up to which k `Tuning.at` can look; at least `k`.
        seed: Of the bootstrap and, for an SVM, of the folds.
        progress: Show a bar for the ten trainings of an SVM.

    Raises:
        ValueError: When no face of the gallery is used, an SVM is wanted for one person, or an option is out of range.
    """
    tried = Material.of(
        gallery,
        fallback=fallback,
        strangers=strangers,
        aliases=aliases,
        leave_out_near_duplicates=leave_out_near_duplicates,
    )
    estimator = _estimator(kind, k, weights, kernel, C, fallback)
    voting: dict[str, Any] = {"k": max(k, largest_k) if k >= 1 else k, "weights": weights}
    by_distance = tried.trials(**voting)
    every, limit = by_distance, fallback
    if isinstance(estimator, OpenSetSVM):
        every, limit = tried.svm_trials(estimator, seed=seed, progress=progress), 1 - SVM_FALLBACK
    own = _own_thresholds(kind, every, per_person, wanted_fpir=wanted_fpir, fallback=limit, seed=seed)
    if own is not None and kind == "svm":
        every = with_offsets(every, own.offsets)
    elif own is not None:
        every = tried.trials(offsets=own.offsets, **voting)
    outcome = every.nearest(k if kind == "knn" else 1)
    fitted = fit_threshold(outcome, wanted_fpir=wanted_fpir, fallback=limit, seed=seed)
    _check_finite(fitted, gallery, fallback)
    advice = _about_duplicates(tried.near_duplicates) + _about_aliases(tried.aliases) + _about_look_alikes(own)
    fitted = in_unit(kind, replace(fitted, advice=fitted.advice + advice))
    usual = fallback
    if not np.isfinite(fallback):
        usual = fit_threshold(by_distance, wanted_fpir=wanted_fpir, fallback=np.inf).threshold
    as_one = tried.with_aliases_as_one().trials(**voting) if tried.aliases else by_distance
    return Tuning(
        gallery=gallery,
        estimator=estimator.set_params(threshold=fitted.threshold),
        fitted=fitted,
        outcome=outcome,
        every=every,
        confidence=confidence_model(as_one, fallback=usual),
        fallback=limit,
        strangers=strangers if isinstance(strangers, Gallery) else None,
        per_person=None if own is None else _own_unit(own, fitted.threshold, kind),
        near_duplicates=tried.near_duplicates,
        aliases=tried.aliases,
    )


def tune_again(gallery: Gallery, project: Project, recognizer: OpenSetKNN | OpenSetSVM, info: RecognizerInfo) -> Tuning:
    """Test a project's gallery against itself with the options of the recognizer that the project has, or had.

    Args:
        gallery: The known faces.
        project: Its answers to which names are one person count, and its strangers if embedded by the same network.
        recognizer: As `load_recognizer` returned it.
        info: Likewise.

    Raises:
        ValueError: As in `tune`.
    """
    own = math.nan if gallery.threshold is None else gallery.threshold
    strangers = read_strangers(project)
    questions = alias_questions(gallery.used, project, threshold=own)
    given = {name: value for name, value in recognizer.get_params().items() if name in ("k", "weights", "kernel", "C")}
    return tune(
        gallery,
        kind=info.kind,
        wanted_fpir=info.wanted_fpir,
        per_person=info.per_person,
        strangers=strangers if strangers and strangers.weights_sha256 == gallery.weights_sha256 else None,
        fallback=own if math.isfinite(own) or info.kind == "svm" else info.threshold,
        progress=False,
        aliases=list(zip(questions["other"], questions["person"], strict=True)),
        **given,
    )


def _estimator(
    kind: RecognizerKind, k: int, weights: VoteWeights, kernel: Kernel, C: float, fallback: float
) -> OpenSetKNN | OpenSetSVM:
    if kind == "knn":
        return OpenSetKNN(k=k, weights=weights)
    if kind == "svm":
        return OpenSetSVM(kernel=kernel, C=C, farthest=math.inf if math.isnan(fallback) else fallback)
    raise ValueError(f"expected kind to be 'knn' or 'svm', got {kind!r}")


def _own_thresholds(
    kind: RecognizerKind, every: Trials, per_person: bool, *, wanted_fpir: float, fallback: float, seed: int
) -> OwnThresholds | None:
    """Return the thresholds that are people's own: everybody's, else those of look-alikes; None where all have one."""
    if per_person:
        table = fit_per_person(every, wanted_fpir=wanted_fpir, fallback=fallback, seed=seed)
        return OwnThresholds(table, fit_offsets(every, wanted_fpir=wanted_fpir, seed=seed))
    return find_look_alikes(every, wanted_fpir=wanted_fpir, fallback=fallback) if kind == "knn" else None


def _check_finite(fitted: Fitted, gallery: Gallery, fallback: float) -> None:
    if not np.isfinite(fitted.threshold):
        raise ValueError(
            f"expected a threshold for the embedder {gallery.embedder!r}, got {fallback!r}: none was measured, and "
            f"a cast of {fitted.people} is too small to fit one; add people, measure the network with 'facelib models "
            f"calibrate', or choose an embedder whose threshold is known"
        )


def _own_unit(own: OwnThresholds, threshold: float, kind: RecognizerKind) -> pd.DataFrame:
    """Return the table of `fit_per_person` with the thresholds that the recognizer will have."""
    table, offsets = own.table, own.offsets.people
    if kind == "svm":
        return table.assign(threshold=(threshold + offsets).clip(0, 1), alike=1 - table["alike"])
    return table.assign(threshold=(threshold - offsets).clip(0))


def _about_aliases(pairs: Iterable[tuple[str, str]]) -> str:
    told = "".join(f" {one} and {other} look like one person." for one, other in pairs)
    return f"{told} Until you say whether they are, they do not count as strangers to each other." if told else ""


def _about_look_alikes(own: OwnThresholds | None) -> str:
    if own is None or not own.pairs:
        return ""
    told = "".join(
        f" {one} and {other} look alike: of these two alone, only a face within {threshold:.4f} gets the name."
        for one, other, threshold in own.pairs
    )
    return f"{told} With one threshold for all it would be {own.table['alike'].iloc[0]:.4f} for everybody."


def _about_duplicates(count: int) -> str:
    if not count:
        return ""
    faces = "1 face is" if count == 1 else f"{count} faces are"
    return f" {faces} so similar to others of their person that those were left out of their trials."
