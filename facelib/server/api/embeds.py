"""Addresses that show one film with its names on other sites: made, listed, taken back."""

from __future__ import annotations

import html
import secrets
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from facelib.project import text_of
from facelib.server.api.videos import VideoId
from facelib.server.database import Embed
from facelib.server.database.store import database_time
from facelib.server.dependencies import Admin, CurrentProject, CurrentSettings, Page, Paged, Writing, page_of
from facelib.server.films import find_named
from facelib.server.problems import Problem
from facelib.server.security.callers import note

router = APIRouter(prefix="/projects/{project}/videos/{video}/embeds", tags=["embedding"])


class EmbedDocument(BaseModel):
    """An address for other sites."""

    key: str = Field(description="Whoever has it sees the film.")
    address: str = Field(examples=["https://films.example.org/embed/3mX0..."])
    html: str = Field(description="What the other site puts into its page.")
    by: str = Field(description="Who made it.")
    created: float = Field(description="Seconds since 1970, UTC.")


@router.get("")
def list_embeds(
    video: VideoId, _caller: Admin, project: CurrentProject, session: Writing, paging: Paged, request: Request
) -> Page[EmbedDocument]:
    """List the addresses that show a film on other sites."""
    find_named(project, video)
    rows = select(Embed).where(Embed.project == text_of(project.name), Embed.video == video).order_by(Embed.created)
    page = page_of(list(session.scalars(rows)), paging)
    items = [_document(row, request) for row in page.items]
    return page.shown_as(items)


@router.post("", status_code=201)
def make_embed(
    video: VideoId, caller: Admin, project: CurrentProject, settings: CurrentSettings, session: Writing,
    request: Request, response: Response,
) -> EmbedDocument:  # fmt: skip
    """Make an address that shows a film, without a log-in, on the sites that the server's owner allows."""
    find_named(project, video)
    if not settings.embed_sites:
        raise Problem(
            409, "expected sites that may embed films, the server has none; its owner names them in FACELIB_EMBED_SITES"
        )
    key = secrets.token_urlsafe(24)
    row = Embed(key=key, project=text_of(project.name), video=video, by=caller.name, created=database_time(session))
    session.add(row)
    note(session, caller, "embed.make", row.project)
    response.headers["Location"] = f"/embed/{key}"
    return _document(row, request)


@router.delete("/{key}", status_code=204)
def take_embed_back(
    video: VideoId, key: Annotated[str, Path(max_length=64)], caller: Admin, project: CurrentProject, session: Writing
) -> None:
    """Withdraw an address: it no longer shows anything."""
    row = session.get(Embed, key)
    if row is None or (row.project, row.video) != (text_of(project.name), video):
        raise Problem(404, f"expected the key of an address of this film, got {key!r}")
    session.delete(row)
    note(session, caller, "embed.end", row.project)


def _document(row: Embed, request: Request) -> EmbedDocument:
    address = f"{str(request.base_url).rstrip('/')}/embed/{row.key}"
    frame = (
        f'<iframe src="{html.escape(address)}" width="640" height="420" style="border:0" allow="fullscreen" '
        f'title="{html.escape(row.video)}"></iframe>'
    )
    return EmbedDocument(key=row.key, address=address, html=frame, by=row.by, created=row.created)
