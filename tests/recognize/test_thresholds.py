"""Trials on a gallery, error rates at every threshold, and the threshold for a wanted error."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from facelib.gallery import Gallery
from facelib.project.names import UNKNOWN
from facelib.recognize import OpenSetKNN
from facelib.recognize.calibration import logistic, platt
from facelib.recognize.thresholds import (
    Trials,
    confidence_model,
    curve,
    fit_offsets,
    fit_per_person,
    fit_threshold,
    leave_one_out,
    measure_threshold,
    near_duplicate_groups,
    pictures_to_add,
    trials,
    trials_needed,
)

Faces = tuple[np.ndarray, np.ndarray]


def cast(people: int, faces: int, *, spread: float = 0.06, seed: int = 0) -> Faces:
    """Return faces of people scattered over the unit sphere in 16 dimensions."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(people, 16))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vectors = np.repeat(centres, faces, axis=0) + rng.normal(0, spread, (people * faces, 16))
    names = np.repeat([f"Person {number:02}" for number in range(people)], faces)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), names


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("k", [1, 3, 5, 99])
def test_trials_decide_as_the_recognizer_does(k: int, weights: str) -> None:
    vectors, names = cast(6, 4, spread=0.2)
    vectors, names = np.concatenate([vectors, vectors[:1] + 0.1]), np.append(names, "Alone")
    outcome = trials(vectors, names, k=k, weights=weights)  # type: ignore[arg-type]
    order = np.argsort(names, kind="stable")
    order_genuine = order[names[order] != "Alone"]  # whose only face is left out has no genuine trial
    for threshold in (0.0, 0.4, 0.7, 1.0, 2.0):
        knn = OpenSetKNN(k=k, threshold=threshold, weights=weights)  # type: ignore[arg-type]
        rest = [np.arange(len(names)) != row for row in order_genuine]
        answers = [knn.fit(vectors[m], names[m]).predict(vectors[~m])[0] for m in rest]
        assert (np.array(answers) == names[order_genuine]).tolist() == outcome.named_right(threshold).tolist()
        assert (np.array(answers) != UNKNOWN).tolist() == outcome.named(threshold).tolist()
        others = [names != names[row] for row in order]
        named = [
            knn.fit(vectors[m], names[m]).predict(vectors[[row]])[0] != UNKNOWN
            for m, row in zip(others, order, strict=True)
        ]
        assert named == (outcome.impostor_distances <= threshold).tolist()


@pytest.mark.parametrize("k", [1, 2, 5])
def test_trials_of_many_voters_tell_those_of_fewer(k: int) -> None:
    vectors, names = cast(6, 5, spread=0.3)
    asked, cut = trials(vectors, names, k=k), trials(vectors, names, k=9).nearest(k)
    np.testing.assert_array_equal(asked.distances, cut.distances)
    for threshold in (0.5, 0.9, 1.2):
        np.testing.assert_array_equal(asked.named_right(threshold), cut.named_right(threshold))
        np.testing.assert_array_equal(asked.cast.carrier(threshold), cut.cast.carrier(threshold))


def test_strangers_are_looked_up_in_the_whole_gallery() -> None:
    vectors, names = cast(5, 4, spread=0.2)
    away = cast(8, 1, spread=0.2, seed=9)[0]
    outcome = trials(vectors, names, strangers=away, k=3)
    assert (outcome.strangers, len(outcome.impostor)) == (8, 28)
    assert outcome.others.probes[-8:].tolist() == list(range(8))
    assert outcome.impostor[-8:].tolist() == list(range(5, 13))  # each of them a person of its own
    knn = OpenSetKNN(k=3, threshold=0.9).fit(vectors, names)
    named = knn.predict(away) != UNKNOWN
    assert named.any() and not named.all()
    assert named.tolist() == (outcome.impostor_distances[-8:] <= 0.9).tolist()
    carried = names[outcome.others.carrier(0.9)[-8:]]
    assert carried[named].tolist() == knn.predict(away)[named].tolist()


