"""Confidences against the truth, and error rates over thresholds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from facelib.evaluate import (
    Searches,
    calibration_error,
    det_curve,
    film_reliability,
    fnir_at,
    gallery_reliability,
    match_faces,
    reliability,
    searches,
)
from facelib.recognize.thresholds import curve, trials


class TestReliability:
    def test_bins(self):
        table = reliability([0.05, 0.1, 0.95, 1.0, 1.0], [False, True, True, True, False], bins=10)
        assert table["names"].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 3]
        assert table["confidence"].iloc[9] == pytest.approx(2.95 / 3)
        assert table["right"].iloc[9] == pytest.approx(2 / 3)
        assert np.isnan(table["right"].iloc[4])
        assert table["low"].iloc[1] == pytest.approx(0.1) and table["high"].iloc[9] == 1

    def test_intervals_hold_the_share_and_stay_within_0_and_1(self):
        row = reliability([0.95] * 10, [True] * 10, bins=1).iloc[0]
        # Wilson's interval of 10 of 10, as published tables give it.
        assert (row["right_low"], row["right_high"]) == pytest.approx((0.7225, 1.0), abs=1e-4)

    def test_error_is_the_weighted_distance(self):
        table = reliability([0.1, 0.1, 0.9], [False, False, False], bins=2)
        assert calibration_error(table) == pytest.approx((2 * 0.1 + 0.9) / 3)
        assert calibration_error(reliability([0.0, 1.0], [False, True])) == 0
        assert math.isnan(calibration_error(reliability([], [])))

    def test_confidences_that_are_true_have_next_to_no_error(self):
        random = np.random.default_rng(0)
        sure = random.random(20_000)
        assert calibration_error(reliability(sure, random.random(20_000) < sure)) < 0.02
        assert calibration_error(reliability(sure, random.random(20_000) < sure**3)) > 0.15

    @pytest.mark.parametrize(
        ("confidence", "right", "bins", "message"),
        [
            ([0.5], [True, False], 10, "one confidence per name"),
            ([1.5], [True], 10, "between 0 and 1, got 1.5"),
            ([np.nan], [True], 10, "between 0 and 1"),
            ([0.5], [True], 0, "at least 1 bin"),
        ],
    )
    def test_bad_inputs(self, confidence, right, bins, message):
        with pytest.raises(ValueError, match=message):
            reliability(confidence, right, bins=bins)

    def test_of_films_one_count_a_track_that_was_named(self, found, truth):
        table = found((0, 0, 1, "A"), (1, 0, 1, "A"), (0, 30, 2, "B"), (0, 60, 3, "unknown"), (0, 90, 4, "A"))
        table["confidence"] = [0.95, 0.95, 0.55, 0.35, 0.65]
        labels = truth((0, 0, "A"), (1, 0, "A"), (0, 30, "A"), (0, 60, "A"))
        rows = film_reliability(match_faces(table, labels))
        assert rows["names"].tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 1]
        assert rows["right"].dropna().tolist() == [0, 0, 1]  # another's name, a name where nobody is, and the right one

    def test_of_films_unknown_is_right_for_strangers_alone(self, found, truth):
        table = found((0, 0, 1, "unknown"), (0, 30, 2, "unknown"), (0, 60, 3, "A"), (0, 90, 4, "unknown"))
        table["confidence"] = [0.95, 0.95, 0.55, 0.35]
        labels = truth((0, 0, "A"), (0, 30, "unknown"), (0, 60, "A"))
        rows = film_reliability(match_faces(table, labels), answer="unknown")
        assert rows["names"].tolist() == [0] * 9 + [2]  # where nobody is, unknown is neither right nor wrong
        assert rows["right"].iloc[9] == 0.5

    def test_of_a_gallery_each_face_is_tried_as_itself_and_as_a_stranger(self):
        vectors = np.array([[0.0, 0], [0.1, 0], [5, 0], [5.1, 0]])
        table = gallery_reliability(vectors, np.array(["A", "A", "B", "B"]), lambda d: np.where(d < 1, 0.95, 0.05))
        assert table["names"].tolist() == [4, *[0] * 8, 4]
        assert table["right"].iloc[[0, 9]].tolist() == [0, 1]

    def test_of_a_gallery_of_one_face(self):
        table = gallery_reliability(np.zeros((1, 2)), np.array(["A"]), lambda d: np.ones(len(d)))
        assert table["names"].sum() == 0


class TestSearches:
    def test_by_distance_the_nearest_persons_name_is_tried_at_every_threshold(self, found, truth):
        table = found((0, 0, 1, "unknown"), (0, 30, 2, "A"), (0, 60, 3, "B"), (0, 90, 4, "unknown"))
        table["evidence"] = ["people/A/1.jpg", "people/B/2.jpg", "people/B/1.jpg", "people/A/9.jpg"]
        table["distance"] = [0.5, 0.4, 0.3, 0.6]
        labels = truth((0, 0, "A"), (0, 30, "A"), (0, 60, "unknown"), (0, 120, "A"))
        tried = searches(match_faces(table, labels))
        assert sorted(tried.genuine) == [-np.inf, -np.inf, -0.5]  # right, another's, and not found
        assert sorted(tried.impostor) == [-0.6, -0.3]  # a stranger, and no face

    def test_by_confidence_names_that_were_given_count(self, found, truth):
        table = found((0, 0, 1, "A"), (0, 30, 2, "unknown"), (0, 60, 3, "B")).assign(confidence=[0.9, 0.8, 0.7])
        tried = searches(match_faces(table, truth((0, 0, "A"), (0, 30, "A"), (0, 60, "unknown"))), by="confidence")
        assert sorted(tried.genuine) == [-np.inf, 0.9]
        assert tried.impostor.tolist() == [0.7]

    def test_strangers_who_were_not_found_were_not_looked_up(self, found, truth):
        assert len(searches(match_faces(found(), truth((0, 0, "unknown")))).impostor) == 0

    def test_bad_inputs(self, found, truth):
        matches = match_faces(found(), truth())
        with pytest.raises(ValueError, match="'distance' or 'confidence'"):
            searches(matches, by="score")
        with pytest.raises(ValueError, match=r"missing are \['evidence'\]"):
            searches(matches.drop(columns="evidence"))


class TestCurve:
    def test_by_hand(self):
        table = det_curve(Searches(np.array([0.9, 0.7, -np.inf]), np.array([0.8, 0.7])))
        assert table["threshold"].tolist() == [np.inf, 0.9, 0.8, 0.7]
        assert table["fpir"].tolist() == [0, 0, 0.5, 1]
        assert table["fnir"].round(3).tolist() == [1, 0.667, 0.667, 0.333]
        assert fnir_at(table, 0.5) == pytest.approx(2 / 3)
        assert fnir_at(table, 0.01) == pytest.approx(2 / 3)

    def test_it_agrees_with_the_gallerys_own(self):
        random = np.random.default_rng(1)
        vectors = random.normal(size=(60, 4)) + np.repeat(random.normal(size=(6, 4)) * 1.5, 10, axis=0)
        outcome = trials(vectors, np.repeat(list("abcdef"), 10), k=1)
        own = -np.where(outcome.right[:, 0], outcome.distances[:, 0], np.inf)
        ours = det_curve(Searches(own, -outcome.impostor_distances))
        theirs = curve(outcome)
        for fpir in (0.0, 0.1, 0.5):
            assert fnir_at(ours, fpir) == pytest.approx(theirs.loc[theirs["fpir"] <= fpir, "fnir"].min())

    @pytest.mark.parametrize(("genuine", "impostor"), [([], []), ([0.5], []), ([], [0.5])])
    def test_without_searches_of_a_kind_its_rate_is_no_number(self, genuine, impostor):
        table = det_curve(Searches(np.array(genuine, float), np.array(impostor, float)))
        assert table["fnir"].isna().all() == (not genuine)
        assert table["fpir"].isna().all() == (not impostor)
        assert math.isnan(fnir_at(table, 0.01))
