"""The map of the gallery with the face under the pointer beside it."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import plotly.graph_objects as go

from facelib.images import encode_jpeg
from facelib.plots import draw_map, face_thumbnail
from facelib.widgets.errors import ErrorArea


class EmbeddingMap(ipywidgets.VBox):  # type: ignore[misc]
    """The map as a scatter plot; the face under the pointer, or chosen by number, stands beside it.

    Pictures are read when they are first shown, not before, so that a large gallery opens at once.

    Args:
        points: One row a face, with the columns `picture`, `face`, `person`, `x`, `y`, and, to show the face
            instead of the whole picture, `left`, `top`, `right`, `bottom`.
        folder: What `picture` is relative to: the project's data folder.
        size: The longest side of the picture shown, in pixels.

    Raises:
        ValueError: When there are no points.

    Attributes:
        chooser: The number of the face shown, a slider that moves by arrow keys; setting its value shows a face.
        figure: The plotly `FigureWidget`.
        image: The face shown, as JPEG.
        caption: Its person and picture.
        errors: A line that says what went wrong.
    """

    def __init__(self, points: pd.DataFrame, folder: str | Path, *, size: int = 200) -> None:
        """Lay out the plot and the face."""
        if points.empty:
            raise ValueError("expected a map of at least one face, got none; see the gallery for what was left out")
        self._points = points.reset_index(drop=True)
        self._folder = Path(folder)
        self._size = size
        self._pictures: dict[int, bytes] = {}
        self.figure = go.FigureWidget(draw_map(self._points))
        self.figure.add_scatter(  # drawn last, so that the ring lies over the points
            x=[],
            y=[],
            mode="markers",
            showlegend=False,
            hoverinfo="skip",
            marker={"size": 18, "symbol": "circle-open", "color": "#1A1A1A", "line": {"width": 2.5}},
        )
        self.image = ipywidgets.Image(format="jpeg", layout={"max_width": f"{size}px", "object_fit": "contain"})
        self.caption = ipywidgets.HTML()
        self.errors = ErrorArea()
        self.chooser = ipywidgets.IntSlider(
            value=0, min=0, max=len(self._points) - 1, description="face", layout={"width": "100%"}
        )
        self.chooser.observe(lambda change: self._show(change["new"]), names="value")
        for trace in self.figure.data[:-1]:
            trace.on_hover(self._hovered)
            trace.on_click(self._hovered)
        self._show(0)
        side = ipywidgets.VBox([self.image, self.caption], layout={"width": f"{size + 24}px", "flex": "0 0 auto"})
        plot = ipywidgets.VBox([self.figure], layout={"flex": "1 1 auto", "min_width": "0"})
        super().__init__([ipywidgets.HBox([plot, side]), self.chooser, self.errors])

    def _hovered(self, trace: Any, points: Any, state: Any) -> None:
        if points.point_inds:
            self.chooser.value = int(trace.customdata[points.point_inds[0]])

    def _show(self, index: int) -> None:
        row = self._points.iloc[index]
        with self.figure.batch_update():
            self.figure.data[-1].x, self.figure.data[-1].y = [float(row["x"])], [float(row["y"])]
        name = html.escape(str(row["picture"]))
        person = html.escape(str(row["person"]))
        self.caption.value = f'<b>{person}</b><br><span style="overflow-wrap:anywhere">{name}</span>'
        self.image.value = b""
        with self.errors.guarding():
            if index not in self._pictures:
                self._pictures[index] = encode_jpeg(face_thumbnail(self._folder, row, size=self._size))
            self.image.value = self._pictures[index]
