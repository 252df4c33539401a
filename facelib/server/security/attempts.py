"""The limit on log-ins that fail, by name and by address, shared by all servers on one database."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from facelib.server.database import Attempt
from facelib.server.database.store import database_time
from facelib.server.problems import Problem
from facelib.server.security.secrets import digest_of

WINDOW = 900.0
"""Seconds for which a failed log-in counts."""


def refuse_too_many(session: Session, keys: list[str], *, most: int) -> None:
    """Refuse a log-in when too many failed of late.

    Args:
        session: A session.
        keys: What is counted, each by itself, such as a name and an address.
        most: How many may fail within `WINDOW`.

    Raises:
        Problem: 429, with the seconds to wait.
    """
    since = database_time(session) - WINDOW
    for key in keys:
        query = select(func.count(), func.min(Attempt.at)).where(Attempt.key == digest_of(key), Attempt.at >= since)
        failed, first = session.execute(query).one()
        if failed >= most:
            wait = max(1, round(first - since))
            detail = f"expected at most {most} wrong log-ins in {WINDOW / 60:.0f} minutes; wait {wait} seconds"
            raise Problem(429, detail, headers={"Retry-After": str(wait)})


def note_failure(session: Session, keys: list[str]) -> None:
    """Count a failed log-in, and forget those that count no more."""
    at = database_time(session)
    session.execute(delete(Attempt).where(Attempt.at < at - WINDOW))
    session.add_all([Attempt(key=digest_of(key), at=at) for key in keys])


def forget_failures(session: Session, keys: list[str]) -> None:
    """Begin to count anew, after a log-in that succeeded."""
    session.execute(delete(Attempt).where(Attempt.key.in_([digest_of(key) for key in keys])))
