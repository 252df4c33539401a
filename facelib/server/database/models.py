"""The tables of the server's database. Times are seconds since 1970 in UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Grants = dict[str, str]
"""The scope a caller has in each project: `read`, `correct` or `admin` by project name; `*` stands for all of them."""


class Base(DeclarativeBase):
    """What all tables have: names for their keys, so that a migration can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {Grants: JSON, dict[str, object]: JSON}  # noqa: RUF012


class User(Base):
    """Somebody who logs in with a password."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    password: Mapped[str] = mapped_column(String(400))  # Argon2's text: parameters, salt and hash
    grants: Mapped[Grants]
    created: Mapped[float]
    tokens: Mapped[list[Token]] = relationship(back_populates="user", cascade="all, delete-orphan")
    logins: Mapped[list[Login]] = relationship(back_populates="user", cascade="all, delete-orphan")


class Token(Base):
    """A key for programs; only its SHA-256 is kept. One without a user was made by the server itself."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    grants: Mapped[Grants]
    created: Mapped[float]
    used: Mapped[float | None]
    user: Mapped[User | None] = relationship(back_populates="tokens")
    logins: Mapped[list[Login]] = relationship(back_populates="token", cascade="all, delete-orphan")


class Login(Base):
    """A browser that is logged in, by a user's password or by a token; only the SHA-256 of its cookie is kept."""

    __tablename__ = "logins"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_id: Mapped[int | None] = mapped_column(ForeignKey("tokens.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created: Mapped[float]
    used: Mapped[float]
    user: Mapped[User | None] = relationship(back_populates="logins")
    token: Mapped[Token | None] = relationship(back_populates="logins")


class Attempt(Base):
    """A log-in that failed; `key` is the SHA-256 of what is counted, such as an address."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[float]


class AuditEntry(Base):
    """Who did what, when. Neither faces nor tokens are written here."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[float] = mapped_column(index=True)
    who: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(100))
    project: Mapped[str] = mapped_column(String(255), default="")
    details: Mapped[dict[str, object]] = mapped_column(default=dict)


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


class Upload(Base):
    """A file that is uploaded in pieces. The size of the file itself says how much was received."""

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


class Embed(Base):
    """An address that shows one film to everybody who has it; the key is as public as the pages that it stands in."""

    __tablename__ = "embeds"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    project: Mapped[str] = mapped_column(String(255), index=True)
    video: Mapped[str] = mapped_column(String(400))
    by: Mapped[str] = mapped_column(String(200))
    created: Mapped[float]
