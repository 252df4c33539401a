"""The open-set threshold drawn: how faces are named as it moves, and the distances behind that."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from facelib.plots.colours import REJECTED, RIGHT, WRONG
from facelib.plots.style import evenly_picked, lay_out

_MOST_ROWS = 2000
_LINES = (
    ("right", "cast named right", RIGHT, "solid"),
    ("wrong", "cast named wrong", WRONG, "dash"),
    ("rejected", "cast rejected as unknown", REJECTED, "dot"),
    ("fpir", "strangers given a name (FPIR)", "#CC79A7", "dashdot"),
)


def draw_outcomes(
    curve: pd.DataFrame, *, threshold: float, axis: str = "threshold (distance)", at_least: bool = False
) -> go.Figure:
    """Draw how many faces are named right, wrong and not at all at each threshold, the chosen one marked.

    Args:
        curve: One row a threshold, with the columns `threshold`, `right`, `wrong`, `rejected` and `fpir`, the last
            four as fractions from 0 to 1. NaN is left out. Of a long curve, 2000 rows are drawn.
        threshold: The chosen threshold; the figure's first shape is a line there.
        axis: The title of the horizontal axis.
        at_least: Whether faces with a score at or above the threshold are named, as with probabilities, and not
            those at or below it, as with distances.

    Returns:
        A figure of four lines that are told apart by their dashes too, not by colour alone.
    """
    figure = go.Figure()
    drawn = evenly_picked(curve, _MOST_ROWS)
    for column, label, colour, dash in _LINES:
        figure.add_scatter(
            x=drawn["threshold"],
            y=drawn[column],
            name=label,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2.5, "shape": "vh" if at_least else "hv"},
            hovertemplate="%{y:.1%}<extra>" + label + "</extra>",
        )
    _mark_threshold(figure, threshold)
    title = "What becomes of a face"
    lay_out(figure, title, height=470, below=130, hovermode="x unified", margin_t=80, legend_entrywidth=230)
    figure.update_xaxes(title=axis)
    figure.update_yaxes(title="share of faces", tickformat=".0%", range=[-0.02, 1.02])
    return figure


def threshold_label(threshold: float) -> str:
    """Return the text at the line of the chosen threshold."""
    return f"chosen: {threshold:.3f}"


def _mark_threshold(figure: go.Figure, threshold: float) -> None:
    figure.add_vline(x=threshold, line={"color": "#1A1A1A", "width": 1.5})
    figure.add_annotation(
        x=threshold, y=1.0, yref="paper", yanchor="bottom", showarrow=False, text=threshold_label(threshold)
    )


def draw_distances(
    genuine: ArrayLike, impostor: ArrayLike, *, threshold: float, axis: str = "distance to the nearest known face"
) -> go.Figure:
    """Draw how far known people's faces and strangers' lie from the gallery, with the threshold between them.

    Args:
        genuine: The distances of faces whose person is in the gallery; NaN and infinities are left out.
        impostor: The distances of faces whose person is not.
        threshold: The chosen threshold.
        axis: The title of the horizontal axis.

    Returns:
        Two histograms over the same bins, each as shares of its own faces.
    """
    parts = [_finite(genuine), _finite(impostor)]
    both = np.concatenate([*parts, [threshold]])
    size = max(float(np.ptp(both)), 1e-3) / 40
    figure = go.Figure()
    for values, label, colour, pattern in zip(
        parts, ("of the cast", "strangers"), (RIGHT, WRONG), ("", "/"), strict=True
    ):
        figure.add_histogram(
            x=values,
            name=f"{label} ({len(values)})",
            histnorm="probability",
            xbins={"start": float(both.min()), "end": float(both.max()) + size, "size": size},
            marker={"color": colour, "pattern": {"shape": pattern}},
            opacity=0.65,
            hovertemplate="%{x}: %{y:.1%}<extra>" + label + "</extra>",
        )
    _mark_threshold(figure, threshold)
    title = "Distances of cast and strangers"
    lay_out(figure, title, height=420, below=100, barmode="overlay", margin_t=80)
    figure.update_xaxes(title=axis)
    figure.update_yaxes(title="share of faces", tickformat=".0%", range=None if any(map(len, parts)) else [0, 1])
    return figure


def _finite(values: ArrayLike) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    flat = np.asarray(values, np.float64).reshape(-1)
    return flat[np.isfinite(flat)]
