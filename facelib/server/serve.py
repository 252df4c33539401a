"""The server started and kept running until it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from facelib.server.app import create_app
from facelib.server.logs import set_up_logs
from facelib.server.settings import ServerSettings


def serve(settings: ServerSettings, *, tell: Callable[[str], None] = print) -> None:
    """Serve until stopped by a signal.

    Args:
        settings: What the server is told.
        tell: Takes the lines for the one who started it: the address and, at the first start, the token.

    Raises:
        OSError: When the address cannot be listened on.
    """
    listening = _listen(settings.host, settings.port)
    with listening:
        set_up_logs()
        app = create_app(settings)
        host, port = listening.getsockname()[:2]
        tell(f"Serving {settings.data_dir} at http://{f'[{host}]' if ':' in host else host}:{port}")
        if app.state.first_token:
            tell(f"Log in with this token; it is shown once: {app.state.first_token}")
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=10,
        )
        uvicorn.Server(config).run(sockets=[listening])


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
