"""Co-appearance: the people of a film as a graph."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping
from itertools import pairwise

import networkx as nx
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from facelib.plots.colours import Mark
from facelib.plots.film import shades
from facelib.plots.style import escaped, template

_Points = NDArray[np.float64]

_MARGIN, _TITLE = 20, 60  # pixels
_FEW, _NARROW, _WIDE = 8, 520, 820  # up to so many people fit a narrow column; more make the figure taller
_LINE, _LETTER = 17, 7.6  # pixels: a line of a label, and the mean width of its letters
_WIDTHS = (1.5, 3.0, 5.0, 8.0)  # of the lines between people, pixels
_MANY, _NEAREST = 30, 2  # from so many people on, lines are drawn to so many others of each


def draw_people(graph: nx.Graph, *, seed: int = 0, looks: Mapping[str, Mark] | None = None) -> go.Figure:
    """Draw who appears with whom: a disc for each person, a line between two who are on screen together.

    A disc's area grows with the seconds on screen, a line's width with the seconds together. Who is often together
    stands close; who is never with anybody stands in the rows below. No two discs or names lie on each other.

    The lines of many people would hide each other: from 30 people on, each has lines only to the two they are with
    longest, and to whoever would otherwise stand apart from people that they do appear with.

    Args:
        graph: As `facelib.films.appearances.graph_of` returns it; may be empty.
        seed: Where the search for places begins; another seed gives another drawing of the same graph.
        looks: Of people, as for `facelib.plots.draw_timeline`.

    Returns:
        A figure of fixed width, as tall as its people need; its last trace is the people.
    """
    people = sorted(graph, key=lambda person: (-graph.nodes[person]["seconds"], person))
    seconds = np.array([graph.nodes[person]["seconds"] for person in people], np.float64)
    sizes = 14 + 42 * np.sqrt(seconds / max(float(seconds.max(initial=0)), 1e-9))
    labels = [textwrap.wrap(textwrap.shorten(person, 48, placeholder="…"), 18) or [""] for person in people]
    boxes = np.array([_box(lines, size) for lines, size in zip(labels, sizes, strict=True)]).reshape(-1, 2)
    room = float(_NARROW if len(people) <= _FEW else _WIDE)
    drawn = _strongest(graph) if len(people) >= _MANY else graph
    places = _places(drawn, people, boxes, seed, room)
    places[:, 1] += sizes / 2 + 4 - boxes[:, 1] / 2  # a disc stands at the top of its box
    figure = go.Figure(_lines(drawn, dict(zip(people, places, strict=True))))
    looks = shades(people, looks)
    figure.add_scatter(
        x=places[:, 0],
        y=places[:, 1],
        mode="markers+text",
        text=["<br>".join(escaped(line, width=0) for line in lines) for lines in labels],
        textposition="bottom center",
        textfont_shadow="auto",  # an outline: lines pass below the names
        marker={"size": sizes, "color": [looks[person].colour for person in people], "opacity": 1},
        marker_line={"color": "white", "width": 2},
        customdata=[_story(graph, person) for person in people],
        hovertemplate="%{customdata}<extra></extra>",
    )
    title = "Who appears with whom" if people else "Nobody is on screen"
    title += ": lines to the two people each is with longest" if drawn.size() < graph.size() else ""
    _lay_out(figure, title, places, boxes, room)
    return figure


def _strongest(graph: nx.Graph) -> nx.Graph:
    """Return a graph of the longest times together of each person, and of the longest that link whoever is linked."""
    kept = nx.maximum_spanning_tree(graph, weight="seconds")
    for person, others in sorted(graph.adjacency()):
        longest = sorted(others, key=lambda other: (-others[other]["seconds"], other))[:_NEAREST]
        kept.add_edges_from((person, other, others[other]) for other in longest)
    return kept


def _box(lines: list[str], size: float) -> tuple[float, float]:
    """Return the width and height that a disc and the lines of its label take, in pixels."""
    letters = max(sum(1.9 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in line) for line in lines)
    return max(size, letters * _LETTER) + 12, size + _LINE * len(lines) + 14


def _places(graph: nx.Graph, people: list[str], boxes: _Points, seed: int, room: float) -> _Points:
    """Return the middle of each person's box, `(n, 2)` in pixels from the left top corner, none on another."""
    places = np.zeros((len(people), 2))
    linked = np.array([graph.degree[person] > 0 for person in people], bool)
    if linked.any():
        crowd = graph.subgraph(person for person, one in zip(people, linked, strict=True) if one)
        # Seconds span orders of magnitude: their logarithm keeps the rarely together from drifting off.
        pull = {pair: float(np.log1p(value)) for pair, value in nx.get_edge_attributes(crowd, "seconds").items()}
        weighed = nx.Graph()
        weighed.add_nodes_from(sorted(crowd))
        weighed.add_weighted_edges_from((*pair, value) for pair, value in sorted(pull.items()))
        spread = 1.6 / np.sqrt(len(crowd))
        found = nx.spring_layout(weighed, k=spread, weight="weight", seed=seed, iterations=200)
        rough = np.array([found[person] for person, one in zip(people, linked, strict=True) if one])
        places[linked] = _apart(_stretched(rough, boxes[linked], room), boxes[linked], room)
    bottom = float((places[linked, 1] + boxes[linked, 1] / 2).max(initial=0))
    places[~linked] = _rows(boxes[~linked], bottom + (30 if linked.any() else 0), room)
    return places


