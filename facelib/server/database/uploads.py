"""The table of uploads."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from facelib.server.database.models import Base


class Upload(Base):
    """A file that comes in pieces. How much of it is there is told by the file itself, not here."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    project: Mapped[str] = mapped_column(String(255), index=True)
    person: Mapped[str | None] = mapped_column(String(400))  # None: a film
    name: Mapped[str] = mapped_column(String(400))
    length: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(200))
    created: Mapped[float]
    state: Mapped[str] = mapped_column(String(20))  # receiving, done, refused
    file: Mapped[str] = mapped_column(String(1000), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
