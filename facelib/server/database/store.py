"""A server's database, opened and brought up to date."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.orm import Session

from facelib.project.wording import in_one_line
from facelib.server.database.models import Base

_LOCK = 0x66616365  # any number that all servers share
_BUSY = 30  # seconds that a writer waits for another one in SQLite
_ANSWERED = 30.0  # seconds that PostgreSQL may take for an answer
# A machine or line that is gone without a word is missed after some 20 seconds, where the system would wait for hours.
_MISSED = {
    "connect_timeout": 10, "tcp_user_timeout": 20_000, "keepalives_idle": 10, "keepalives_interval": 5,
    "keepalives_count": 2,
}  # fmt: skip


class _WatchedFile:
    """Tells whether a SQLite database was changed, which takes a hundredth of the time of a question."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: tuple[object, sqlite3.Connection] | None = None
        self._opened = 0
        self._ended = False
        self._lock = Lock()

    def state(self) -> Hashable | None:
        """Return a value that changes with every transaction that is committed; None when the file cannot be read."""
        with self._lock:
            identity = _identity(self._path)
            if self._open is not None and self._open[0] != identity:
                self._close()
            if identity is None or self._ended:
                return None
            try:
                if self._open is None:
                    connection = sqlite3.connect(_address(self._path), uri=True, timeout=0, check_same_thread=False)
                    self._open, self._opened = (identity, connection), self._opened + 1
                (version,) = self._open[1].execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                self._close()
                return None
            return identity, self._opened, version

    def close(self) -> None:
        """Close its connection for good."""
        with self._lock:
            self._ended = True
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


@dataclass(frozen=True, slots=True)
class Store:
    """A database that is up to date.

    Attributes:
        engine: Its connections.
        file: Watches the file of a SQLite database; None for another kind.
    """

    engine: Engine
    file: _WatchedFile | None = None

    @property
    def address(self) -> str:
        """The database's address, without the password."""
        return self.engine.url.render_as_string(hide_password=True)

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

    def state(self) -> Hashable | None:
        """Return a value that changes with the database, by whichever process; None where that is unknown."""
        return self.file.state() if self.file else None

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        if self.file:
            self.file.close()


def open_store(url: str) -> Store:
    """Open a database, making it or bringing its tables up to date as needed.

    Args:
        url: As SQLAlchemy takes it: `sqlite:///...` or `postgresql+psycopg://...`.

    Raises:
        ValueError: When the address is none, or the database is of a later version of facelib.
        OSError: When it cannot be reached, or is something else.
    """
    try:
        address = make_url(url)
        engine, file = _engine(address)
    except (ArgumentError, ImportError, ValueError) as error:  # what was given may hold a password
        raise ValueError(
            "expected the address of a database, such as postgresql://user:password@host/name, got another text or "
            "one of a kind that is not installed here"
        ) from error
    store = Store(engine, file)
    try:
        migrate(engine)
    except DBAPIError as error:
        store.close()
        raise OSError(
            f"expected a database of facelib's server at {address.render_as_string(hide_password=True)!r}, "
            f"got: {in_one_line(error.orig or error)}"
        ) from error
    return store


def _engine(address: URL) -> tuple[Engine, _WatchedFile | None]:
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or "")
        return _open_sqlite(path), _WatchedFile(path)
    args = {name: value for name, value in _MISSED.items() if name not in address.query}
    return _open_postgresql(address, args), None


def database_time(session: Session) -> float:
    """Return the time by the database's clock, which is the same for every server that shares it."""
    if session.get_bind().dialect.name == "sqlite":
        return time.time()
    return float(session.execute(text("select extract(epoch from clock_timestamp())")).scalar_one())


def _open_sqlite(path: Path) -> Engine:
    """Open a SQLite file that only its owner reads, for many readers beside one writer.

    A file that is taken away is missed at once, and not made again beside the write-ahead log of the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    engine = create_engine(
        f"sqlite:///{_address(path)}&uri=true", connect_args={"timeout": _BUSY, "isolation_level": None}
    )

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


def _open_postgresql(address: URL, args: dict[str, int]) -> Engine:
    """Open a PostgreSQL database that is lost where it does not answer: one that is frozen keeps its lines open."""
    import psycopg

    class Impatient(psycopg.Connection[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            began = time.monotonic()
            try:
                return super().wait(gen, interval, _ANSWERED if timeout is None else timeout)
            except psycopg.OperationalError:
                if time.monotonic() - began >= _ANSWERED:
                    self.close()
                raise

    engine = create_engine(address, pool_pre_ping=True, pool_size=10, max_overflow=30, connect_args=args)

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, given: Any, named: Any) -> Any:
        return Impatient.connect(*given, **named)

    return engine


def _address(path: Path) -> str:
    return f"file:{quote(path.absolute().as_posix())}?mode=rw"


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what identifies the file at a path; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def migrate(engine: Engine) -> None:
    """Make the tables, or bring them up to date; of several servers that start at once, one does it.

    Raises:
        ValueError: When a later version of facelib made them.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite's transactions are one at a time by themselves
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        try:
            if inspect(connection).has_table("alembic_version"):
                command.upgrade(config, "head")
            else:
                Base.metadata.create_all(connection, checkfirst=False)
                command.stamp(config, "head")
        except CommandError as error:
            raise ValueError(
                "expected a database of this version of facelib or an earlier one, found one of a later version: "
                "install that, or restore a back-up"
            ) from error
