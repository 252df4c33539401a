"""A board of faces to decide about, by keyboard or mouse: what the proposals, the map and the review have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import anywidget
import pandas as pd
import traitlets

from facelib.images import UnreadablePicture, encode_jpeg
from facelib.plots import face_thumbnail
from facelib.widgets.shared import guarding, near_question, widget_script, widget_style


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be decided about faces.

    Attributes:
        name: What the page asks for.
        label: On the button; without one there is only the key.
        keys: The keys that do the same, as browsers name them, or `double click`; the first stands on the button.
        help: A line of what it does.
        about: `faces`: the marked ones, or the one in focus; `next`: the same, and the focus goes on to the next one
            without a decision; `person`: the same, with a person asked for; `nothing`: none in particular.
        main: Whether the button stands out.
        question: How a person is asked for, about one face and about several: `{title}` stands for the face's title,
            `{count}` for how many there are.
        new_people: Whether a person who is asked for may be somebody new.
        offer: Asked with it about one face of a group, to do the same to the group: `{size}` stands for its size.
    """

    name: str
    label: str
    keys: tuple[str, ...]
    help: str
    about: Literal["faces", "next", "person", "nothing"] = "faces"
    main: bool = False
    question: tuple[str, str] = ("", "")
    offer: str = ""
    new_people: bool = False


