"""What is wrong with the pictures of the cast: the doctor's proposals, advice, and questions about names."""

from __future__ import annotations

import math
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from pydantic import BaseModel, Field

from facelib.gallery import read_gallery
from facelib.project import Project
from facelib.server.cached import Kept, rows_of, tag_of
from facelib.server.dependencies import CurrentProject, held_by_app

router = APIRouter(prefix="/projects/{project}/doctor", tags=["doctor"])

_KEPT = 8  # projects in memory


class PictureProposal(BaseModel):
    """A picture that may be better left out, or moved."""

    picture: str = Field(examples=["people/Ada Lovelace/1.jpg"])
    person: str = Field(examples=["Ada Lovelace"])
    kind: str = Field(examples=["near duplicate"])
    detail: str = Field(description="Why, in words.")
    score: float = Field(description="How sure it is, 0 to 1.")
    fits: str = Field(description="Whom of the cast the face looks like instead; empty where nobody.")
    used: bool = Field(description="False where the gallery does not use it already.")


class NameQuestion(BaseModel):
    """Two names that may be one person's; answered at `/identities`."""

    name: str = Field(examples=["Ada Lovelace"])
    other: str = Field(description="The name that came later.", examples=["Ada King"])
    words: str = Field(examples=["look like one person"])
    picture: str = Field(description="Of `name`; the two pictures are those nearest to each other.")
    other_picture: str


class DoctorFindings(BaseModel):
    """What the doctor found; nothing is changed by it."""

    advice: list[str]
    questions: list[NameQuestion]
    proposals: list[PictureProposal] = Field(description="Those that do most harm first.")


class GalleryDoctor(Kept[DoctorFindings]):
    """The findings about each project, in memory, made again where the gallery or the decisions have changed.

    Attributes:
        turn: Whose turn it is to examine: pictures are read, which can take minutes; the others wait, in no thread.
    """

    def __init__(self) -> None:
        super().__init__(_KEPT)
        self.turn = CapacityLimiter(1)

    def known(self, project: Project) -> DoctorFindings | None:
        """Return the findings about a project, None where it has to be examined; none before notebook 02 has run."""
        if not project.faces.is_file():
            return DoctorFindings(advice=[], questions=[], proposals=[])
        return self.peek(*_key(project))

    def look(self, project: Project) -> DoctorFindings:
        """Return the findings about a project with known faces."""
        return self.find(*_key(project), lambda: _examine(project))


@router.get("")
async def get_findings(
    project: CurrentProject, doctor: Annotated[GalleryDoctor, held_by_app("doctor")]
) -> DoctorFindings:
    """Say which pictures are better left out or moved, what is missing, and which names may be one person's."""
    known = await to_thread.run_sync(doctor.known, project)
    if known is None:
        known = await to_thread.run_sync(doctor.look, project, limiter=doctor.turn)
    return known


def _key(project: Project) -> tuple[str, str]:
    return str(project.output.absolute()), tag_of(project.faces, project.disabled, project.corrections)


def _examine(project: Project) -> DoctorFindings:
    from facelib.gallery import alias_questions, examine, how_alike

    gallery = read_gallery(project.faces)
    threshold = math.nan if gallery.threshold is None else gallery.threshold
    found = examine(gallery.table, project, threshold=threshold, progress=False)
    asked = alias_questions(gallery.used, project, threshold=threshold)
    questions = [
        NameQuestion(
            name=row["person"], other=row["other"], words=how_alike(row["person"], row["other"]),
            picture=row["picture"], other_picture=row["other_picture"],
        )
        for row in rows_of(asked)
    ]  # fmt: skip
    names = list(PictureProposal.model_fields)
    listed = [PictureProposal(**row) for row in rows_of(found.proposals[names])]
    return DoctorFindings(advice=found.advice, questions=questions, proposals=listed)
