"""A server's database, opened and brought up to date."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session

from facelib.server.database.migrate import migrate

_BUSY = 30  # seconds that a writer waits for another one in SQLite


@dataclass(frozen=True, slots=True)
class Store:
    """A database that is up to date.

    Attributes:
        engine: Its connections.
    """

    engine: Engine

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """Yield a session whose changes are written when the block succeeds, and dropped when it does not."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that only reads, and waits for no writer."""
        with Session(self.engine.execution_options(only_reads=True), expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open a database, making it or bringing its tables up to date as needed.

    Args:
        url: As SQLAlchemy takes it: `sqlite:///...` or `postgresql+psycopg://...`.

    Raises:
        sqlalchemy.exc.OperationalError: When it cannot be reached.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = _open_sqlite(Path(address.database or ""))
    else:
        engine = create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30)
    migrate(engine)
    return Store(engine)


def database_time(session: Session) -> float:
    """Return the time by the database's clock, which is the same for every server that shares it."""
    if session.get_bind().dialect.name == "sqlite":
        return time.time()
    return float(session.execute(text("select extract(epoch from clock_timestamp())")).scalar_one())


def _open_sqlite(path: Path) -> Engine:
    """Open a SQLite file that only its owner reads, for many readers beside one writer.

    A file that is taken away is missed at once, and not made anew beside the write-ahead log of the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    url = f"sqlite:///file:{quote(path.absolute().as_posix())}?mode=rw&uri=true"
    engine = create_engine(url, connect_args={"timeout": _BUSY, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, record: Any) -> None:
        record.info["file"] = _identity(path)
        for line in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {line}").close()

    @event.listens_for(engine, "checkout")
    def _is_there(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != _identity(path):
            raise DisconnectionError("the file is gone, or another one has its name")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A transaction that reads first and writes later could not wait for another writer: it begins as one.
        reads = connection.get_execution_options().get("only_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what a file is known by while it lies in its place; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
