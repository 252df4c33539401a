"""A plotly figure as wide as its column, which reports the points under the pointer and in the lasso."""

from __future__ import annotations

import plotly.graph_objects as go
import traitlets

from facelib.widgets.fitted_figure import FittedFigure


class PointedFigure(FittedFigure):
    """A figure whose points answer to the pointer; zoom and lasso stay when it changes.

    Each pointer event is a running `number` and `rows`, the whole numbers that stand as `customdata` at the points.

    Args:
        figure: Its height stays.

    Attributes:
        hovered: The points under the pointer.
        clicked: The points that were clicked.
        caught: The points in the loop drawn last; none when it was cleared.
    """

    pointed = traitlets.Bool(True).tag(sync=True)
    hovered = traitlets.Dict().tag(sync=True)
    clicked = traitlets.Dict().tag(sync=True)
    caught = traitlets.Dict().tag(sync=True)

    def __init__(self, figure: go.Figure) -> None:
        """Take over the figure's state."""
        super().__init__(go.Figure(figure).update_layout(uirevision="the user's own"))
