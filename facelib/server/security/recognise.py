"""Recognise the caller of a request, by a token in its header or by the cookie of a log-in."""

from __future__ import annotations

import secrets

from fastapi import Request
from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from facelib.server.database import Login, Store, Token
from facelib.server.database.store import database_time
from facelib.server.problems import Problem
from facelib.server.security.callers import Caller, caller_of
from facelib.server.security.secrets import digest_of

COOKIE = "facelib_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MINUTE = 60.0


def recognise(request: Request, store: Store, *, session_hours: float) -> Caller:
    """Return who a request comes from.

    Raises:
        Problem: 401 when nobody is recognised; 403 when a page of another site may have made the request.
    """
    header, cookie = request.headers.get("Authorization", ""), request.cookies.get(COOKIE, "")
    kind, _, given = header.partition(" ")
    with store.read() as session:
        at = database_time(session)
        if kind.casefold() == "bearer" and given:
            token = find_token(session, given.strip())
            seen: Token | Login | None = token
            caller = caller_of(token.user, token) if token else None
        elif cookie:
            login = _find_login(session, cookie, since=at - session_hours * 3600)
            seen = login
            caller = caller_of(login.user, login.token, login) if login else None
            if login is not None:
                _refuse_forged(request, login)
        else:
            seen = caller = None
    if caller is None:
        raise Problem(401, "expected a token or a log-in, found none that is valid; log in", headers=_challenge())
    if seen is not None and (seen.used is None or at - seen.used > _MINUTE):
        _note_use(store, seen, at)
    return caller


def find_token(session: Session, given: str) -> Token | None:
    """Return the token that was given, when there is such a one."""
    query = select(Token).where(Token.digest == digest_of(given)).options(joinedload(Token.user))
    return session.execute(query).unique().scalar_one_or_none()


def _find_login(session: Session, cookie: str, *, since: float) -> Login | None:
    query = select(Login).where(Login.digest == digest_of(cookie), Login.used >= since)
    loaded = query.options(joinedload(Login.user), joinedload(Login.token).joinedload(Token.user))
    return session.execute(loaded).unique().scalar_one_or_none()


def _refuse_forged(request: Request, login: Login) -> None:
    """Refuse a change that a browser was made to ask for: only our own page knows the log-in's secret."""
    if request.method in _SAFE:
        return
    given = request.headers.get(CSRF_HEADER, "")
    if not secrets.compare_digest(given.encode(), login.csrf.encode()):
        raise Problem(403, f"expected the log-in's secret in the header {CSRF_HEADER}, got another; load the page anew")


def _note_use(store: Store, seen: Token | Login, at: float) -> None:
    with store.begin() as session:
        table = type(seen)
        session.execute(update(table).where(table.id == seen.id).values(used=at))


def _challenge() -> dict[str, str]:
    return {"WWW-Authenticate": 'Bearer realm="facelib"'}
