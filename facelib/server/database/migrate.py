"""The database's tables brought up to date by Alembic's migrations, which are part of the package."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text

_LOCK = 0x66616365  # any number that all servers share


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; of several servers that start at once, one does it while the others wait.

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
            command.upgrade(config, "head")
        except CommandError as error:
            raise ValueError(
                "expected a database of this version of facelib or an earlier one, found one of a later version: "
                "install that, or restore a back-up"
            ) from error
