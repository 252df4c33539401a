"""The faces chosen on the map: leave them out, or move them to another person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from facelib.project import Project
from facelib.widgets.face_board import Action, FaceBoard
from facelib.widgets.picture_decisions import TO_WHOM, PictureDecisions
from facelib.widgets.shared import guarding

_ACTIONS = (
    Action("disable", "Leave out", ("d",), "leave the pictures out", main=True),
    Action("move", "Move…", ("m",), "move the pictures to another person's folder", "person", question=TO_WHOM),
    Action("reopen", "Use again", ("o",), "undo the decision about the pictures"),
    Action("undo", "Undo", ("z",), "undo the last decision", "nothing"),
    Action("drop", "Drop", ("x", "Delete"), "remove the faces from this choice; the pictures are not changed"),
    Action("clear", "Clear", ("c",), "choose none", "nothing"),
)
_KIND = "chosen on the map"
_NEAR = 3  # so many faces on the map say among whose a face lies; fewer where its person has fewer


class ChosenFaces(FaceBoard):
    """Faces that were chosen elsewhere, to decide about all of them, or about the marked ones.

    Args:
        points: One row per face, with `picture`, `face`, `person`, `x`, `y` and, where known, the box.
        project: Whose pictures.
        changed: Called when another face is chosen, and when something is decided.

    Attributes:
        chosen: The rows chosen, in order.
    """

    def __init__(self, points: pd.DataFrame, project: Project, *, changed: Callable[[], None] = lambda: None) -> None:
        self._points = points
        self._decisions = PictureDecisions(project)
        self._changed = changed
        self.chosen: list[int] = []
        super().__init__(
            project.data,
            _ACTIONS,
            label="Chosen faces",
            empty="Draw a loop around faces on the map, or add the face shown: they appear here.",
            scope="all",
            page_size=24,
        )
        self.people = project.find_people()

    def choose(self, rows: Iterable[int]) -> None:
        """Replace the faces on the board."""
        with guarding(self._fail):
            self.chosen = list(dict.fromkeys(int(row) for row in rows))
            self._sort()
        self._changed()

    def left_out(self) -> list[int]:
        """Return the rows whose pictures are left out or moved by now."""
        return [row for row, picture in enumerate(self._points["picture"]) if self._decisions.state(str(picture))]

    def _order(self) -> list[int]:
        return list(self.chosen)

    def _name(self, number: int) -> str:
        return str(self._points.at[number, "picture"])

    def _row(self, number: int) -> pd.Series:
        row = self._points.iloc[number]
        return row.where(row.index != "picture", self._decisions.now(str(row["picture"])))

    def _item(self, number: int) -> dict[str, Any]:
        state = self._decisions.state(self._name(number))
        return {
            "title": str(self._points.at[number, "person"]),
            "lines": [PurePosixPath(self._name(number)).name],
            "badge": state,
            "out": bool(state),
            "fits": self._among(number),
        }

    def _among(self, number: int) -> str:
        """Return the person among whose faces one lies on the map, when that is another; empty otherwise."""
        people = self._points["person"]
        own = people[number]
        away = (self._points[["x", "y"]] - self._points.loc[number, ["x", "y"]]).pow(2).sum(axis=1).astype(float)
        others = max(int((people == own).sum()) - 1, 1)
        near = people[away.drop(number).nsmallest(min(_NEAR, others)).index]
        person, faces = next(iter(near.value_counts().items()), (own, 0))
        return str(person) if person != own and faces > len(near) / 2 else ""

    def _detail(self, number: int) -> dict[str, Any]:
        row = self._points.iloc[number]
        return {
            "title": str(row["person"]),
            "lines": [],
            "rows": [],
            "place": self._decisions.now(str(row["picture"])),
        }

    def _decide(self, action: str, numbers: list[int], request: Mapping[str, Any]) -> str:
        try:
            return self._done(action, numbers, request)
        finally:
            self._changed()

    def _done(self, action: str, numbers: list[int], request: Mapping[str, Any]) -> str:
        if action == "undo":
            return self._decisions.undo()[0]
        if action in ("drop", "clear"):
            self.chosen = [] if action == "clear" else [row for row in self.chosen if row not in numbers]
            self._sort()
            return f"{len(self.chosen)} chosen."
        pictures = [self._name(number) for number in numbers]
        if action == "disable":
            return self._decisions.leave_out(pd.DataFrame({"picture": pictures, "kind": _KIND}))
        if action == "move":
            return self._decisions.move(pictures, str(request["person"]))
        return self._decisions.take_back([(picture, _KIND) for picture in pictures])
