"""Log-ins of browsers: by a user's password, or by a token; failed attempts are limited by address and by name."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from facelib.server.bodies import JsonBody
from facelib.server.database import Attempt, Login, Store, Token, User
from facelib.server.database.models import Grants
from facelib.server.database.store import database_time
from facelib.server.dependencies import Anyone, CurrentCallers, CurrentSettings, CurrentStore, Writing
from facelib.server.problems import Problem
from facelib.server.security.callers import Caller, caller_of, note
from facelib.server.security.recognise import find_token
from facelib.server.security.secrets import digest_of, is_password, new_secret

router = APIRouter(prefix="/session", tags=["session"])

WINDOW = 900.0
"""Seconds for which a failed log-in counts."""

_ADDRESSES = 20  # how many times as many may fail by one name, from all addresses together, as from one


class Credentials(JsonBody):
    """A name with its password, or a token."""

    name: str = Field("", max_length=200, examples=["ada"])
    password: SecretStr = Field(SecretStr(""), max_length=1000)
    token: SecretStr = Field(SecretStr(""), max_length=200)


class SessionDocument(BaseModel):
    """Who is logged in."""

    name: str = Field(examples=["ada"])
    grants: list[Grants] = Field(description="Scopes by project, `*` for all; what is allowed is in each of them.")
    is_user: bool = Field(description="Whether it is a user with a password, who can change it.")
    csrf: str | None = Field(description="What a browser sends in the header X-CSRF-Token with every change.")


@router.post("", status_code=201)
def log_in(
    given: Credentials,
    request: Request,
    response: Response,
    store: CurrentStore,
    settings: CurrentSettings,
    callers: CurrentCallers,
) -> SessionDocument:
    """Log a browser in: the answer sets its cookie."""
    limits = _limits(_network(request.client.host if request.client else ""), given.name, settings.failed_logins)
    with store.begin() as session:
        refuse_too_many(session, limits)
    user, token = _who(given, store)
    if user is None and token is None:
        count_failure(store, limits)
        raise Problem(401, "expected a user's name and password, or a token; one of them is wrong")
    caller = caller_of(user, token)
    secret, csrf = new_secret(), new_secret()
    with store.begin() as session:
        forget_failures(session, limits)
        at = database_time(session)
        ids = {"user_id": user.id if user else None, "token_id": token.id if token else None}
        session.add(Login(digest=digest_of(secret), csrf=csrf, created=at, used=at, **ids))
        session.execute(delete(Login).where(Login.used < at - settings.session_hours * 3600))
        note(session, caller, "session.begin")
    response.set_cookie(
        callers.cookie,
        secret,
        max_age=round(settings.session_hours * 3600),
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return _document(caller, csrf)


@router.get("")
def show_session(caller: Anyone, store: CurrentStore) -> SessionDocument:
    """Say who is logged in."""
    with store.read() as session:
        login = session.get(Login, caller.login_id) if caller.login_id else None
        return _document(caller, login.csrf if login else None)


@router.delete("", status_code=204)
def log_out(
    caller: Anyone, session: Writing, response: Response, settings: CurrentSettings, callers: CurrentCallers
) -> None:
    """Log the browser out."""
    if caller.login_id is None:
        raise Problem(409, "expected a browser's log-in, got a token; revoke it at /api/v1/tokens instead")
    session.execute(delete(Login).where(Login.id == caller.login_id))
    note(session, caller, "session.end")
    response.delete_cookie(callers.cookie, secure=settings.secure_cookies, httponly=True, samesite="lax")


def _who(given: Credentials, store: Store) -> tuple[User | None, Token | None]:
    """Return the user or the token that the credentials are of."""
    secret, password = given.token.get_secret_value(), given.password.get_secret_value()
    with store.read() as session:
        if secret:
            token = find_token(session, digest_of(secret))
            return (token.user, token) if token else (None, None)
        user = session.scalar(select(User).where(User.name == given.name))
    return (user if is_password(password, user.password if user else None) else None), None


def _document(caller: Caller, csrf: str | None) -> SessionDocument:
    is_user = caller.user_id is not None
    return SessionDocument(name=caller.name, grants=list(caller.grants), is_user=is_user, csrf=csrf)


def _limits(network: str, name: str, most: int) -> dict[str, int]:
    """Return how many log-ins may fail by each key.

    By a name, others' failures count from one address alone: else anybody could lock its user out. By the name there, a
    guesser's own log-in, which starts the count of the address again, leaves it.
    """
    named = {f"name {name} at {network}": most, f"name {name}": _ADDRESSES * most} if name else {}
    return {f"address {network}": most, **named}


def _network(address: str) -> str:
    """Return the network that is one caller: of IPv6 a /64, of which everybody has all addresses."""
    try:
        own = ip_address(address)
    except ValueError:
        return address
    if isinstance(own, IPv6Address) and own.ipv4_mapped is None:
        return str(ip_network((own, 64), strict=False))
    return address


def refuse_too_many(session: Session, limits: Mapping[str, int]) -> None:
    """Refuse a log-in when more failed within `WINDOW` by one of the keys, each counted by itself, than its limit.

    Raises:
        Problem: 429, with the seconds to wait.
    """
    since = database_time(session) - WINDOW
    for key, most in limits.items():
        query = select(func.count(), func.min(Attempt.at)).where(Attempt.key == digest_of(key), Attempt.at >= since)
        failed, first = session.execute(query).one()
        if failed >= most:
            wait = max(1, round(first - since))
            detail = f"expected at most {most} wrong log-ins in {WINDOW / 60:.0f} minutes; wait {wait} seconds"
            raise Problem(429, detail, headers={"Retry-After": str(wait)})


def count_failure(store: Store, limits: Mapping[str, int]) -> None:
    """Count a failed log-in, and forget those that count no more.

    Raises:
        Problem: 429, when others that were tried at once were too many.
    """
    with store.begin() as session:
        refuse_too_many(session, limits)
        at = database_time(session)
        session.execute(delete(Attempt).where(Attempt.at < at - WINDOW))
        session.add_all([Attempt(key=digest_of(key), at=at) for key in limits])


def forget_failures(session: Session, limits: Mapping[str, int]) -> None:
    """Start counting again, after a log-in that succeeded.

    Raises:
        Problem: 429, when others that were tried at once were too many: then this one may be a guess as well.
    """
    refuse_too_many(session, limits)
    session.execute(delete(Attempt).where(Attempt.key.in_([digest_of(key) for key in limits])))
