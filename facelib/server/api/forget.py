"""Forget a person: everything, or everything but the name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from facelib.archive.traces import Mentions
from facelib.project import Project, text_of
from facelib.server.api.people import PersonName
from facelib.server.bodies import JsonBody
from facelib.server.database import Event, Job, Upload
from facelib.server.dependencies import Admin, CurrentProject, CurrentStore
from facelib.server.events import tell
from facelib.server.jobs.queue import LIVE
from facelib.server.problems import Problem
from facelib.server.security.callers import Caller, note
from facelib.server.settings import while_nobody_is_forgotten

router = APIRouter(prefix="/projects/{project}", tags=["people"])


class Forgetting(JsonBody):
    """How much to forget."""

    keep_name: bool = Field(False, description="Keep the name on the films; drop pictures, faces and embeddings.")


class ForgetReport(BaseModel):
    """What was removed, and what was not."""

    removed: list[str] = Field(description="In words, or as paths in the project's folders.")
    stays: list[str] = Field(description="What may still show or name the person, with the remedy.")


@router.post("/people/{person}/forget")
def forget(
    person: PersonName,
    wanted: Forgetting,
    project: CurrentProject,
    caller: Admin,
    store: CurrentStore,
    request: Request,
) -> ForgetReport:
    """Remove a person from the project for good: pictures, faces, embeddings, mentions, and rows of the database.

    Refused (409) while a job of the project runs.
    """
    with while_nobody_is_forgotten(project):  # no job begins meanwhile
        name = text_of(project.name)
        with store.read() as session:
            if session.scalar(select(Job.id).where(Job.project == name, Job.state.in_(LIVE)).limit(1)) is not None:
                raise Problem(
                    409, f"expected no job of {name!r} at work while somebody is forgotten; wait or cancel it"
                )
        return _forget(person, wanted, project, caller, request)


def _forget(person: str, wanted: Forgetting, project: Project, caller: Caller, request: Request) -> ForgetReport:
    from facelib.archive.forget import forget_person

    try:
        done = forget_person(project, person, keep_name=wanted.keep_name, by=caller.name)
    except ValueError as error:
        raise Problem(404, str(error)) from error
    state = request.app.state
    for held in (state.pages, state.reviews, state.doctor, state.answers, state.thumbnails):
        held.forget()
    name, store = text_of(project.name), state.store
    with store.begin() as session:
        rows = 0 if wanted.keep_name else _forget_rows(session, name, person)
        note(session, caller, "person.forget", name, keep_name=wanted.keep_name, removed=len(done.removed))
        tell(session, name, "people")
    if store.engine.dialect.name == "sqlite":  # what was deleted leaves the write-ahead log as well
        raw = store.engine.raw_connection()
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        raw.close()
    removed = [*done.removed, *([f"{rows} rows of the database"] if rows else [])]
    return ForgetReport(removed=removed, stays=done.stays)


def _forget_rows(session: Session, project: str, person: str) -> int:
    """Remove the jobs, events and uploads of a project that mention a person; return how many."""
    mentions = Mentions([person])
    found = 0
    for table in (Job, Event, Upload):
        rows: list[Any] = list(session.scalars(select(table).where(table.project == project)))
        for row in rows:
            values = repr([getattr(row, column.name) for column in table.__table__.columns])
            if mentions.within(values.encode()):
                session.delete(row)
                found += 1
    return found
