"""Jobs: begun, watched, cancelled, begun again; their executed notebooks and reports."""

from __future__ import annotations

import json
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, field_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from facelib.project import Project, text_of
from facelib.server.bodies import JsonBody
from facelib.server.database import Job
from facelib.server.dependencies import Admin, CurrentProject, CurrentSettings, Page, Paged, Reader, Writing, page_from
from facelib.server.jobs import JobKind, cancel, check_job, enqueue, retry
from facelib.server.problems import Problem
from facelib.server.security.callers import note

router = APIRouter(prefix="/projects/{project}/jobs", tags=["jobs"])

State = Literal["queued", "running", "done", "failed", "cancelled", "set aside"]


class NewJob(JsonBody):
    """A job to begin."""

    kind: JobKind = Field(
        description="`gather` pictures and films by name or address; `train` the recognizer on the pictures; `map` the "
        "faces; name the people of one `film`; `evaluate`; train an embedding `network`; `run` what `steps` names.",
        examples=["film"],
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="As the notebooks take them.", examples=[{"videos": ["demo.mp4"]}]
    )
    steps: list[int] = Field(default_factory=list, max_length=20, description="Numbers of notebooks, for `run` only.")

    @field_validator("parameters")
    @classmethod
    def _are_texts(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Refuse halves of characters, which JSON can write and no database can hold."""
        try:
            json.dumps(given, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("expected whole characters, got half of one") from None
        return given


class JobStage(BaseModel):
    """A notebook that a job has finished."""

    step: int = Field(description="The notebook's number.")
    name: str = Field(examples=["05_annotate_video"])
    state: Literal["done", "fresh"] = Field(description="`fresh`: what it makes was there already and still fits.")
    run: str = Field(description="The folder below the project's `runs/` with the executed notebook and its report.")


class JobDocument(BaseModel):
    """A job."""

    id: int
    project: str
    kind: str
    steps: list[int]
    parameters: dict[str, Any]
    by: str = Field(description="Who began it.")
    state: State = Field(description="`set aside`: its process ended before its time too often; `reason` says how.")
    created: float = Field(description="Seconds since 1970, UTC, as the other times.")
    started: float | None
    ended: float | None
    attempts: int
    stages: list[JobStage] = Field(description="The notebooks that are finished.")
    progress: float = Field(description="From 0 to 1.")
    left: float | None = Field(description="Seconds that the present work will take; null when not known.")
    doing: str = Field(
        description="What it is doing, or was when it ended: the notebook's title, the section, and what is counted."
    )
    reason: str = Field(description="Why it failed, was set aside, or waits.")


@router.get("")
def list_jobs(
    _caller: Reader, project: CurrentProject, session: Writing, paging: Paged, state: State | None = None
) -> Page[JobDocument]:
    """List a project's jobs, the newest first."""
    chosen = [Job.project == text_of(project.name), *([Job.state == state] if state else [])]
    total = session.scalar(select(func.count()).select_from(Job).where(*chosen)) or 0
    query = select(Job).where(*chosen).order_by(Job.id.desc()).offset(paging.offset).limit(paging.limit)
    return page_from(map(_document, session.scalars(query)), total, paging)


@router.post("", status_code=202)
def begin_job(
    new: NewJob, caller: Admin, project: CurrentProject, settings: CurrentSettings, session: Writing, response: Response
) -> JobDocument:
    """Start a job, which runs the notebooks in a process of its own."""
    check_job(project, new.kind, new.parameters, new.steps, notebooks=settings.notebooks)
    job = enqueue(session, project, new.kind, new.parameters, by=caller.name, steps=new.steps)
    note(session, caller, "job.begin", job.project, job=job.id, kind=job.kind)
    response.headers["Location"] = f"jobs/{job.id}"
    return _document(job)


@router.get("/{job}")
def describe_job(job: int, _caller: Reader, project: CurrentProject, session: Writing) -> JobDocument:
    """Describe a job."""
    return _document(_find(session, project, job))


@router.post("/{job}/cancel", status_code=202)
def cancel_job(job: int, caller: Admin, project: CurrentProject, session: Writing) -> JobDocument:
    """Cancel a job: at once while it waits, within seconds while it runs. What was finished stays."""
    row = _find(session, project, job)
    if not cancel(session, row):
        raise Problem(409, f"expected a job that waits or runs, got one that is {row.state!r}")
    note(session, caller, "job.cancel", row.project, job=row.id)
    return _document(row)


@router.post("/{job}/retry", status_code=202)
def retry_job(job: int, caller: Admin, project: CurrentProject, session: Writing) -> JobDocument:
    """Start a job again that failed, was cancelled or set aside, after the last notebook that it finished."""
    row = _find(session, project, job)
    if not retry(session, row):
        raise Problem(409, f"expected a job that failed, was cancelled or set aside, got one that is {row.state!r}")
    note(session, caller, "job.retry", row.project, job=row.id)
    return _document(row)


def _find(session: Session, project: Project, number: int) -> Job:
    row = session.get(Job, number) if 0 <= number < 2**31 else None
    if row is None or row.project != text_of(project.name):
        raise Problem(404, f"expected the number of one of the project's jobs, got {number!r}")
    return row


def _document(job: Job) -> JobDocument:
    return JobDocument.model_validate(job, from_attributes=True)
