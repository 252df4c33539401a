"""Jobs put into the table, claimed by one worker at a time, and ended.

A claim lasts some seconds and is renewed while the work goes on. A worker that was killed renews nothing more, and
another one takes its job over, behind the last stage that was finished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from facelib.project import Project, text_of
from facelib.server.database import Job
from facelib.server.database.store import database_time
from facelib.server.events import tell
from facelib.server.jobs.kinds import JobKind, steps_of

LIVE = ("queued", "running")
_LONGEST = 3600.0  # seconds: no claim lasts for longer, and no job waits for longer


def enqueue(
    session: Session,
    project: Project,
    kind: JobKind,
    parameters: Mapping[str, object],
    *,
    by: str,
    steps: Sequence[int] = (),
) -> Job:
    """Put a job into the table; see `check_job` for what it may be. The same job is not put there twice.

    Returns:
        The job, or the one that waits already with the same kind and parameters.
    """
    name = text_of(project.name)
    waiting = session.scalars(select(Job).where(Job.project == name, Job.kind == kind, Job.state == "queued"))
    wanted = (dict(parameters), list(steps) if kind == "run" else None)
    for job in waiting:
        if (job.parameters, job.steps if kind == "run" else None) == wanted:
            return job
    at = database_time(session)
    numbers = steps_of(kind, steps, project)
    job = Job(
        project=name, kind=kind, steps=numbers, parameters=dict(parameters), by=by, state="queued", created=at,
        not_before=at, stages=[],
    )  # fmt: skip
    session.add(job)
    session.flush()
    tell(session, name, "job", job=job.id, state=job.state)
    return job


def claim(session: Session, owner: str, *, lease: float, most_attempts: int) -> Job | None:
    """Give the oldest job that can be begun to a worker for `lease` seconds; None when there is none.

    A job whose process ended before its time too often is set aside instead.
    """
    at = database_time(session)
    query = select(Job).where(_free(at)).order_by(Job.id).limit(1).with_for_update(skip_locked=True)
    job = session.scalars(query).first()
    if job is None:
        return None
    if job.state == "running" and (job.attempts >= most_attempts or job.cancelled):
        doing = f" while it was at {job.doing!r}" if job.doing else ""
        reason = "" if job.cancelled else f"its process ended before its time {job.attempts} times, the last{doing}"
        _end(session, job, "cancelled" if job.cancelled else "set aside", reason)
        return None
    job.state, job.owner, job.lease = "running", owner, at + lease
    job.attempts, job.started, job.reason = job.attempts + 1, job.started or at, ""
    tell(session, job.project, "job", job=job.id, state=job.state)
    return job


def is_waiting(session: Session) -> bool:
    """Return whether there is a job that can be begun."""
    return session.scalars(select(Job.id).where(_free(database_time(session))).limit(1)).first() is not None


def renew(session: Session, number: int, owner: str, *, lease: float, **values: Any) -> Job | None:
    """Renew a claim, and write down how far the job is; None when the job is no longer the worker's."""
    at = database_time(session)
    mine = update(Job).where(Job.id == number, Job.owner == owner, Job.state == "running")
    if not session.execute(mine.values(lease=at + lease, **values)).rowcount:  # type: ignore[attr-defined]
        return None
    job = session.get_one(Job, number, populate_existing=True)
    if values:
        tell(session, job.project, "job", job=number, state=job.state, progress=job.progress, left=job.left)
    return job


def finish_stage(session: Session, number: int, owner: str, stage: Mapping[str, Any]) -> None:
    """Write down that a stage is finished, so that it is not begun again."""
    job = session.get_one(Job, number, with_for_update=True)
    if (job.owner, job.state) == (owner, "running"):
        job.stages = [*job.stages, dict(stage)]
        tell(session, job.project, "job", job=number, state=job.state, stage=stage["step"])


def end(session: Session, number: int, owner: str, state: str, reason: str = "") -> None:
    """End a job that is the worker's: `done`, `failed`, or `cancelled`."""
    job = session.get_one(Job, number, with_for_update=True)
    if (job.owner, job.state) == (owner, "running"):
        _end(session, job, state, reason)


def crashed(session: Session, number: int, owner: str, reason: str, *, most_attempts: int) -> None:
    """Put a job back whose process ended before its time, or set it aside after too many attempts."""
    job = session.get_one(Job, number, with_for_update=True)
    if (job.owner, job.state) != (owner, "running"):
        return
    if job.attempts >= most_attempts:
        _end(session, job, "set aside", f"{reason}, {job.attempts} times")
    else:
        _wait(session, job, 0.0, reason)


def put_back(session: Session, number: int, owner: str, *, seconds: float, reason: str) -> None:
    """Put a job back that somebody else's work on the same files is in the way of; it does not count as begun."""
    job = session.get_one(Job, number, with_for_update=True)
    if (job.owner, job.state) == (owner, "running"):
        job.attempts -= 1
        _wait(session, job, seconds, reason)


def cancel(session: Session, job: Job) -> bool:
    """Cancel a job: at once while it waits, and within seconds while it runs. False when it has ended."""
    if job.state not in LIVE:
        return False
    job.cancelled = True
    if job.state == "queued":
        _end(session, job, "cancelled", "")
    return True


def retry(session: Session, job: Job) -> bool:
    """Begin an ended job again, behind its last finished stage. False when it is done or has not ended."""
    if job.state in (*LIVE, "done"):
        return False
    job.attempts, job.cancelled, job.ended = 0, False, None
    _wait(session, job, 0.0, "")
    return True


def _free(at: float) -> ColumnElement[bool]:
    def over(until: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        return or_(until < at, until > at + _LONGEST)  # the latter where the clock was wrong and has been set back

    return or_(and_(Job.state == "queued", over(Job.not_before)), and_(Job.state == "running", over(Job.lease)))


def _wait(session: Session, job: Job, seconds: float, reason: str) -> None:
    job.state, job.owner, job.lease, job.left = "queued", None, None, None
    job.not_before, job.reason = database_time(session) + seconds, reason
    tell(session, job.project, "job", job=job.id, state=job.state)


def _end(session: Session, job: Job, state: str, reason: str) -> None:
    job.state, job.owner, job.lease, job.left = state, None, None, None
    job.ended, job.reason = database_time(session), reason
    job.progress = 1.0 if state == "done" else job.progress
    tell(session, job.project, "job", job=job.id, state=state)
