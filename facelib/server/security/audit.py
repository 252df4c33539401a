"""The audit: who did what, when, without faces, tokens or passwords."""

from __future__ import annotations

from sqlalchemy.orm import Session

from facelib.server.database import AuditEntry
from facelib.server.database.store import database_time
from facelib.server.security.callers import Caller


def note(session: Session, caller: Caller, action: str, project: str = "", **details: object) -> None:
    """Add an entry to the audit.

    Args:
        session: A session that writes.
        caller: Who did it.
        action: What was done, such as `project.make`.
        project: Where.
        details: Names and numbers that say which; never a face, an embedding, a token or a password.
    """
    entry = AuditEntry(at=database_time(session), who=caller.name, action=action, project=project, details=details)
    session.add(entry)
