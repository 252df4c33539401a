from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from facelib.gallery import Gallery
from facelib.gallery.strangers import read_strangers, strangers_file
from facelib.project import Project
from facelib.recognize import OpenSetKNN, OpenSetSVM, load_recognizer
from facelib.recognize.report import describe_recognizer, recognizer_warnings
from facelib.recognize.tuning import (
    STRANGER,
    choose_threshold,
    compare,
    describe_comparison,
    figures,
    save_choice,
    svm_trials,
    tune,
    tune_again,
)

MEASURES = ("left", "top", "right", "bottom", "score", "sharpness")


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


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("knn", {"k": 3, "weights": "distance"}),
        ("knn", {"k": 1, "per_person": True}),
        ("svm", {"kernel": "rbf", "C": 2.0}),
    ],
)
def test_a_recognizer_is_tuned_again_with_its_own_options(kind, options, tmp_path):
    gallery = make_gallery(12, 6, spread=0.04)
    before = tune(gallery, fallback=math.nan, kind=kind, wanted_fpir=0.05, progress=False, **options)
    recognizer, info = load_recognizer(before.save(tmp_path / "recognizer.skops", most_unnamed=1))
    project = Project("none", tmp_path, tmp_path / "output")
    other = gallery.table.assign(sha256="", face=0, landmarks=[[0.0] * 10] * 72, **dict.fromkeys(MEASURES, 1.0))
    replace(gallery, table=other, weights_sha256="of another network").save(strangers_file(project))
    assert read_strangers(project) is not None
    again = tune_again(gallery, project, recognizer, info)
    assert again.estimator.get_params() == before.estimator.get_params() | {"threshold": again.fitted.threshold}
    assert again.fitted.wanted_fpir == 0.05 and (again.per_person is None) == (before.per_person is None)


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
        _, info = load_recognizer(tuning.save(tmp_path / "recognizer.skops", inside, most_unnamed=1))
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
        (make_gallery(1, 4), {"fallback": math.nan}, "none was measured, and a cast of 1"),
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


def strangers_of(count: int, *, seed: int = 77) -> np.ndarray:
    return make_gallery(count, 1, seed=seed).vectors


@pytest.mark.parametrize(("kind", "k"), [("knn", 1), ("knn", 5), ("knn", 12), ("svm", 1)])
def test_a_setting_is_what_the_recognizer_does(kind, k):
    gallery = make_gallery(12, 6, spread=0.055)
    tuning = tune(gallery, fallback=0.7, kind=kind, strangers=strangers_of(40), progress=False)
    for threshold in (0.3, 0.55, 0.75, 0.95):
        setting = tuning.at(k, threshold)
        counts = setting.counts
        measured = tuning.measured(threshold, k=k)
        assert (setting.counts.fpir, setting.counts.fnir) == pytest.approx((measured.fpir, measured.fnir))
        assert (counts.cast, counts.strangers) == (72, 112)
        table = setting.confusion
        cast = table.drop(index=STRANGER)
        assert table.to_numpy().sum() == 184 and (cast.sum(axis=1) == 6).all()
        assert np.trace(cast.to_numpy()) == counts.right and cast["unknown"].sum() == counts.rejected
        assert table.loc[STRANGER, "unknown"] == counts.strangers - counts.strangers_named
        matches, missed = setting.false_matches, setting.false_rejections
        assert (matches["kind"] == "cast").sum() == counts.wrong and len(missed) == counts.rejected
        assert (matches["kind"] != "cast").sum() == counts.strangers_named
        own = matches[matches["kind"] != "stranger"]
        assert (gallery.names[own["probe"]] == own["person"]).all() and (own["person"] != own["name"]).all()
        assert (gallery.names[matches["carrier"]] == matches["name"]).all()
        assert (matches.loc[matches["kind"] == "stranger", "person"] == "").all()
        assert (gallery.names[missed["probe"]] == missed["person"]).all()
        better = matches["score"] >= threshold if kind == "svm" else matches["score"] <= threshold
        assert (
            better.all() and not (missed["score"] <= threshold if kind == "knn" else missed["score"] >= threshold).any()
        )
    if kind == "knn":
        row = 9
        rest = np.arange(72) != row
        knn = OpenSetKNN(k=k, threshold=0.75).fit(gallery.vectors[rest], gallery.names[rest])
        decided = knn.decide(gallery.vectors[[row]]).iloc[0]
        trial = tuning.at(k, 0.75).trials.cast
        assert rest.nonzero()[0][decided["neighbour"]] == trial.carrier(0.75)[list(trial.probes).index(row)]


