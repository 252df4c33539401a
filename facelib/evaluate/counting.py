"""How many faces were found, and how many named right or wrong: one count per face and frame."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import pandas as pd

from facelib.evaluate.matching import NO_FACE, NOBODY, NOT_NAMES, found_faces, match_faces
from facelib.evaluate.truth import UNNAMED, Truth
from facelib.project import FilmFiles
from facelib.project.names import UNKNOWN


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of labelled faces, one per face and frame, over one film or several added up.

    Attributes:
        labelled: Faces in the truth.
        found: Of these, matched by a face that was found.
        cast: Labelled faces with a name.
        right: Of the cast, found and given their name.
        wrong: Of the cast, found and given another name.
        strangers: Labelled faces of nobody in the cast.
        strangers_named: Of the strangers, found and given a name.
        false: Faces found where the truth has none.
        false_named: Of these, given a name.
    """

    labelled: int = 0
    found: int = 0
    cast: int = 0
    right: int = 0
    wrong: int = 0
    strangers: int = 0
    strangers_named: int = 0
    false: int = 0
    false_named: int = 0

    def __add__(self, other: Self) -> Self:
        """Add two films up."""
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def recall(self) -> float:
        """The fraction of labelled faces that were found; 1 when there are none."""
        return self.found / self.labelled if self.labelled else 1.0

    @property
    def precision(self) -> float:
        """The fraction of found faces that are labelled ones; 1 when none was found."""
        return self.found / (self.found + self.false) if self.found + self.false else 1.0

    @property
    def missed(self) -> int:
        """Faces of the cast that got no name: not found, or left unknown."""
        return self.cast - self.right - self.wrong

    @property
    def named_right(self) -> float:
        """The fraction of the cast's labelled faces that got their name; 1 when there are none."""
        return self.right / self.cast if self.cast else 1.0

    @property
    def named_wrong(self) -> float:
        """The fraction of the cast's labelled faces that got another name; 0 when there are none."""
        return self.wrong / self.cast if self.cast else 0.0

    def __str__(self) -> str:
        """Return a one-line summary."""
        return (
            f"{self.recall:.1%} of {self.labelled} faces found; of {self.cast} faces of the cast "
            f"{self.named_right:.1%} named right, {self.wrong} named wrong; of {self.strangers} faces of strangers "
            f"{self.strangers_named} given a name; {self.false_named} names given to what is no face"
        )


def score_film(files: FilmFiles, truth: Truth | pd.DataFrame) -> Score:
    """Compare what `05_annotate_video` wrote for a film with its truth.

    Args:
        files: The film's results: `detections.parquet` and `tracks.parquet`.
        truth: As `load_truth` gives it; or a table as `read_truth` gives, with every face of every frame of the film.

    Raises:
        FileNotFoundError: When the film has not been annotated yet.
    """
    return score_table(found_faces(files), truth)


def score_table(found: pd.DataFrame, truth: Truth | pd.DataFrame, *, least_iou: float = 0.3) -> Score:
    """Compare named boxes with labelled boxes: columns `frame`, `left`, `top`, `right`, `bottom`, `person` in both.

    In each frame boxes are matched one to one so that their IoU adds up highest.
    """
    return count(match_faces(found, truth, least_iou=least_iou))


def count(matches: pd.DataFrame) -> Score:
    """Count the matches of `match_faces`, of one film or several."""
    label, name = matches["label"], matches["name"]
    false, stranger = label == NO_FACE, label == UNKNOWN
    cast = ~false & ~stranger & (label != UNNAMED)
    named = ~name.isin(NOT_NAMES)
    return Score(
        labelled=int((~false).sum()),
        found=int((~false & (name != NOBODY)).sum()),
        cast=int(cast.sum()),
        right=int((cast & (name == label)).sum()),
        wrong=int((cast & named & (name != label)).sum()),
        strangers=int(stranger.sum()),
        strangers_named=int((stranger & named).sum()),
        false=int(false.sum()),
        false_named=int((false & named).sum()),
    )


def confusion(matches: pd.DataFrame) -> pd.DataFrame:
    """Count which label got which name, one row per label and one column per name.

    Rows are the people of the truth in alphabetical order, then `unknown` and `no face`; columns the names given in
    the same order, then `unknown` and `not found`. Faces of which the truth does not say whose they are stay out.
    """
    matches = matches[matches["label"] != UNNAMED]
    names = matches["name"].replace({NOBODY: "not found"})
    table = pd.crosstab(matches["label"], names)
    people = sorted((set(table.index) | set(table.columns)) - {UNKNOWN, NO_FACE, "not found"})
    rows = [*(name for name in people if name in table.index), UNKNOWN, NO_FACE]
    table = table.reindex(index=rows, columns=[*people, UNKNOWN, "not found"], fill_value=0)
    return table.rename_axis(index="label", columns="name")