def test_a_source_group_is_left_out_together_and_copies_flatter() -> None:
    vectors, names = cast(12, 6, spread=0.4)
    copies = (np.concatenate([vectors, vectors + 0.001]), np.concatenate([names, names]))
    groups = near_duplicate_groups(*copies, threshold=0.5)
    assert groups.tolist() == [*range(72), *range(72)]
    flattering, honest, once = trials(*copies), trials(*copies, groups=groups), trials(vectors, names)
    assert flattering.named_right(0.3).all()
    assert honest.named_right(0.9).mean() == pytest.approx(once.named_right(0.9).mean(), abs=0.1)
    assert leave_one_out(*copies, k=1)["nearest"] == 1 > leave_one_out(*copies, k=1, groups=groups)["nearest"]


def test_a_person_of_one_source_alone_has_no_genuine_trial() -> None:
    vectors, names = cast(3, 4)
    groups = np.where(names == "Person 01", 99, np.arange(12))
    outcome = trials(vectors, names, groups=groups)
    assert sorted(set(outcome.genuine.tolist())) == [0, 2]
    assert len(outcome.impostor) == 12


@pytest.mark.parametrize(
    ("points", "names", "threshold", "groups"),
    [
        ([], [], 0.5, []),
        ([0, 0.1, 0.5], "AAA", 0.5, [0, 0, 1]),
        ([0, 0.15, 0.3], "AAA", 0.5, [0, 0, 0]),  # what is linked over others
        ([0.35, 0, 0.1], "AAA", 0.5, [0, 1, 1]),
        ([0, 0.1], "AB", 0.5, [0, 1]),  # never two people
        ([0, 0], "AA", math.nan, [0, 1]),  # nobody knows what near is
    ],
)
def test_source_groups(points: list[float], names: str, threshold: float, groups: list[int]) -> None:
    found = near_duplicate_groups(np.array(points).reshape(-1, 1), list(names), threshold=threshold)
    assert found.tolist() == groups


def test_people_left_out_together_never_name_each_other() -> None:
    vectors, names = cast(6, 4, spread=0.2)
    fold = np.unique(names, return_inverse=True)[1] % 2
    outcome = trials(vectors, names, k=1, people_groups=fold)
    named = outcome.gallery[outcome.others.rows[:, 0]]
    assert (named % 2 != outcome.impostor % 2).all() and len(named) == 24


