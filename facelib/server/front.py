"""The page at `/`: the modules of the project page and those that only a server needs, served as they are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request, Response

from facelib.page.bundle import page_folder
from facelib.server.problems import Problem

router = APIRouter(include_in_schema=False)

_ASK_AGAIN = {"Cache-Control": "no-cache"}


@router.get("/")
@router.get("/projects")
@router.get("/projects/{project}")
def page(request: Request, project: str = "") -> Response:
    """Return the page; it holds no data, and asks the API for them once somebody is logged in."""
    return answer_page(request, "page_server")


@router.get("/assets/{name}.css")
def style(name: Literal["page", "server"]) -> Response:
    """Return the page's styles."""
    folder = page_folder() if name == "page" else _own()
    return Response(_read(str(folder.joinpath(f"{name}.css"))), media_type="text/css", headers=_ASK_AGAIN)


@router.get("/assets/{where}/{name}.js")
def module(
    where: Literal["modules", "server"], name: Annotated[str, Path(pattern="^[a-z_]+$", max_length=60)]
) -> Response:
    """Return a module of the page."""
    folder = page_folder().joinpath("modules") if where == "modules" else _own()
    file = folder.joinpath(f"{name}.js")
    if not file.is_file():
        raise Problem(404, f"expected a module of the page, got {name!r}")
    return Response(_read(str(file)), media_type="text/javascript", headers=_ASK_AGAIN)


def answer_page(request: Request, script: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the page that runs a module."""
    content = _read(str(_own().joinpath("page.html"))).replace(b"{script}", script.encode())
    content = content.replace(b"{root}", request.scope.get("root_path", "").encode())
    return Response(content, media_type="text/html", headers={**_ASK_AGAIN, **(headers or {})})


def _own() -> Traversable:
    return resources.files("facelib.server").joinpath("page")


@lru_cache(maxsize=128)
def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
