"""The timeline of a film with the picture of the moment that was clicked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import plotly.graph_objects as go

from facelib.films.appearances import timecode
from facelib.films.decode import read_frame_at
from facelib.images import encode_jpeg, thumbnail
from facelib.plots.film import draw_timeline
from facelib.widgets.errors import ErrorArea


class FilmTimeline(ipywidgets.VBox):  # type: ignore[misc]
    """A row a person; a click on a bar, or the slider, shows the film at that moment.

    Args:
        appearances: The columns of `appearances.csv`.
        film: The film to show, usually `annotated.mp4`.
        duration: Its length in seconds.
        size: The longest side of the picture shown, in pixels.

    Attributes:
        figure: The plotly `FigureWidget`.
        moment: The slider over the film's seconds; moves by arrow keys.
        image: The frame shown, as JPEG.
        caption: Its time.
        errors: A line that says what went wrong.
    """

    def __init__(self, appearances: pd.DataFrame, film: str | Path, *, duration: float, size: int = 480) -> None:
        """Lay out the timeline, the slider and the picture."""
        self._film, self._size = film, size
        self.figure = go.FigureWidget(draw_timeline(appearances, duration=duration))
        for trace in self.figure.data:
            trace.on_click(self._clicked)
        self.moment = ipywidgets.FloatSlider(
            value=0.0,
            min=0.0,
            max=max(duration, 0.04),
            step=0.04,
            description="second",
            continuous_update=False,
            layout={"width": "100%"},
        )
        self.moment.observe(lambda change: self._show(change["new"]), names="value")
        self.image = ipywidgets.Image(format="jpeg", layout={"width": f"{size}px", "object_fit": "contain"})
        self.caption = ipywidgets.Label()
        self.errors = ErrorArea()
        first = float(appearances["start"].min()) if len(appearances) else 0.0
        self.moment.value = round(first, 2)
        self._show(self.moment.value)
        super().__init__([self.figure, self.moment, self.caption, self.image, self.errors])

    def _clicked(self, trace: Any, points: Any, state: Any) -> None:
        if points.point_inds:
            self.moment.value = round(float(trace.base[points.point_inds[0]]) + 0.01, 2)

    def _show(self, seconds: float) -> None:
        with self.errors.guarding():
            self.image.value = encode_jpeg(thumbnail(read_frame_at(self._film, seconds).image, size=self._size))
            self.caption.value = timecode(seconds)