@pytest.mark.parametrize(
    ("strangers", "words"),
    [
        (np.zeros((3, 5)), "embeddings of length 16"),
        (np.zeros(16), "as a matrix"),
        (np.full((2, 16), np.nan), "without NaN"),
    ],
)
def test_strangers_that_cannot_be_compared(strangers: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        trials(*cast(3, 3), strangers=strangers)


def test_groups_of_another_gallery_are_refused() -> None:
    with pytest.raises(ValueError, match="groups to number each of 9 faces"):
        trials(*cast(3, 3), groups=[1, 2])


def test_no_stranger_is_the_same_as_none_given() -> None:
    vectors, names = cast(4, 3)
    empty = trials(vectors, names, strangers=np.empty((0, 16)))
    assert empty.strangers == 0
    np.testing.assert_array_equal(empty.impostor_distances, trials(vectors, names).impostor_distances)


def test_a_folder_of_strangers_is_evidence_for_a_small_cast() -> None:
    vectors, names = cast(3, 5)
    strangers = cast(300, 1, seed=7)[0]
    alone, helped = trials(vectors, names), trials(vectors, names, strangers=strangers)
    before, after = (fit_threshold(outcome, fallback=0.2) for outcome in (alone, helped))
    assert not before.from_data and before.threshold == 0.2
    assert "strangers folder" in before.advice and "285 pictures of different people" in before.advice
    assert after.from_data and after.threshold > 0.2 and after.fpir <= 0.01
    assert "300 pictures of strangers" in after.advice
    assert after.fpir_interval[0] <= after.fpir <= after.fpir_interval[1]
    assert confidence_model(helped, fallback=0.5) == confidence_model(alone, fallback=0.5)


@pytest.mark.parametrize(("wanted", "needed"), [(0.01, 300), (0.001, 3000), (0.1, 30), (0.3, 10), (0, None)])
def test_how_many_trials_a_rate_takes(wanted: float, needed: int | None) -> None:
    assert trials_needed(wanted) == needed


@pytest.mark.parametrize(
    ("had", "count", "added"),
    [
        ({"Ada": 2, "Grace": 2}, 0, {}),
        ({"Ada": 2, "Grace": 9}, 12, {"Ada": 9, "Grace": 3}),  # 11 and 12 after
        ({"Ada": 5}, 3, {"Ada": 3}),
        ({}, 0, {}),
    ],
)
def test_pictures_are_asked_for_where_there_are_fewest(had: dict[str, int], count: int, added: dict[str, int]) -> None:
    names = [name for name, number in had.items() for _ in range(number)]
    found = pictures_to_add(names, count)
    assert sum(found.values()) == count
    if len(had) < 2 or count == 0:
        assert found == added
    else:
        after = [had[name] + found.get(name, 0) for name in had]
        assert max(after) - min(after) <= 1


def test_the_advice_names_whom_to_photograph() -> None:
    vectors, names = cast(12, 25)
    few = np.r_[np.arange(5), np.arange(25, 300)]  # Person 00 has 5, the others 25
    advice = fit_threshold(trials(vectors[few], names[few]), fallback=0.2).advice
    assert "Add 20 more pictures of Person 00, or 20 pictures of strangers" in advice


def hunted(people: int = 30, faces: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a cast with names and 300 strangers, who come near to some people and not to others."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(people + 300, 16))
    common = np.arange(people + 300) % 3 == 0  # who have the commonest face
    centres[common] = 1.0 + 0.55 * centres[common]
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    spread = np.where(common, 0.05, 0.16)[:people]
    noise = rng.normal(size=(people * faces, 16)) * np.repeat(spread, faces)[:, None]
    vectors = np.repeat(centres[:people], faces, axis=0) + noise
    names = np.repeat([f"P{number:02}" for number in range(people)], faces)
    return vectors.astype(np.float32), names, centres[people:].astype(np.float32)


def test_thresholds_of_their_own_name_more_of_the_cast_at_the_same_error() -> None:
    vectors, names, strangers = hunted()
    plain = trials(vectors, names, strangers=strangers[::2], k=3)
    table = fit_per_person(plain, wanted_fpir=0.02, fallback=math.nan)
    assert table["from_data"].all() and (table["alike"].nunique(), len(table)) == (1, 30)
    assert table["threshold"][::3].mean() < table["alike"][0] < table["threshold"][1::3].mean()
    offsets = fit_offsets(plain, wanted_fpir=0.02)
    own = trials(vectors, names, strangers=strangers[::2], k=3, offsets=offsets)
    alike, each = (fit_threshold(outcome, wanted_fpir=0.02, fallback=math.nan) for outcome in (plain, own))
    assert each.fpir <= 0.02 and each.fnir < 0.8 * alike.fnir
    # What the trials say is what the recognizer does.
    thresholds = dict(zip(own.people, (each.threshold - offsets.people).tolist(), strict=True))
    np.testing.assert_allclose(table["threshold"], list(thresholds.values()), atol=2e-4)
    options = {"k": 3, "threshold": each.threshold, "thresholds": thresholds}
    for row in range(0, len(names), 17):
        rest = np.arange(len(names)) != row
        said = OpenSetKNN(**options).fit(vectors[rest], names[rest]).predict(vectors[[row]])[0]
        assert (said == names[row]) == own.named_right(each.threshold)[row]
    both = OpenSetKNN(k=3, threshold=alike.threshold), OpenSetKNN(**options)
    unseen = [(knn.fit(vectors, names).predict(strangers[1::2]) != UNKNOWN).mean() for knn in both]
    assert unseen[1] <= unseen[0]


def test_an_impostor_trial_has_no_say_in_its_own_offsets() -> None:
    vectors, names, strangers = hunted()
    offsets = fit_offsets(trials(vectors, names, strangers=strangers, k=1), wanted_fpir=0.02)
    assert len(np.unique(offsets.impostors, axis=0)) == 5  # folds
    assert not (offsets.impostors == offsets.people).all(axis=1).any()


def test_too_few_trials_give_everybody_the_same_threshold() -> None:
    outcome = trials(*cast(6, 5))
    table = fit_per_person(outcome, fallback=0.35)
    assert (table["threshold"] == 0.35).all() and not table["from_data"].any()
    assert not fit_offsets(outcome).people.any()
    with pytest.raises(ValueError, match=r"got 1\.5"):
        fit_per_person(outcome, fallback=0.35, shrink=1.5)


def test_a_cast_alone_cannot_tell_one_stranger_in_a_hundred() -> None:
    vectors, names, strangers = hunted()
    assert not fit_offsets(trials(vectors, names), wanted_fpir=0.02).people.any()
    assert not fit_offsets(trials(vectors, names, strangers=strangers[:69]), wanted_fpir=0.02).people.any()
    assert fit_offsets(trials(vectors, names, strangers=strangers[:70]), wanted_fpir=0.02).people.any()


def test_without_shrinking_thresholds_of_people_are_alike() -> None:
    vectors, names, strangers = hunted()
    outcome = trials(vectors, names, strangers=strangers)
    table = fit_per_person(outcome, wanted_fpir=0.02, fallback=0.3, shrink=0)
    assert (table["threshold"] == table["alike"]).all()


def test_the_curve_says_what_the_trials_say_at_each_threshold() -> None:
    outcome = trials(*cast(7, 5, spread=0.25), k=3)
    table = curve(outcome)
    assert table["threshold"].is_monotonic_increasing and table["threshold"].iloc[0] == 0
    np.testing.assert_allclose(table["right"] + table["wrong"] + table["rejected"], 1)
    for row in table.iloc[:: len(table) // 40].itertuples():
        assert row.right == pytest.approx(outcome.named_right(row.threshold).mean())
        assert row.rejected == pytest.approx(1 - outcome.named(row.threshold).mean())
        assert row.fpir == pytest.approx((outcome.impostor_distances <= row.threshold).mean())
        assert row.fnir == pytest.approx(1 - row.right)
    last = table.iloc[-1]
    assert (last["rejected"], last["fpir"]) == (0, 1)


def test_a_fitted_threshold_keeps_its_word() -> None:
    outcome = trials(*cast(20, 20, spread=0.15))
    alone = fit_threshold(outcome, wanted_fpir=0.05, fallback=math.nan)
    assert 0.04 < alone.fpir <= 0.05
    assert (outcome.impostor_distances <= alone.threshold + 0.0001).mean() > 0.05 - 1 / 400
    fitted = fit_threshold(outcome, wanted_fpir=0.05, fallback=0.1)
    weight = 1 - 60 / (20 * 6)  # nobody counts for more than a tenth of the 60 trials that 5 % takes
    assert fitted.threshold == pytest.approx(0.1 + weight * (alone.threshold - 0.1)) and fitted.from_data
    assert "count 50%" in fitted.advice
    fitted = fit_threshold(outcome, wanted_fpir=0.05, fallback=alone.threshold)
    assert fitted.threshold_interval[0] <= fitted.threshold <= fitted.threshold_interval[1]
    assert fitted.fpir_interval[0] <= fitted.fpir <= fitted.fpir_interval[1]
    assert (fitted.genuine_trials, fitted.impostor_trials, fitted.people) == (400, 400, 20)
    assert fit_threshold(outcome, wanted_fpir=0.05, fallback=alone.threshold) == fitted  # the seed is a parameter
    assert fit_threshold(outcome, wanted_fpir=0.05, fallback=alone.threshold, seed=1) != fitted


@pytest.mark.parametrize("fallback", [0.5, 9.0, math.nan])
def test_wanting_more_errors_raises_the_threshold(fallback: float) -> None:
    outcome = trials(*cast(40, 20, spread=0.15))
    found = [fit_threshold(outcome, wanted_fpir=wanted, fallback=fallback).threshold for wanted in (0, 0.005, 0.01)]
    assert found == sorted(found) and len(set(found)) == 3


@pytest.mark.parametrize(
    ("people", "faces", "wanted", "words"),
    [
        (1, 6, 0.01, "there are no trials of strangers"),
        (2, 30, 0.01, "add pictures of at least 10 people"),
        (10, 29, 0.01, "about 300 would do"),
        (9, 60, 0.01, "fewer than 10 people"),
        (12, 5, 0.01, "about 300 would do"),  # enough people, too few faces for so small a rate
    ],
)
@pytest.mark.parametrize("near", [False, True])
def test_too_little_evidence_leaves_the_embedders_figure(
    people: int, faces: int, wanted: float, words: str, near: bool
) -> None:
    vectors, names = cast(people, faces, spread=0.02)
    if near and people > 1:  # two who are taken for each other at any threshold
        vectors[faces : 2 * faces] = vectors[:faces] + 0.001
    outcome = trials(vectors, names)
    fitted = fit_threshold(outcome, wanted_fpir=wanted, fallback=0.35)
    assert fitted.threshold == 0.35 and not fitted.from_data
    assert words in fitted.advice and "0.3500" in fitted.advice
    assert confidence_model(outcome, fallback=0.35)[0] < 0


def test_without_an_embedders_figure_the_trials_alone_decide() -> None:
    outcome = trials(*cast(3, 20))
    fitted = fit_threshold(outcome, fallback=math.nan)
    assert 0.5 < fitted.threshold < outcome.impostor_distances.max() and fitted.fpir <= 0.01
    assert "no threshold was measured" in fitted.advice and not fitted.from_data


def test_a_threshold_of_ones_own_is_measured_alike() -> None:
    outcome = trials(*cast(20, 20, spread=0.15))
    fitted = fit_threshold(outcome, wanted_fpir=0.05, fallback=0.1)
    given = measure_threshold(outcome, fitted.threshold)
    for field in ("fpir", "fnir", "fpir_interval", "fnir_interval", "impostor_trials", "genuine_trials"):
        assert getattr(given, field) == getattr(fitted, field)
    assert math.isnan(given.wanted_fpir) and not given.from_data
    assert measure_threshold(outcome, 0.0).fnir == 1 and measure_threshold(outcome, 9.0).fpir == 1
    with pytest.raises(ValueError, match="got nan"):
        measure_threshold(outcome, math.nan)


def test_two_names_of_one_person_are_no_strangers_to_each_other() -> None:
    vectors, names = cast(20, 20)
    twice = names.copy()
    twice[:10] = "Twin"
    right, wrong = trials(vectors, names), trials(vectors, twice)
    asked = trials(vectors, twice, aliases=[("Person 00", "Twin"), ("Nobody", "Twin")])
    assert (len(right.impostor), len(asked.impostor)) == (400, 400)
    found = [fit_threshold(outcome, wanted_fpir=0.02, fallback=math.nan).threshold for outcome in (right, wrong, asked)]
    assert found[1] < 0.3 < found[0] == pytest.approx(found[2], abs=1e-3)
    np.testing.assert_allclose(np.sort(asked.impostor_distances), np.sort(right.impostor_distances))
    assert asked.named_right(0.5).tolist() == wrong.named_right(0.5).tolist()  # either name is wrong half the time


def test_names_of_one_person_alone_have_no_impostors() -> None:
    vectors, names = cast(1, 20)
    names[::2] = "Twin"
    outcome = trials(vectors, names, aliases=[("Person 00", "Twin")])
    assert len(outcome.impostor) == 0 and math.isnan(fit_threshold(outcome, fallback=0.5).fpir)


def test_a_copy_of_a_picture_under_another_name_is_no_stranger() -> None:
    vectors, names = cast(6, 5)
    vectors = np.concatenate([vectors, vectors[:1] + 0.001])
    names = np.append(names, "Person 03")
    plain, told = trials(vectors, names), trials(vectors, names, copies=0.1)
    assert plain.impostor_distances.min() < 0.01 and told.impostor_distances.min() > 0.1
    assert len(plain.impostor) == len(told.impostor) == 31


def test_one_person_has_no_impostors() -> None:
    outcome = trials(*cast(1, 6))
    fitted = fit_threshold(outcome, fallback=0.5)
    assert math.isnan(fitted.fpir) and fitted.impostor_trials == 0 and fitted.fnir == 0
    assert all(math.isnan(value) for value in fitted.fpir_interval + fitted.fnir_interval + fitted.threshold_interval)
    assert curve(outcome)["fpir"].isna().all()


def test_people_with_one_picture_each_have_no_genuine_trials() -> None:
    vectors, names = cast(12, 1)
    outcome = trials(vectors, names)
    fitted = fit_threshold(outcome, fallback=0.5)
    assert math.isnan(fitted.fnir) and fitted.genuine_trials == 0 and fitted.impostor_trials == 12
    assert curve(outcome)[["right", "wrong", "rejected", "fnir"]].isna().all(axis=None)
    result = leave_one_out(vectors, names)
    assert result["faces"] == 0 and math.isnan(result["nearest"])


def test_no_error_seen_is_not_no_error() -> None:
    fitted = fit_threshold(trials(*cast(12, 30, spread=0.01)), fallback=0.05)
    assert fitted.fnir == 0 and fitted.fnir_interval == (0, pytest.approx(1 - 0.025 ** (1 / 12)))


@pytest.mark.parametrize(
    ("vectors", "names"),
    [(np.empty((0, 4)), []), (np.zeros((2, 4)), ["Ada"]), (np.zeros(4), ["Ada"] * 4)],
    ids=["no faces", "a name too few", "no matrix"],
)
def test_what_cannot_be_tried(vectors: np.ndarray, names: list[str]) -> None:
    with pytest.raises(ValueError, match="at least one face"):
        trials(vectors, names)


def test_options_out_of_range() -> None:
    with pytest.raises(ValueError, match="got 0"):
        trials(*cast(2, 2), k=0)
    with pytest.raises(ValueError, match=r"got 1\.5"):
        fit_threshold(trials(*cast(2, 2)), wanted_fpir=1.5, fallback=0.5)


def test_leave_one_out_counts_by_hand() -> None:
    # Ada's second face lies nearest to Grace, everybody else nearest to their own.
    vectors = np.array([[0.0], [0.1], [1.0], [1.05], [1.2]])
    names = ["Ada", "Ada", "Ada", "Grace", "Grace"]
    result = leave_one_out(vectors, names, k=1)
    assert result["faces"] == 5 and result["nearest"] == pytest.approx(3 / 5)


@pytest.mark.parametrize("slope", [-3.0, -40.0])
def test_calibration_finds_the_curve_that_made_the_data(slope: float) -> None:
    rng = np.random.default_rng(0)
    distances = rng.uniform(0, 1, 20_000)
    right = rng.random(20_000) < logistic(distances, slope, -slope * 0.45)
    found = platt(distances, right)
    assert found[0] == pytest.approx(slope, rel=0.1)
    assert -found[1] / found[0] == pytest.approx(0.45, abs=0.01)


def test_calibration_without_a_mistake_stays_finite() -> None:
    slope, intercept = platt(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))
    assert -200 < slope < 0 and 0.2 < -intercept / slope < 0.8
    with pytest.raises(ValueError, match="got 2 right and 0 wrong"):
        platt(np.array([0.1, 0.2]), np.array([True, True]))


def test_confidence_of_many_people_is_measured_and_of_few_is_not() -> None:
    few, many = (trials(*cast(count, 20, spread=0.15)) for count in (3, 20))
    slope, intercept = confidence_model(few, fallback=0.5)
    assert logistic(np.array([0.5, 0.4]), slope, intercept) == pytest.approx([0.5, 0.9])
    slope, intercept = confidence_model(many, fallback=0.5)
    near, far = logistic(np.array([np.median(many.distances[:, 0]), 1.2]), slope, intercept)
    assert near > 0.9 and far < 0.01
    assert confidence_model(many, fallback=0.1) == (slope, intercept)


@pytest.mark.real_data
def test_small_pictures_of_five_leads(known_faces: Callable[[str], Gallery]) -> None:
    gallery = known_faces("himym")
    vectors, names = gallery.vectors, gallery.names
    result = leave_one_out(vectors, names)
    assert len(names) >= 215
    assert result["nearest"] >= 0.96
    outcome: Trials = trials(vectors, names)
    fitted = fit_threshold(outcome, fallback=0.48)
    assert fitted.threshold == 0.48 and fitted.fpir <= 0.01 and fitted.fnir <= 0.08
