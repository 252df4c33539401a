"""API tokens: made, listed, revoked. A token is shown once, in the answer that makes it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import func, select

from facelib.server.bodies import JsonBody
from facelib.server.database import Store, Token, User
from facelib.server.database.models import Grants
from facelib.server.database.store import database_time
from facelib.server.dependencies import Anyone, Page, Paged, Writing, page_of
from facelib.server.problems import Problem
from facelib.server.security.callers import EVERY_PROJECT, Caller, Scope, note
from facelib.server.security.secrets import TOKEN_PREFIX, digest_of, new_secret

CheckedGrants = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=255)], Scope],
    Field(
        min_length=1,
        max_length=1000,
        description="What is allowed in each project: `read`, `correct` or `admin`; `*` stands for all projects.",
        examples=[{"demo": "read"}],
    ),
]


def refuse_more_than(caller: Caller, grants: dict[str, Scope]) -> None:
    """Refuse to give what the caller does not have.

    Raises:
        Problem: 403, with the first grant that is too much.
    """
    for project, scope in grants.items():
        if not caller.may(scope, project):
            raise Problem(403, f"expected grants that you have yourself, got {scope!r} in {project!r}")


router = APIRouter(prefix="/tokens", tags=["tokens"])


class NewToken(JsonBody):
    """A token to make."""

    name: str = Field(min_length=1, max_length=200, description="What it is for.", examples=["nightly run"])
    grants: CheckedGrants


class TokenDocument(BaseModel):
    """A token, without its secret."""

    id: int
    name: str
    user: str | None = Field(description="Whose it is; null for the one of the first start.")
    grants: Grants
    created: float = Field(description="Seconds since 1970, UTC.")
    used: float | None = Field(description="When it was used last, to the minute; null if never.")


class MadeToken(TokenDocument):
    """A token that was just made."""

    token: str = Field(description="The secret; it is shown now and never again.")


@router.get("")
def list_tokens(caller: Anyone, session: Writing, paging: Paged) -> Page[TokenDocument]:
    """List the caller's tokens; the server's owner sees all."""
    rows = session.execute(select(Token).order_by(Token.id)).scalars()
    page = page_of([row for row in rows if _is_own(caller, row)], paging)
    return page.shown_as([_document(row) for row in page.items])


@router.post("", status_code=201)
def make_token(new: NewToken, caller: Anyone, session: Writing) -> MadeToken:
    """Make a token that allows no more than its maker may do."""
    refuse_more_than(caller, new.grants)
    secret = new_secret(TOKEN_PREFIX)
    row = Token(
        name=new.name,
        digest=digest_of(secret),
        grants=new.grants,
        user_id=caller.user_id,
        created=database_time(session),
    )
    session.add(row)
    session.flush()
    note(session, caller, "token.make", token=row.id)
    return MadeToken(**_document(row).model_dump(), token=secret)


@router.delete("/{token}", status_code=204)
def revoke_token(token: int, caller: Anyone, session: Writing) -> None:
    """Revoke a token; whoever is logged in by it is logged out."""
    row = session.get(Token, token) if 0 <= token < 2**31 else None
    if row is None or not _is_own(caller, row):
        raise Problem(404, f"expected the number of one of your tokens, got {token!r}; GET /api/v1/tokens lists them")
    session.delete(row)
    note(session, caller, "token.revoke", token=token)


def _is_own(caller: Caller, row: Token) -> bool:
    return caller.may("admin") or (caller.user_id is not None and row.user_id == caller.user_id)


def _document(row: Token) -> TokenDocument:
    return TokenDocument(
        id=row.id,
        name=row.name,
        user=row.user.name if row.user else None,
        grants=row.grants,
        created=row.created,
        used=row.used,
    )


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
