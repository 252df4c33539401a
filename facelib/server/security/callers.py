"""A caller of the API, what it may do, and the audit of what it did: without faces, tokens or passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from facelib.server.database import AuditEntry
from facelib.server.database.models import Grants, Login, Token, User
from facelib.server.database.store import database_time

Scope = Literal["read", "correct", "admin"]
"""What may be done in a project: see it; decide who is who as well; change everything."""

EVERY_PROJECT = "*"
"""In grants, stands for all projects, those to come as well, and for what concerns the whole server."""

_RANKS: Mapping[str, int] = {"read": 1, "correct": 2, "admin": 3}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request comes from.

    Attributes:
        name: How it is called in logs, in the audit, and in `by` of corrections.
        grants: One or more sets of grants; what is allowed is allowed by each of them.
        user_id: The user it is, if any.
        login_id: The log-in of its browser, if it has one.
    """

    name: str
    grants: tuple[Grants, ...]
    user_id: int | None = None
    login_id: int | None = None

    def may(self, scope: Scope, project: str = EVERY_PROJECT) -> bool:
        """Return whether the caller may do so much in a project."""
        enough, names = _RANKS[scope], (project, EVERY_PROJECT)
        return all(max(_RANKS.get(own.get(name, ""), 0) for name in names) >= enough for own in self.grants)


def caller_of(user: User | None, token: Token | None, login: Login | None = None) -> Caller:
    """Return the caller that a user, a token or both stand for: a user's token allows no more than its user may do."""
    grants = tuple(one.grants for one in (user, token) if one is not None)
    if not grants:
        raise ValueError("expected a user or a token, got neither")
    name = user.name if user is not None else token.name if token is not None else ""
    return Caller(name, grants, user_id=user.id if user else None, login_id=login.id if login else None)


def note(session: Session, caller: Caller, action: str, project: str = "", **details: object) -> None:
    """Add an entry to the audit, such as `project.make`; its details hold no face, embedding, token or password."""
    entry = AuditEntry(at=database_time(session), who=caller.name, action=action, project=project, details=details)
    session.add(entry)
