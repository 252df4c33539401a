"""Changes, announced through the database to everybody who watches, on every server that uses it."""

from __future__ import annotations

import time
from collections import deque

import anyio
from anyio import to_thread
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from facelib.server.database import Event, Store
from facelib.server.database.store import database_time

_ORDER = 0x66616366  # any number that all servers share

KEPT = 3600.0
"""Seconds for which an event can still be read."""


def tell(session: Session, project: str, kind: str, **data: object) -> None:
    """Tell everybody who may see a project that something changed.

    The event is seen when the session succeeds. A kind is such as `job`, `film` or `people`; the project is empty for
    what concerns the server; the data say which, and whoever watches reads the rest from the API.
    """
    if session.get_bind().dialect.name == "postgresql":
        # Whoever watches asks for what came after the newest number it saw: numbers must appear in order.
        session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _ORDER})
    session.add(Event(at=database_time(session), project=project, kind=kind, data=data))


class EventFeed:
    """The events as many watchers ask for them: the database is asked once for all of them.

    Attributes:
        pause: Seconds between two looks at it.
    """

    pause = 0.5

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, anyio.Lock()
        self._looked, self._number = 0.0, 0
        self._recent: deque[Event] = deque(maxlen=1000)

    async def newest(self) -> int:
        """Return the number of the newest event; 0 when there is none."""
        await self._look()
        return self._number

    async def since(self, number: int) -> list[Event]:
        """Return the events after the one of that number, in order."""
        await self._look()
        if number >= self._number:
            return []
        if self._recent and self._recent[0].id <= number + 1:
            return [event for event in self._recent if event.id > number]
        return await to_thread.run_sync(self._read, number)

    async def _look(self) -> None:
        async with self._lock:
            if time.monotonic() - self._looked < self.pause:
                return
            if not self._looked:
                self._number = await to_thread.run_sync(self._newest)
            for event in await to_thread.run_sync(self._read, self._number):
                self._recent.append(event)
                self._number = event.id
            self._looked = time.monotonic()

    def _newest(self) -> int:
        with self._store.read() as session:
            return session.scalar(select(func.max(Event.id))) or 0

    def _read(self, number: int) -> list[Event]:
        with self._store.read() as session:
            return since(session, number)


def since(session: Session, number: int) -> list[Event]:
    """Return the events after the one of that number, in order, 500 at most."""
    return list(session.scalars(select(Event).where(Event.id > number).order_by(Event.id).limit(500)))


def forget_old(session: Session) -> None:
    """Remove the events that are older than `KEPT`."""
    session.execute(delete(Event).where(Event.at < database_time(session) - KEPT))
