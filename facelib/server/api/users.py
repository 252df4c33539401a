"""Users: made, listed, changed, removed."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import delete, select, update

from facelib.server.api.session import count_failure, forget_failures, refuse_too_many
from facelib.server.api.tokens import CheckedGrants, refuse_more_than
from facelib.server.bodies import JsonBody
from facelib.server.database import Login, User
from facelib.server.database.models import Grants
from facelib.server.database.store import database_time
from facelib.server.dependencies import Anyone, CurrentSettings, CurrentStore, Owner, Page, Paged, Writing, page_of
from facelib.server.problems import Problem
from facelib.server.security.callers import note
from facelib.server.security.secrets import hash_password, is_password

router = APIRouter(prefix="/users", tags=["users"])

_PASSWORD = Field(min_length=10, max_length=1000, description="At least 10 characters.")


class NewUser(JsonBody):
    """A user to make."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$", examples=["ada"])
    password: SecretStr = _PASSWORD
    grants: CheckedGrants


class ChangedUser(JsonBody):
    """What to change of a user; what is left out stays."""

    password: SecretStr | None = Field(None, min_length=10, max_length=1000)
    grants: CheckedGrants | None = None


class ChangedPassword(JsonBody):
    """One's own password, the old one and the new one."""

    old: SecretStr = Field(max_length=1000)
    new: SecretStr = _PASSWORD


class UserDocument(BaseModel):
    """A user."""

    id: int
    name: str
    grants: Grants
    created: float = Field(description="Seconds since 1970, UTC.")


@router.get("")
def list_users(_caller: Owner, session: Writing, paging: Paged) -> Page[UserDocument]:
    """List the users, by name."""
    page = page_of(session.execute(select(User).order_by(User.name)).scalars().all(), paging)
    return page.shown_as([UserDocument.model_validate(row, from_attributes=True) for row in page.items])


@router.post("", status_code=201)
def make_user(new: NewUser, caller: Owner, session: Writing) -> UserDocument:
    """Make a user, who logs in with the password."""
    refuse_more_than(caller, new.grants)
    password = hash_password(new.password.get_secret_value())  # nobody else can write once the session has begun
    if session.execute(select(User).where(User.name == new.name)).first():
        raise Problem(409, f"expected the name of a new user, got {new.name!r}, which exists already; choose another")
    row = User(name=new.name, password=password, grants=new.grants, created=database_time(session))
    session.add(row)
    session.flush()
    note(session, caller, "user.make", user=row.id)
    return UserDocument.model_validate(row, from_attributes=True)


@router.put("/me/password", status_code=204)
def change_own_password(
    changed: ChangedPassword, caller: Anyone, store: CurrentStore, settings: CurrentSettings
) -> None:
    """Change the caller's password; other browsers are logged out. A wrong one counts as a failed log-in."""
    limits = {f"password of {caller.name}": settings.failed_logins}
    with store.begin() as session:
        row = session.get(User, caller.user_id) if caller.user_id else None
        if row is None:
            raise Problem(409, "expected a user with a password, got a token of the server; make a user first")
        refuse_too_many(session, limits)
    if not is_password(changed.old.get_secret_value(), row.password):
        count_failure(store, limits)
        raise Problem(403, "expected the current password as 'old', got another")
    password = hash_password(changed.new.get_secret_value())
    with store.begin() as session:
        forget_failures(session, limits)
        session.execute(update(User).where(User.id == row.id).values(password=password))
        session.execute(delete(Login).where(Login.user_id == row.id, Login.id != (caller.login_id or 0)))
        note(session, caller, "user.password", user=row.id)


@router.patch("/{user}")
def change_user(user: int, changed: ChangedUser, caller: Owner, session: Writing) -> UserDocument:
    """Change a user's password or grants; the user's browsers are logged out when the password changes."""
    password = hash_password(changed.password.get_secret_value()) if changed.password is not None else None
    row = _row(session.get(User, user) if 0 <= user < 2**31 else None, user)
    if changed.grants is not None:
        refuse_more_than(caller, changed.grants)
        row.grants = dict(changed.grants)
    if password is not None:
        row.password = password
        session.execute(delete(Login).where(Login.user_id == row.id))
    note(session, caller, "user.change", user=user)
    return UserDocument.model_validate(row, from_attributes=True)


@router.delete("/{user}", status_code=204)
def remove_user(user: int, caller: Owner, session: Writing) -> None:
    """Remove a user, and with it the user's tokens and log-ins."""
    session.delete(_row(session.get(User, user) if 0 <= user < 2**31 else None, user))
    note(session, caller, "user.remove", user=user)


def _row(found: User | None, number: int) -> User:
    if found is None:
        raise Problem(404, f"expected the number of a user, got {number!r}; GET /api/v1/users lists them")
    return found