class FaceBoard(anywidget.AnyWidget):
    """Faces in a grid, one page at a time, with buttons and keys to decide about them.

    A subclass says what is on the board and what a decision does: `_order`, `_item`, `_row` or
    `_picture`, `_detail` and `_decide`. The page keeps no state. The subclass gives each face a number.

    Args:
        folder: What the pictures are relative to: the project's data folder.
        actions: What can be decided.
        label: What the board holds, for screen readers.
        empty: Text shown when it holds nothing.
        noun: What one of them is called.
        scope: Without a mark, a decision is about the face in `focus`, or about `all` of the board.
        shown: Which of them at first, one of `filters`.
        views: Orders to choose from, if any, and what their buttons say.
        view: The first of these.
        page_size: Faces on a page.

    Attributes:
        items: The faces on the page, in order, as the page shows them.
        everything: All faces of the board, in order.
        marked: The faces that the next decision is about.
        filters: What can be shown: a value of `shown`, its text, and the heading that it stands under, if any.
        left: How much there is to do yet, in words.
        warnings: What the user should look at again.
        asked: A given name that is similar to known ones, listed in `near`, or refused because of a `problem`: the page
            asks again.
        status: What was done last.
        error: What went wrong last, empty otherwise.
    """

    _esm = widget_script("name_field.js", "panel.js", "face_board.js")
    _css = widget_style("panel.css", "face_board.css")

    actions = traitlets.List(traitlets.Dict()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode().tag(sync=True)
    noun = traitlets.Unicode().tag(sync=True)
    scope = traitlets.Enum(["focus", "all"], "focus").tag(sync=True)
    filters = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    shown = traitlets.Unicode().tag(sync=True)
    views = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    view = traitlets.Unicode().tag(sync=True)
    page = traitlets.Int().tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    total = traitlets.Int().tag(sync=True)
    left = traitlets.Unicode().tag(sync=True)
    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    everything = traitlets.List(traitlets.Int()).tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    marked = traitlets.List(traitlets.Int()).tag(sync=True)
    focused = traitlets.Int(-1).tag(sync=True)
    detail = traitlets.Dict().tag(sync=True)
    people = traitlets.List(traitlets.Unicode()).tag(sync=True)
    # A list, since Jupyter may send only the last of several values that follow each other quickly.
    requests = traitlets.List(traitlets.Dict()).tag(sync=True)
    handled = traitlets.Int().tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)
    jump = traitlets.List(traitlets.Int()).tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    warnings = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        folder: str | Path,
        actions: Sequence[Action],
        *,
        label: str,
        empty: str,
        noun: str = "face",
        scope: Literal["focus", "all"] = "focus",
        shown: str = "",
        views: Mapping[str, str] | None = None,
        view: str = "",
        page_size: int = 40,
    ) -> None:
        """Lay out the first page."""
        if page_size < 1:
            raise ValueError(f"expected at least one {noun} per page, got {page_size!r}")
        listed = [asdict(action) | {"keys": list(action.keys), "question": list(action.question)} for action in actions]
        buttons = [[value, text] for value, text in (views or {}).items()]
        super().__init__(
            actions=listed, label=label, empty=empty, noun=noun, scope=scope, shown=shown, views=buttons, view=view
        )
        self._folder, self._page_size = Path(folder), page_size
        self._thumbnails: dict[tuple[str, int, int], bytes] = {}
        self._sort()
        self.observe(self._asked, names="requests")
        self.observe(self._resorted, names=["shown", "view"])
        self.observe(self._turned, names="page")
        self.observe(lambda _: self._show_detail(), names="focused")

    def _order(self) -> list[int]:
        """Return the faces on the board, in order."""
        raise NotImplementedError

    def _item(self, number: int) -> dict[str, Any]:
        """Return what stands under a face: `title`, `lines` and `badge`, what is decided about it, empty for nothing.

        Also, where they apply: `out`, whether that puts the face out of use; `fits`, the person proposed when one is
        asked for; `size` of the group that the title names; `other`, whether the title is no person's name; `sure`, 0
        to 1, shown as a bar; `tip`, shown when the pointer rests on the lines.
        """
        raise NotImplementedError

    def _section(self, number: int) -> str:
        """Return the heading that a face stands under, empty for none; faces of one section follow each other."""
        return ""

    def _row(self, number: int) -> pd.Series:
        """Return `picture`, `face` and, where known, `left`, `top`, `right`, `bottom` of a face."""
        raise NotImplementedError

    def _picture(self, number: int, *, size: int = 160) -> bytes:
        """Return a face as JPEG, its longer side of about `size` pixels; empty where there is none."""
        return self._thumbnail(self._row(number), size=size)

    def _detail(self, number: int) -> dict[str, Any]:
        """Return the details of the face in focus.

        `title`, `lines`, `rows` of a `caption` and `pictures` each, `place`, and, where there are any, `more` pictures
        of the face.
        """
        raise NotImplementedError

    def _decide(self, action: str, numbers: list[int], request: Mapping[str, Any]) -> str:
        """Do what was asked for; return what was done, in words."""
        raise NotImplementedError

    def _thumbnail(self, row: pd.Series, *, size: int = 160) -> bytes:
        """Return a face as JPEG; empty where its picture is gone or cannot be read."""
        key = (str(row["picture"]), int(row["face"]), size)
        if key not in self._thumbnails:
            try:
                self._thumbnails[key] = encode_jpeg(face_thumbnail(self._folder, row, size=size))
            except (FileNotFoundError, UnreadablePicture):
                return b""
        return self._thumbnails[key]

    def _sort(self) -> None:
        """Sort the faces and go to the first page; they keep their places until the next sort."""
        self._sorted = self._order()
        with self.hold_sync():
            self.everything, self.total = self._sorted, len(self._sorted)
            self.pages = max(1, -(-self.total // self._page_size))
            self.page, self.marked = 0, []
            self._turn()

    def _turn(self) -> None:
        start = self.page * self._page_size
        self._here = self._sorted[start : start + self._page_size]
        self._update()
        self.pictures = {str(number): self._picture(number) for number in self._here}
        if self.focused not in self._here:
            self.focused = self._here[0] if self._here else -1
        self._show_detail()

    def _update(self) -> None:
        """Update the faces on the page."""
        self.items = [{"id": number, "section": self._section(number)} | self._item(number) for number in self._here]

    def _show_detail(self) -> None:
        if self.focused not in self._here:
            self.detail = {}
            return
        with guarding(self._fail, clear=False):  # a picture that cannot be read leaves the rest of the board in use
            picture = self._picture(self.focused, size=240)
            self.detail = {"id": self.focused, "picture": picture} | self._detail(self.focused)

    def _resorted(self, change: object) -> None:
        with guarding(self._fail):
            self._sort()

    def _turned(self, change: object) -> None:
        with guarding(self._fail):
            if not 0 <= self.page < self.pages:
                self.page = min(max(self.page, 0), self.pages - 1)
            with self.hold_sync():
                self._turn()

    def _asked(self, change: dict[str, Any]) -> None:
        for request in change["new"]:
            if request["number"] > self.handled:
                with self.hold_sync():
                    self._handle(request)
                    self.handled = request["number"]

    def _handle(self, request: Mapping[str, Any]) -> None:
        numbers = [int(number) for number in request.get("faces", [])]
        with guarding(self._fail):
            if request["action"] == "mark section":
                self.marked = [n for n in self._sorted if self._section(n) == request["section"]]
                self.status = f"Marked what stands under '{request['section']}'."
                return
            if request["action"] == "sort":
                self._sort()
                self.status = "Sorted again."
                return
            self._check(request["action"], numbers)
            self.asked = near_question(request, self.people)
            if self.asked:
                self.status = ""
                return
            try:
                self.status = self._decide(str(request["action"]), numbers, request)
            except ValueError as error:
                if "person" not in request:
                    raise
                self.asked, self.status = dict(request) | {"problem": str(error)}, ""
                return
            # What was marked since then came in the same message, and stays marked.
            self.marked = [number for number in self.marked if number not in numbers]
            self._update()
            self._show_detail()

    def _check(self, name: str, numbers: Sequence[int]) -> None:
        known = {action["name"]: action for action in self.actions}
        if name not in known:
            raise ValueError(f"expected one of {list(known)!r}, got {name!r}")
        if not numbers and known[name]["about"] != "nothing":
            raise ValueError(f"expected at least one {self.noun} to decide about, got none")

    def _fail(self, text: str) -> None:
        self.error = text
