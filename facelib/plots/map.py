"""The map of the gallery: every face a point, alike faces close together."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import plotly.graph_objects as go

from facelib.plots.style import Mark, escaped, legend_below, marks, template


def draw_map(points: pd.DataFrame, *, people: Iterable[str] | None = None) -> go.Figure:
    """Draw the map as a scatter plot, one colour and symbol a person, the picture's name on hover.

    Args:
        points: One row a face, with the columns `picture`, `face`, `person`, `x` and `y`.
        people: The whole cast, when `points` holds a part of it only, so that colours stay as in the other figures.

    Returns:
        A figure with one trace a person, in the order of the sorted names; each point's `customdata` is the
        position of its row in `points`.
    """
    chosen = marks(points["person"] if people is None else [*people, *points["person"]])
    figure = go.Figure()
    numbered = points.assign(row=range(len(points)))
    for person, rows in numbered.groupby("person", sort=True):
        figure.add_trace(_points_of(str(person), rows, chosen[str(person)]))
    figure.update_layout(template=template(), title="Faces of the cast, alike ones close together", hovermode="closest")
    # The numbers on a t-SNE map mean nothing, only what lies near what; both axes are in one unit.
    figure.update_xaxes(showticklabels=False, title=None)
    figure.update_yaxes(showticklabels=False, title=None, scaleanchor="x")
    legend_below(figure, plot_height=520)
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
        hovertemplate="<b>" + escaped(person) + "</b><br>%{text}<extra></extra>",
    )
