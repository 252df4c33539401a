"""A person keeps colour and symbol, whoever comes later."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.films.appearances import graph_of
from facelib.plots import GREY, draw_map, draw_people, draw_screen_time, draw_timeline, marks
from facelib.plots.colours import PATTERNS, project_marks
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


@pytest.mark.parametrize("content", [b"", b"\0" * 99, b"\xff\xfe\xfd", b"a,b\n1,2\n", b"person,number\nZoe,"])
def test_a_damaged_table_is_made_anew(project, content):
    project.output.mkdir(parents=True)
    project.marks.write_bytes(content)
    assert project_marks(project, ["Zoe", "Mia"]) == marks(["Mia", "Zoe"]) == project_marks(project, ["Mia", "Zoe"])


def test_a_damaged_row_costs_no_other_its_mark(project):
    before = project_marks(project, ["Mia", "Zoe"])
    project.marks.write_text(f"{project.marks.read_text()}Bo,x\n")
    assert project_marks(project, ["Bo", "Mia", "Zoe"]).items() >= before.items()


@pytest.mark.parametrize("name", ["NA", "null", "", "a,b", '"', "1"])
def test_names_come_back_from_the_table_as_they_are(project, name):
    first = project_marks(project, [name, "B"])
    assert project_marks(project, [name]) == {name: first[name]}
    assert len(pd.read_csv(project.marks)) == 2


def test_the_first_eight_differ_in_symbol_alone_too():
    assert len({mark.symbol for mark in marks(f"P{i}" for i in range(8)).values()}) == 8


def test_a_person_has_one_colour_in_the_figures_of_all_films(project):
    looks = project_marks(project, ["Ada", "Bo", "Cy"])
    seen = [("Cy", 0.0, 2.0), ("Unknown 2", 1.0, 3.0)]
    film = pd.DataFrame(seen, columns=["person", "start", "end"]).assign(
        start_timecode="", end_timecode="", confidence=1.0, tracks=""
    )
    timeline = draw_timeline(film, duration=5, looks=looks)
    assert timeline.data[0].marker.color == looks["Cy"].colour != draw_timeline(film, duration=5).data[0].marker.color
    assert draw_screen_time(film, looks=looks).data[0].marker.color[0] == looks["Cy"].colour
    assert looks["Cy"].colour in draw_people(graph_of(film), looks=looks).data[-1].marker.color
    other = film.iloc[::-1].replace({"Cy": "Unknown 1"})  # a second film, with one more group
    assert timeline.data[1].marker.color in {trace.marker.color for trace in draw_timeline(other, duration=5).data[1:]}


def test_two_people_of_one_colour_have_different_patterns(project):
    crowd = [f"Person {i}" for i in range(9)]
    looks = project_marks(project, crowd)
    first, last = crowd[0], crowd[8]
    assert looks[first].colour == looks[last].colour
    film = pd.DataFrame({"person": crowd, "start": 0.0, "end": 1.0}).assign(
        start_timecode="", end_timecode="", confidence=1.0, tracks=""
    )
    bars = {trace.name: trace.marker for trace in draw_timeline(film, duration=5, looks=looks).data}
    assert bars[first].pattern.shape != bars[last].pattern.shape
    assert bars[last].pattern.shape in PATTERNS.values()  # of all bars: a list of one counts for the first alone
    times = draw_screen_time(film, looks=looks).data[0].marker
    shown = set(zip(times.color, times.pattern.shape, strict=True))
    assert len(shown) == 9


def test_the_map_keeps_the_colours_of_the_project(project):
    before = project_marks(project, ["Mia", "Zoe"])
    points = pd.DataFrame({"picture": ["a.jpg", "b.jpg"], "face": 0, "person": ["Ada", "Mia"], "x": [0, 1], "y": 0.0})
    figure = draw_map(points, looks=project_marks(project, ["Ada", "Mia"]))
    drawn = {trace.name: trace.marker.color for trace in figure.data}
    assert drawn["Mia"] == before["Mia"].colour != marks(["Ada", "Mia"])["Mia"].colour
    assert drawn["Ada"] not in {look.colour for look in before.values()}


def test_a_table_that_cannot_be_written_costs_nobody_the_colours(project, caplog):
    project.marks.mkdir(parents=True)
    assert project_marks(project, ["Mia", "Zoe"]) == marks(["Mia", "Zoe"])
    assert f"{project.marks} cannot be written" in caplog.text
