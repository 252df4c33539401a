"""Server-sent events: what changes in the projects that the caller may see, as it happens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.exc import DBAPIError

from facelib.server.dependencies import Anyone, current_caller
from facelib.server.events import EventFeed
from facelib.server.problems import Problem
from facelib.server.security.callers import EVERY_PROJECT

router = APIRouter(prefix="/events", tags=["events"])

_CHECKED = 10.0  # seconds between two looks at whether the caller is still known, and two signs of life


@router.get("", response_class=EventSourceResponse)
async def watch_events(
    request: Request,
    caller: Anyone,
    project: Annotated[str | None, Query(description="Only the events of this project.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63, description="Continue after this event.")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Send what changes: `event` is the kind, such as `job`, and `data` names the project and what in it."""
    feed: EventFeed = request.app.state.feed
    # Where the database is away, the stream ends: the browser asks again in a second, and is told.
    with suppress(Problem, DBAPIError):
        number = last_event_id if last_event_id is not None else await feed.newest()
        yield ServerSentEvent(comment="begin", retry=1000)
        checked = time.monotonic()
        while not await request.is_disconnected():
            for event in await feed.since(number):
                number = event.id
                if caller.may("read", event.project or EVERY_PROJECT) and project in (None, event.project):
                    data = {"project": event.project, **event.data}
                    yield ServerSentEvent(data=data, event=event.kind, id=str(event.id))
            if time.monotonic() - checked > _CHECKED:
                checked = time.monotonic()
                caller = await current_caller(request)
                yield ServerSentEvent(comment="alive")
            await anyio.sleep(feed.pause)
