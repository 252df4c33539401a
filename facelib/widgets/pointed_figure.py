"""A plotly figure as wide as its column, which reports the points under the pointer and in the lasso."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import plotly.graph_objects as go
import traitlets

_LEAST = 240


class Pointer(anywidget.AnyWidget):
    """Messages of the page about a figure: its column's width, and pointer events.

    The latter are a running `number` and `rows`, the whole numbers that stand as `customdata` at the points.

    Attributes:
        width: In pixels; 0 until a page shows it.
        hovered: The points under the pointer.
        clicked: The points that were clicked.
        caught: The points in the loop drawn last; none when it was cleared.
    """

    _esm = Path(__file__).with_name("pointed_figure.js")
    width = traitlets.Int(0).tag(sync=True)
    hovered = traitlets.Dict().tag(sync=True)
    clicked = traitlets.Dict().tag(sync=True)
    caught = traitlets.Dict().tag(sync=True)


class PointedFigure(ipywidgets.VBox):  # type: ignore[misc]
    """A `FigureWidget` that takes the width there is, and follows when that changes.

    Where no browser shows it, it keeps the width it came with.

    Args:
        figure: Its height stays.

    Attributes:
        figure: The `FigureWidget`.
        pointer: The page's messages about it.
    """

    def __init__(self, figure: go.Figure) -> None:
        """Lay the line that measures the column above the figure."""
        self.figure = go.FigureWidget(figure)
        self.pointer = Pointer()
        self.pointer.observe(self._measured, names="width")
        # The figure may not hold its column open, or a page that becomes narrower would never be noticed.
        layout = {"width": "100%", "min_width": "0", "overflow": "hidden"}
        super().__init__([self.pointer, self.figure], layout=layout)
        self.add_class("facelib-pointed")

    def _measured(self, change: dict[str, Any]) -> None:
        self.figure.layout.width = max(int(change["new"]), _LEAST)
