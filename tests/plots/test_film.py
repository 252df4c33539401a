"""The timeline and the graph of a film's people."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from facelib.films.appearances import appearances, graph_of
from facelib.plots import GREY, colours_of, draw_people, draw_screen_time, draw_timeline
from facelib.plots.people import _apart

AWKWARD = '<script>alert("1")</script> & Öztürk'


def crowd(people: int, *, unknown: int = 0, stretches: int = 6) -> pd.DataFrame:
    """Tracks of a cast and of groups of unknown people over ten minutes, some of them together."""
    rng = np.random.default_rng(people)
    names = [(f"Given Family the {i}th", "") for i in range(people)]
    names += [("unknown", f"Unknown {i + 1}") for i in range(unknown)]
    rows = [(*name, at, at + rng.uniform(1, 9)) for name in names for at in rng.uniform(0, 590, stretches)]
    table = pd.DataFrame(rows, columns=["person", "cluster", "start", "end"])
    return table.assign(track=range(len(table)), shot=range(len(table)), confidence=0.9, reason="face: 0.31")


@pytest.mark.parametrize(("people", "unknown"), [(0, 0), (1, 0), (2, 3), (62, 5)])
def test_the_timeline_has_a_row_a_person_with_the_cast_on_top(people, unknown):
    tracks = crowd(people, unknown=unknown)
    figure = draw_timeline(appearances(tracks, unknown=True), duration=600, tracks=tracks)
    assert len(figure.data) == people + unknown
    rows = [next(iter(set(bars.y))) for bars in figure.data]
    assert rows == list(range(people + unknown))
    strangers = [bars.name.startswith("Unknown") for bars in figure.data]
    assert strangers == [False] * people + [True] * unknown
    # 22 pixels a row: a line of 13 pixel text, and room above and below it.
    plot = figure.layout.height - (figure.layout.margin.t or 60) - 50
    assert plot >= 22 * (people + unknown) - 60
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # the first on top


def test_people_keep_their_colours_and_strangers_are_shades_of_grey():
    tracks = crowd(4, unknown=3)
    figure = draw_timeline(appearances(tracks, unknown=True), duration=600)
    colours = {bars.name: bars.marker.color for bars in figure.data}
    expected = colours_of(tracks["person"])
    cast = [name for name in colours if not name.startswith("Unknown")]
    assert {name: colours[name] for name in cast} == {name: expected[name] for name in cast}
    greys = [colours[name] for name in colours if name not in cast]
    assert len(set(greys)) == 3 and GREY in greys
    assert all(len({grey[i : i + 2] for i in (1, 3, 5)}) == 1 for grey in greys)
    bars = draw_screen_time(appearances(tracks, unknown=True)).data[0]
    assert dict(zip(colours, bars.marker.color, strict=True)) == colours


def test_the_pointer_shows_why_a_name_was_given():
    tracks = crowd(1, stretches=3).assign(
        start=[0.0, 5.0, 100.0], end=[1.0, 9.0, 101.0], reason=[AWKWARD, "clothes as in shot 8", None]
    )
    appeared = appearances(tracks, longest_gap=10)
    why = [row[3] for row in draw_timeline(appeared, duration=600, tracks=tracks).data[0].customdata]
    assert why == ["<br>clothes as in shot 8 (and 1 more tracks)", ""]  # that of the longest track
    alone = draw_timeline(appearances(tracks, longest_gap=0), duration=600, tracks=tracks).data[0].customdata
    assert "<script>" not in alone[0][3] and "&lt;script&gt;" in alone[0][3]
    without = draw_timeline(appeared, duration=600, tracks=tracks.drop(columns="reason")).data[0].customdata
    assert [row[3] for row in without] == [row[3] for row in draw_timeline(appeared, duration=600).data[0].customdata]


def test_people_whose_names_look_alike_keep_a_row_each():
    tracks = crowd(2, stretches=1).assign(person=[AWKWARD, AWKWARD + " "])
    figure = draw_timeline(appearances(tracks), duration=600)
    assert [set(bars.y) for bars in figure.data] == [{0}, {1}]
    assert all("<script>" not in label for label in figure.layout.yaxis.ticktext)


@pytest.mark.parametrize(
    ("duration", "times"),
    [
        (0.4, ["00:00.0"]),
        (3.2, [f"00:0{second:.1f}" for second in (0, 0.5, 1, 1.5, 2, 2.5, 3)]),
        (5, [f"00:0{second}" for second in range(6)]),
        (30, ["00:00", "00:05", "00:10", "00:15", "00:20", "00:25", "00:30"]),
        (5400, ["00:00", "15:00", "30:00", "45:00", "01:00:00", "01:15:00", "01:30:00"]),
        (86400, [f"{hour:02}:00:00".removeprefix("00:") for hour in range(0, 25, 4)]),
    ],
)
def test_a_film_of_any_length_has_few_times_below_it(duration, times):
    axis = draw_timeline(appearances(crowd(0)), duration=duration).layout.xaxis
    assert list(axis.ticktext) == times


def test_screen_time_tells_the_shots():
    tracks = crowd(2)
    bars = draw_screen_time(appearances(tracks), tracks=tracks).data[0]
    assert [row[1] for row in bars.customdata] == [" and 6 shots"] * 2


def test_a_film_without_anybody_says_so_and_has_no_axes():
    none = appearances(crowd(0))
    for figure in (draw_screen_time(none), draw_timeline(none, duration=600)):
        layout = figure.layout
        told = layout.title.text, layout.xaxis.visible, layout.yaxis.visible
        assert told == ("Nobody is on screen", False, False)


@pytest.mark.parametrize(
    ("people", "unknown", "stretches"),
    [(0, 0, 1), (1, 0, 1), (2, 0, 200), (8, 3, 10), (62, 5, 10), (62, 5, 1), (150, 0, 4)],
)
def test_no_two_people_of_the_graph_lie_on_each_other(people, unknown, stretches):
    graph = graph_of(appearances(crowd(people, unknown=unknown, stretches=stretches), unknown=True))
    figure = draw_people(graph)
    drawn = figure.data[-1]
    assert len(drawn.x) == people + unknown
    assert drawn.textfont.shadow == "auto"  # else a line below a name makes it hard to read
    rows, columns = figure.layout.yaxis.range, figure.layout.xaxis.range
    boxes = []
    for x, y, size, text in zip(drawn.x, drawn.y, drawn.marker.size, drawn.text, strict=True):
        lines = text.split("<br>")
        wide = max(size, 7.2 * max(len(line) for line in lines)) / 2
        boxes.append((x - wide, y - size / 2, x + wide, y + size / 2 + 3 + 17 * len(lines)))
    for i, one in enumerate(boxes):
        assert columns[0] <= one[0] and one[2] <= columns[1] and rows[1] <= one[1] and one[3] <= rows[0]
        for other in boxes[:i]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            assert apart
    # A unit is a pixel.
    margin = figure.layout.margin
    assert figure.layout.width - margin.l - margin.r == columns[1]
    assert figure.layout.height - margin.t - margin.b == pytest.approx(rows[0])


def test_the_graph_draws_more_for_more_seconds_and_every_pair_once():
    appeared = pd.DataFrame(
        [("A", 0, 100), ("B", 0, 50), ("C", 99, 100), (AWKWARD, 200, 210)], columns=["person", "start", "end"]
    )
    figure = draw_people(graph_of(appeared))
    lines, people = figure.data[:-1], figure.data[-1]
    named = dict(zip(people.text, people.marker.size, strict=True))
    assert named["A"] > named["B"] > named["C"]
    pairs = {line.line.width: len(line.x) // 3 for line in lines if line.x}
    assert sum(pairs.values()) == 2 and len(pairs) == 2  # A with B, and thinner A with C
    story = people.customdata[list(people.text).index("A")]
    assert "with B: 50.0 s" in story and "with C: 1.0 s" in story and "100.0 s" in story
    assert "<script>" not in "".join(people.text) + "".join(people.customdata)


def test_who_is_often_together_stands_close():
    rows = [(f"P{i}", 0, 50) for i in range(5)] + [(f"Q{i}", 100, 150) for i in range(5)]
    rows += [("P0", 200, 201), ("Q0", 200, 201)]  # the only link between the two circles
    drawn = draw_people(graph_of(pd.DataFrame(rows, columns=["person", "start", "end"]))).data[-1]
    places = np.column_stack([drawn.x, drawn.y])
    circle = np.array([name[0] for name in drawn.text])
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    same = circle[:, None] == circle[None]
    assert distance[same & (distance > 0)].mean() < 0.7 * distance[~same].mean()
    assert len(set(np.round(drawn.y, -1))) > 4  # not laid in rows, which is what is left when all else fails


def test_of_a_large_cast_only_the_longest_times_together_are_drawn():
    graph = nx.complete_graph([f"P{i:02}" for i in range(40)])
    nx.set_node_attributes(graph, {person: {"seconds": 100.0, "stretches": 1} for person in graph})
    nx.set_edge_attributes(graph, {pair: {"seconds": 1.0 + i} for i, pair in enumerate(graph.edges)})
    figure = draw_people(graph)
    assert "lines to the two people each is with longest" in figure.layout.title.text
    ends = [np.reshape([x or np.nan for x in line.x or []], (-1, 3))[:, :2] for line in figure.data[:-1]]
    pairs = {tuple(sorted(np.round(pair, 3))) for pair in np.vstack(ends)}
    places = dict(zip(graph, np.round(figure.data[-1].x, 3), strict=True))  # equally long on screen: by name
    assert len(pairs) < 3 * len(graph)
    for person, others in graph.adjacency():
        longest = sorted(others, key=lambda other: -others[other]["seconds"])[:2]
        assert {tuple(sorted((places[person], places[other]))) for other in longest} <= pairs
    assert "and 31 more" in figure.data[-1].customdata[0]  # nobody is left out of what the pointer shows
    small = draw_people(graph.subgraph([f"P{i:02}" for i in range(12)]))
    assert small.layout.title.text == "Who appears with whom"
    assert sum(len(line.x or ()) for line in small.data[:-1]) == 3 * 66


def test_boxes_are_pushed_apart_no_farther_than_needed():
    places = np.array([[100.0, 100.0], [110.0, 101.0], [500.0, 300.0]])
    boxes = np.array([[60.0, 30.0], [60.0, 30.0], [60.0, 30.0]])
    moved = _apart(places, boxes, 820.0)
    assert np.abs(moved[2] - places[2]).max() < 1
    assert abs(moved[1, 1] - moved[0, 1]) == pytest.approx(30, abs=1)  # up and down is the shorter way
    assert np.abs(moved[:2, 0] - places[:2, 0]).max() < 1


def test_the_graph_is_drawn_the_same_every_time_and_otherwise_with_another_seed():
    graph = graph_of(appearances(crowd(12, stretches=20)))
    first, second, other = draw_people(graph), draw_people(graph), draw_people(graph, seed=1)
    assert list(first.data[-1].x) == list(second.data[-1].x)
    assert list(first.data[-1].x) != list(other.data[-1].x)
