"""HTTP requests with limits on time and size, on the machines that may be contacted, and on redirects."""

from __future__ import annotations

import ipaddress
import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from facelib.gather.sources.address import redacted

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_WAIT = 60.0  # seconds
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""The status of answers that another attempt may change."""
_LONGEST_REASON = 200  # characters; what is no HTTP comes back in the reason
_BLOCK = 256 * 1024  # bytes read at a time, at most


@dataclass(frozen=True, slots=True)
class WebLimits:
    """The limits of a download.

    Attributes:
        largest: Bytes of the largest film that is fetched.
        spare: Bytes that stay free on the disk.
        timeout: Seconds without a sign of the server after which the connection counts as broken.
        slowest: Bytes a second; a connection that is slower over a whole `timeout` counts as broken.
        longest: Seconds that one question may take in all, from the first connection to the last byte of the answer.
        attempts: Attempts in a row before giving up; one that brings something new starts the row again.
        first_wait: Seconds before the second attempt; doubled before each further one, up to a minute.
        redirects: Redirects that are followed in a row.
        private: Whether machines that are not on the public internet may be asked: this one, or those of the
            network around it. Addresses come from others, too: a redirect, or a graph that names a film.
    """

    largest: int = 20 * 10**9
    spare: int = 500 * 10**6
    timeout: float = 30.0
    slowest: float = 1000.0
    longest: float = math.inf
    attempts: int = 6
    first_wait: float = 1.0
    redirects: int = 5
    private: bool = False

    def wait_before(self, attempt: int, asked: float = 0.0) -> float:
        """Return the seconds to wait before an attempt, counted from 1; `asked` is what the server asks for.

        Examples:
            >>> [WebLimits().wait_before(attempt) for attempt in (1, 2, 3, 4, 20)]
            [0.0, 1.0, 2.0, 4.0, 60.0]
        """
        own = self.first_wait * 2.0 ** min(attempt - 2, 30) if attempt > 1 else 0.0
        return min(max(own, asked), _LONGEST_WAIT)


def new_session(limits: WebLimits) -> requests.Session:
    """Return a session that connects to no machine off the public internet, unless `limits.private`.

    The check is made on the address that was really connected to, so that no name can lead elsewhere.
    """
    session = requests.Session()
    session.headers["User-Agent"] = "facelib"
    # A part of a compressed body cannot be continued; films are compressed already.
    session.headers["Accept-Encoding"] = "identity"
    adapter = _Adapter(limits)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


@contextmanager
def ask(
    session: requests.Session,
    address: str,
    limits: WebLimits,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> Iterator[requests.Response]:
    """Request an address and yield the response before its body is read; redirects are followed one by one.

    A form is sent by POST. The session must be from `new_session` with the same limits.

    Raises:
        ValueError: When an address on the way is none of `http(s)`, or leads off the public internet.
        requests.RequestException: When no answer comes.
        TimeoutError: When it takes longer than `limits.longest`, the time within the block included.
    """
    with _in_time(session, address, limits):
        for _ in range(limits.redirects + 1):
            _check(address, limits)
            response = session.request(
                "GET" if form is None else "POST",
                address,
                headers=headers,
                data=form,
                stream=True,
                timeout=limits.timeout,
                allow_redirects=False,
            )
            with response:
                target = session.get_redirect_target(response) if response.status_code in _REDIRECTS else None
                if not target:
                    yield response
                    return
                address = urljoin(urldefrag(address).url, target)
                form = None if response.status_code == 303 else form
        raise ValueError(f"expected at most {limits.redirects} redirects, the next one leads to {redacted(address)!r}")


@contextmanager
def _in_time(session: requests.Session, address: str, limits: WebLimits) -> Iterator[None]:
    """Cut the session's connections when the block takes longer than allowed.

    A socket's own timeout starts again with every byte, and a server may send one now and then for ever.
    """
    adapter = session.get_adapter(address if urlsplit(address).scheme == "http" else "https://")
    if math.isinf(limits.longest) or not isinstance(adapter, _Adapter):
        yield
        return
    lines = adapter.lines
    lines.late = False
    timer = threading.Timer(limits.longest, lines.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception:
        if not lines.late:
            raise
    finally:
        timer.cancel()
        timer.join()
    if lines.late:
        raise TimeoutError(f"no whole answer in {limits.longest:g} s")


def read_body(response: requests.Response, limits: WebLimits) -> Iterator[bytes]:
    """Yield the body of a response as it arrives, as long as it is fast enough.

    Raises:
        ConnectionError: When the connection breaks, goes silent, or is slower than the limits allow.
    """
    since, received = time.monotonic(), 0
    while True:
        try:
            # read1 returns what is there: read would wait for a whole block, however slowly it comes.
            block = response.raw.read1(_BLOCK, decode_content=True)
        except (HTTPError, OSError) as error:
            raise ConnectionError(plain_reason(error)) from error
        if not block:
            return
        received += len(block)
        if (passed := time.monotonic() - since) > limits.timeout:
            if received < limits.slowest * passed:
                raise ConnectionError(f"only {received} bytes came in {passed:.0f} s")
            since, received = time.monotonic(), 0
        yield block


def status_line(response: requests.Response) -> str:
    """Return how a server answered, such as `404 Not Found`."""
    return f"{response.status_code} {response.reason or ''}".strip()


def plain_reason(error: BaseException) -> str:
    """Return the message of the innermost error, of what can be shown."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    said = "".join(letter if letter.isprintable() else " " for letter in str(error)[:_LONGEST_REASON])
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _check(address: str, limits: WebLimits) -> None:
    parts = urlsplit(address)
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"expected an http(s) address, got {redacted(address)!r}: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        remedy = "; give its path" if parts.scheme == "file" else ""
        raise ValueError(f"expected an http(s) address, got {redacted(address)!r}{remedy}")
    # Behind a proxy only the proxy is connected to: so the name alone is checked here.
    if not limits.private and (host == "localhost" or host.endswith(".localhost") or not _is_public(host)):
        raise _private(host, host)


