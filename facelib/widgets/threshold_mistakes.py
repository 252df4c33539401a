"""The faces that a setting of the recognizer mistakes, each beside the face that it was compared with."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets

from facelib.plots.thumbnails import Thumbnails, face_or_reason, tile
from facelib.project import Project
from facelib.recognize.tuning import Setting, Tuning
from facelib.widgets.shared import guarding, widget_script, widget_style

_PATIENCE = 0.05  # seconds of reading pictures before other work gets its turn
_FIRST = 8
_SIZE = 112  # pixels of the longest side of a picture in the widget
_PAGE_SIZE = 80  # and of one in the page


# By id: the title, the note, and whether the worst stand first in the setting's table.
_GROUPS = {
    "wrong": (
        "False matches: cast given another's name",
        "Left: the face tested; right: the face whose name it got.",
        True,
    ),
    "strangers": (
        "False matches: strangers given a name",
        "Left: a face tested without its person in the gallery; right: the face whose name it got.",
        True,
    ),
    "rejected": (
        "False rejections: cast left unknown",
        "Left: the face tested; right: the nearest one, which was not near enough.",
        False,
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class KnownFaces:
    """The faces that trials were made of, and where their pictures lie.

    Attributes:
        folder: What `picture` is relative to: the project's data folder.
        gallery: One row a gallery face in the order of the trials: `picture`, `person`, `left top right bottom`.
        strangers: The same columns for the faces of strangers, without rows where there are none.
    """

    folder: Path
    gallery: pd.DataFrame
    strangers: pd.DataFrame

    @classmethod
    def of(cls, tuning: Tuning, project: Project) -> KnownFaces:
        """Return the faces that a project's gallery was tuned with."""
        gallery = tuning.gallery.used
        strangers = gallery.head(0) if tuning.strangers is None else tuning.strangers.used
        return cls(project.data, gallery, strangers.assign(person="a stranger"))

    def row(self, face: str) -> pd.Series:
        """Return the row of a face by its name in the page: its number, after `s` when it is a stranger's."""
        return self.strangers.iloc[int(face[1:])] if face.startswith("s") else self.gallery.iloc[int(face)]


class MistakenFaces(anywidget.AnyWidget):
    """False matches and false rejections as pairs of small pictures: the face tested and the one it matched.

    Pictures are read when the page asks for them, and no longer than a moment at a time.

    Attributes:
        groups: What the page shows.
        most: How many pairs each group shows at most.
        order: `closest`: those a small move of the threshold would change come first; `worst`: those last.
        error: What went wrong last, empty otherwise.
    """

    _esm = widget_script("threshold_mistakes.js")
    _css = widget_style("threshold_mistakes.css")

    groups = traitlets.List(traitlets.Dict()).tag(sync=True)
    most = traitlets.Dict().tag(sync=True)
    order = traitlets.Enum(["closest", "worst"], "closest").tag(sync=True)
    wanted = traitlets.Dict().tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    failed = traitlets.Dict().tag(sync=True)
    answered = traitlets.Int().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)

    def __init__(self, faces: KnownFaces) -> None:
        super().__init__()
        self._faces = faces
        self._read: dict[str, bytes] = {}
        self._setting: Setting | None = None
        self.observe(self._asked, names="wanted")
        self.observe(self._rearranged, names=["most", "order"])

    def show(self, setting: Setting) -> None:
        """Show the mistakes of a setting."""
        self._setting = setting
        self.groups = mistake_groups(setting, self._faces, most=self.most, closest_first=self.order == "closest")

    def _rearranged(self, change: object) -> None:
        if self._setting is not None:
            with guarding(self._fail):
                self.show(self._setting)

    def _asked(self, change: Mapping[str, Any]) -> None:
        with guarding(self._fail):
            self._answer([str(face) for face in change["new"].get("ids", [])])

    def _answer(self, wanted: Sequence[str]) -> None:
        """Send as many of the pictures wanted as can be read in a moment, at least one; the page asks for the rest."""
        until = time.monotonic() + _PATIENCE
        pictures: dict[str, bytes] = {}
        failed = dict(self.failed)
        for face in wanted:
            if face not in self._read:
                if pictures and time.monotonic() > until:
                    break
                found = face_or_reason(self._faces.folder, self._faces.row(face), size=_SIZE)
                if isinstance(found, str):
                    failed[face] = found
                    continue
                self._read[face] = found
            pictures[face] = self._read[face]
        with self.hold_sync():
            self.pictures, self.failed = pictures, failed
            self.answered += 1

    def _fail(self, text: str) -> None:
        self.error = text
        self.answered += bool(text)


