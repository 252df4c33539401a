"""SPARQL 1.1 queries with JSON results, bounded in time and size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from urllib.parse import urlencode, urlsplit

import requests
from rdflib.query import Result, ResultException, ResultRow
from rdflib.term import URIRef

from facelib.gather.sources.address import redacted
from facelib.gather.sources.web import WebLimits, ask, new_session, plain_reason, read_body

_LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; a film is described in a few thousand
_LONGEST_ADDRESS = 2000  # characters; what any server takes in a GET
_OTHER_METHOD = frozenset({400, 404, 405, 411, 413, 414, 415, 501})


def iri(text: str) -> URIRef:
    """Return a text as an IRI that may stand in a query.

    Raises:
        ValueError: When it is not absolute, or holds what the SPARQL grammar forbids in an IRI: that could end the
            IRI early and make the rest of the text a part of the query.

    Examples:
        >>> iri("http://example.org/film/1").n3()
        '<http://example.org/film/1>'
    """
    if not re.fullmatch(r'[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|^`\\\x7f]+', text):
        raise ValueError(f"expected the absolute IRI of a resource, such as 'http://example.org/film/1', got {text!r}")
    return URIRef(text)


def select(endpoint: str, query: str, limits: WebLimits) -> Sequence[ResultRow]:
    """Send a SELECT query to an endpoint and return its rows.

    It is sent by GET where the address stays short, else as a form by POST; the other way is tried where the
    endpoint takes only that.

    Raises:
        ValueError: When the endpoint's address is none, or its answer is not a table of SPARQL results in JSON.
        OSError: When it does not answer, or refuses the query.
    """
    by_get = f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode({'query': query})}"
    ways: list[tuple[str, dict[str, str] | None]] = [(endpoint, {"query": query}), (by_get, None)]
    if len(by_get) <= _LONGEST_ADDRESS:
        ways.reverse()
    status, body = 0, b""
    for address, form in ways:
        status, body = _send(endpoint, address, form, limits)
        if status not in _OTHER_METHOD:
            break
    if status != 200:
        said = " ".join(body[:300].decode(errors="replace").split())
        raise OSError(f"expected the SPARQL endpoint {redacted(endpoint)!r} to answer, got status {status}: {said}")
    return _rows(endpoint, body)


def _send(endpoint: str, address: str, form: dict[str, str] | None, limits: WebLimits) -> tuple[int, bytes]:
    headers = {"Accept": "application/sparql-results+json, application/json;q=0.5"}
    try:
        with new_session(limits) as session, ask(session, address, limits, headers=headers, form=form) as response:
            body = bytearray()
            for block in read_body(response, limits):
                body += block
                if len(body) > _LARGEST_ANSWER:
                    raise ValueError(f"expected at most {_LARGEST_ANSWER} bytes from {redacted(endpoint)!r}, got more")
            return response.status_code, bytes(body)
    except (requests.RequestException, ConnectionError) as error:
        reason = plain_reason(error)
        raise ConnectionError(
            f"expected the SPARQL endpoint {redacted(endpoint)!r} to answer, got: {reason}"
        ) from error


def _rows(endpoint: str, body: bytes) -> Sequence[ResultRow]:
    try:
        result = Result.parse(BytesIO(body), format="json")
        if result.type != "SELECT":
            raise ValueError(f"a result of {result.type}")
        return [row for row in result if isinstance(row, ResultRow)]
    except (ResultException, ValueError, LookupError, TypeError, AttributeError, NotImplementedError) as error:
        raise ValueError(
            f"expected SPARQL results in JSON from {redacted(endpoint)!r}, got {body[:60]!r}: {error}; "
            f"is it the address of the endpoint itself, not of a page about it?"
        ) from error
