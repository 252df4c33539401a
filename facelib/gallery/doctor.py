"""What is wrong with a gallery, and what is missing from it: proposals, which the user accepts or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from facelib.gallery.measures import measure_pictures
from facelib.gallery.proposals import Likeness, as_table, curated_away, misfiled_copies, poor, repeated, wrong_people
from facelib.gallery.questions import alias_questions
from facelib.gallery.report import warnings_for
from facelib.gallery.standing import balance_of, confusable_of, coverage_of, lacking, likenesses
from facelib.project import Project
from facelib.project.identities import cast_of

_LARGE = 110.0  # pixels beyond which size no longer makes a face better
_CRISP = 100.0  # the sharpness that counts half


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """The findings about a gallery.

    Attributes:
        proposals: A row per face and reason to leave its picture out, in the order of `KINDS`, the most certain first:
            `picture` (relative to the project's data folder), `face` (0-based in the picture, -1 where there is
            none), `person`, `kind`, `detail` (a sentence), `score` (0 to 1, how sure it is), `fits`
            (whom of the cast the face looks like, if not `person`; empty where nobody) and `used`: False where
            automatic curation has left the face out already.
        balance: A row per person: `person`, `pictures`, `used`, `proposed` (pictures in use with a proposal), `missing`
            (pictures to `ENOUGH_PICTURES`).
        coverage: A row per person: `person`, the numbers of used faces by turn (`front`, `turned`, of these `profile`)
            and by light (`dark`, `normal`, `bright`), and `lacks`, in words.
        confusable: Pairs of the cast, the likeliest to be confused first: `person`, `other`, `share` (of both
            people's faces that would get the other's name if their own person were not enrolled; NaN without a
            threshold), `distance` of their nearest two faces, and those: `picture`, `other_picture`.
        advice: What to do, a sentence each.
    """

    proposals: pd.DataFrame
    balance: pd.DataFrame
    coverage: pd.DataFrame
    confusable: pd.DataFrame
    advice: list[str]


def examine(
    table: pd.DataFrame, project: Project, *, threshold: float = math.nan, progress: bool = True
) -> Examination:
    """Examine a gallery: which pictures are better left out, what is missing, and who may be confused.

    Nothing is changed: see `accept` and `move`. What the user has disabled is not proposed again. The wrong person is
    looked for among the faces in use (`find_mislabelled`); what automatic curation found already is listed too.

    Args:
        table: As `build_gallery` returns it.
        project: Its pictures are read, and their measures kept in its output folder.
        threshold: The embedder's own, as for `curate`. With NaN no face is found to be a stranger to the whole cast,
            near duplicates are found by their perceptual hashes alone, and there is no share of confusable faces.
        progress: Whether to show a progress bar while pictures are read.

    Raises:
        OSError: When the output folder cannot be written.
    """
    faces = table.reset_index(drop=True)
    faces = faces.join(measure_pictures(faces, project, progress=progress)).assign(worth=face_worth)
    used = faces[faces["used"].astype(bool)]
    together = one_name(used, project, threshold=threshold)
    likeness = Likeness(together, threshold)
    found = [
        *wrong_people(together, likeness),
        *misfiled_copies(together, threshold=threshold),
        *curated_away(faces, likeness),
        *repeated(used, threshold=threshold),
        *poor(used),
    ]
    proposals = as_table(faces, found)
    people = cast_of(project)
    coverage = coverage_of(used)
    confusable = confusable_of(used, threshold=threshold)
    advice = [*warnings_for(faces, people=people), *lacking(coverage), *likenesses(confusable)]
    return Examination(proposals, balance_of(faces, proposals, people=people), coverage, confusable, advice)


def one_name(used: pd.DataFrame, project: Project, *, threshold: float) -> pd.DataFrame:
    """Return the faces in use with names that may be one person's under the earlier one.

    Otherwise a second folder would make the pictures of the first look as if they were in the wrong folder. Names that
    the user has kept apart stay apart.
    """
    questions = alias_questions(used.reset_index(drop=True), project, threshold=threshold)
    names = dict(zip(questions["other"], questions["person"], strict=True))
    return used.assign(person=used["person"].map(lambda name: names.get(name, name)))


def face_worth(faces: pd.DataFrame) -> pd.Series:
    """Return how good each face is to learn from, 0 to 1: large, sharp and turned to the camera.

    Args:
        faces: `sharpness`, and `size` and `turn` of `measure_pictures`.
    """
    front = (1 - 2 * faces["turn"].abs()).clip(0, 1).fillna(0.5)
    sharp = faces["sharpness"] / (faces["sharpness"] + _CRISP)
    worth: pd.Series = ((faces["size"] / _LARGE).clip(0, 1) * sharp * (0.2 + 0.8 * front)).fillna(0.0)
    return worth
