"""Recognizers compared on one gallery by cross-validation: k, weights and classifier in one table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from facelib.gallery import Gallery
from facelib.recognize import OpenSetSVM
from facelib.recognize.info import RecognizerKind
from facelib.recognize.svm import Kernel
from facelib.recognize.thresholds import Trials, fit_threshold
from facelib.recognize.thresholds.trials import strangers_to_each_other
from facelib.recognize.tuning.material import Material
from facelib.recognize.tuning.svm import folds_of
from facelib.recognize.tuning.tune import SVM_FALLBACK
from facelib.recognize.tuning.tuning import in_unit
from facelib.recognize.votes import VoteWeights

_COLUMNS = ("kind", "k", "weights", "kernel", "threshold", "fpir", "fnir", "fnir_low", "fnir_high", "wrong")


def compare(
    gallery: Gallery,
    *,
    fallback: float,
    wanted_fpir: float = 0.01,
    ks: Sequence[int] = (1, 3, 5, 10),
    weights: Sequence[VoteWeights] = ("uniform", "distance"),
    kernels: Sequence[Kernel] = ("linear", "rbf"),
    C: float = 1.0,
    strangers: Gallery | ArrayLike | None = None,
    aliases: Iterable[tuple[str, str]] | None = None,
    leave_out_near_duplicates: bool = True,
    seed: int = 0,
    progress: bool = True,
) -> pd.DataFrame:
    """Compare recognizers by cross-validation, each at the threshold that names the wanted share of strangers.

    All are tried on the same folds: a face is looked up without the fifth of its person's faces that it lies in, and
    as a stranger without the fifth of the people that its person is in. So the figures can be compared with each other,
    but `tune`, which leaves out less at a time, gives better ones.

    Args:
        gallery: The known faces; at least one is used.
        fallback: The embedder's own threshold, a distance: beyond it no machine gives a name.
        wanted_fpir: The fraction of strangers, 0 to 1, at which all are compared.
        ks: Numbers of voters of `OpenSetKNN`.
        weights: How votes count; see `OpenSetKNN`.
        kernels: Of `OpenSetSVM`; none leaves it out, and so does a cast of fewer than three people. Where no voter
            makes a mistake, none is trained either: it could not be better.
        C: See `OpenSetSVM`.
        strangers: As in `tune`.
        aliases: As in `tune`.
        leave_out_near_duplicates: As in `tune`.
        seed: Of the folds, and of the intervals' bootstrap.
        progress: Show a bar over the machines' trainings.

    Returns:
        A row a recognizer, the fewest errors first: `kind`, `k`, `weights` (empty for an SVM), `kernel` (empty for
        KNN), `threshold` (in the recognizer's own unit), `fpir`, `fnir` with its 95 % interval `fnir_low` and
        `fnir_high`, and `wrong`, the part of `fnir` that is given another's name.

    Raises:
        ValueError: When no face of the gallery is used, or an option is out of range.
    """
    tried = Material.of(
        gallery,
        fallback=fallback,
        strangers=strangers,
        aliases=aliases,
        leave_out_near_duplicates=leave_out_near_duplicates,
    )
    if not ks or min(ks) < 1 or not weights:
        raise ValueError(f"expected at least one k of 1 or more and one way of weights, got {ks!r} and {weights!r}")
    people, codes = np.unique(tried.names, return_inverse=True)
    strange = strangers_to_each_other(people, tried.aliases)
    own, away = folds_of(codes, groups=tried.groups, strange=strange, seed=seed)
    together = None if (away < 0).all() else away
    rows = []
    for how in weights:
        outcome = tried.trials(k=max(ks), weights=how, groups=own, people_groups=together)
        for k in ks:
            rows.append(_row(outcome.nearest(k), wanted_fpir, fallback, seed, kind="knn", k=k, weights=how))
    if together is not None and not _faultless(_table(rows), wanted_fpir):
        farthest = math.inf if math.isnan(fallback) else fallback
        for kernel in kernels:
            svm = OpenSetSVM(kernel=kernel, C=C, farthest=farthest)
            outcome = tried.svm_trials(svm, seed=seed, progress=progress)
            rows.append(_row(outcome.nearest(1), wanted_fpir, 1 - SVM_FALLBACK, seed, kind="svm", kernel=kernel))
    return _table(rows).sort_values("fnir", kind="stable", ignore_index=True)


def describe_comparison(table: pd.DataFrame, wanted_fpir: float) -> str:
    """Summarise the table of `compare` in a sentence."""
    if _faultless(table, wanted_fpir):
        machines = "" if table["kind"].eq("svm").any() else " Support vector machines could not do better: not trained."
        return f"All {len(table)} name every face right, so there is nothing to choose.{machines}"
    if table["fnir"].isna().all():
        return "Nobody has a second picture to test with, so nothing can be compared."
    if table["fnir"].nunique() == 1:
        return f"All {len(table)} miss equally many of the cast's faces, so there is nothing to choose."
    least, most = table["fnir"].min(), table["fnir"].max()
    return f"The first of {len(table)} misses {least:.1%} of the cast's faces, the last {most:.1%}."


def _faultless(table: pd.DataFrame, wanted_fpir: float) -> bool:
    """Return whether no recognizer misses a face of the cast at the wanted share of strangers."""
    return len(table) > 0 and bool((table["fnir"] == 0).all() and (table["fpir"].fillna(0) <= wanted_fpir).all())


def _table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _row(
    outcome: Trials,
    wanted_fpir: float,
    fallback: float,
    seed: int,
    *,
    kind: RecognizerKind,
    k: int = 1,
    weights: str = "",
    kernel: str = "",
) -> tuple[object, ...]:
    found = in_unit(kind, fit_threshold(outcome, wanted_fpir=wanted_fpir, fallback=fallback, seed=seed))
    at = found.threshold if kind == "knn" else 1 - found.threshold
    wrong = outcome.named(at) & ~outcome.named_right(at)
    share = float(wrong.mean()) if len(wrong) else math.nan
    return (kind, k, weights, kernel, found.threshold, found.fpir, found.fnir, *found.fnir_interval, share)
