"""The map of the gallery: the face under the pointer beside it, and faces chosen with a lasso."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd

from facelib.images import encode_jpeg
from facelib.plots import draw_map, face_thumbnail, project_marks
from facelib.plots.map import add_rings
from facelib.project import Project
from facelib.project.wording import isolated
from facelib.widgets.chosen_faces import ChosenFaces
from facelib.widgets.fitted_figure import PointedFigure
from facelib.widgets.shared import ErrorArea, guarding

_SIZE = 200  # pixels of the longest side of the picture shown


class EmbeddingMap(ipywidgets.VBox):  # type: ignore[misc]
    """The map as a scatter plot, and beside it the face under the pointer or chosen by number.

    A click, or the button, pins a face, so that others can be compared with it. With a project, faces caught with
    the lasso, or added one by one, can be left out or moved to another person; see `ChosenFaces`. Pictures are read
    when they are first shown, not before, so that a large gallery opens at once.

    Args:
        points: One row per face, with the columns `picture`, `face`, `person`, `x`, `y`, and, to show the face
            instead of the whole picture, `left`, `top`, `right`, `bottom`.
        folder: What `picture` is relative to: the project's data folder.
        project: Whose pictures they are; without it nothing can be decided here.

    Raises:
        ValueError: When there are no points.

    Attributes:
        chooser: The number of the face shown, a slider that moves by arrow keys; setting its value shows a face.
        figure: The plot, which reports what the pointer does.
        image: The face shown, as JPEG.
        caption: Its person and picture.
        pin: The button that pins the face shown.
        pinned: The row of the pinned face, or None.
        pinned_image: The pinned face, as JPEG.
        pinned_caption: Its person and picture.
        add: The button that adds the face shown to the chosen ones, or takes it out.
        board: The chosen faces; None without a project.
        errors: A line that says what went wrong.
    """

    def __init__(self, points: pd.DataFrame, folder: str | Path, *, project: Project | None = None) -> None:
        if points.empty:
            raise ValueError("expected a map of at least one face, got none; see the gallery for what was left out")
        self._points = points.reset_index(drop=True)
        self._folder = Path(folder)
        self._pictures: dict[int, bytes] = {}
        self.pinned: int | None = None
        self.errors = ErrorArea()
        self._make_controls()
        self.board = None if project is None else ChosenFaces(self._points, project, changed=self._redraw)
        looks = None if project is None else project_marks(project, self._points["person"])
        figure = add_rings(draw_map(self._points, looks=looks, lasso=project is not None))
        figure.data[-1].update(x=self._points["x"][:1], y=self._points["y"][:1])
        self.figure = PointedFigure(figure)
        for name, handle in (("hovered", self._hovered), ("clicked", self._clicked), ("caught", self._lassoed)):
            self.figure.observe(partial(self._told, handle), names=name)
        self._show(0)
        self._redraw()
        super().__init__(self._parts())

    def _make_controls(self) -> None:
        picture = {"max_width": f"{_SIZE}px", "object_fit": "contain"}
        self.image = ipywidgets.Image(format="jpeg", layout=picture)
        self.caption = ipywidgets.HTML()
        self.pinned_image = ipywidgets.Image(format="jpeg", layout={**picture, "display": "none"})
        self.pinned_caption = ipywidgets.HTML()
        self.chooser = ipywidgets.IntSlider(
            value=0, min=0, max=len(self._points) - 1, description="face", layout={"width": "100%"}
        )
        self.pin = ipywidgets.Button(description="Pin", icon="thumb-tack", layout={"width": "92px", "flex": "0 0 auto"})
        self.add = ipywidgets.Button(description="Add", icon="plus", layout={"width": "92px", "flex": "0 0 auto"})
        self.pin.tooltip = "pin this face beside the others; again to unpin it"
        self.add.tooltip = "add this face to the chosen ones; again to remove it"
        self.chooser.observe(lambda change: self._show(change["new"]), names="value")
        self.pin.on_click(lambda _: self.pin_face(self.chooser.value))
        self.add.on_click(lambda _: self._toggle(self.chooser.value))

    def _parts(self) -> list[ipywidgets.Widget]:
        side = ipywidgets.VBox(
            [self.image, self.caption, self.pinned_image, self.pinned_caption],
            layout={"width": f"{_SIZE + 24}px", "flex": "0 0 auto", "padding": "60px 0 0 12px"},
        )
        plot = ipywidgets.VBox([self.figure], layout={"flex": "1 1 auto", "min_width": "0"})
        buttons = [self.pin] if self.board is None else [self.pin, self.add]
        controls = ipywidgets.HBox([self.chooser, *buttons], layout={"width": "100%"})
        board = [] if self.board is None else [self.board]
        return [ipywidgets.HBox([plot, side], layout={"width": "100%"}), controls, self.errors, *board]

    def pin_face(self, row: int | None) -> None:
        """Keep a face beside the one under the pointer; the same face again, or None, unpins it."""
        self.pinned = None if row == self.pinned else row
        with guarding(self.errors.show):
            self.pinned_image.value = b"" if self.pinned is None else self._picture(self.pinned)
        self.pinned_image.layout.display = "none" if self.pinned is None else ""
        self.pinned_caption.value = "" if self.pinned is None else self._caption(self.pinned, "pinned: ")
        self._redraw()

    def _toggle(self, row: int) -> None:
        if self.board is not None:
            kept = [chosen for chosen in self.board.chosen if chosen != row]
            self.board.choose(kept if len(kept) < len(self.board.chosen) else [*kept, row])

    def _told(self, handle: Callable[[list[int]], None], change: dict[str, Any]) -> None:
        """Pass on the page's pointer events, as rows; show errors in them."""
        with guarding(self.errors.show, clear=False):
            handle([int(row) for row in change["new"]["rows"]])

    def _hovered(self, rows: list[int]) -> None:
        if rows:
            self.chooser.value = rows[0]

    def _clicked(self, rows: list[int]) -> None:
        if rows:
            self.chooser.value = rows[0]
            self.pin_face(rows[0])

    def _lassoed(self, rows: list[int]) -> None:
        if self.board is not None and (caught := sorted(rows)) != self.board.chosen:
            self.board.choose(caught)

    def _redraw(self) -> None:
        """Ring the chosen and pinned faces, and cross out those that are left out by now."""
        chosen = [] if self.board is None else self.board.chosen
        left_out = [] if self.board is None else self.board.left_out()
        self._ring({-4: left_out, -3: chosen, -2: [] if self.pinned is None else [self.pinned]})
        if not chosen:  # nor does the loop stay on the map by which they were chosen
            self.figure.move(layout={"selectionrevision": self.figure.change["number"]})

    def _ring(self, rings: Mapping[int, list[int]]) -> None:
        """Lay rings round faces: rows by the place of the trace among those of `add_rings`, from the end."""
        last = len(self.figure.data)
        places = {last + place: self._points.loc[rows, ["x", "y"]] for place, rows in rings.items()}
        self.figure.move({trace: {axis: own[axis].to_numpy() for axis in "xy"} for trace, own in places.items()})

    def _show(self, row: int) -> None:
        self._ring({-1: [row]})
        self.caption.value = self._caption(row)
        self.image.value = b""
        with guarding(self.errors.show):
            self.image.value = self._picture(row)

    def _caption(self, row: int, before: str = "") -> str:
        name, person = (isolated(html.escape(str(self._points.at[row, column]))) for column in ("picture", "person"))
        return f'<div style="line-height:1.4;overflow-wrap:anywhere">{before}<b>{person}</b><br>{name}</div>'

    def _picture(self, row: int) -> bytes:
        if row not in self._pictures:
            self._pictures[row] = encode_jpeg(face_thumbnail(self._folder, self._points.iloc[row], size=_SIZE))
        return self._pictures[row]
