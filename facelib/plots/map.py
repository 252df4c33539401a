"""The t-SNE map of the gallery: a point for each face, similar faces close together."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from facelib.plots.colours import Mark, marks
from facelib.plots.style import NO_BUTTONS, escaped, legend_below, template


def draw_map(
    points: pd.DataFrame,
    *,
    looks: Mapping[str, Mark] | None = None,
    lasso: bool = False,
) -> go.Figure:
    """Draw the map as a scatter plot, one colour and symbol a person, the picture's name on hover.

    Args:
        points: One row per face, with the columns `picture`, `face`, `person`, `x` and `y`.
        looks: Of people, such as `facelib.plots.colours` returns; without it each figure has its own.
        lasso: Whether dragging draws a loop around points, where it otherwise zooms.

    Returns:
        A figure with one trace per person, in the order of the sorted names; each point's `customdata` is the
        position of its row in `points`.
    """
    chosen = marks(points["person"]) | dict(looks or {})
    figure = go.Figure()
    numbered = points.assign(row=range(len(points)))
    for person, rows in numbered.groupby("person", sort=True):
        figure.add_trace(_points_of(str(person), rows, chosen[str(person)]))
    figure.update_layout(template=template(), title="Faces of the cast", hovermode="closest", margin_l=8)
    # The numbers on a t-SNE map mean nothing, only what lies near what; both axes are in one unit.
    figure.update_xaxes(showticklabels=False, title=None)
    figure.update_yaxes(showticklabels=False, title=None, scaleanchor="x")
    if lasso:
        figure.update_layout(dragmode="lasso", newselection={"line": {"color": "#1A1A1A", "width": 1.5}})
        figure.update_layout(modebar_remove=NO_BUTTONS)
    legend_below(figure, plot_height=580)
    return figure


def add_rings(figure: go.Figure) -> go.Figure:
    """Add four empty traces over the points of a map: faces left out, chosen, pinned, and the one shown.

    Returns:
        The same figure; its last four traces are these, in that order. None of them answers to the pointer.
    """
    looks = {
        "left out": {"symbol": "x", "size": 11, "color": "#B00020", "line": {"color": "white", "width": 1}},
        "chosen": {"symbol": "circle-open", "size": 14, "color": "#1A1A1A", "line": {"width": 1.5}},
        "pinned": {"symbol": "square-open", "size": 20, "color": "#0B62B8", "line": {"width": 2.5}},
        "shown": {"symbol": "circle-open", "size": 18, "color": "#1A1A1A", "line": {"width": 2.5}},
    }
    for name, marker in looks.items():
        figure.add_scatter(
            x=[],
            y=[],
            mode="markers",
            name=name,
            showlegend=False,
            hoverinfo="skip",
            marker=marker,
            unselected={"marker": {"opacity": 1}},  # a lasso makes faint what it does not hold
        )
    return figure


def _points_of(person: str, rows: pd.DataFrame, mark: Mark) -> go.Scatter:
    return go.Scatter(
        x=rows["x"],
        y=rows["y"],
        mode="markers",
        name=escaped(person),
        customdata=rows["row"],
        text=[escaped(str(picture), width=60) for picture in rows["picture"]],
        marker={
            "color": mark.colour,
            "symbol": mark.symbol,
            "size": 9,
            "opacity": 0.85,
            "line": {"color": "#404040", "width": 0.6},
        },
        unselected={"marker": {"opacity": 0.35}},
        hovertemplate="<b>" + escaped(person) + "</b><br>%{text}<extra></extra>",
    )
