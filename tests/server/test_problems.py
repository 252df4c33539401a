"""Errors of the library and of the system, as a server answers them."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from facelib.server.problems import add_handlers
from facelib.server.settings import ServerSettings

DENIED = "expected files that the server may read and write, found one that it may not; see its log"


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/srv/ro/demo/.locks/x"), 507, DENIED),
        (OSError(errno.EROFS, "Read-only file system", "ro/x"), 507, DENIED),
        (OSError(errno.ENOSPC, "No space left"), 507, "expected room on the server's disk, found none; free some and"),
        # The folders' names are not replaced within words and other names, nor those of deeper folders.
        (
            ValueError("expected a record that is dropped, got 'ro/demo/broken.csv', 'd/demo/ro/d.csv' and \"d\""), 422,
            "expected a record that is dropped, got 'output/demo/broken.csv', 'data/demo/ro/d.csv' and \"data\"",
        ),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/srv/é"), 422, "expected a name that a file can have"),
        (ClientDisconnect(), 400, "expected the whole body, the line was closed before it had come; send it again"),
        (RuntimeError("secret"), 500, "expected an answer, found a fault of the server; its log says more"),
    ],
)  # fmt: skip
def test_an_error_is_told_without_the_servers_folders(error: Exception, status: int, detail: str) -> None:
    app = FastAPI()
    add_handlers(app, ServerSettings(data_dir=Path("d"), output_dir=Path("ro")))

    @app.get("/")
    def fail() -> None:
        raise error

    answer = TestClient(app, raise_server_exceptions=False).get("/")
    assert answer.status_code == status
    assert answer.json()["detail"].startswith(detail)
