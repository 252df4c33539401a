"""Answers kept as bytes, sent in pieces, and made ready while a server starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep
from typing import Any

import anyio
import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.answers import Content, answer_content
from facelib.server.cached import Kept
from facelib.server.films import FilmPages
from facelib.server.reviews import Reviews
from facelib.server.settings import ServerSettings
from facelib.server.warming import warm_up
from tests.waiting import PATIENCE

LISTS = ("videos", "people", "tracks", "videos/{film}/tracks", "videos/{film}/appearances", "unknowns")


def test_what_many_ask_for_at_once_is_made_once() -> None:
    kept, made, begin = Kept[int](2), [], Barrier(8)

    def make() -> int:
        sleep(0.1)
        made.append(1)
        return 7

    def ask(state: str) -> int:
        begin.wait(PATIENCE)
        return kept.find("key", state, make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, ["a"] * 8)) == [7] * 8 and len(made) == 1
        assert list(pool.map(ask, ["b"] * 8)) == [7] * 8 and len(made) == 2


def test_what_is_forgotten_while_it_is_made_is_not_kept() -> None:
    kept = Kept[int](2)

    def make() -> int:
        kept.forget()  # waits for nothing that is being made
        return 7

    assert kept.find("key", "a", make) == 7
    assert kept.find("key", "a", lambda: 8) == 8 == kept.find("key", "a", lambda: 9)


@pytest.mark.parametrize(("size", "pieces"), [(0, 1), (2**18, 1), (2**18 + 1, 2), (600_000, 3)])
def test_a_long_answer_leaves_in_pieces(size: int, pieces: int) -> None:
    content = os.urandom(size)
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as thread:  # in this one the loop of another test's browser may run
        answer = answer_content(Content('"a"', content), Request({"type": "http", "headers": []}))
        thread.submit(anyio.run, answer, {"type": "http"}, None, send).result()  # type: ignore[arg-type]
    start, *bodies = sent
    assert dict(start["headers"])[b"content-length"] == str(size).encode()
    assert b"".join(body["body"] for body in bodies) == content
    assert [body["more_body"] for body in bodies] == [True] * (pieces - 1) + [False]


def test_lists_are_known_by_their_tag_until_something_changes(named: Project, films: TestClient) -> None:
    own = "/api/v1/projects/demo"
    film = films.get(f"{own}/videos").json()["items"][0]["id"]
    places = [f"{own}/{place.format(film=film)}" for place in LISTS]
    first = {place: films.get(place) for place in places}
    for place, answer in first.items():
        again = films.get(place, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304 and not again.content, place
        assert films.get(place).json() == answer.json()
    track = first[f"{own}/videos/{film}/tracks"].json()["items"][0]
    new = {"tracks": [{"video": film, "track": track["track"]}], "action": "unknown"}
    assert films.post(f"{own}/corrections", json=new).status_code == 201
    for place in places:
        now = films.get(place, headers={"If-None-Match": first[place].headers["etag"]})
        assert now.status_code == (304 if place.endswith(("people", "unknowns")) else 200), place
    assert films.get(f"{own}/videos/{film}/tracks").json()["items"][0]["decided"]


def test_the_newest_films_are_made_ready(
    named: Project, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, stopped = named.find_videos()[0], Event()
    stopped.set()
    cold, warm = FilmPages(), FilmPages()
    warm_up(settings, cold, Reviews(), stopped)
    warm_up(settings, warm, Reviews(), Event())

    def made(*_given: object, **_named: object) -> None:
        raise RuntimeError("made only now")

    monkeypatch.setattr("facelib.server.films.film_data", made)
    assert warm.film_page(named, film).plain.startswith(b"{")
    with pytest.raises(RuntimeError, match="made only now"):
        cold.film_page(named, film)


def test_a_damaged_table_is_left_for_the_one_who_asks(
    named: Project, make_app: Callable[..., FastAPI], settings: ServerSettings
) -> None:
    named.film(named.find_videos()[0]).tracks.write_bytes(b"no table")
    warm_up(settings, FilmPages(), Reviews(), Event())
    with TestClient(make_app()) as client:
        assert client.get("/health").status_code == 200
