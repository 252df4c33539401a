"""The review of tracks: a grid of faces to confirm, name, group and take apart, by keyboard or mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import anywidget
import traitlets

from facelib.corrections import NOT_A_FACE, group_number, is_group
from facelib.images import encode_jpeg, read_image, thumbnail
from facelib.recognize import UNKNOWN
from facelib.review import Filter, Review
from facelib.timeline import timecode


class TrackReview(anywidget.AnyWidget):
    """A grid of tracks, most worth asking first; every decision is written the moment it is made.

    The page shows and asks; what is decided lies in `Review` and in `corrections.csv`, so that closing the page, or
    losing it, loses nothing. One page of tracks at a time is sent, whatever their number. `?` shows the keys.

    Args:
        review: The tracks and their decisions.
        shown: Which tracks at first; see `Review.queue`.
        view: `tracks`: one order for all; `groups`: together by the person or group that they were called at first.
        page_size: Tracks on a page.

    Attributes:
        items: The tracks on the page, in order, as the page shows them.
        marked: The tracks that the next decision is about, all at once; without one it is about the focused one.
        status: What was done last.
        error: What went wrong last, empty otherwise.
    """

    _esm = Path(__file__).with_name("review.js")
    _css = Path(__file__).with_name("review.css")

    shown = traitlets.Unicode().tag(sync=True)
    person = traitlets.Unicode().tag(sync=True)
    view = traitlets.Enum(["tracks", "groups"], "tracks").tag(sync=True)
    page = traitlets.Int().tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    total = traitlets.Int().tag(sync=True)
    items = traitlets.List(traitlets.Dict()).tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    marked = traitlets.List(traitlets.Int()).tag(sync=True)
    focused = traitlets.Int(-1).tag(sync=True)
    detail = traitlets.Dict().tag(sync=True)
    people = traitlets.List(traitlets.Unicode()).tag(sync=True)
    labels = traitlets.List(traitlets.Dict()).tag(sync=True)
    left = traitlets.Int().tag(sync=True)
    # A list, since Jupyter may send only the last of several values that follow each other quickly.
    requests = traitlets.List(traitlets.Dict()).tag(sync=True)
    handled = traitlets.Int().tag(sync=True)
    jump = traitlets.List(traitlets.Int()).tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    warnings = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        review: Review,
        *,
        shown: Filter = "undecided",
        view: Literal["tracks", "groups"] = "tracks",
        page_size: int = 40,
    ) -> None:
        """Sort the tracks and show the first page."""
        if page_size < 1:
            raise ValueError(f"expected at least one track a page, got {page_size!r}")
        super().__init__(shown=shown, view=view)
        self._review, self._page_size = review, page_size
        self._order: list[int] = []
        self._sections: dict[int, str] = {}
        self._sort()
        self.observe(self._asked, names="requests")
        self.observe(self._sorted, names=["shown", "person", "view"])
        self.observe(self._turned, names="page")
        self.observe(self._focused, names="focused")

    def _sort(self) -> None:
        """Put the tracks into a new order and go to its first page; between two sorts nothing moves under the user."""
        order = self._review.queue(self.shown, person=self.person)  # type: ignore[arg-type]
        labels = self._review.tracks["label"]
        self._sections = {row: str(labels[row]) for row in order}
        if self.view == "groups":
            first: dict[str, int] = {}
            for place, row in enumerate(order):
                first.setdefault(self._sections[row], place)
            order.sort(key=lambda row: first[self._sections[row]])
        self._order = order
        with self.hold_sync():
            self.total, self.pages = len(order), max(1, -(-len(order) // self._page_size))
            self.page, self.marked = 0, []
            self._turn()

    def _turn(self) -> None:
        start = self.page * self._page_size
        self._rows = self._order[start : start + self._page_size]
        self._update()
        self.pictures = {str(row): pictures[0] for row in self._rows if (pictures := self._review.pictures(row))}

    def _update(self) -> None:
        """Tell the page what its tracks are called now."""
        tracks = self._review.tracks
        sizes = tracks["label"].value_counts().to_dict()
        self.items = [self._item(row, sizes) for row in self._rows]
        self.people = self._review.people()
        names = sorted(map(str, sizes), key=lambda name: (group_number(name), name.casefold()))
        self.labels = [{"label": str(name), "size": int(sizes[name])} for name in names]
        self.left = int((~tracks["decided"]).sum())
        self.warnings = self._review.warnings

    def _item(self, row: int, sizes: Mapping[Any, int]) -> dict[str, object]:
        track = self._review.tracks.loc[row].to_dict()
        label = str(track["label"])
        cast = label != UNKNOWN and label != NOT_A_FACE and not is_group(label)
        return {
            "id": row,
            "label": label,
            "kind": "person" if cast else "other",
            "section": self._sections[row],
            "size": int(sizes[label]) if is_group(label) else 1,
            "decided": bool(track["decided"]),
            "confidence": round(float(track["confidence"]), 2),
            "time": timecode(float(track["start"]))[:-2],
            "seconds": round(float(track["seconds"]), 1),
            "shot": int(track["shot"]),
            "video": str(track["video"]),
        }

    def _sorted(self, change: object) -> None:
        with self._guarding():
            self._sort()

    def _turned(self, change: object) -> None:
        with self._guarding():
            if not 0 <= self.page < self.pages:
                self.page = min(max(self.page, 0), self.pages - 1)
            with self.hold_sync():
                self._turn()

    def _focused(self, change: object) -> None:
        with self._guarding(clear=False):
            if self.focused in self._review.tracks.index:
                self._show_detail()

    def _show_detail(self) -> None:
        track = self._review.tracks.loc[self.focused].to_dict()
        self.detail = {
            "id": self.focused,
            "label": str(track["label"]),
            "reason": str(track["reason"]),
            "place": f"{track['video']}, {timecode(track['start'])} to {timecode(track['end'])}, shot {track['shot']}, "
            f"track {track['track']}",
            "automatic": str(track["auto_cluster"] or track["auto_person"]) if track["decided"] else "",
            "pictures": self._review.pictures(self.focused),
            "evidence": self._evidence(str(track.get("evidence", ""))),
            "evidence_name": str(track.get("evidence", "")).removeprefix("people/"),
        }

    def _evidence(self, picture: str) -> bytes:
        path = self._review.project.data / picture
        return encode_jpeg(thumbnail(read_image(path), size=224)) if picture and path.is_file() else b""

    def _asked(self, change: dict[str, Any]) -> None:
        for request in change["new"]:
            if request["number"] > self.handled:
                with self.hold_sync():
                    self._handle(request)
                    self.handled = request["number"]

    def _handle(self, request: Mapping[str, Any]) -> None:
        tracks = [int(row) for row in request.get("tracks", [])]
        with self._guarding():
            if request["action"] == "mark group":
                self.marked = [row for row in self._order if self._sections[row] == request["name"]]
                self.status = f"{len(self.marked)} tracks of {request['name']} marked."
                return
            if request["action"] == "sort":
                self._review.refresh()
                self._sort()
                self.status = "Sorted anew."
                return
            self.status = self._decide(str(request["action"]), tracks, request)
            # What was marked since then came in the same message, and stays marked.
            self.marked = [row for row in self.marked if row not in tracks]
            self._update()
            if self.focused in self._review.tracks.index:
                self._show_detail()

    def _decide(self, action: str, tracks: list[int], request: Mapping[str, Any]) -> str:
        review = self._review
        if action == "undo":
            done = review.undo()
            self.jump = [int(request["number"]), review.last_undone]
            return done
        if action == "name":
            return review.name(tracks, str(request["name"]), whole_group=bool(request["whole_group"]))
        actions: dict[str, Callable[[list[int]], str]] = {
            "confirm": review.confirm,
            "unknown": review.unknown,
            "not a face": review.not_a_face,
            "merge": review.merge,
            "split": review.split,
        }
        if action not in actions:
            raise ValueError(f"expected one of {sorted(actions)!r}, got {action!r}")
        return actions[action](tracks)

    @contextmanager
    def _guarding(self, *, clear: bool = True) -> Iterator[None]:
        """Show any exception of the block on the page: Jupyter would drop it into a log that nobody opens."""
        if clear:
            self.error = ""
        try:
            yield
        except Exception as error:
            self.error = f"{type(error).__name__}: {error}"
