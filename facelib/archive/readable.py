"""What is said of an index that cannot be read, whichever library finds that out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MISTAKES = {"ParserException", "BinderException", "CatalogException"}
"""DuckDB's errors about a query itself."""


def unreadable(folder: Path, error: Exception) -> OSError:
    """Return an error that says which index cannot be read, why, and what to do."""
    reason = str(error).strip().partition("\n")[0]
    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        return without_room(folder, reason)
    return OSError(
        f"expected the index of films in {str(folder)!r} to be readable, got: {reason}; "
        f"delete this folder, it is made again from the films' tables"
    )


def without_room(folder: Path, reason: object) -> OSError:
    """Return an error that says where there is no room for the index."""
    error = OSError(
        f"expected room for the index of films in {str(folder)!r}, got: {reason}; make room there, and run this again"
    )
    error.errno = errno.ENOSPC
    return error


@contextmanager
def readable(*folders: Path, own_query: bool = False) -> Iterator[None]:
    """Turn what libraries raise for a missing or damaged file of an index into an OSError about the one it names.

    With `own_query` also what DuckDB takes for a mistake in the query: facelib's own fail only where a file is damaged.

    Raises:
        OSError: See `unreadable`.
    """
    try:
        yield
    except Exception as error:
        of_duckdb = type(error).__module__.endswith("duckdb") and (own_query or type(error).__name__ not in _MISTAKES)
        if not (of_duckdb or isinstance(error, OSError | ValueError)):
            raise
        blamed = next((folder for folder in folders if str(folder) in str(error)), folders[0])
        raise unreadable(blamed, error) from error
