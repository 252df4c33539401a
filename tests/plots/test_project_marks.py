"""A person keeps colour and symbol, whoever comes later."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.films.appearances import graph_of
from facelib.plots import GREY, draw_people, draw_screen_time, draw_timeline, marks, project_colours
from facelib.plots.project_marks import project_marks
from facelib.project import Project


@pytest.fixture
def project(tmp_path) -> Project:
    return Project("cast", tmp_path / "data", tmp_path / "output")


def test_nobody_changes_when_somebody_is_enrolled(project):
    before = project_marks(project, ["Mia", "Zoe"])
    after = project_marks(project, ["Ada", "Mia", "Bo", "Zoe"])
    assert {name: after[name] for name in before} == before
    assert len(set(after.values())) == 4
    assert project_marks(project, ["Bo"]) == {"Bo": after["Bo"]}


def test_at_first_they_are_those_of_the_other_figures(project):
    assert project_marks(project, ["Zoe", "unknown", "Mia"]) == marks(["Mia", "Zoe", "unknown"])


def test_whoever_is_nobody_of_the_cast_is_grey_and_takes_no_place(project):
    drawn = project_marks(project, ["unknown", "Unknown 3", "not a face"])
    assert {mark.colour for mark in drawn.values()} == {GREY}
    assert not project.marks.exists()


@pytest.mark.parametrize("name", ["NA", "null", "", "a,b", '"', "1"])
def test_names_come_back_from_the_table_as_they_are(project, name):
    first = project_marks(project, [name, "B"])
    assert project_marks(project, [name]) == {name: first[name]}
    assert len(pd.read_csv(project.marks)) == 2


def test_the_first_eight_differ_in_symbol_alone_too():
    assert len({mark.symbol for mark in marks(f"P{i}" for i in range(8)).values()}) == 8


def test_a_person_has_one_colour_in_the_figures_of_all_films(project):
    colours = project_colours(project, ["Ada", "Bo", "Cy"])
    seen = [("Cy", 0.0, 2.0), ("Unknown 1", 1.0, 3.0)]
    film = pd.DataFrame(seen, columns=["person", "start", "end"]).assign(
        start_timecode="", end_timecode="", confidence=1.0, tracks=""
    )
    timeline = draw_timeline(film, duration=5, colours=colours)
    assert timeline.data[0].marker.color == colours["Cy"] != draw_timeline(film, duration=5).data[0].marker.color
    assert draw_screen_time(film, colours=colours).data[0].marker.color[0] == colours["Cy"]
    assert colours["Cy"] in draw_people(graph_of(film), colours=colours).data[-1].marker.color
