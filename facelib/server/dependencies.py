"""What the endpoints take: who calls, the project in the path, the page of a list, the database.

Dependencies that wait for nothing are coroutines: FastAPI calls functions in threads, which takes longer than they do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from facelib.project import Project
from facelib.server.database import Store
from facelib.server.problems import Problem
from facelib.server.security.callers import Caller, Scope
from facelib.server.security.recognise import Callers
from facelib.server.settings import ServerSettings, project_names, project_of

Item = TypeVar("Item")
Shown = TypeVar("Shown")


def held_by_app(name: str) -> Any:
    """Return the dependency on what `create_app` holds under a name in the app's state."""

    async def find(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(find)


CurrentSettings = Annotated[ServerSettings, held_by_app("settings")]
CurrentStore = Annotated[Store, held_by_app("store")]
CurrentCallers = Annotated[Callers, held_by_app("callers")]

Turns = Annotated[CapacityLimiter, held_by_app("turns")]
"""Lets few decode what somebody sent at a time: a large picture takes a gigabyte. The others wait, in no thread."""


def writing_session(store: CurrentStore) -> Iterator[Session]:
    """Yield a session whose changes are written before the answer is sent, unless the endpoint fails."""
    with store.begin() as session:
        yield session


Writing = Annotated[Session, Depends(writing_session, scope="function")]


async def current_caller(request: Request) -> Caller:
    """Return who calls; see `Callers` for what is refused."""
    callers: Callers = request.app.state.callers
    known = callers.known(request)
    return known if known is not None else await to_thread.run_sync(callers.recognise, request)


Anyone = Annotated[Caller, Depends(current_caller)]
"""A caller that is known, whatever it may do."""


def _who_may(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    async def check(project: str, caller: Anyone) -> Caller:
        if not caller.may("read", project):  # as if it were not there: its name is nobody else's business
            raise _no_project(project)
        if not caller.may(scope, project):
            raise Problem(403, f"expected the scope {scope!r} in the project {project!r}; ask its owner for it")
        return caller

    return check


Reader = Annotated[Caller, Depends(_who_may("read"))]
"""A caller that may see the project in the path."""

Corrector = Annotated[Caller, Depends(_who_may("correct"))]
"""A caller that may decide who is who in the project in the path."""

Admin = Annotated[Caller, Depends(_who_may("admin"))]
"""A caller that may change everything in the project in the path."""


async def _owner(caller: Anyone) -> Caller:
    if not caller.may("admin"):
        raise Problem(403, "expected the scope 'admin' for all projects; ask the server's owner for it")
    return caller


Owner = Annotated[Caller, Depends(_owner)]
"""A caller that may change what concerns the whole server: users, tokens, projects."""


def current_project(project: str, _caller: Reader, settings: CurrentSettings) -> Project:
    """Return the project in the path: one of those there are, so that no name becomes a path.

    Raises:
        Problem: 404 when there is none of this name, or the caller may not see it.
    """
    if project not in project_names(settings):
        raise _no_project(project)
    return project_of(settings, project)


CurrentProject = Annotated[Project, Depends(current_project)]


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is wanted."""

    offset: Annotated[int, Query(ge=0, le=10**9, description="How many to leave out at the start.")] = 0
    limit: Annotated[int, Query(ge=1, le=1000, description="How many at most.")] = 100


Paged = Annotated[Paging, Depends()]


def _no_project(name: str) -> Problem:
    return Problem(
        404, f"expected the name of a project that you may see, got {name!r}; GET /api/v1/projects lists them"
    )


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    total: int = Field(description="How many there are in all.")
    next_offset: int | None = Field(description="The offset of the next page; null on the last one.")

    def shown_as(self, items: list[Shown]) -> Page[Shown]:
        """Return the same part with its items as the API shows them."""
        return Page(items=items, total=self.total, next_offset=self.next_offset)


def page_of(items: Sequence[Item], paging: Paging) -> Page[Item]:
    """Return the part of a list that is wanted."""
    return page_from(items[paging.offset : paging.offset + paging.limit], len(items), paging)


def page_from(items: Iterable[Item], total: int, paging: Paging) -> Page[Item]:
    """Return the wanted part of a list, which was read from it, with how long the list is."""
    end = paging.offset + paging.limit
    return Page(items=list(items), total=total, next_offset=end if end < total else None)