def test_every_k_was_tried_once_and_each_has_its_own_curve():
    tuning = tune(make_gallery(12, 6, spread=0.07), fallback=0.9, k=3, largest_k=8, progress=False)
    assert (tuning.k, tuning.largest_k) == (3, 8)
    for k in (1, 3, 8):
        fresh = tune(tuning.gallery, fallback=0.9, k=k, progress=False)
        pd.testing.assert_frame_equal(tuning.curve_at(k), fresh.curve)
        assert tuning.at(k, 0.9).counts == fresh.at(k, 0.9).counts
        assert tuning.fit(0.05, k=k).fnir == fresh.fit(0.05).fnir
    with pytest.raises(ValueError, match="between 1 and 8, got 9"):
        tuning.at(9)
    with pytest.raises(ValueError, match="got nan"):
        tuning.at(1, math.nan)


def test_another_k_is_saved(tmp_path):
    tuning = tune(make_gallery(12, 6), fallback=0.5, k=5, progress=False)
    loaded, info = load_recognizer(tuning.save(tmp_path / "recognizer.skops", 0.4, k=2))
    assert (loaded.k, info.k, loaded.threshold) == (2, 2, 0.4)
    assert loaded.thresholds is None and not info.per_person


@pytest.mark.parametrize("kind", ["knn", "svm"])
def test_people_with_thresholds_of_their_own_are_saved_and_move_together(kind, tmp_path):
    gallery = make_gallery(12, 20, spread=0.045)
    options = {"fallback": 0.75, "kind": kind, "wanted_fpir": 0.05, "progress": False}
    options["strangers"] = make_gallery(200, 1, spread=0.045, seed=76).vectors
    tuning = tune(gallery, per_person=True, **options)
    own = tuning.thresholds()
    assert list(own) == sorted(set(gallery.names)) and tuning.fitted.fpir <= 0.05
    loaded, info = load_recognizer(tuning.save(tmp_path / "recognizer.skops"))
    assert loaded.thresholds == own and info.per_person
    moved = tuning.thresholds(tuning.fitted.threshold - 0.02)
    assert all(moved[name] == pytest.approx(max(own[name] - 0.02, 0)) for name in own)
    assert (loaded.predict(gallery.vectors) == gallery.names).mean() > 0.9
    if kind == "knn":
        assert len(set(own.values())) > 6
        strangers = make_gallery(300, 1, spread=0.045, seed=77).vectors
        assert (loaded.predict(strangers) != "unknown").mean() < 0.15
    plain = tune(gallery, **options)
    assert plain.thresholds() is None and plain.per_person is None


def test_copies_of_a_picture_do_not_flatter():
    gallery = make_gallery(12, 4, spread=0.055)
    table = pd.concat([gallery.table, gallery.table], ignore_index=True)
    twice = Gallery(table, detector="cnn", embedder="dlib", weights_sha256="abc")
    flattering = tune(twice, fallback=0.5, leave_out_near_duplicates=False, progress=False)
    honest = tune(twice, fallback=0.5, progress=False)
    assert flattering.measured(0.2).fnir == 0 and honest.measured(0.2).fnir == 1
    assert honest.near_duplicates == 96 and "96 faces are so similar to others" in honest.fitted.advice
    assert flattering.near_duplicates == 0 and "so similar to others" not in flattering.fitted.advice