def mistake_groups(
    setting: Setting, faces: KnownFaces, *, most: Mapping[str, int], closest_first: bool
) -> list[dict[str, Any]]:
    """Return the mistakes of a setting in three groups: cast named wrong, strangers named, cast left unknown.

    Args:
        setting: Whose mistakes.
        faces: What its rows stand for.
        most: How many pairs of a group at most, by its `id`; 8 where it is not among them.
        closest_first: Whether those that a small move of the threshold would change come first, or last.

    Returns:
        Of each group `id`, `title`, `note`, `total` and `pairs`; of a pair `probe` and `shown`, each with the `id`, the
        `person` and the `name` of the picture, and `text`, its score with its unit.
    """
    matches = setting.false_matches
    of_cast = matches["kind"] == "cast"
    unit = "probability" if setting.at_least else "nearest face at"  # others than the one shown may lie nearer
    tables = {"wrong": matches[of_cast], "strangers": matches[~of_cast], "rejected": setting.false_rejections}
    groups = []
    for name, (title, note, worst_first) in _GROUPS.items():
        table, count = tables[name], int(most.get(name, _FIRST))
        shown = table[::-1].head(count) if closest_first == worst_first else table.head(count)
        pairs = [_pair(faces, row, unit) for row in shown.to_dict("records")]
        groups.append({"id": name, "title": title, "note": note, "total": len(table), "pairs": pairs})
    return groups


def _pair(faces: KnownFaces, row: Mapping[Any, Any], unit: str) -> dict[str, Any]:
    probe = f"s{row['probe']}" if row["kind"] == "stranger" else str(row["probe"])
    score = float(row["score"])
    text = f"{unit} {score:.3f}" if np.isfinite(score) else ""
    return {"probe": _face(faces, probe), "shown": _face(faces, str(row["carrier"])), "text": text}


def _face(faces: KnownFaces, face: str) -> dict[str, str]:
    row = faces.row(face)
    return {"id": face, "person": str(row["person"]), "name": str(row["picture"])}


def mistakes_page(tuning: Tuning, setting: Setting, project: Project, *, most: int = 12) -> Thumbnails:
    """Show the worst mistakes of a setting in pairs: the face tested, and the known face it was matched with.

    Args:
        tuning: The gallery tried against itself.
        setting: Of `Tuning.at`.
        project: Where the pictures lie.
        most: How many pairs of each kind to show at most; the page says how many there are.

    Returns:
        A page; a file that cannot be read stands in it as a grey tile that says so.
    """
    faces = KnownFaces.of(tuning, project)
    counts = dict.fromkeys(_GROUPS, most)
    parts = []
    for group in mistake_groups(setting, faces, most=counts, closest_first=False):
        pairs, total = group["pairs"], group["total"]
        more = f", the worst {len(pairs)}" if total > len(pairs) else ""
        parts.append(f'<h4 style="margin:14px 0 2px">{group["title"]} ({total}{more})</h4>')
        tiles = Thumbnails.side_by_side(
            f'<div style="background:var(--jp-layout-color1,#f7f7f7);padding:6px"><div style="display:flex;gap:6px">'
            f"{_tile(faces, pair['probe'])}{_tile(faces, pair['shown'])}</div>"
            f'<span style="font-size:12px">{pair["text"]}</span></div>'
            for pair in pairs
        )
        note = group["note"] if total else "None at this setting."
        parts.append(f'<p style="margin:0 0 6px">{note}</p>{tiles.html}')
    return Thumbnails("".join(parts))


def _tile(faces: KnownFaces, face: dict[str, str]) -> str:
    picture = face_or_reason(faces.folder, faces.row(face["id"]), size=_PAGE_SIZE)
    caption, alt = html.escape(face["person"]), f"{face['person']}, {face['name']}"
    return tile(picture, caption, size=_PAGE_SIZE, alt=alt, title=face["name"], fill=True)
