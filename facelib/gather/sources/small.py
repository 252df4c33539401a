"""Small downloads into memory: pages and pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping

import requests
from urllib3.exceptions import HTTPError

from facelib.gather.sources.address import redacted
from facelib.gather.sources.web import PASSING, WebLimits, ask, new_session, plain_reason, read_body, status_line
from facelib.project.wording import sized

SMALL_LIMITS = WebLimits(largest=20_000_000, timeout=10.0, longest=30.0, attempts=2)
"""How far to go for one picture: 20 MB, half a minute, and a second attempt where the first met passing trouble."""


def fetch_bytes(
    address: str,
    limits: WebLimits = SMALL_LIMITS,
    *,
    session: requests.Session | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Download an address completely.

    Args:
        address: An `http` or `https` address.
        limits: How far to go; `longest` bounds each attempt.
        session: From `new_session` with the same limits, for several questions to one server; None: one of its own.
        headers: Further headers of the request.

    Raises:
        ValueError: When the address is none of `http(s)`, leads off the public internet or in circles, or when there
            is more than `limits.largest`.
        OSError: When the server refuses, breaks off, or takes too long.
    """
    if session is None:
        with new_session(limits) as own:
            return fetch_bytes(address, limits, session=own, headers=headers)
    for attempt in range(1, max(1, limits.attempts) + 1):
        time.sleep(limits.wait_before(attempt))
        try:
            return _fetch_once(session, address, limits, headers)
        except TimeoutError:
            raise
        except ConnectionError as error:
            trouble = error
    raise trouble


def fetch_or_reason(address: str, limits: WebLimits = SMALL_LIMITS) -> bytes | str:
    """Return the bytes at an address as `fetch_bytes` does, or in words why there are none."""
    try:
        return fetch_bytes(address, limits)
    except Exception as error:  # an unknown address may fail in any way; the others are still fetched
        return str(error) or type(error).__name__


def _fetch_once(session: requests.Session, address: str, limits: WebLimits, headers: Mapping[str, str] | None) -> bytes:
    try:
        with ask(session, address, limits, headers=headers) as response:
            if response.status_code != 200:
                kind = ConnectionError if response.status_code in PASSING else OSError
                raise kind(f"the server answered {status_line(response)}")
            return _read_whole(response, limits)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError) as error:
        raise ValueError(f"expected an http(s) address, got {redacted(address)!r}: {error}") from error
    except (requests.RequestException, HTTPError) as error:
        raise ConnectionError(plain_reason(error)) from error


def _read_whole(response: requests.Response, limits: WebLimits) -> bytes:
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > limits.largest:
        announced = sized(int(length), beside=limits.largest)
        raise ValueError(f"larger than {sized(limits.largest)}: the server announces {announced}")
    body = bytearray()
    for block in read_body(response, limits):
        body += block
        if len(body) > limits.largest:
            raise ValueError(f"larger than {sized(limits.largest)}")
    return bytes(body)
