from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from facelib.gallery import Gallery
from facelib.recognize import OpenSetKNN, OpenSetSVM, load_recognizer
from facelib.tuning import figures, svm_trials, tune


def make_gallery(people: int, faces: int, *, spread: float = 0.02, seed: int = 0) -> Gallery:
    """A gallery whose distances are about as dlib's: 0.25 within a person, 0.75 between people."""
    random = np.random.default_rng(seed)
    centres = 0.047 * random.normal(size=(people, 128))
    rows = [
        {
            "picture": f"people/P{person:02d}/{face}.jpg",
            "person": f"P{person:02d}",
            "embedding": (centres[person] + spread * random.normal(size=128)).astype(np.float32),
            "used": True,
            "reason": "",
        }
        for person in range(people)
        for face in range(faces)
    ]
    columns = ["picture", "person", "embedding", "used", "reason"]
    table = pd.DataFrame(rows, columns=columns).astype({"used": bool})
    return Gallery(table, detector="cnn", embedder="dlib", weights_sha256="abc")


@pytest.mark.parametrize(("kind", "estimator"), [("knn", OpenSetKNN), ("svm", OpenSetSVM)])
def test_a_tuned_recognizer_is_saved_with_all_that_it_was_made_from(kind, estimator, tmp_path):
    gallery = make_gallery(12, 8)
    tuning = tune(gallery, fallback=0.5, kind=kind, k=3, wanted_fpir=0.05, progress=False)
    path = tuning.save(tmp_path / "recognizer.skops")
    loaded, info = load_recognizer(path)
    assert type(loaded) is estimator and loaded.threshold == info.threshold == tuning.fitted.threshold
    assert (info.kind, info.k) == (kind, 3 if kind == "knn" else 1)
    assert (info.wanted_fpir, info.impostor_trials, info.genuine_trials) == (0.05, 96, 96)
    assert (info.detector, info.embedder, info.weights_sha256) == ("cnn", "dlib", "abc")
    assert info.pictures == tuple(gallery.pictures)
    assert info.confidence_slope < 0  # far is less sure, and the unit is a distance for an SVM too
    confidence = 1 / (1 + np.exp(-(info.confidence_intercept + info.confidence_slope * np.array([0.2, 1.0]))))
    assert confidence[0] > 0.9 and confidence[1] < 0.1
    probes = gallery.vectors + np.float32(0.005)
    assert (loaded.predict(probes) == gallery.names).mean() > 0.95
    assert (loaded.predict(make_gallery(4, 3, seed=9).vectors) == "unknown").all()


@pytest.mark.parametrize("kind", ["knn", "svm"])
def test_the_curve_the_figures_and_the_file_agree_at_any_threshold(kind, tmp_path):
    tuning = tune(make_gallery(12, 6, spread=0.04), fallback=0.5, kind=kind, progress=False)
    rows = tuning.curve
    assert rows["threshold"].is_monotonic_increasing
    for row in rows.iloc[[1, len(rows) // 2, -2]].itertuples():
        # on the side of the step that the row holds for
        inside = max(0.0, row.threshold - 1e-7) if kind == "svm" else row.threshold + 1e-7
        measured = tuning.measured(inside)
        assert (measured.fpir, measured.fnir) == pytest.approx((row.fpir, row.fnir))
        people = tuning.by_person(inside)
        assert people["right"].sum() / people["faces"].sum() == pytest.approx(row.right)
        assert people["taken_for_others"].sum() / 72 == pytest.approx(row.fpir)
        _, info = load_recognizer(tuning.save(tmp_path / "recognizer.skops", inside))
        assert (info.threshold, info.fpir, info.fnir) == pytest.approx((inside, row.fpir, row.fnir))


def test_an_svm_names_no_more_strangers_than_wanted_and_its_scores_are_probabilities():
    tuning = tune(make_gallery(15, 8, spread=0.03), fallback=0.5, kind="svm", wanted_fpir=0.05, progress=False)
    assert tuning.fitted.fpir <= 0.05
    assert 0 <= tuning.fitted.threshold <= 1 and tuning.at_least
    low, high = tuning.fitted.threshold_interval
    assert low <= high
    for scores in (tuning.genuine, tuning.impostor):
        assert ((scores >= 0) & (scores <= 1)).all()
    assert tuning.genuine.mean() > tuning.impostor.mean()


@pytest.mark.parametrize(
    ("counts", "genuine", "impostor"),
    [
        ([4, 4], 8, 0),  # without one of two people nothing can be trained
        ([4, 4, 4], 12, 12),
        ([1, 4, 4], 8, 9),  # a person's only face is never left out of training, but can play the stranger
        ([2, 3, 4, 5, 6, 7, 8], 35, 35),
    ],
)
def test_the_trials_of_an_svm_leave_out_what_they_try(counts, genuine, impostor):
    names = np.repeat([f"P{i}" for i in range(len(counts))], counts)
    full = make_gallery(len(counts), max(counts))
    vectors = np.concatenate([full.vectors[full.names == f"P{i:02d}"][:n] for i, n in enumerate(counts)])
    outcome = svm_trials(OpenSetSVM(), vectors, names, progress=False)
    assert (len(outcome.genuine), len(outcome.impostor)) == (genuine, impostor)
    assert np.isfinite(outcome.distances).all() and np.isfinite(outcome.impostor_distances).all()
    again = svm_trials(OpenSetSVM(), vectors, names, progress=False)
    assert np.array_equal(outcome.distances, again.distances)


@pytest.mark.parametrize("people", [1, 2])
def test_a_small_cast_takes_the_embedders_own_threshold(people, tmp_path):
    tuning = tune(make_gallery(people, 3), fallback=0.4, progress=False)
    assert tuning.fitted.threshold <= 0.4
    _, info = load_recognizer(tuning.save(tmp_path / "recognizer.skops"))
    assert math.isnan(info.fpir) == (people == 1)
    table = figures(tuning.fitted)
    assert table["trials"].tolist() == [0 if people == 1 else 3 * people, 3 * people]


@pytest.mark.parametrize(
    ("gallery", "options", "told"),
    [
        (make_gallery(0, 0), {}, "at least one face in use, got none"),
        (make_gallery(2, 2), {"kind": "tree"}, "'knn' or 'svm', got 'tree'"),
        (make_gallery(1, 4), {"kind": "svm"}, "two people"),
        (make_gallery(1, 4), {"fallback": math.nan}, "nobody measured one, and a cast of 1"),
        (make_gallery(2, 2), {"wanted_fpir": 1.5}, "wanted_fpir"),
        (make_gallery(2, 2), {"k": 0}, "k, the number of voting neighbours"),
    ],
)
def test_what_cannot_be_tuned_is_told(gallery, options, told):
    with pytest.raises(ValueError, match=told):
        tune(gallery, progress=False, **{"fallback": 0.5, **options})


def test_an_embedder_whose_threshold_nobody_measured_takes_the_casts_own():
    tuning = tune(make_gallery(3, 4), fallback=math.nan, progress=False)
    assert 0.3 < tuning.fitted.threshold < 0.9
    assert math.isfinite(tuning.confidence[0])
