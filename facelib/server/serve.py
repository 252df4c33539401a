"""The server started and kept running until it is stopped, in one process or in several."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from facelib.project.processes import when_parent_is_gone
from facelib.server.api.tokens import make_first_token
from facelib.server.app import create_app
from facelib.server.database import open_store
from facelib.server.jobs.worker import Workers
from facelib.server.settings import ServerSettings

_STARTED = 60  # seconds that a process may take to start, or to be too busy to say that it lives
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def serve(settings: ServerSettings, *, tell: Callable[[str], None] = print) -> None:
    """Serve until stopped by a signal; `tell` takes the address and, at the first start, the token.

    Raises:
        OSError: When the address cannot be listened on.
        KeyboardInterrupt: When it was stopped by Ctrl-C.
    """
    listening = _listen(settings.host, settings.port)
    with listening:
        set_up_logs()
        allow_open_files()
        if settings.processes == 1:
            app = create_app(settings, warm=True)
            _greet(settings, listening, app.state.first_token, tell)
            uvicorn.Server(_config(settings, app)).run(sockets=[listening])
        else:
            _serve_by_many(settings, listening, tell)


def _serve_by_many(settings: ServerSettings, listening: socket.socket, tell: Callable[[str], None]) -> None:
    """Let processes answer the requests, begin another one where one ends, and do the jobs here."""
    store = open_store(settings.database)
    _greet(settings, listening, make_first_token(store), tell)
    make = partial(_app_of_child, settings.model_copy(update={"workers": 0}))
    workers = Workers(store, settings)
    with TemporaryDirectory(prefix="facelib-figures-", ignore_cleanup_errors=True) as figures:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures  # where the processes collect what /metrics reports
        processes = _Processes(_config(settings, make, workers=settings.processes, factory=True), [listening])
        workers.start()
        try:
            processes.run()
        finally:
            workers.stop()
            store.close()
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
    if processes.interrupted:
        raise KeyboardInterrupt


class _Processes(Multiprocess):
    """The processes of a server.

    Attributes:
        interrupted: Whether they were stopped by Ctrl-C.
    """

    interrupted = False

    def keep_subprocess_alive(self) -> None:
        """Replace each process that has ended."""
        for process in self.processes:
            # While this end is open as well, one that ends when it is asked whether it lives is waited for.
            process.child_conn.close()
        super().keep_subprocess_alive()

    def handle_int(self) -> None:
        """Stop all, as Ctrl-C asks."""
        self.interrupted = True
        super().handle_int()


def _app_of_child(settings: ServerSettings) -> FastAPI:
    """Return the application of one of several processes."""
    set_up_logs()
    when_parent_is_gone(lambda: os.kill(os.getpid(), signal.SIGTERM))
    return create_app(settings, warm=True)


def _config(settings: ServerSettings, app: Any, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=10,
        timeout_worker_healthcheck=_STARTED,
        **more,
    )


def allow_open_files() -> None:
    """Let this process have as many files open as it may ask for: each browser that is connected is one."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _greet(settings: ServerSettings, listening: socket.socket, token: str | None, tell: Callable[[str], None]) -> None:
    host, port = listening.getsockname()[:2]
    tell(f"Serving {settings.data_dir} at http://{f'[{host}]' if ':' in host else host}:{port}")
    if token:
        tell(f"Log in with this token; it is shown once: {token}")


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; the system says no to a port that is taken."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(
            f"expected an address to listen on, got {host!r} and port {port}: {error.strerror or error}; "
            f"choose others with --host and --port"
        ) from None


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, what `extra` gave, and the kind of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a stack trace is part of it, with its line ends escaped."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up_logs() -> None:
    """Write the logs of the server, and of uvicorn under it, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("facelib.server", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
