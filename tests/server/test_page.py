"""The served page in a real browser: from the log-in to a search, with two people watching."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Request, expect

from facelib.project import Project
from facelib.project.decisions import read_corrections
from tests.pages import find_barriers, new_context, until

pytestmark = pytest.mark.browser
VIEWS = ["", "view=review", "view=unknowns", "view=gallery", "view=faces", "view=jobs", "view=settings"]


@pytest.fixture
def database_url() -> str:
    """SQLite alone: what the page shows comes from the API, which other tests try on both."""
    return ""


@pytest.fixture(params=[""])
def address(named: Project, make_app, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The address of a server over the demo with its films, and the token of its first start."""
    app: FastAPI = make_app(workers=0, root_path=request.param)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}{request.param}", app.state.first_token
    server.should_exit = True
    thread.join()


def log_in(browser: Browser, address: tuple[str, str], **options) -> Page:
    page = new_context(browser, **options).new_page()
    page.goto(address[0])
    page.get_by_role("textbox", name="Token").fill(address[1])
    page.get_by_role("form", name="Log in with a token").get_by_role("button").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    return page


def open_view(page: Page, address: tuple[str, str], words: str) -> None:
    page.goto(f"{address[0]}/projects/demo#{words}")
    page.reload()
    page.wait_for_selector("main h1")


APP = "document.querySelector('#facelib-page').app"


def test_from_the_log_in_to_a_search(browser: Browser, address: tuple[str, str], named: Project) -> None:
    page = log_in(browser, address)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    page.get_by_role("link", name="demo").click()
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_visible()

    # A film plays, its boxes in step.
    open_view(page, address, "film=demo&t=0.1")
    until(page, f"{APP}.view.player.video.readyState >= 2 && {APP}.view.player.drawn.length > 0")
    now = page.get_by_role("list", name="On screen now")
    name = page.evaluate(f"{APP}.view.player.drawn[0].look.label")
    expect(now).to_contain_text(name)
    page.keyboard.press("k")
    until(page, f"{APP}.view.player.video.currentTime > 0.25")
    page.evaluate(f"{APP}.view.player.video.pause()")
    for seconds in (1.3, 0.5, 0.9):
        page.evaluate(f"{APP}.view.player.seek({seconds})")
        until(page, f"{APP}.view.player.frame === {APP}.view.film.frameAt({seconds})")

    # A name is corrected in it, seen by a second browser at once, and taken back.
    page.evaluate(f"{APP}.view.player.seek(0.1)")
    other = log_in(browser, address)
    open_view(other, address, "film=demo&t=0.1")
    expect(other.get_by_role("list", name="On screen now")).to_contain_text(name)
    now.get_by_role("button", name="Correct").first.click()
    dialog = page.get_by_role("dialog", name="Correct a name")
    dialog.get_by_role("combobox", name="Who is this?").fill("Mary Shelley")
    page.keyboard.press("Enter")
    expect(now).to_contain_text("Mary Shelley")
    expect(other.get_by_role("list", name="On screen now")).to_contain_text("Mary Shelley")
    assert read_corrections(named.corrections)["is"].tolist() == ["Mary Shelley"]
    open_view(page, address, "view=review")
    page.keyboard.press("z")
    expect(page.get_by_role("status").first).to_contain_text("Took the last decision back")
    expect(other.get_by_role("list", name="On screen now")).to_contain_text(name)

    # The review by keyboard.
    until(page, f"{APP}.view.tracks.length > 2")
    page.keyboard.press("ArrowRight")
    track = page.evaluate(f"{APP}.view.tracks[1].track")
    page.keyboard.press("x")
    expect(page.get_by_role("status").first).to_contain_text("no face")
    said = read_corrections(named.corrections).iloc[-1]
    assert (said["track"], said["is"]) == (track, "not a face")
    page.keyboard.press("z")
    expect(page.get_by_role("status").first).to_contain_text("Took the last decision back")

    # An unknown group is named, whole.
    open_view(page, address, "view=unknowns")
    page.get_by_role("button", name="Name Unknown 1").click()
    dialog.get_by_role("combobox", name="Who is this?").fill("Ann Onymous")
    dialog.get_by_role("checkbox").check()
    page.keyboard.press("Tab")
    dialog.get_by_role("button", name="Give this name").click()
    expect(page.get_by_role("link", name="Unknown 1", exact=True)).to_have_count(0)

    # Two people are searched for together.
    open_view(page, address, "view=search&with=Eileen+Collins&with=Grace+Hopper")
    expect(page.get_by_role("status").first).to_contain_text("moment")
    page.locator(".search-view .stretch").first.click()
    until(page, f"{APP}.view?.player?.drawn.length >= 2")
    assert not broken
    other.context.close()
    page.context.close()


