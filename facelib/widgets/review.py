"""The review of tracks: a board of faces to confirm, name, group and take apart; for reports, a page of them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from facelib.films.appearances import timecode
from facelib.images import encode_jpeg, read_image, thumbnail
from facelib.plots.thumbnails import Thumbnails, tile
from facelib.project.names import NOT_A_FACE, UNKNOWN, group_number, is_group
from facelib.review import Filter, Review
from facelib.widgets.face_board import Action, FaceBoard

_ACTIONS = (
    Action("confirm", "Confirm", ("Enter", "c"), "confirm the name", "next", main=True),
    Action(
        "name",
        "Name…",
        ("n", "double click"),
        "give another name",
        "person",
        question=("Who is this? ({title})", "Who are these {count} tracks?"),
        offer="all {size} tracks of {title}, in all films",
        new_people=True,
    ),
    Action("unknown", "Unknown", ("u",), "unknown: nobody in the cast", "next"),
    Action("not a face", "Not a face", ("x",), "not a face", "next"),
    Action("merge", "Merge", ("m",), "merge the groups of the marked faces"),
    Action("split", "Split", ("s",), "split the marked faces off their group"),
    Action("undo", "Undo", ("z",), "undo", "nothing"),
    Action("sort", "Sort again", ("r",), "sort again, and hide what is decided", "nothing"),
    Action("view", "", ("g",), "faces one by one, or in groups", "nothing"),
)
_FILTERS: dict[Filter, str] = {
    "undecided": "not yet decided",
    "unsure": "unsure",
    "unknown": "unknown people",
    "decided": "decided",
    "all": "all",
}
_VIEWS = {"tracks": "One by one", "groups": "In groups"}


class TrackReview(FaceBoard):
    """A board of tracks, those most worth checking first; every decision is saved at once.

    Decisions are kept in `Review` and in `corrections.csv`, so that closing the page loses nothing.
    One page of tracks at a time is sent, whatever their number. `?` shows the keys.

    Args:
        review: The tracks and their decisions.
        shown: Which tracks at first; see `Review.queue`. Later also `label:` and the name of a person or a group.
        view: `tracks`: one order for all; `groups`: together by the person or group that they were called at first.
        page_size: Tracks on a page.

    Attributes:
        items: See `FaceBoard`; a track's number is its row in `review.tracks`.
    """

    def __init__(
        self,
        review: Review,
        *,
        shown: Filter = "undecided",
        view: Literal["tracks", "groups"] = "tracks",
        page_size: int = 40,
    ) -> None:
        """Sort the tracks and show the first page."""
        self._review = review
        super().__init__(
            review.project.data,
            _ACTIONS,
            label="Review of tracks",
            empty="Nothing here: choose other tracks above.",
            noun="track",
            shown=shown,
            views=_VIEWS,
            view=view,
            page_size=page_size,
        )
        self.add_class("facelib-review")

    def _order(self) -> list[int]:
        """Return the tracks by worth; in groups, those of one name together, the group of the first one first."""
        if self.view not in _VIEWS:
            raise ValueError(f"expected one of {list(_VIEWS)!r}, got {self.view!r}")
        self._review.refresh()
        kind, _, name = self.shown.partition(":")
        order = self._review.queue("all" if kind == "label" else kind, person=name)  # type: ignore[arg-type]
        self._sections: dict[int, str] = {}
        if self.view == "groups":
            labels = self._review.tracks["label"]
            self._sections = {row: str(labels[row]) for row in order}
            first: dict[str, int] = {}
            for place, label in enumerate(self._sections.values()):
                first.setdefault(label, place)
            order.sort(key=lambda row: first[self._sections[row]])
        return order

    def _section(self, number: int) -> str:
        return self._sections.get(number, "")

    def _update(self) -> None:
        tracks = self._review.tracks
        self._sizes = {str(label): int(size) for label, size in tracks["label"].value_counts().items()}
        columns = ["label", "decided", "confidence", "start", "seconds", "video"]
        self._tracks = tracks.loc[self._here, columns].to_dict("index")
        super()._update()
        labels = sorted(self._sizes, key=lambda label: (group_number(label), label.casefold()))
        called = [[f"label:{label}", f"{label} ({self._sizes[label]})", "called"] for label in labels]
        self.filters = [*([value, text] for value, text in _FILTERS.items()), *called]
        self.people = self._review.people()
        self.left = f"{int((~tracks['decided']).sum())} to decide"
        self.warnings = self._review.warnings

    def _item(self, number: int) -> dict[str, Any]:
        track = self._tracks[number]
        label, decided, confidence = str(track["label"]), bool(track["decided"]), round(float(track["confidence"]), 2)
        when = timecode(float(track["start"]))[:-2].removeprefix("00:")
        return {
            "title": label,
            "size": self._sizes[label] if is_group(label) else 1,
            "other": label in (UNKNOWN, NOT_A_FACE) or is_group(label),
            "lines": [f"{when} · {track['seconds']:.1f} s", *([] if decided else [f"confidence {confidence:.2f}"])],
            "tip": str(track["video"]),
            "sure": confidence,
            "badge": "✓ decided" if decided else "",
        }

    def _picture(self, number: int, *, size: int = 160) -> bytes:
        """Return the best picture of a track as it was kept, whatever `size` is; empty where none was."""
        return next(iter(self._review.pictures(number)), b"")

    def _detail(self, number: int) -> dict[str, Any]:
        track = self._review.tracks.loc[number].to_dict()
        rows = self._evidence(str(track.get("evidence", "")))
        if track["decided"]:
            before = f"without the decision: {track['auto_cluster'] or track['auto_person']}"
            rows.insert(0, {"caption": before, "pictures": []})
        return {
            "title": str(track["label"]),
            "more": self._review.pictures(number)[1:],
            "lines": [str(track["reason"])],
            "rows": rows,
            "place": f"{track['video']}, {timecode(track['start'])} to {timecode(track['end'])}, shot {track['shot']}, "
            f"track {track['track']}",
        }

    def _evidence(self, picture: str) -> list[dict[str, Any]]:
        """Return the row of the picture of the cast that a track is most like, if it is there still."""
        path = self._folder / picture
        if not (picture and path.is_file()):
            return []
        small = encode_jpeg(thumbnail(read_image(path), size=224))
        return [{"caption": f"most like {picture.removeprefix('people/')}", "pictures": [small]}]

    def _decide(self, action: str, numbers: list[int], request: Mapping[str, Any]) -> str:
        review = self._review
        if action == "view":
            self.view = "groups" if self.view == "tracks" else "tracks"
            return self.status
        if action == "undo":
            done = review.undo()
            self.jump = [int(request["number"]), review.last_undone]
            return done
        if action == "name":
            return review.name(numbers, str(request["person"]), whole_group=bool(request.get("whole_group")))
        return review.decide(action, numbers)


def review_page(review: Review, tracks: Sequence[int], *, most: int = 40) -> Thumbnails:
    """Show the best face of each track with its name, confidence, place and reason.

    Tracks are rows of `review.tracks`, in the order of the page, which says how many more than `most` there are.
    """
    if not tracks:
        return Thumbnails("<p>No tracks to show.</p>")
    tiles = (_tile(review, row) for row in tracks[:most])
    return Thumbnails.side_by_side(tiles, f"and {len(tracks) - most} more." if len(tracks) > most else "")


def _tile(review: Review, row: int) -> str:
    track = review.tracks.loc[row].to_dict()
    picture: bytes | str = next(iter(review.pictures(row)), "no picture")
    label, video = (html.escape(str(track[name])) for name in ("label", "video"))
    sure = "decided" if track["decided"] else f"confidence {track['confidence']:.2f}"
    place = f"{timecode(track['start'])[:-2]}, {track['seconds']:.1f} s<br>shot {track['shot']} of {video}"
    caption = f"<b>{label}</b><br>{sure}<br>{place}"
    return tile(picture, caption, size=112, alt=str(track["label"]), title=str(track["reason"]))
