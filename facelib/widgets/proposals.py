"""What the gallery doctor proposes, to be accepted or rejected picture by picture; for reports, as a page."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from facelib.faces import BOX
from facelib.gallery import PROPOSAL_KINDS, Examination
from facelib.plots import Thumbnails, thumbnails
from facelib.project import Project
from facelib.widgets.face_board import Action, FaceBoard
from facelib.widgets.picture_decisions import TO_WHOM, PictureDecisions, Proposal

_ACTIONS = (
    Action("accept", "Leave out", ("a", "Enter", "d"), "accept: leave the picture out", "next", main=True),
    Action("reject", "Keep", ("k", "x"), "reject: keep the picture, and hide the proposal", "next"),
    Action("move", "Move…", ("m",), "move the picture to another person's folder", "person", question=TO_WHOM),
    Action("reopen", "Reopen", ("o",), "undo the decisions about the marked pictures, or the one in focus"),
    Action("undo", "Undo", ("z",), "undo the last decision", "nothing"),
    Action("sort", "Sort again", ("r",), "sort again, and hide what is decided", "nothing"),
)
_EXAMPLES = 4
_BY_HAND = "left out by you"


class GalleryProposals(FaceBoard):
    """The doctor's proposals by reason, each to be accepted or rejected; a decision is written when it is made.

    Accepted ones are saved in `disabled.txt`, rejected ones in `kept.csv`, both in the project's data folder. Beside
    the face in focus are the most similar faces of the person in whose folder it is, and of the one it looks like.

    Args:
        examination: The doctor's findings.
        project: Whose pictures.
        faces: The table of known faces, for the faces to compare with.
        shown: `open`: not decided; `used`: of these, those in use until accepted; `decided`; `all`; or `kind:` and a
            kind.
        page_size: Faces on a page.

    Attributes:
        items: See `FaceBoard`; a face's number is its row in `examination.proposals`. After these come the pictures
            that the user has left out before, to be taken back.
    """

    def __init__(
        self,
        examination: Examination,
        project: Project,
        *,
        faces: pd.DataFrame,
        shown: str = "open",
        page_size: int = 40,
    ) -> None:
        boxes = faces[["picture", "face", *BOX]].drop_duplicates(["picture", "face"])
        proposals = pd.concat([examination.proposals, _left_out_before(faces, examination)], ignore_index=True)
        self._proposals = proposals.merge(boxes, on=["picture", "face"], how="left")
        self._faces = faces[faces["face"] >= 0].reset_index(drop=True)
        self._decisions = PictureDecisions(project)
        super().__init__(
            project.data,
            _ACTIONS,
            label="Proposals of the gallery doctor",
            empty="Nothing here: choose other proposals above." if len(self._proposals) else "Nothing is proposed.",
            shown=shown,
            page_size=page_size,
        )
        self.people = project.find_people()

    def _order(self) -> list[int]:
        self._decisions.refresh()
        rows = self._proposals
        chosen = [number for number in range(len(rows)) if self._matches(number)]
        place = {kind: index for index, kind in enumerate([*PROPOSAL_KINDS, _BY_HAND])}
        return sorted(chosen, key=lambda number: place.get(str(rows.at[number, "kind"]), len(place)))

    def _matches(self, number: int) -> bool:
        shown, decided = self.shown, bool(self._state(number))
        if shown.startswith("kind:"):
            return str(self._proposals.at[number, "kind"]) == shown.removeprefix("kind:")
        tests: dict[str, Callable[[], bool]] = {
            "open": lambda: not decided,
            "used": lambda: not decided and bool(self._proposals.at[number, "used"]),
            "decided": lambda: decided,
            "all": lambda: True,
        }
        if shown not in tests:
            raise ValueError(f"expected one of {sorted(tests)!r} or 'kind:' and a kind, got {shown!r}")
        return tests[shown]()

    def _state(self, number: int) -> str:
        return self._decisions.state(*self._proposal(number))

    def _proposal(self, number: int) -> Proposal:
        return str(self._proposals.at[number, "picture"]), str(self._proposals.at[number, "kind"])

    def _row(self, number: int) -> pd.Series:
        row = self._proposals.iloc[number]
        return row.where(row.index != "picture", self._decisions.now(str(row["picture"])))

    def _item(self, number: int) -> dict[str, Any]:
        row = self._proposals.iloc[number]
        state = self._state(number)
        use = [] if row["used"] or state else ["not in use"]
        return {
            "title": str(row["person"]),
            "lines": [f"looks like {row['fits']}"] * bool(row["fits"] and row["fits"] != row["person"])
            + [PurePosixPath(str(row["picture"])).name, *use],
            "badge": state,
            "out": state not in ("", "kept"),
            "fits": str(row["fits"]),
        }

    def _section(self, number: int) -> str:
        return str(self._proposals.at[number, "kind"])

    def _update(self) -> None:
        super()._update()
        states = [self._state(number) for number in range(len(self._proposals))]
        counts = self._proposals["kind"].value_counts()
        kinds = [kind for kind in [*PROPOSAL_KINDS, *sorted(set(counts.index) - set(PROPOSAL_KINDS))] if kind in counts]
        self.filters = [
            ["open", "not yet decided"],
            ["used", "not yet decided, in use"],
            ["decided", "decided"],
            ["all", "all"],
            *([f"kind:{kind}", f"{kind} ({counts[kind]})"] for kind in kinds),
        ]
        self.left = f"{states.count('')} to decide"

    def _detail(self, number: int) -> dict[str, Any]:
        row = self._proposals.iloc[number]
        others = dict.fromkeys(name for name in (str(row["person"]), str(row["fits"])) if name)
        found = [(name, self._nearest(row, name)) for name in others]
        return {
            "title": str(row["kind"]),
            "lines": [str(row["detail"])],
            "rows": [
                {"caption": f"most similar of {name}", "pictures": [self._thumbnail(face, size=112) for face in faces]}
                for name, faces in found
                if faces
            ],
            "place": str(self._decisions.now(str(row["picture"]))),
        }

    def _nearest(self, row: pd.Series, person: str) -> list[pd.Series]:
        """Return the used faces of a person in other pictures that are most like a proposal's face, in order."""
        faces = self._faces
        mine = faces[(faces["picture"] == row["picture"]) & (faces["face"] == row["face"])]
        others = faces[faces["used"] & (faces["picture"] != row["picture"])]
        theirs = others[others["person"] == person]
        if mine.empty or theirs.empty:
            return []
        vectors = np.stack(theirs["embedding"].to_list())
        distances = np.linalg.norm(vectors - np.asarray(mine["embedding"].iloc[0]), axis=1)
        return [theirs.iloc[place] for place in distances.argsort(kind="stable")[:_EXAMPLES]]

    def _decide(self, action: str, numbers: list[int], request: Mapping[str, Any]) -> str:
        decisions = self._decisions
        if action == "undo":
            done, pictures = decisions.undo()
            about = [number for number in self._here if str(self._proposals.at[number, "picture"]) in pictures]
            if about:
                self.jump = [int(request["number"]), about[0]]
            return done
        if action == "accept":
            return decisions.leave_out(self._proposals.loc[numbers])
        if action == "move":
            return decisions.move((self._proposal(number)[0] for number in numbers), str(request["person"]))
        proposals = [self._proposal(number) for number in numbers]
        return decisions.keep(proposals) if action == "reject" else decisions.take_back(proposals)