def _is_public(host: str) -> bool:
    """Return whether an IP address is on the public internet; a name that is none counts as public."""
    try:
        place = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    inner = place.ipv4_mapped if isinstance(place, ipaddress.IPv6Address) else None
    return (inner or place).is_global and not (inner or place).is_multicast


def _private(host: str, place: str) -> ValueError:
    return ValueError(
        f"expected an address on the public internet, {host!r} is {place!r}; where you trust it, allow private "
        f"addresses (private_addresses = True in the notebook, WebLimits(private=True) in Python)"
    )


class _Lines:
    """The connections of a session, which another thread can cut; a socket's copy stays valid under TLS."""

    def __init__(self) -> None:
        self.late = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def add(self, connected: socket.socket) -> None:
        with self._lock:
            self._sockets.append(connected.dup())
        if self.late:  # it was being opened when the others were cut
            self.cut()

    def cut(self) -> None:
        self.late = True
        with self._lock:
            for line in self._sockets:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()  # urllib3 leaves open what somebody still holds, such as the traceback of an error
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()


class _Adapter(HTTPAdapter):
    """Opens only connections that the limits allow, and closes one that leads elsewhere before anything is sent."""

    def __init__(self, limits: WebLimits) -> None:
        self.lines = _Lines()
        self._limits = limits
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools(private=self._limits.private)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if proxy.lower().startswith("http"):  # the proxy itself stands in the own network as a rule
            manager.pool_classes_by_scheme = self._pools(private=True)
        return manager

    def close(self) -> None:
        super().close()
        self.lines.close()

    def _pools(self, *, private: bool) -> dict[str, type[HTTPConnectionPool]]:
        lines = None if math.isinf(self._limits.longest) else self.lines

        class Watched:
            host: str

            def _new_conn(self) -> socket.socket:
                connected: socket.socket = super()._new_conn()  # type: ignore[misc]
                place = str(connected.getpeername()[0])
                if not (private or _is_public(place)):
                    connected.close()
                    raise _private(self.host, place)
                if lines is not None:
                    lines.add(connected)
                return connected

        plain = type("WatchedHTTP", (Watched, HTTPConnection), {})
        secure = type("WatchedHTTPS", (Watched, HTTPSConnection), {})
        return {
            "http": type("WatchedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("WatchedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
