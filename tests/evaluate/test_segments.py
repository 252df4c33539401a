"""Segments with the people in them: by hand, and in the form of FaceRec's tables."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from facelib.evaluate import people_in_segments, read_segments, score_segment_table, score_segments
from facelib.project import Project, write_table


def segments(*rows: tuple[str, float, float, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["media", "start", "end", "person"])


TRUTH = segments(
    ("m", 0, 5, "Ada"), ("m", 5, 9, "Ada"), ("m", 5, 9, "Grace"), ("m", 9, 12, "Grace"), ("n", 0, 3, "unknown")
)


def test_by_hand():
    said = segments(("m", 0, 5, "Ada"), ("m", 5, 9, "Ada"), ("m", 9, 12, "Ada"), ("n", 0, 3, "Grace"))
    result = score_segments(said, TRUTH)
    table = result.people.set_index("person")
    assert table.loc["Ada", ["segments", "right", "wrong", "missed"]].tolist() == [2, 2, 1, 0]
    assert table.loc["Grace", ["segments", "right", "wrong", "missed"]].tolist() == [2, 0, 1, 2]
    assert table.loc["unknown", ["segments", "right", "wrong", "missed"]].tolist() == [1, 0, 0, 1]
    assert table.loc["Ada", "precision"] == pytest.approx(2 / 3)
    assert result.precision == pytest.approx(1 / 3)
    assert result.recall == 0.5
    assert result.f1 == pytest.approx(0.4)
    assert (result.segments, result.nobody, result.nobody_named) == (4, 1, 1)
    assert "1 of 1 segments with nobody known given a name" in str(result)


def test_a_perfect_answer_and_none_at_all():
    perfect = score_segments(TRUTH, TRUTH)
    assert (perfect.precision, perfect.recall, perfect.f1, perfect.nobody_named) == (1, 1, 1, 0)
    silent = score_segments(TRUTH[:0], TRUTH)
    assert math.isnan(silent.precision) and silent.recall == 0 and silent.f1 == 0
    assert silent.people["right"].tolist() == [0, 0, 1]  # the segment of nobody is right


def test_someone_who_is_in_no_segment_does_not_enter_the_means():
    said = pd.concat([TRUTH, segments(("n", 0, 3, "Bo"))])
    result = score_segments(said, TRUTH)
    assert result.precision == 1 and result.nobody_named == 1
    assert result.people.set_index("person").loc["Bo", "wrong"] == 1


def test_naming_twice_in_a_segment_counts_once():
    assert score_segments(pd.concat([TRUTH, TRUTH]), TRUTH).people["right"].tolist() == [2, 2, 1]


def test_nothing():
    result = score_segments(segments(), segments())
    assert (result.segments, str(result)) == (0, "No segments to compare.")
    assert math.isnan(result.recall)


def test_segments_that_the_truth_does_not_have_are_refused():
    with pytest.raises(ValueError, match="1 others"):
        score_segments(segments(("m", 0, 6, "Ada")), TRUTH)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("media,start,end\n", r"no \['person'\]"),
        ("media,start,end,person\nm,5,4,Ada\n", "end after their start"),
    ],
)
def test_tables_of_another_form_are_refused(tmp_path, text, message):
    path = tmp_path / "segments.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_segments(path)


def test_people_are_in_the_segments_that_their_appearances_reach():
    appeared = pd.DataFrame(
        {
            "media": ["m", "m", "m", "n"],
            "person": ["Ada", "Ada", "Grace", "Ada"],
            "start": [1.0, 8.0, 9.5, 7.0],
            "end": [2.0, 10.0, 11.0, 8.0],
            "confidence": [0.9, 0.9, 0.6, 0.9],
        }
    )
    found = people_in_segments(TRUTH, appeared)
    assert set(found.itertuples(index=False, name=None)) == {
        ("m", 0, 5, "Ada"),
        ("m", 5, 9, "Ada"),
        ("m", 9, 12, "Ada"),
        ("m", 9, 12, "Grace"),
        ("n", 0, 3, "unknown"),
    }
    assert people_in_segments(TRUTH, appeared[:0])["person"].unique().tolist() == ["unknown"]


def test_of_a_projects_films(tmp_path):
    project = Project("p", tmp_path / "data", tmp_path / "output")
    films = [Path("news.mp4"), Path("never_run.mp4")]
    columns = {"person": ["Ada"], "start": [1.0], "end": [2.0], "confidence": [0.9]}
    write_table(pd.DataFrame(columns), project.film("news.mp4").appearances)
    path = tmp_path / "segments.csv"
    path.write_text(
        "media,start,end,person\nhttp://a/news,0,5,Ada\nhttp://a/news,6,9,0\nnever_run.mp4,0,5,Ada\nother,0,5,Ada\n"
    )
    result = score_segment_table(project, films, path)
    assert (result.segments, result.recall, result.nobody, result.nobody_named) == (2, 1, 1, 0)
    assert score_segment_table(project, films, tmp_path / "none.csv").segments == 0
    assert score_segment_table(project, [], path).segments == 0


def test_names_in_any_form_are_those_of_the_project(tmp_path):
    project = Project("p", tmp_path / "data", tmp_path / "output")
    path = tmp_path / "segments.csv"
    for person, written in {"Ada": "ADA ", "0007": "0007"}.items():
        (project.people / person).mkdir(parents=True)
        columns = {"person": [person], "start": [1.0], "end": [2.0], "confidence": [0.9]}
        write_table(pd.DataFrame(columns), project.film("news.mp4").appearances)
        path.write_text(f"media;start;end;person\nnews;0;5,5;{written}\nnews;6,5;9;Unknown\nnews;10;11;unknown 2\n")
        result = score_segment_table(project, [Path("news.mp4")], path)
        assert (result.segments, result.precision, result.recall, result.nobody) == (3, 1, 1, 2)


@pytest.mark.real_data
class TestPublishedTables:
    def test_what_they_hold(self, shared_data):
        memad = score_segments(*[read_segments(shared_data / "facerec/dataset_memad.csv")] * 2)
        antract = score_segments(*[read_segments(shared_data / "facerec/dataset_antract.csv")] * 2)
        assert (memad.segments, memad.nobody) == (100, 45)
        assert (antract.segments, antract.nobody) == (198, 39)  # 216 rows: several people in one segment
        assert memad.people["segments"].tolist() == [5, 10, 10, 10, 10, 10, 45]
        assert (memad.f1, antract.f1) == (1, 1)

    def test_naming_29_of_45_strangers_after_one_newsreader(self, shared_data):
        truth = read_segments(shared_data / "facerec/dataset_memad.csv")
        said = truth.copy()
        said.loc[said.index[said["person"] == "unknown"][:29], "person"] = "Lucet, Elise"
        said.loc[said.index[said["person"] == "Drucker, Marie"][:4], "person"] = "unknown"
        result = score_segments(said, truth)
        table = result.people.set_index("person")
        assert (result.nobody, result.nobody_named) == (45, 29)
        assert table.loc["Lucet, Elise", ["right", "wrong", "missed"]].tolist() == [10, 29, 0]
        assert result.precision == pytest.approx((5 + 10 / 39) / 6)
        assert result.recall == pytest.approx((5 + 0.6) / 6)
        assert table.loc["unknown", ["right", "wrong", "missed"]].tolist() == [16, 4, 29]
