"""Evaluation figures: DET curve, reliability diagram, confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots
from scipy.stats import norm

from facelib.plots.colours import COLOURS
from facelib.plots.style import escaped, lay_out, shortened, template

_TICKS = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
NARROW_TICKS = frozenset({"0", "1 %", "10 %", "60 %", "100 %"})
"""Those labels of `draw_det` that do not run into each other in a narrow figure."""

_LEAST, _MOST = 0.0004, 0.997  # rates of 0 and 1 would lie at infinity, so they are drawn here
_GRAIN = 120  # points a unit of the axes, about one a pixel
_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def draw_det(curves: Mapping[str, pd.DataFrame], *, wanted_fpir: float = 0.01) -> go.Figure:
    """Draw the error tradeoff: the share of the cast not named against the share of strangers given a name.

    Both axes are stretched as by a normal distribution (a probit scale), where curves of well-behaved scores are
    straight, and small rates can be read. Source: Martin et al., "The DET curve in assessment of detection task
    performance" (1997). Nearer to the lower left corner is better.

    Args:
        curves: By what to call them; each with the columns `threshold`, `fpir` and `fnir`, as `det_curve` and
            `facelib.recognize.thresholds.curve` give. Those without a rate are left out, and of several rows
            at one spot of the page one is drawn.
        wanted_fpir: Where the figure's only vertical line stands, which the legend calls so.

    Returns:
        A figure; where a curve reaches the lower left corner, and so lies on the axes, a note says so.
    """
    figure = go.Figure()
    shown = {name: curve.dropna(subset=["fpir", "fnir"]) for name, curve in curves.items()}
    shown = {name: curve.sort_values(["fpir", "fnir"], ascending=[True, False]) for name, curve in shown.items()}
    shown = {name: curve for name, curve in shown.items() if len(curve)}
    for number, (name, curve) in enumerate(shown.items()):
        spots = _probit(curve[["fpir", "fnir"]].to_numpy(float))
        kept = ~pd.DataFrame(np.round(_GRAIN * spots)).duplicated().to_numpy()
        curve, spots = curve[kept], spots[kept]
        figure.add_scatter(
            x=spots[:, 0],
            y=spots[:, 1],
            customdata=np.column_stack([curve["fpir"], curve["fnir"], curve["threshold"].abs()]),
            name=escaped(name, width=0),
            mode="lines",
            line={"color": COLOURS[number % 8], "dash": _DASHES[number % 4], "width": 2.5, "shape": "hv"},
            hovertemplate="FPIR %{customdata[0]:.2%}, FNIR %{customdata[1]:.2%}<br>threshold %{customdata[2]:.3f}",
        )
    figure.add_vline(
        x=float(_probit(np.array([wanted_fpir]))[0]),
        line={"color": "#1A1A1A", "width": 1, "dash": "dot"},
        name="wanted FPIR",
        showlegend=True,
    )
    labels = ["0", *(f"{100 * tick:g} %" for tick in _TICKS), "100 %"]
    axis = {
        "tickvals": _probit(np.array([_LEAST, *_TICKS, _MOST])),
        "ticktext": labels,
        "tickangle": 0,
        "range": [norm.ppf(_LEAST) - 0.05, norm.ppf(_MOST) + 0.05],
    }
    lay_out(figure, "Error tradeoff (DET)", height=560, showlegend=True)
    few = [label if label in NARROW_TICKS else "" for label in labels]
    figure.update_xaxes(title="strangers given a name (FPIR)", **axis | {"ticktext": few})
    figure.update_yaxes(title="cast not given their name (FNIR)", **axis)
    _note_corner(figure, [bool(curve[["fpir", "fnir"]].eq(0).all(axis=1).any()) for curve in shown.values()])
    return figure if figure.data else _nothing(figure, "No face with a known name was looked up.")


def _note_corner(figure: go.Figure, reached: Sequence[bool]) -> None:
    """Say which curves reach the corner without errors: they lie on the axes, as if nothing were drawn."""
    if any(reached):
        which = "The curve lies" if len(reached) == 1 else "All curves lie" if all(reached) else "Some curves lie"
        told = f"{which} on the axes,<br>through the lower left corner:<br>there is a threshold without errors"
        figure.add_annotation(text=told, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)


def _probit(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(norm.ppf(np.clip(rates, _LEAST, _MOST)))


def draw_reliability(tables: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Draw a reliability diagram: how often answers are right against their confidence.

    Args:
        tables: By what to call them, as `facelib.evaluate.reliability` gives them.

    Returns:
        Points with 95 % intervals above, and below them how many answers there are at each confidence.
    """
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.06)
    diagonal = {"color": "#8A8A8A", "width": 1.5, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=diagonal, showlegend=False, hoverinfo="skip")
    for number, (name, table) in enumerate(tables.items()):
        _add_reliability(figure, number, name, table)
    lay_out(figure, "Reliability of confidences", height=560, bargap=0.15, showlegend=True)
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_xaxes(title="confidence of the answer", row=2)
    figure.update_yaxes(title="share that is right", tickformat=".0%", range=[-0.03, 1.03], row=1)
    figure.update_yaxes(title="answers", tickformat=".0%", rangemode="tozero", row=2)
    some = any(int(table["names"].sum()) for table in tables.values())
    return figure if some else _nothing(figure, "There is no answer whose truth is known.")


