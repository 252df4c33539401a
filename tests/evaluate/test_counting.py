"""Counts of right and wrong, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.evaluate import Score, read_truth, score_table


def rows(*faces):
    return pd.DataFrame(
        [(frame, x, 0, x + 10, 10, person) for frame, x, person in faces],
        columns=["frame", "left", "top", "right", "bottom", "person"],
    )


@pytest.mark.parametrize(
    ("found", "truth", "expected"),
    [
        ([], [], Score()),
        ([(0, 0, "A")], [(0, 1, "A")], Score(labelled=1, found=1, cast=1, right=1)),
        ([(0, 0, "B")], [(0, 0, "A")], Score(labelled=1, found=1, cast=1, wrong=1)),
        ([(0, 0, "unknown")], [(0, 0, "A")], Score(labelled=1, found=1, cast=1)),
        ([], [(0, 0, "A")], Score(labelled=1, cast=1)),
        ([(1, 0, "A")], [(0, 0, "A")], Score(labelled=1, cast=1, false=1, false_named=1)),  # another frame
        ([(0, 8, "A")], [(0, 0, "A")], Score(labelled=1, cast=1, false=1, false_named=1)),  # hardly overlaps
        ([(0, 0, "A")], [(0, 0, "unknown")], Score(labelled=1, found=1, strangers=1, strangers_named=1)),
        ([(0, 0, "unknown")], [(0, 0, "unknown")], Score(labelled=1, found=1, strangers=1)),
        # two boxes on one face: one matches, the other is false
        (
            [(0, 0, "A"), (0, 2, "A")],
            [(0, 0, "A")],
            Score(labelled=1, found=1, cast=1, right=1, false=1, false_named=1),
        ),
        # one to one, so that all match: greedy by the first would leave one out
        (
            [(0, 4, "A"), (0, 0, "B")],
            [(0, 2, "B"), (0, 6, "A")],
            Score(labelled=2, found=2, cast=2, right=2),
        ),
    ],
)
def test_score(found, truth, expected):
    assert score_table(rows(*found), rows(*truth)) == expected


def test_scores_add_up_and_read_well():
    total = Score(labelled=3, found=2, cast=2, right=1) + Score(labelled=1, found=1, strangers=1, strangers_named=1)
    assert total.recall == 0.75
    assert total.named_right == 0.5
    assert "75.0% of 4 faces found" in str(total)
    assert Score().recall == Score().named_right == 1.0


def test_truth_without_a_column(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("frame,left,top,right\n")
    with pytest.raises(ValueError, match="bottom"):
        read_truth(path)


def test_precision_and_the_shares_of_nothing():
    assert Score(labelled=4, found=3, cast=3, right=1, wrong=1, false=1).precision == 0.75
    assert Score(cast=3, right=1, wrong=1).missed == 1
    assert Score(cast=4, wrong=1).named_wrong == 0.25
    assert (Score().precision, Score().named_wrong, Score().missed) == (1.0, 0.0, 0)


@pytest.mark.parametrize("name", ["unknown", "not a face"])
def test_what_is_no_name_names_nobody(name):
    result = score_table(rows((0, 0, name), (0, 50, name)), rows((0, 0, "unknown")))
    assert (result.strangers_named, result.false_named) == (0, 0)
