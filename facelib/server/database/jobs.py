"""The tables of jobs and of events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from facelib.server.database.models import Base


class Job(Base):
    """Something long to do, and what became of it.

    A running job belongs to the worker `owner` until `lease`; then any worker may take it over.
    """

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    project: Mapped[str] = mapped_column(String(255), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    steps: Mapped[list[int]] = mapped_column(JSON)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), index=True)
    created: Mapped[float]
    not_before: Mapped[float]
    started: Mapped[float | None]
    ended: Mapped[float | None]
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(64))
    lease: Mapped[float | None]
    cancelled: Mapped[bool] = mapped_column(default=False)
    stages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    progress: Mapped[float] = mapped_column(default=0.0)
    left: Mapped[float | None]
    doing: Mapped[str] = mapped_column(String(500), default="")
    reason: Mapped[str] = mapped_column(Text, default="")


class Event(Base):
    """Something that changed, for those who watch; kept for an hour."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(index=True)
    project: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(50))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