def _add_reliability(figure: go.Figure, number: int, name: str, table: pd.DataFrame) -> None:
    rows = table[table["names"] > 0]
    colour, label = COLOURS[number % 8], escaped(f"{name} ({rows['names'].sum()} answers)", width=0)
    figure.add_scatter(
        x=rows["confidence"],
        y=rows["right"],
        customdata=rows["names"],
        name=label,
        mode="lines+markers",
        marker={"size": 9, "color": colour, "symbol": _SYMBOLS[number % 4]},
        line={"color": colour, "width": 1.5, "dash": _DASHES[number % 4]},
        error_y={
            "array": (rows["right_high"] - rows["right"]).clip(lower=0),
            "arrayminus": (rows["right"] - rows["right_low"]).clip(lower=0),
            "thickness": 1.2,
            "width": 4,
        },
        hovertemplate="sure %{x:.2f}, right %{y:.1%} of %{customdata}<extra>" + label + "</extra>",
    )
    figure.add_bar(
        x=(table["low"] + table["high"]) / 2,
        y=table["names"] / max(int(table["names"].sum()), 1),
        customdata=table["names"],
        marker={"color": colour, "pattern": {"shape": ("", "/", ".", "x")[number % 4]}},
        showlegend=False,
        hovertemplate="%{customdata} answers<extra>" + label + "</extra>",
        row=2,
        col=1,
    )


def draw_confusion(table: pd.DataFrame) -> go.Figure:
    """Draw the confusion matrix: shares of each label's faces, with their number in each field.

    Args:
        table: Rows by label, columns by name, as `facelib.evaluate.confusion` gives it. Rows and columns without a
            face are left out, but for the people of the truth.

    Returns:
        A figure as tall as the cast is long; the first label stands on top.
    """
    table = table.loc[table.sum(axis=1) > 0]
    table = table.loc[:, [name in table.index or table[name].sum() > 0 for name in table.columns]]
    figure = go.Figure()
    rows, columns = table.shape
    few = columns <= 25  # so that the numbers have room in the fields
    figure.add_heatmap(
        **confusion_fields(table),
        **CONFUSION_LOOK,
        texttemplate="%{text}" if few else None,
        colorbar={"title": {"text": "share"}, "tickformat": ".0%", "thickness": 14},
    )
    height = 230 + (34 if few else 18) * max(rows, 2)
    figure.update_layout(template=template(), title="Who got which name", height=height)
    # Ticks at numbers with names as their text: two names that are shortened alike stay two rows.
    figure.update_xaxes(
        title="name given",
        tickvals=list(range(columns)),
        ticktext=[*map(shortened, table.columns)],
        showgrid=False,
        autotickangles=[0, -45, -90],
    )
    figure.update_yaxes(
        title="truth",
        tickvals=list(range(rows)),
        ticktext=[*map(shortened, table.index)],
        showgrid=False,
        autorange="reversed",
    )
    return figure if rows else _nothing(figure, "There is no labelled face.")


CONFUSION_LOOK: Mapping[str, object] = {
    "zmin": 0, "zmax": 1, "xgap": 1, "ygap": 1, "colorscale": [[0, "#F4F4F4"], [0.02, "#D5E6F1"], [1, COLOURS[0]]],
    "hovertemplate": "%{customdata[0]}, named %{customdata[1]}: %{text} (%{z:.1%})<extra></extra>",
}  # fmt: skip
"""How a heatmap of `confusion_fields` looks."""


def confusion_fields(table: pd.DataFrame) -> dict[str, Any]:
    """Return a heatmap's fields for counts of faces by label (rows) and name given: shares, numbers as text, names."""
    counts = table.to_numpy(float).reshape(table.shape)
    names, labels = ([escaped(str(name), width=0) for name in axis] for axis in (table.columns, table.index))
    return {
        "z": counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
        "x": list(range(len(names))),
        "y": list(range(len(labels))),
        "text": [[f"{count:.0f}" if count else "" for count in row] for row in counts],
        "customdata": [[[label, name] for name in names] for label in labels],
    }


def _nothing(figure: go.Figure, text: str) -> go.Figure:
    """Say in the middle of an empty figure why it is empty."""
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(showlegend=False)
    figure.layout.shapes = ()  # which an update with none would leave
    figure.add_annotation(text=text, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 15})
    return figure
