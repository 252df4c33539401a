"""The player for other sites: only where the owner allows it, one film alone, until its address is taken back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, expect
from starlette.testclient import TestClient

from facelib.project import Project
from tests.pages import new_context
from tests.serving import Quiet, running, serving

SITE = "https://films.example.org"


@pytest.fixture
def database_url() -> str:
    """SQLite alone."""
    return ""


@pytest.fixture
def serve(make_app: Callable[..., FastAPI]) -> Callable[..., TestClient]:
    """Return a factory of clients that may do everything, of servers that let these sites embed films."""

    def make(*sites: str) -> TestClient:
        first = make_app()  # the token is made once
        app = make_app(embed_sites=list(sites))
        token = first.state.first_token or serve.token  # type: ignore[attr-defined]
        serve.token = token  # type: ignore[attr-defined]
        return TestClient(app, headers={"Authorization": f"Bearer {token}"})

    serve = make
    return make


def embeds(project: Project) -> str:
    return f"/api/v1/projects/demo/videos/{project.film(project.find_videos()[0]).folder.name}/embeds"


def test_one_film_is_shown_without_a_log_in(named: Project, serve: Callable[..., TestClient]) -> None:
    client = serve(SITE)
    stranger = TestClient(client.app)
    made = client.post(embeds(named)).json()
    page = stranger.get(f"/embed/{made['key']}")
    assert made["address"] in made["html"] and page.status_code == 200
    assert f"frame-ancestors {SITE}" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"] and "x-frame-options" not in page.headers
    data = stranger.get(f"/embed/{made['key']}/page").json()
    assert data["film"]["exports"] == [] and data["film"]["id"] == "demo"
    assert {one["name"] for one in data["people"]} == {one["name"] for one in data["film"]["labels"]} - {"unknown"}
    source = data["film"]["sources"][0]["href"]
    part = stranger.get(source, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert stranger.get(source.replace("source", "reel")).status_code == 404
    assert stranger.get(f"/embed/{made['key']}x").status_code == 404
    assert stranger.get(embeds(named)).status_code == 401
    assert client.get(embeds(named)).json()["items"] == [made]
    assert client.delete(f"{embeds(named)}/{made['key']}").status_code == 204
    for path in ("", "/page", "/media/source"):
        assert stranger.get(f"/embed/{made['key']}{path}").status_code == 404
    assert client.delete(f"{embeds(named)}/{made['key']}").status_code == 404


def test_nothing_is_embedded_without_a_site(named: Project, serve: Callable[..., TestClient]) -> None:
    key = serve(SITE).post(embeds(named)).json()["key"]
    closed = serve()
    assert closed.get(f"/embed/{key}").status_code == 404
    refused = closed.post(embeds(named))
    assert refused.status_code == 409 and "FACELIB_EMBED_SITES" in refused.json()["detail"]


class _OtherSite(Quiet):
    frame = ""

    def do_GET(self) -> None:
        self.give(f"<!doctype html><title>Other</title>{self.frame}".encode())


@pytest.fixture
def other_site() -> Iterator[tuple[str, type[_OtherSite]]]:
    """The address of another site, and the handler whose `frame` its page has."""
    with running(serving(_OtherSite)) as address:
        yield address.replace("127.0.0.1", "localhost"), _OtherSite


def test_a_browser_shows_it_where_it_is_allowed(
    named: Project, serve: Callable[..., TestClient], other_site: tuple[str, type[_OtherSite]], browser: Browser
) -> None:
    address, handler = other_site
    client = serve(address)
    key = client.post(embeds(named)).json()["key"]
    server = uvicorn.Server(uvicorn.Config(client.app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    own = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    handler.frame = f'<iframe src="{own}/embed/{key}" width="640" height="420"></iframe>'
    page = new_context(browser).new_page()
    try:
        page.goto(address)
        inside = page.frame_locator("iframe")
        expect(inside.get_by_role("list", name="On screen now").get_by_role("listitem").first).to_be_visible()
        page.goto(address.replace("localhost", "127.0.0.1"))  # another site, which nobody allowed
        expect(page.frame_locator("iframe").get_by_role("list", name="On screen now")).to_have_count(0)
        page.wait_for_load_state()
        assert page.frames[-1].url.startswith("chrome-error:")
    finally:
        page.context.close()
        server.should_exit = True
        thread.join()