def test_pictures_are_left_out_and_shown_whole(browser: Browser, address: tuple[str, str], named: Project) -> None:
    page = log_in(browser, address)
    open_view(page, address, "view=gallery")
    card = page.locator(".board-card").first
    card.get_by_role("button", name="Leave out").click()
    expect(page.locator(".board-card").first.get_by_role("button", name="Take in again")).to_be_visible()
    assert len(named.disabled.read_text().splitlines()) >= 1
    page.get_by_label("Show the faces alone").uncheck()
    expect(page.locator(".board-picture").first).to_be_visible()
    page.get_by_role("button", name="Grace Hopper (").click()
    expect(page.get_by_title("Grace Hopper: broken_download.jpg")).to_have_text("\u2013")
    page.get_by_role("textbox", name="Name of a new person").fill("Grace Hoper")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("nearly 'Grace Hopper'")
    page.context.close()


def test_no_view_keeps_anybody_out(browser: Browser, address: tuple[str, str]) -> None:
    page = log_in(browser, address)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    for kind in ("requestfinished", "requestfailed"):
        page.on(kind, lambda request: asked.remove(request) if request in asked else None)
    for words in [*VIEWS, "film=demo&t=0.1"]:
        open_view(page, address, words)
        settle(page, asked)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            until(page, f"document.querySelector('#facelib-page').dataset.theme === '{theme}'")
            until(page, "document.getAnimations().every((one) => one.playState !== 'running')")
            assert find_barriers(page) == [], (words, theme)
        for width in (360, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (words, width)
    page.context.close()


def settle(page: Page, asked: list[Request]) -> None:
    """Wait until nothing is being fetched, three times in a row; the stream of events never ends."""
    quiet = 0
    while quiet < 3:
        page.wait_for_timeout(50)
        quiet = quiet + 1 if all("/events" in one.url for one in asked) else 0


def test_nothing_without_a_log_in(browser: Browser, address: tuple[str, str]) -> None:
    page = new_context(browser).new_page()
    page.goto(f"{address[0]}/projects/demo#view=review")
    expect(page.get_by_role("heading", name="With a token")).to_be_visible()
    page.get_by_role("textbox", name="Token").fill("wrong")
    page.get_by_role("form", name="Log in with a token").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("expected")
    page.context.close()


@pytest.mark.parametrize("address", ["/films/here"], indirect=True)
def test_below_a_path_nothing_is_asked_for_outside_of_it(browser: Browser, address: tuple[str, str]) -> None:
    page = log_in(browser, address)
    outside: list[str] = []
    page.on("request", lambda asked: None if asked.url.startswith((address[0], "data:")) else outside.append(asked.url))
    page.get_by_role("link", name="demo").click()
    page.locator(".tiles.films .tile-title").first.click()
    until(page, f"{APP}.view.player?.video.readyState >= 2")
    for words in VIEWS:
        open_view(page, address, words)
    page.get_by_role("link", name="Projects", exact=True).click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    assert page.url == f"{address[0]}/"
    page.context.close()
    assert outside == []


def test_a_log_in_that_ended_in_another_tab_is_asked_for_again(
    browser: Browser, address: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = "facelib.server.api.events._CHECKED"
    monkeypatch.setattr(looks, 600.0)
    page = log_in(browser, address)
    open_view(page, address, "view=review")
    idle, other = page.context.new_page(), page.context.new_page()
    for tab, words in ((idle, "view=jobs"), (other, "view=gallery")):
        open_view(tab, address, words)
    other.get_by_role("link", name="Projects").click()
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_role("heading", name="With a token")).to_be_visible()
    page.get_by_role("link", name="Gallery", exact=True).click()
    expect(page.get_by_role("heading", name="With a token")).to_be_visible()
    monkeypatch.setattr(looks, 0.5)
    expect(idle.get_by_role("heading", name="With a token")).to_be_visible()  # the stream of events ends
    page.get_by_role("textbox", name="Token").fill(address[1])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    page.context.close()


def test_a_film_that_is_left_out_says_why(browser: Browser, address: tuple[str, str], named: Project) -> None:
    page = log_in(browser, address)
    named.film("demo.mp4").detections.unlink()
    for film, said in (("demo", "detections.parquet is missing"), ("none", "expected one of the project's films")):
        page.goto(f"{address[0]}/projects/demo#film={film}")
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text(said)
    page.context.close()


def test_a_project_that_is_gone_leaves_a_way_back(browser: Browser, address: tuple[str, str]) -> None:
    page = log_in(browser, address)
    page.goto(f"{address[0]}/projects/gone")
    expect(page.get_by_text("got 'gone'")).to_be_visible()
    page.get_by_role("link", name="facelib").click()
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    page.goto(f"{address[0]}/projects")
    expect(page.get_by_role("link", name="demo")).to_be_visible()
    page.context.close()
