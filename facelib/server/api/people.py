"""People of the cast: listed, made, renamed, merged and kept apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from facelib.gallery import merge_people, separate_people, summary
from facelib.project import Project, identities, path_of
from facelib.project.names import NearName, checked_name, near_names
from facelib.server.answers import Content, CurrentAnswers
from facelib.server.bodies import JsonBody
from facelib.server.cached import merged_of, rows_of, table_of
from facelib.server.dependencies import Corrector, CurrentProject, Page, Paged, Writing, page_of
from facelib.server.problems import Problem
from facelib.server.reviews import cast_changed
from facelib.server.security.callers import note
from facelib.server.settings import API

router = APIRouter(prefix="/projects/{project}", tags=["people"])

USE_IT = "use that name, or say even_if_near if this is somebody else"
PersonName = Annotated[str, Path(max_length=400, description="The name of a person of the cast.", examples=["Ada"])]


class CastMember(BaseModel):
    """One of the cast."""

    name: str = Field(examples=["Ada Lovelace"])
    pictures: int = Field(description="Files in the person's folder, and in those of names merged into it.")
    used: int = Field(description="Pictures that the gallery uses; 0 before notebook 02 has run.")
    left_out: dict[str, int] = Field(description="Pictures that it does not use, by reason.")
    merged: list[str] = Field(description="Other names that are this person.")


class NewPerson(JsonBody):
    """A person to add to the cast."""

    name: str = Field(max_length=400, examples=["Grace Hopper"])
    even_if_near: bool = Field(False, description="Also where the name is nearly one that there is.")


class ChangedPerson(JsonBody):
    """A person's new name."""

    name: str = Field(max_length=400, examples=["Augusta Ada King"])
    even_if_near: bool = Field(False, description="Also where the name is nearly one that there is.")


class Answer(JsonBody):
    """Whether two names are one person."""

    name: str = Field(max_length=400, examples=["Ada"])
    other: str = Field(max_length=400, examples=["Ada Lovelace"])
    answer: Literal["merge", "apart"] = Field(description="`merge`: `name` is `other`; `apart`: two people.")


@router.get("/people", response_model=Page[CastMember])
def list_people(request: Request, project: CurrentProject, answers: CurrentAnswers, paging: Paged) -> Response:
    """List the cast, by name."""

    def read() -> Content:
        gone = merged_of(project)
        people = project.find_people(missing_ok=True)
        page = page_of([name for name in people if name not in gone], paging)
        return Content.of_model(page.shown_as(_people(project, page.items)))

    return answers.send(request, project, read)


@router.post("/people", status_code=201)
def make_person(
    new: NewPerson, project: CurrentProject, caller: Corrector, session: Writing, response: Response
) -> CastMember:
    """Add a person; a name that is nearly that of somebody else is refused (409) with the near names."""
    name = _free_name(project, new.name, even_if_near=new.even_if_near)
    (project.people / path_of(name)).mkdir(parents=True, exist_ok=True)
    note(session, caller, "person.make", project.name)
    cast_changed(session, project)
    response.headers["Location"] = f"{API}/projects/{quote(project.name)}/people/{quote(name)}"
    return _people(project, [name])[0]


@router.get("/people/{person}")
def get_person(person: PersonName, project: CurrentProject) -> CastMember:
    """Describe one of the cast."""
    return _people(project, [known_person(project, person)])[0]


@router.patch("/people/{person}")
def rename_person(
    person: PersonName, changed: ChangedPerson, project: CurrentProject, caller: Corrector, session: Writing
) -> CastMember:
    """Give a person another name: the old one is merged into it, so that taking the answer back undoes it.

    Pictures and tracks are the new name's from the next run of 02, 04 and 05 on.
    """
    old = known_person(project, person)
    name = _free_name(project, changed.name, even_if_near=changed.even_if_near, besides=old)
    (project.people / path_of(name)).mkdir(parents=True, exist_ok=True)
    merge_people(project, old, name, by=caller.name)
    note(session, caller, "person.rename", project.name)
    cast_changed(session, project)
    return _people(project, [name])[0]


@router.get("/identities")
def list_answers(project: CurrentProject, paging: Paged) -> Page[Answer]:
    """List the answers to which names are one person."""
    said = identities.answers(project)
    answers = [Answer(name=name, other=other, answer=answer) for (name, other), answer in sorted(said.items())]
    return page_of(answers, paging)


@router.post("/identities", status_code=201)
def answer(new: Answer, project: CurrentProject, caller: Corrector, session: Writing) -> Answer:
    """Say that two names are one person, or two; no file is moved, and it can be taken back."""
    for name in (new.name, new.other):
        known_person(project, name)
    if new.answer == "merge":
        merge_people(project, new.name, new.other, by=caller.name)
    else:
        identities.keep_apart(project, new.name, new.other, by=caller.name)
    note(session, caller, f"person.{new.answer}", project.name)
    cast_changed(session, project)
    return new


@router.delete("/identities", status_code=204)
def take_answer_back(
    project: CurrentProject,
    caller: Corrector,
    session: Writing,
    name: Annotated[str, Query(max_length=400)],
    other: Annotated[str, Query(max_length=400)],
) -> None:
    """Take the answer about two names back."""
    if not separate_people(project, name, other, by=caller.name):
        raise Problem(404, f"expected two names that there is an answer about, got {name!r} and {other!r}")
    note(session, caller, "person.separate", project.name)
    cast_changed(session, project)


def known_person(project: Project, name: str) -> str:
    """Return the name of a folder of the cast.

    Raises:
        Problem: 404 when there is none, with the near names.
    """
    people = project.find_people(missing_ok=True)
    if name in people:
        return name
    near = [asdict(one) for one in near_names(name, people)]
    raise Problem(404, f"expected one of the cast, got {name!r}; GET .../people lists them", near=near)


def nearly(name: str, near: Iterable[NearName], expected: str, remedy: str) -> Problem:
    """Return what is answered to a name that is nearly one that there is: 409 with the near names."""
    listed = " and ".join(repr(one.name) for one in near)
    detail = f"expected {expected}, got {name!r}, which is nearly {listed}; {remedy}"
    return Problem(409, detail, near=[asdict(one) for one in near])


def _free_name(project: Project, given: str, *, even_if_near: bool, besides: str = "") -> str:
    name = checked_name(given)
    people = project.find_people(missing_ok=True)
    if name in people:
        raise Problem(
            409, f"expected the name of somebody new, got {name!r}, who is in the cast already; choose another"
        )
    near = near_names(name, [other for other in people if other != besides])
    same = any(one.likeness == "same" for one in near)
    if same or (near and not even_if_near):
        raise nearly(name, near, "the name of somebody new", "use that name" if same else USE_IT)
    return name


def _people(project: Project, names: Iterable[str]) -> list[CastMember]:
    merged, table = merged_of(project), table_of(project.faces)
    rows = [] if table is None else rows_of(summary(table).drop(columns="pictures"))
    counts = {row.pop("person"): {what: count for what, count in row.items() if count} for row in rows}
    found = []
    for name in names:
        others = sorted(one for one, into in merged.items() if into == name)
        files = sum(len(project.find_pictures(one)) for one in (name, *others))
        own = counts.get(name, {})
        used = own.pop("used", 0)
        found.append(CastMember(name=name, pictures=files, used=used, left_out=own, merged=others))
    return found
