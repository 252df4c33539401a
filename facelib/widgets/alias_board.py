"""One person under two names: asked pair by pair, answered by a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from facelib.gallery import how_alike, merge_people, separate_people
from facelib.project import Project
from facelib.project.identities import answers, keep_apart
from facelib.widgets.face_board import Action, FaceBoard

_ACTIONS = (
    Action("merge", "Merge", ("m",), "they are one person, called by the earlier name", "next"),
    Action("apart", "Keep apart", ("k",), "they are two people; do not ask again", "next"),
    Action("undo", "Undo", ("z",), "undo the answer for this pair"),
)
_ANSWERED = {
    "merged": "{later} is now {earlier}. Press z to undo.",
    "kept apart": "They are two people, and strangers to each other. Press z to undo.",
}
_EXAMPLES = 4


class AliasBoard(FaceBoard):
    """Pairs of names that look like one person's: merge them, or keep them apart; an answer is written at once.

    Answers are saved in the project's `corrections.csv`; `faces.parquet` is updated at once, and no picture is moved.
    The questions are those of `facelib.gallery.alias_questions`.

    Attributes:
        items: See `FaceBoard`; a number is a row of `questions`.
    """

    def __init__(self, questions: pd.DataFrame, project: Project, *, faces: pd.DataFrame) -> None:
        self._questions, self._project = questions.reset_index(drop=True), project
        self._faces = faces[faces["used"].astype(bool)].reset_index(drop=True)
        super().__init__(
            project.data,
            _ACTIONS,
            label="Names that may be one person",
            empty="No two names look like one person.",
            noun="pair",
        )

    def _order(self) -> list[int]:
        return list(range(len(self._questions)))

    def _pair(self, number: int) -> tuple[str, str]:
        """Return the later name and the earlier one."""
        row = self._questions.iloc[number]
        return str(row["other"]), str(row["person"])

    def _row(self, number: int) -> pd.Series:
        return self._face(str(self._questions.at[number, "other_picture"]))

    def _face(self, picture: str) -> pd.Series:
        return self._faces[self._faces["picture"] == picture].iloc[0]

    def _state(self, number: int) -> str:
        later, earlier = self._pair(number)
        said = answers(self._project)
        answer = said.get((later, earlier)) or said.get((earlier, later))
        return {"merge": "merged", "apart": "kept apart", None: ""}[answer]

    def _item(self, number: int) -> dict[str, Any]:
        later, earlier = self._pair(number)
        distance = float(self._questions["distance"].iloc[number])
        return {
            "title": f"{later} and {earlier}",
            "lines": [how_alike(earlier, later), f"nearest pictures {distance:.2f} apart"],
            "badge": self._state(number),
            "out": self._state(number) == "merged",
        }

    def _update(self) -> None:
        super()._update()
        states = [self._state(number) for number in self._order()]
        self.left = f"{states.count('')} to answer"

    def _detail(self, number: int) -> dict[str, Any]:
        later, earlier = self._pair(number)
        places = [str(self._questions.at[number, name]) for name in ("other_picture", "picture")]
        state = self._state(number)
        asked = f"{later} and {earlier} {how_alike(earlier, later)}: merge, or keep apart?"
        open_still = f"{later} was added later. Until you answer, they do not count as strangers to each other."
        return {
            "title": f"{later} and {earlier}: {state}" if state else asked,
            "lines": [_ANSWERED[state].format(later=later, earlier=earlier) if state else open_still],
            "rows": [
                {"caption": f"{name}, the nearest first", "pictures": self._examples(name, place)}
                for name, place in zip((later, earlier), places, strict=True)
            ],
            "place": " and ".join(places),
        }

    def _examples(self, person: str, first: str) -> list[bytes]:
        own = self._faces[(self._faces["person"] == person) & (self._faces["picture"] != first)]
        rows = [self._face(first), *(own.iloc[place] for place in range(min(len(own), _EXAMPLES - 1)))]
        return [self._thumbnail(row, size=112) for row in rows]

    def _decide(self, action: str, numbers: list[int], request: Mapping[str, Any]) -> str:
        pairs = [self._pair(number) for number in numbers]
        said = {"merge": "merged into", "apart": "kept apart from", "undo": "open again with"}[action]
        for later, earlier in pairs:
            if action == "merge":
                merge_people(self._project, later, earlier)
            elif action == "apart":
                keep_apart(self._project, later, earlier)
            else:
                separate_people(self._project, later, earlier)
        told = ", ".join(f"{later} {said} {earlier}" for later, earlier in pairs)
        return f"{told}. Run notebook 04 again for it to take effect, then 05 for the films."
