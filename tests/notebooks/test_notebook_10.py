"""Notebook 10 without a viewer, by what it leaves behind."""

from __future__ import annotations

import pandas as pd

from facelib.pipeline import MAIN_STEPS, run_pipeline
from tests.conftest import eyesores


def test_the_hits_that_the_parameters_ask_for_are_written(make_reviewed):
    films = {"one.mp4": [("Ada", "", 0.9), ("Grace", "", 0.9)], "two.mp4": [("Grace", "", 0.8)]}
    project = make_reviewed(films)
    make_reviewed({"three.mp4": [("Grace", "", 0.9)]}, name="other")
    hits = project.output / "search" / "hits.csv"
    (first,) = run_pipeline(project, steps=[10])
    assert (first.state, first.message) == ("done", "")
    assert pd.read_csv(hits)["film"].tolist() == ["one.mp4", "two.mp4"]  # of Grace, who is in most films
    given = {"projects": ["other"], "people": ["grace"], "without": ["Ada"], "by": "scene"}
    (second,) = run_pipeline(project, steps=[10], parameters=given)
    assert (second.state, second.message) == ("done", "")
    assert pd.read_csv(hits)["film"].tolist() == ["three.mp4", "two.mp4"]
    assert eyesores(first.notebook) + eyesores(second.notebook) == []
    (third,) = run_pipeline(project, steps=[10], parameters={"people": ["Grac"]})
    assert third.state == "failed" and "Did you mean 'Grace'?" in third.message


def test_it_begins_with_somebody_of_the_cast_where_a_stranger_is_in_more_films(make_reviewed):
    stranger = ("unknown", "Unknown 1", 0.9)
    project = make_reviewed({"one.mp4": [("Ada", "", 0.9), stranger], "two.mp4": [stranger]})
    (result,) = run_pipeline(project, steps=[10])
    assert (result.state, result.message) == ("done", "")
    assert pd.read_csv(project.output / "search" / "hits.csv")["film"].tolist() == ["one.mp4"]  # of Ada
    assert "<b>Ada</b>" in result.notebook.read_text("utf-8")  # whom the tables are of


def test_it_runs_only_when_asked_for():
    assert 10 not in MAIN_STEPS
