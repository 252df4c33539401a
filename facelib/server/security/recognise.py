"""Recognise the caller of a request, by a token in its header or by the cookie of a log-in."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from facelib.server.cached import Kept
from facelib.server.database import Login, Store, Token
from facelib.server.database.store import database_time
from facelib.server.problems import Problem
from facelib.server.security.callers import Caller, caller_of
from facelib.server.security.secrets import digest_of

CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MINUTE = 60.0
_KEPT = 10_000  # callers in memory


@dataclass(frozen=True, slots=True)
class _Known:
    """A caller as the database had it.

    Attributes:
        caller: Who it is.
        csrf: The secret of its log-in; None for a token.
        used: When its use was noted last, as `database_time`.
    """

    caller: Caller
    csrf: str | None
    used: float


class Callers:
    """Whoever calls a server; those who called lately are known without a question to a SQLite database.

    They are known for as long as nothing at all was written to the database, by whichever process: who is revoked is
    a stranger at once.

    Attributes:
        cookie: What the cookie of a log-in is called: browsers send cookies to every port of a host, and a server with
            another database would overwrite it.
    """

    def __init__(self, store: Store, session_hours: float) -> None:
        self._store, self._longest = store, session_hours * 3600
        self.cookie = f"facelib_session_{digest_of(store.address)[:12]}"
        self._kept: Kept[_Known] = Kept(_KEPT)

    def recognise(self, request: Request) -> Caller:
        """Return who a request comes from.

        Raises:
            Problem: 401 when nobody is recognised; 403 when a page of another site may have made the request.
        """
        return self.known(request) or self._ask(request)

    def known(self, request: Request) -> Caller | None:
        """Return who a request comes from, when that is in memory; it waits for nothing.

        Raises:
            Problem: 403 when a page of another site may have made the request.
        """
        given, state = self._given(request), self._store.state()
        if given is None or state is None:
            return None
        known = self._kept.peek(given, state)
        if known is None or time.time() - known.used > min(_MINUTE, self._longest):
            return None
        _refuse_forged(request, known)
        return known.caller

    def _ask(self, request: Request) -> Caller:
        given, state = self._given(request), self._store.state()
        with self._store.read() as session:
            at = database_time(session)
            kind, digest = given or ("", "")
            login = _find_login(session, digest, since=at - self._longest) if kind == "cookie" else None
            token = find_token(session, digest) if kind == "token" else login.token if login else None
        seen = login or token
        if seen is None or given is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="facelib"'}
            raise Problem(401, "expected a token or a log-in, found none that is valid; log in", headers=challenge)
        known = _Known(caller_of(seen.user, token, login), login.csrf if login else None, seen.used or 0.0)
        _refuse_forged(request, known)
        if at - known.used > _MINUTE:
            with self._store.begin() as session:
                session.execute(update(type(seen)).where(type(seen).id == seen.id).values(used=at))
        elif state is not None:
            self._kept.keep(given, state, known)
        return known.caller

    def _given(self, request: Request) -> tuple[str, str] | None:
        """Return which kind of secret a request has, and its digest."""
        header, cookie = request.headers.get("Authorization", ""), request.cookies.get(self.cookie, "")
        kind, _, given = header.partition(" ")
        if kind.casefold() == "bearer" and given:
            return "token", digest_of(given.strip())
        return ("cookie", digest_of(cookie)) if cookie else None


def find_token(session: Session, digest: str) -> Token | None:
    """Return the token whose secret has a digest, when there is such a one."""
    query = select(Token).where(Token.digest == digest).options(joinedload(Token.user))
    return session.execute(query).unique().scalar_one_or_none()


def _find_login(session: Session, digest: str, *, since: float) -> Login | None:
    query = select(Login).where(Login.digest == digest, Login.used >= since)
    loaded = query.options(joinedload(Login.user), joinedload(Login.token).joinedload(Token.user))
    return session.execute(loaded).unique().scalar_one_or_none()


def _refuse_forged(request: Request, known: _Known) -> None:
    """Refuse a change that a browser was made to ask for: only our own page knows the log-in's secret."""
    if known.csrf is None or request.method in _SAFE:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not secrets.compare_digest(given.encode(), known.csrf.encode()):
        raise Problem(403, f"expected the log-in's secret in the header {CSRF_HEADER}, got another; reload the page")
