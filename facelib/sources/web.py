"""Asking a web server: how long and how far to go, which machines may be asked, and redirects one by one."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from facelib.sources.address import shown

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_WAIT = 60.0  # seconds
_BLOCK = 256 * 1024  # bytes read at a time, at most


@dataclass(frozen=True, slots=True)
class WebLimits:
    """How far a fetch may go.

    Attributes:
        largest: Bytes of the largest film that is fetched.
        spare: Bytes that stay free on the disk.
        timeout: Seconds without a sign of the server after which the connection counts as broken.
        slowest: Bytes a second; a connection that is slower over a whole `timeout` counts as broken.
        attempts: Attempts in a row before giving up; one that brings something new begins the row anew.
        first_wait: Seconds before the second attempt; doubled before each further one, up to a minute.
        redirects: Redirects that are followed in a row.
        private: Whether machines that are not on the public internet may be asked: this one, or those of the
            network around it. Addresses come from others, too: a redirect, or a graph that names a film.
    """

    largest: int = 20 * 10**9
    spare: int = 500 * 10**6
    timeout: float = 30.0
    slowest: float = 1000.0
    attempts: int = 6
    first_wait: float = 1.0
    redirects: int = 5
    private: bool = False

    def wait_before(self, attempt: int, asked: float = 0.0) -> float:
        """Return the seconds to wait before an attempt, counted from 1; `asked` is what the server asks for.

        Example:
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
    if not limits.private:
        session.mount("http://", _PublicAdapter())
        session.mount("https://", _PublicAdapter())
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
    """Ask for an address and give the answer, whose body is not read yet; redirects are followed one by one.

    Args:
        session: From `new_session` with the same limits.
        address: An `http` or `https` address.
        limits: How far to go.
        headers: Further headers of the request.
        form: Sent as a form by POST; None asks by GET.

    Raises:
        ValueError: When an address on the way is none of `http(s)`, or leads off the public internet.
        requests.RequestException: When no answer comes.
    """
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
    raise ValueError(f"expected at most {limits.redirects} redirects, the next one leads to {shown(address)!r}")


def read_body(response: requests.Response, limits: WebLimits) -> Iterator[bytes]:
    """Read the body of an answer in whatever pieces it comes, as long as it comes fast enough.

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


def plain_reason(error: BaseException) -> str:
    """Return what went wrong in the words of the innermost error: the outer ones wrap them in their own."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _check(address: str, limits: WebLimits) -> None:
    parts = urlsplit(address)
    try:
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"expected an http(s) address, got {shown(address)!r}: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        remedy = "; give its path" if parts.scheme == "file" else ""
        raise ValueError(f"expected an http(s) address, got {shown(address)!r}{remedy}")
    # Behind a proxy only the proxy is connected to: what can be told by the name alone is told here.
    if not limits.private and (host == "localhost" or host.endswith(".localhost") or not _is_public(host)):
        raise _private(host, host)


def _is_public(host: str) -> bool:
    """Tell whether an IP address is on the public internet; a name that is none counts as public."""
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


class _PublicOnly:
    """Closes a connection that leads off the public internet before anything is sent over it."""

    host: str

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        place = str(connected.getpeername()[0])
        if not _is_public(place):
            connected.close()
            raise _private(self.host, place)
        return connected


class _PublicHTTP(_PublicOnly, HTTPConnection):
    pass


class _PublicHTTPS(_PublicOnly, HTTPSConnection):
    pass


class _PublicHTTPPool(HTTPConnectionPool):
    ConnectionCls = _PublicHTTP


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPS


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
