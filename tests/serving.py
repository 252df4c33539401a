"""HTTP servers of this machine for tests, and free ports."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Quiet(BaseHTTPRequestHandler):
    """What answers requests, without a line on the terminal about each."""

    def give(self, content: bytes, *, status: int = 200, kind: str = "text/html", length: int | None = None) -> None:
        """Send a whole answer; `length` is what is said of its size where that is not right."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(server: ThreadingHTTPServer, *, poll_interval: float = 0.02) -> Iterator[str]:
    """Yield the address of a server that answers while the block runs."""
    with server:
        thread = Thread(target=server.serve_forever, args=(poll_interval,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """Return a server on a free port whose requests a handler answers, for `running`."""
    return ThreadingHTTPServer(("127.0.0.1", 0), handler)


def free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
