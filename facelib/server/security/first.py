"""The token that a server makes at its first start, so that somebody can log in."""

from __future__ import annotations

from sqlalchemy import func, select

from facelib.server.database import Store, Token, User
from facelib.server.database.store import database_time
from facelib.server.security.callers import EVERY_PROJECT
from facelib.server.security.secrets import TOKEN_PREFIX, digest_of, new_secret


def make_first_token(store: Store) -> str | None:
    """Return a token that may do everything, when there is neither a user nor a token yet; it is shown only once."""
    with store.begin() as session:
        known = [session.scalar(select(func.count()).select_from(table)) for table in (User, Token)]
        if any(known):
            return None
        secret = new_secret(TOKEN_PREFIX)
        grants = {EVERY_PROJECT: "admin"}
        session.add(Token(name="first start", digest=digest_of(secret), grants=grants, created=database_time(session)))
    return secret
