"""Grants as requests give them: checked, and never more than the giver has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from facelib.server.problems import Problem
from facelib.server.security.callers import Caller, Scope

CheckedGrants = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=255)], Scope],
    Field(
        min_length=1,
        max_length=1000,
        description="What is allowed in each project: `read`, `correct` or `admin`; `*` stands for all projects.",
        examples=[{"demo": "read"}],
    ),
]


def refuse_more_than(caller: Caller, grants: dict[str, Scope]) -> None:
    """Refuse to give what the caller does not have.

    Raises:
        Problem: 403, with the first grant that is too much.
    """
    for project, scope in grants.items():
        if not caller.may(scope, project):
            raise Problem(403, f"expected grants that you have yourself, got {scope!r} in {project!r}")
