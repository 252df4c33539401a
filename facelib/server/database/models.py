"""The tables of the server's database. Times are seconds since 1970 in UTC."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, MetaData, String
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
    """A log-in that failed; `key` is the SHA-256 of a name or of an address."""

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
