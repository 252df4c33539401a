"""A plotly figure as wide as the page allows, updated in place rather than drawn again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import plotly.graph_objects as go
import traitlets
from plotly.offline import get_plotlyjs

from facelib.project.plain import plain


class FittedFigure(anywidget.AnyWidget):
    """A figure as wide as the column it is in.

    plotly's own `FigureWidget` stays 700 pixels wide when it is drawn before its page is laid out, and each one brings
    the whole of plotly.js: several of them take longer than the two seconds that anywidget waits for a widget on a
    busy machine. Here one copy serves all figures of a page, and it is asked for by the page, so that nothing is lost
    however long it takes to come. The figure's height stays.

    Attributes:
        data: The traces as plotly.js has them.
        figure_layout: The layout likewise; `layout` is the widget's own.
        change: The last change.
    """

    _esm = Path(__file__).with_name("fitted_figure.js")

    data = traitlets.List(traitlets.Dict()).tag(sync=True)
    figure_layout = traitlets.Dict().tag(sync=True)
    change = traitlets.Dict().tag(sync=True)

    def __init__(self, figure: go.Figure) -> None:
        state = json.loads(str(figure.to_json()))
        super().__init__(data=state["data"], figure_layout=state["layout"])
        self.on_msg(self._wanted)

    def move(
        self, traces: Mapping[int, Mapping[str, Any]] | None = None, layout: Mapping[str, Any] | None = None
    ) -> None:
        """Change some of the figure; only the change is sent.

        Args:
            traces: New values of a trace's attributes, by the trace's number.
            layout: New values in the layout, by path: `shapes.0.x0`.
        """
        new: dict[str, dict[str, Any]] = plain(traces or {})
        paths: dict[str, Any] = plain(layout or {})
        # The state that a page opened later gets is changed in place: assigning it would send all of it.
        for number, values in new.items():
            self.data[int(number)].update(values)
        for path, value in paths.items():
            _put(self.figure_layout, path, value)
        self.change = {"number": int(self.change.get("number", 0)) + 1, "traces": new, "layout": paths}

    def _wanted(self, widget: object, content: Mapping[str, Any], buffers: object) -> None:
        if content.get("wanted") == "plotly.js":
            self.send({"found": "plotly.js"}, buffers=[get_plotlyjs().encode()])


def _put(target: dict[str, Any], path: str, value: Any) -> None:
    place: Any = target
    *names, last = path.split(".")
    for name in names:
        place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
    place[int(last) if isinstance(place, list) else last] = value


class PointedFigure(FittedFigure):
    """A figure whose points answer to the pointer; zoom and lasso stay when it changes.

    Each pointer event is a running `number` and `rows`, the whole numbers that stand as `customdata` at the points.

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
        super().__init__(go.Figure(figure).update_layout(uirevision="the user's own"))