def test_a_gallery_of_strangers_is_taken_and_one_by_another_network_refused():
    gallery, away = make_gallery(12, 6), make_gallery(30, 1, seed=5)
    tuning = tune(gallery, fallback=0.5, strangers=away, progress=False)
    assert tuning.strangers is away and tuning.outcome.strangers == 30
    other = Gallery(away.table, detector="cnn", embedder="facenet", weights_sha256="def")
    with pytest.raises(ValueError, match="expected strangers embedded by 'dlib'"):
        tune(gallery, fallback=0.5, strangers=other, progress=False)
    none = Gallery(away.table.assign(used=False), detector="cnn", embedder="dlib", weights_sha256="abc")
    assert tune(gallery, fallback=0.5, strangers=none, progress=False).outcome.strangers == 0


def test_recognizers_are_compared_on_the_same_folds():
    table = compare(make_gallery(12, 6, spread=0.07), fallback=0.9, wanted_fpir=0.05, ks=(1, 5), progress=False)
    assert sorted(zip(table["kind"], table["k"], table["weights"], table["kernel"], strict=True)) == [
        ("knn", 1, "distance", ""),
        ("knn", 1, "uniform", ""),
        ("knn", 5, "distance", ""),
        ("knn", 5, "uniform", ""),
        ("svm", 1, "", "linear"),
        ("svm", 1, "", "rbf"),
    ]
    assert table["fnir"].is_monotonic_increasing and (table["fpir"] <= 0.05).all()
    assert (table["fnir_low"] <= table["fnir"]).all() and (table["wrong"] <= table["fnir"]).all()
    one = table[table["k"].eq(1) & table["kind"].eq("knn")]
    assert one["fnir"].nunique() == 1  # a single voter has no use for weights


@pytest.mark.parametrize(
    ("gallery", "options", "told"),
    [
        (make_gallery(0, 0), {}, "at least one face in use"),
        (make_gallery(3, 3), {"ks": ()}, "at least one k"),
        (make_gallery(3, 3), {"ks": (0,)}, "at least one k"),
        (make_gallery(3, 3), {"wanted_fpir": -1}, "wanted_fpir"),
    ],
)
def test_what_cannot_be_compared_is_told(gallery, options, told):
    with pytest.raises(ValueError, match=told):
        compare(gallery, fallback=0.5, progress=False, **options)


@pytest.mark.parametrize("people", [1, 2])
def test_a_small_cast_is_compared_without_machines(people):
    table = compare(make_gallery(people, 4), fallback=0.5, progress=False)
    assert set(table["kind"]) == {"knn"} and table["fpir"].isna().all() == (people == 1)


def test_machines_are_not_trained_where_no_voter_makes_a_mistake(monkeypatch):
    def train(*arguments, **options):
        raise AssertionError("trained a machine that could not do better")

    monkeypatch.setattr("facelib.recognize.tuning.material.svm_trials", train)
    table = compare(make_gallery(12, 6, spread=0.05), fallback=0.9, wanted_fpir=0.05, progress=False)
    assert (table["fnir"] == 0).all() and len(table) == 8
    assert describe_comparison(table, 0.05) == (
        "All 8 name every face right, so there is nothing to choose. "
        "Support vector machines could not do better: not trained."
    )


@pytest.mark.parametrize(
    ("fnir", "told"),
    [
        ([0.1, 0.2], "The first of 2 misses 10.0% of the cast's faces, the last 20.0%."),
        ([0.1, 0.1], "All 2 miss equally many of the cast's faces, so there is nothing to choose."),
        ([math.nan, math.nan], "Nobody has a second picture to test with, so nothing can be compared."),
    ],
)
def test_a_comparison_that_tells_nothing_says_so(fnir, told):
    table = pd.DataFrame({"kind": "knn", "fnir": fnir, "fpir": 0.0})
    assert describe_comparison(table, 0.01) == told


