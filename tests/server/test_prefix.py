"""A server behind a proxy that shows it under a path of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.settings import ServerSettings


@pytest.fixture
def database_url() -> str:
    """SQLite alone: no path is kept in the database."""
    return ""


@pytest.mark.parametrize("taken_off", [True, False])
def test_every_address_has_the_prefix(make_app: Callable[..., FastAPI], named: Project, taken_off: bool) -> None:
    app = make_app(root_path="/films/", embed_sites=["https://example.org"])
    before = "" if taken_off else "/films"
    with TestClient(app, headers={"Authorization": f"Bearer {app.state.first_token}"}) as client:
        for path in ("/", "/projects/demo"):
            page = client.get(before + path)
            assert page.text.count('"/films/assets/') == 3 and '"/assets' not in page.text
        assert client.get(f"{before}/assets/server/page_server.js").status_code == 200
        assert client.get(f"{before}/health").json() == {"status": "ok"}
        made = client.post(f"{before}/api/v1/projects", json={"name": "own"})
        assert made.headers["Location"] == "/films/api/v1/projects/own"
        assert client.get(made.headers["Location"]).json()["name"] == "own"
        embeds = f"{before}/api/v1/projects/demo/videos/demo/embeds"
        embed = client.post(embeds).json()
        assert embed["address"] == f"http://testserver/films/embed/{embed['key']}"
        film = client.get(f"{before}/embed/{embed['key']}/page").json()["film"]
        assert {source["href"].startswith("/films/embed/") for source in film["sources"]} == {True}
        assert client.get(film["sources"][0]["href"]).headers["content-type"] == "video/mp4"
        described = client.get(f"{before}/api/v1/openapi.json").json()
        assert described["servers"] == [{"url": "/films"}]


def test_without_a_prefix_nothing_is_below_one(make_app: Callable[..., FastAPI]) -> None:
    with TestClient(make_app()) as client:
        assert client.get("/films/health").status_code == 404
        assert 'href="/assets/page.css"' in client.get("/").text


@pytest.mark.parametrize(("given", "path"), [("", ""), ("/", ""), ("films", "/films"), ("/a/b-c/", "/a/b-c")])
def test_a_prefix_is_a_path(given: str, path: str) -> None:
    assert ServerSettings(root_path=given).root_path == path


@pytest.mark.parametrize("given", ['/"><script>', "/a b", "/a//b", "/a?b", "https://example.org"])
def test_what_is_no_path_is_no_prefix(given: str) -> None:
    with pytest.raises(ValidationError, match="expected a path such as '/facelib'"):
        ServerSettings(root_path=given)
