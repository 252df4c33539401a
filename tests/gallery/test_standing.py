"""Pictures are counted by person, turn and light, and look-alikes are ranked."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from facelib.gallery.standing import balance_of, confusable_of, coverage_of, lacking, likenesses


def test_pictures_are_counted_and_what_is_missing_to_fifty(make_table: Callable[..., pd.DataFrame]) -> None:
    table = make_table({"Ada": 60, "Grace": 12})
    table.loc[table["person"] == "Grace", "used"] = [True] * 10 + [False] * 2
    proposals = table.iloc[[0, 0, 1, 71]][["picture", "person", "used"]]
    assert balance_of(table, proposals, people=["Mary"]).to_dict("records") == [
        {"person": "Ada", "pictures": 60, "used": 60, "proposed": 2, "missing": 0},
        {"person": "Grace", "pictures": 12, "used": 10, "proposed": 0, "missing": 40},
        {"person": "Mary", "pictures": 0, "used": 0, "proposed": 0, "missing": 50},
    ]


def test_turns_and_light_are_counted_and_what_is_lacking_is_said() -> None:
    faces = pd.DataFrame(
        {
            "person": ["Ada"] * 5 + ["Grace"] * 2,
            "turn": [0.0, 0.1, -0.3, 0.45, np.nan, 0.0, -0.1],
            "light": [50.0, 90.0, 30.0, np.nan, 60.0, 60.0, 20.0],
        }
    )
    coverage = coverage_of(faces)
    assert coverage.drop(columns="lacks").values.tolist() == [["Ada", 2, 2, 1, 1, 2, 1], ["Grace", 2, 0, 0, 1, 1, 0]]
    assert coverage["lacks"].to_list() == ["", "turned to a side, in profile"]
    assert lacking(coverage) == ["Not shown turned to a side: Grace.", "Not shown in profile: Grace."]
    assert lacking(coverage_of(faces[faces["turn"] == 0.0])) == [
        "Nobody is shown turned to a side.",
        "Nobody is shown in profile.",
        "Nobody is shown in dim light.",
    ]


def test_an_empty_gallery_lacks_nothing_it_could_name() -> None:
    empty = pd.DataFrame({"person": pd.Series(dtype="str"), "turn": [], "light": [], "picture": [], "embedding": []})
    assert coverage_of(empty).empty and lacking(coverage_of(empty)) == []
    assert confusable_of(empty).empty and likenesses(confusable_of(empty)) == []


def pairs_of(*vectors: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": [name for name, _ in vectors],
            "picture": [f"{name}{number}" for number, (name, _) in enumerate(vectors)],
            "embedding": [np.array([value, 0.0]) for _, value in vectors],
        }
    )


FACES = pairs_of(("Ada", 0.0), ("Ada", 0.3), ("Grace", 0.6), ("Grace", 2.0), ("Mary", 9.0))


def test_pairs_are_ranked_by_who_would_answer_for_whom() -> None:
    table = confusable_of(FACES, threshold=0.4)
    assert table[["person", "other"]].values.tolist() == [["Ada", "Grace"], ["Grace", "Mary"], ["Ada", "Mary"]]
    assert table["share"].to_list() == [0.5, 0, 0]  # of two and two faces, one each lies within 0.4 of the other's
    np.testing.assert_allclose(table["distance"], [0.3, 7.0, 8.7])
    assert table.loc[0, ["picture", "other_picture"]].to_list() == ["Ada1", "Grace2"]
    assert likenesses(table) == [
        "Ada and Grace are easily confused: 50% of their faces lie within the threshold of the other's; more and "
        "clearer pictures of both help."
    ]


def test_without_a_threshold_the_nearest_faces_rank() -> None:
    table = confusable_of(FACES, threshold=math.nan)
    assert table["share"].isna().all() and table["distance"].is_monotonic_increasing
    assert likenesses(table) == []


@pytest.mark.parametrize("people", [["Ada"], ["Ada", "Ada"]])
def test_one_person_is_confused_with_nobody(people: list[str]) -> None:
    table = confusable_of(pairs_of(*((person, 0.0) for person in people)), threshold=0.4)
    assert table.empty and "distance" in table