def test_a_person_who_could_not_be_tried_has_no_figures():
    gallery = make_gallery(3, 2)
    one_less = Gallery(gallery.table[:-1], detector="cnn", embedder="dlib", weights_sha256="abc")
    table = tune(one_less, fallback=0.5, progress=False).by_person(0.5).set_index("person")
    assert table.loc["P02", ["right", "wrong", "rejected"]].isna().all()
    assert table.loc["P02", "faces"] == 0 and table.loc["P02", "taken_for_others"] == 0
    assert table["note"].to_dict() == {"P00": "", "P01": "", "P02": "not tested: no second picture to compare with"}
    copies = pd.concat([gallery.table[:-1], gallery.table[4:5]], ignore_index=True)  # P02 twice, by one picture
    twice = Gallery(copies, detector="cnn", embedder="dlib", weights_sha256="abc")
    noted = tune(twice, fallback=0.5, progress=False).by_person(0.5).set_index("person")["note"]
    assert noted["P02"] == "not tested: the pictures are nearly the same"
    alone = tune(make_gallery(1, 3), fallback=0.5, progress=False).by_person(0.5)
    assert alone["taken_for_others"].isna().all()  # nobody to be taken for
    assert alone["faces"].tolist() == [3]


def test_a_threshold_that_leaves_most_of_the_cast_without_a_name_is_not_saved(tmp_path):
    tuning = tune(make_gallery(12, 6), fallback=0.5, progress=False)
    path = tmp_path / "recognizer.skops"
    assert tuning.unnamed(0.05) == 1 and tuning.unnamed() < 0.1
    with pytest.raises(ValueError, match=r"at most 50%.*got 0\.0500, which leaves 100% of 72: P00 \(6 of 6\)"):
        tuning.save(path, 0.05)
    assert not path.exists()
    tuning.save(path, 0.05, most_unnamed=1)
    assert load_recognizer(path)[1].unnamed == 1
    few = tune(make_gallery(3, 3), fallback=0.5, progress=False)
    few.save(path, 0.05)  # 9 trials are too few to refuse anything


def test_a_saved_recognizer_says_what_its_threshold_is_from_and_how_often_it_errs(tmp_path):
    path = tmp_path / "recognizer.skops"
    few, many = (tune(make_gallery(people, 20), fallback=0.5, progress=False) for people in (5, 20))
    for tuning, threshold, words in (
        (
            few,
            None,
            r"threshold 0.5000 \(the embedder's own\): .* \(FPIR\) 0.00% \(0.00% to .*\) in 100 trials, .* \(FNIR\)",
        ),
        (many, None, r"threshold 0\.\d{4} \(fitted on the cast\): strangers given"),
        (many, 0.45, r"threshold 0.4500 \(given\): strangers given"),
    ):
        info = load_recognizer(tuning.save(path, threshold))[1]
        assert re.match(words, describe_recognizer(info)) and recognizer_warnings(info) == []
    info = load_recognizer(many.save(path, 0.1, most_unnamed=1))[1]
    assert "100% of the cast's faces would not be given their name (100% would be given none)" in str(
        recognizer_warnings(info)
    )
    far = choose_threshold(many, path, 1.0)  # farther than most people lie from their nearest
    (warning,) = save_choice(many, far, path).warnings
    assert "100% of strangers would be given a name of the cast" in warning
    assert recognizer_warnings(load_recognizer(path)[1]) == [warning]
    assert save_choice(many, choose_threshold(many, path, many.fitted.threshold), path).warnings == ()
    alone = load_recognizer(tune(make_gallery(1, 3), fallback=0.5, progress=False).save(path))[1]
    assert "strangers given a name (FPIR) not measured, cast" in describe_recognizer(alone)
