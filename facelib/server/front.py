"""The page at `/`: the modules of the project page and those that only a server needs, served as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Request, Response

from facelib.page.bundle import page_folder
from facelib.server.middleware import is_named
from facelib.server.problems import Problem

router = APIRouter(include_in_schema=False)


@router.get("/")
@router.get("/projects")
@router.get("/projects/{project}")
def page(request: Request, project: str = "", if_none_match: Annotated[str, Header()] = "") -> Response:
    """Return the page; it holds no data, and asks the API for them once somebody is logged in."""
    return answer_page(request, "page_server", if_none_match)


@router.get("/assets/{name}.css")
def style(name: Literal["page", "server"], if_none_match: Annotated[str, Header()] = "") -> Response:
    """Return the page's styles."""
    folder = page_folder() if name == "page" else _own()
    return _answer(_read(str(folder.joinpath(f"{name}.css"))), "text/css; charset=utf-8", if_none_match)


@router.get("/assets/{where}/{name}.js")
def module(
    where: Literal["modules", "server"],
    name: Annotated[str, Path(pattern="^[a-z_]+$", max_length=60)],
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Return a module of the page."""
    folder = page_folder().joinpath("modules") if where == "modules" else _own()
    file = folder.joinpath(f"{name}.js")
    if not file.is_file():
        raise Problem(404, f"expected a module of the page, got {name!r}")
    return _answer(_read(str(file)), "text/javascript; charset=utf-8", if_none_match)


def answer_page(request: Request, script: str, known: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the page that runs a module, or 304 where the browser has it."""
    content = _read(str(_own().joinpath("page.html"))).replace(b"{script}", script.encode())
    content = content.replace(b"{root}", request.scope.get("root_path", "").encode())
    return _answer(content, "text/html; charset=utf-8", known, headers)


def _own() -> Traversable:
    return resources.files("facelib.server").joinpath("page")


def _answer(content: bytes, kind: str, known: str, more: Mapping[str, str] | None = None) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", **(more or {})}
    if is_named(tag, known):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


@lru_cache(maxsize=128)
def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
