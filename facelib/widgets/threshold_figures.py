"""The figures of the threshold tuner: drawn once, then moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from scipy.stats import norm

from facelib.plots import draw_det, draw_distances, template
from facelib.plots.colours import WRONG
from facelib.plots.evaluation import CONFUSION_LOOK, NARROW_TICKS, confusion_fields
from facelib.plots.style import AT_LEFT, shortened
from facelib.plots.thresholds import threshold_label
from facelib.project.names import UNKNOWN
from facelib.recognize.tuning import Setting
from facelib.widgets.fitted_figure import FittedFigure

_HEIGHT = 400
_MOST_PEOPLE = 14
_OTHERS = "anybody else"


class Tradeoff(FittedFigure):
    """The DET curve of one number of voters, with a point where the setting stands.

    Args:
        curve_at: Returns the error rates of a number of voters, with the columns `threshold`, `fpir` and `fnir`.
            Asked once for each.
        setting: What to show at first.
        wanted_fpir: Where the figure's line stands.
    """

    def __init__(self, curve_at: Callable[[int], pd.DataFrame], setting: Setting, *, wanted_fpir: float) -> None:
        self._curve_at = curve_at
        self._drawn: dict[int, go.Figure] = {}
        self._shown = setting.k
        figure = go.Figure(self._draw(setting.k, wanted_fpir))
        self._drawable = bool(figure.data)  # without trials of one kind the figure says so
        if self._drawable:
            figure.layout.annotations = ()  # the point shows the corner
            self._ends = figure.layout.xaxis.tickvals[0], figure.layout.xaxis.tickvals[-1]
            figure.add_scatter(
                x=[self._place(setting.counts.fpir)],
                y=[self._place(setting.counts.fnir)],
                mode="markers",
                name="this setting",
                hoverinfo="skip",
                cliponaxis=False,  # a point in the corner, where nothing is mistaken, is whole
                marker={"size": 14, "color": WRONG, "line": {"width": 2, "color": "white"}},
            )
        figure.update_layout(height=_HEIGHT, margin={"l": 56, "r": 12, "t": 58, "b": 96}, title=AT_LEFT)
        axis = figure.layout.yaxis  # this figure is low
        axis.ticktext = [label if label in NARROW_TICKS else "" for label in axis.ticktext or []]
        super().__init__(figure)

    def _draw(self, k: int, wanted_fpir: float) -> go.Figure:
        if k not in self._drawn:
            self._drawn[k] = draw_det({f"all thresholds at k = {k}": self._curve_at(k)}, wanted_fpir=wanted_fpir)
        return self._drawn[k]

    def show(self, setting: Setting, *, wanted_fpir: float) -> None:
        """Move the point, the line of the wanted error and, for another `k`, the curve."""
        if not self._drawable:
            return
        line = self._draw(setting.k, wanted_fpir).data[0]
        wanted = self._place(wanted_fpir)
        point = {"x": [self._place(setting.counts.fpir)], "y": [self._place(setting.counts.fnir)]}
        curve = {"x": line.x, "y": line.y, "customdata": line.customdata, "name": line.name}
        self.move(
            {1: point} if setting.k == self._shown else {0: curve, 1: point},
            {"shapes.0.x0": wanted, "shapes.0.x1": wanted},
        )
        self._shown = setting.k

    def _place(self, rate: float) -> float:
        """Return where a rate lies on the axes, whose ends stand for 0 and 1."""
        return float(np.clip(norm.ppf(rate), *self._ends))


class Distances(FittedFigure):
    """The distances of the cast and of strangers as histograms, with the threshold as a line.

    Args:
        genuine: The score of each face of the cast.
        impostor: The score of each stranger.
        threshold: Where the line stands at first.
        axis: The title of the horizontal axis.
    """

    def __init__(self, genuine: ArrayLike, impostor: ArrayLike, *, threshold: float, axis: str) -> None:
        figure = draw_distances(genuine, impostor, threshold=threshold, axis=axis)
        figure.update_layout(height=_HEIGHT, margin={"l": 56, "r": 20, "t": 62, "b": 96}, title=AT_LEFT)
        super().__init__(figure)

    def show(self, threshold: float) -> None:
        """Move the line."""
        self.move(
            layout={
                "shapes.0.x0": threshold,
                "shapes.0.x1": threshold,
                "annotations.0.x": threshold,
                "annotations.0.text": threshold_label(threshold),
            }
        )


class Confusion(FittedFigure):
    """Who was given which name; of a large cast the people with the most mistakes."""

    def __init__(self, setting: Setting) -> None:
        figure = go.Figure()
        figure.add_heatmap(**CONFUSION_LOOK, showscale=False, texttemplate="%{text}")
        figure.update_layout(
            template=template(),
            height=_HEIGHT,
            margin={"l": 12, "r": 12, "t": 46, "b": 12},
            title={"text": "Who got which name", **AT_LEFT},
        )
        figure.update_xaxes(showgrid=False, autotickangles=[0, -45, -90], tickfont_size=11)
        figure.update_yaxes(showgrid=False, autorange="reversed", tickfont_size=11)
        super().__init__(figure)
        self.show(setting)

    def show(self, setting: Setting) -> None:
        """Update the confusion matrix."""
        table = most_confused(setting.confusion)
        fields, some = confusion_fields(table), len(table) < len(setting.confusion)
        self.move(
            {0: fields},
            {
                "xaxis.tickvals": fields["x"],
                "xaxis.ticktext": [*map(shortened, table.columns)],
                "yaxis.tickvals": fields["y"],
                "yaxis.ticktext": [*map(shortened, table.index)],
                "title.text": "Who got which name" + (f" ({len(table) - 1} most mistaken)" if some else ""),
            },
        )


def most_confused(table: pd.DataFrame, *, most: int = _MOST_PEOPLE) -> pd.DataFrame:
    """Return the part of a large confusion matrix that has the most mistakes.

    Args:
        table: As in `Setting.confusion`: the last row is that of strangers, the last column that of `unknown`.
        most: People to keep. Mistakes are a person's own faces not given the name, and strangers given it.

    Returns:
        The table as it is when it has no more people; otherwise these people's rows and columns in the table's order,
        with one column `anybody else` for the people left out.
    """
    counts, people = table.to_numpy(), len(table) - 1
    if people <= most:
        return table
    mistakes = counts[:people].sum(axis=1) - counts.diagonal()[:people] + counts[people, :people]
    kept = np.sort(np.argsort(-mistakes, kind="stable")[:most])
    rows = np.append(kept, people)
    part = table.iloc[rows, kept].copy()
    part[_OTHERS] = counts[rows, :people].sum(axis=1) - counts[np.ix_(rows, kept)].sum(axis=1)
    part[UNKNOWN] = counts[rows, people]
    return part