def _stretched(rough: _Points, boxes: _Points, room: float) -> _Points:
    """Stretch places of any unit over as much of the width as so many need, and a height that leaves most empty."""
    wide = min(room, 260 * np.sqrt(len(boxes)))
    tall = max(0.6 * wide, 2.5 * float(np.prod(boxes, axis=1).sum()) / wide)
    low, extent = rough.min(axis=0), np.ptp(rough, axis=0)
    share = np.where(extent > 1e-6, (rough - low) / np.maximum(extent, 1e-6), 0.5)
    # A few who stand far out would press all others together: ranks spread them evenly, and keep the order.
    ranks = share.argsort(axis=0).argsort(axis=0) / max(len(share) - 1, 1)
    share = 0.35 * share + 0.65 * ranks
    return np.asarray(np.array([(room - wide) / 2, 0]) + boxes / 2 + share * (np.array([wide, tall]) - boxes))


def _apart(places: _Points, boxes: _Points, room: float, *, rounds: int = 2000) -> _Points:
    """Push boxes that overlap apart, along the side where that is shorter; they may grow out below, not sideways."""
    # Two in the very same place need a direction: each is moved a little its own way.
    moved = places + np.linspace(-0.5, 0.5, len(places))[:, None]
    halves = (boxes[:, None] + boxes[None]) / 2
    for _ in range(rounds):
        distance = moved[:, None] - moved[None]
        overlap = np.maximum(halves - np.abs(distance), 0)
        overlap[~(overlap > 0).all(axis=2)] = 0
        overlap[np.diag_indices(len(moved))] = 0
        if overlap.min(axis=2).max(initial=0) < 0.5:
            return moved
        shorter = overlap.argmin(axis=2)[..., None] == np.arange(2)
        moved = moved + 0.3 * (np.sign(distance) * overlap * shorter).sum(axis=1)
        moved[:, 0] = moved[:, 0].clip(boxes[:, 0] / 2, room - boxes[:, 0] / 2)
        moved[:, 1] -= min(0.0, float((moved[:, 1] - boxes[:, 1] / 2).min()))
    order = np.lexsort((moved[:, 0], moved[:, 1]))
    return _rows(boxes[order], 0.0, room)[np.argsort(order)]


def _rows(boxes: _Points, top: float, room: float) -> _Points:
    """Lay boxes in rows from left to right, as words of a text."""
    places, x, tallest = np.zeros_like(boxes), 0.0, 0.0
    for i, (width, height) in enumerate(boxes):
        if x > 0 and x + width > room:
            x, top, tallest = 0.0, top + tallest, 0.0
        places[i] = x + width / 2, top + height / 2
        x, tallest = x + width, max(tallest, height)
    return places


def _lines(graph: nx.Graph, places: dict[str, _Points]) -> list[go.Scatter]:
    """Return the lines between people, a trace a width: plotly draws all of a trace alike."""
    edges = sorted(graph.edges(data="seconds"), key=lambda edge: (edge[2], edge[0], edge[1]))
    longest = max((seconds for *_, seconds in edges), default=0)
    traces = []
    for (least, most), width in zip(pairwise(np.linspace(0, 1, len(_WIDTHS) + 1)), _WIDTHS, strict=True):
        own = [edge for edge in edges if least < np.sqrt(edge[2] / longest) <= most]
        ends = [(places[person], places[other]) for person, other, _ in own]
        x = [value for one, two in ends for value in (one[0], two[0], None)]
        y = [value for one, two in ends for value in (one[1], two[1], None)]
        line = {"width": width, "color": "rgba(110, 120, 140, 0.28)"}
        traces.append(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip"))
    return traces


def _story(graph: nx.Graph, person: str) -> str:
    facts = graph.nodes[person]
    lines = [f"<b>{escaped(person, width=48)}</b>", f"{facts['seconds']:.1f} s in {facts['stretches']} stretches"]
    others = sorted(graph[person].items(), key=lambda item: -item[1]["seconds"])
    lines += [f"with {escaped(other, width=48)}: {link['seconds']:.1f} s" for other, link in others[:8]]
    if len(others) > 8:
        lines.append(f"and {len(others) - 8} more")
    return "<br>".join(lines)


def _lay_out(figure: go.Figure, title: str, places: _Points, boxes: _Points, room: float) -> None:
    height = float((places[:, 1] + boxes[:, 1]).max(initial=40))
    hidden = {"visible": False, "fixedrange": True}
    figure.update_layout(
        template=template(),
        title=title,
        showlegend=False,
        width=room + 2 * _MARGIN,
        height=height + _TITLE + _MARGIN,
        margin={"l": _MARGIN, "r": _MARGIN, "t": _TITLE, "b": _MARGIN},
        # A unit is a pixel: what was laid out without overlap is drawn without.
        xaxis=hidden | {"range": [0, room]},
        yaxis=hidden | {"range": [height, 0]},
    )