def _left_out_before(faces: pd.DataFrame, examination: Examination) -> pd.DataFrame:
    """Return the pictures that the user's list leaves out as proposals: the doctor does not propose them again."""
    proposals = examination.proposals
    disabled = faces[(faces["reason"] == "disabled") & ~faces["picture"].isin(proposals["picture"])]
    rows = disabled.drop_duplicates("picture")[["picture", "face", "person"]]
    more = rows.assign(kind=_BY_HAND, detail="listed in disabled.txt", score=1.0, fits="", used=False)
    return more.reindex(columns=proposals.columns).astype(proposals.dtypes)


def proposals_page(examination: Examination, faces: pd.DataFrame, folder: str | Path, *, most: int = 60) -> Thumbnails:
    """Show the pictures proposed to be left out, by reason, the worst first.

    Args:
        examination: What was found.
        faces: The table of known faces, for the places of the faces in their pictures.
        folder: What `picture` is relative to: the project's data folder.
        most: How many to show of each reason at most; the page says how many there are.
    """
    proposals = examination.proposals
    if proposals.empty:
        return Thumbnails("<p>Nothing is proposed.</p>")
    boxes = faces[["picture", "face", *BOX]].drop_duplicates(["picture", "face"])
    rows = proposals.merge(boxes, on=["picture", "face"], how="left")
    found = set(rows["kind"])
    parts = []
    for kind in [*(kind for kind in PROPOSAL_KINDS if kind in found), *sorted(found - set(PROPOSAL_KINDS))]:
        these = rows[rows["kind"] == kind]
        fits = "looks like " + these["fits"].astype(str)
        other = (these["fits"] != "") & (these["fits"] != these["person"])
        reason = fits.where(other, "").mask(~these["used"].astype(bool) & ~other, "not in use")
        more = f", the first {most}" if len(these) > most else ""
        title = f'<h4 style="margin:14px 0 8px">{html.escape(kind)} ({len(these)}{more})</h4>'
        page = thumbnails(these.head(most).assign(reason=reason), folder, most=most)
        parts.append(f'<section style="min-width:0">{title}{page.html}</section>')
    # Few of one reason leave room for those of the next beside them.
    return Thumbnails(f'<div style="display:flex;flex-wrap:wrap;gap:0 28px">{"".join(parts)}</div>')
