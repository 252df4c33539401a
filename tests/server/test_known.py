"""Answers and callers in memory: right for as long as nothing changes, and not an instant longer."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, event, select
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.answers import Answers, Content
from facelib.server.database import Store, Token, open_store
from facelib.server.settings import ServerSettings

DEMO = "/api/v1/projects/demo"
PLACES = ("page", "people", "videos", "tracks", "unknowns", "videos/{film}/page", "videos/{film}/tracks?limit=5")


@pytest.fixture
def places(films: TestClient) -> list[str]:
    """Addresses that were asked for once."""
    film = films.get(f"{DEMO}/videos").json()["items"][0]["id"]
    found = [f"{DEMO}/{place.format(film=film)}" for place in PLACES]
    assert {films.get(place).status_code for place in found} == {200}
    return found


@pytest.fixture
def other_server(settings: ServerSettings, films: TestClient) -> Iterator[Store]:
    """The database as another server has it open."""
    store = open_store(settings.database)
    yield store
    store.close()


def test_what_is_known_takes_no_way_through_the_endpoints(
    films: TestClient, places: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {place: films.get(place) for place in places}
    track = next(one for one in before[f"{DEMO}/tracks"].json()["items"])
    new = {"tracks": [{"video": track["video"], "track": track["track"]}], "action": "unknown"}

    def fail(*_given: object) -> None:
        raise RuntimeError("an endpoint was asked")

    with monkeypatch.context() as patch:
        for name in ("find", "send"):
            patch.setattr(Answers, name, fail)
        for place, answer in before.items():
            again = films.get(place)
            assert again.json() == answer.json(), place
            assert films.get(place, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert films.get(f"{DEMO}/tracks?limit=7").status_code == 500  # nobody asked for this
        assert films.post(f"{DEMO}/corrections", json=new).status_code == 201
        assert films.get(f"{DEMO}/tracks").status_code == 500
    assert films.get(f"{DEMO}/tracks").json() != before[f"{DEMO}/tracks"].json()
    asked = [line for line in films.get("/metrics").text.splitlines() if line.startswith("facelib_requests_total")]
    assert [line for line in asked if 'route="/api/v1/projects/{project}/tracks",status="200"' in line]


def test_what_is_known_is_for_those_who_may_read_it(
    films: TestClient, places: list[str], client_with: Callable[[dict[str, str]], TestClient], other_server: Store
) -> None:
    reader, stranger = client_with({"demo": "read"}), client_with({"other": "admin"})
    nobody = TestClient(films.app)
    for place in places:
        assert [one.get(place).status_code for one in (reader, stranger, nobody)] == [200, 404, 401], place
    with other_server.begin() as session:  # revoked by another server
        for token in session.scalars(select(Token)):
            if token.grants == {"demo": "read"}:
                session.delete(token)
    for place in places:
        assert [one.get(place).status_code for one in (reader, films)] == [401, 200], place


def test_a_project_that_is_taken_away_is_known_no_longer(films: TestClient, places: list[str], named: Project) -> None:
    shutil.move(named.data, named.data.with_name("elsewhere"))
    assert {films.get(place).status_code for place in places} == {404}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_caller_is_known_until_anything_is_written(films: TestClient, other_server: Store) -> None:
    asked: list[str] = []
    event.listen(films.app.state.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def questions() -> int:
        asked.clear()
        assert films.get(f"{DEMO}/people").status_code == 200
        return len([one for one in asked if "tokens" in one])

    assert [questions(), questions()][1] == 1  # the first one has noted the token's use, which is written
    assert [questions(), questions()] == [0, 0]
    with other_server.begin() as session:
        session.execute(delete(Token).where(Token.name == "nobody's"))
    assert questions() == 0  # nothing was written after all
    assert films.post("/api/v1/tokens", json={"name": "x", "grants": {"demo": "read"}}).status_code == 201
    assert [questions(), questions()] == [1, 0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_long_answer_is_compressed_for_those_who_take_that(films: TestClient, places: list[str]) -> None:
    place = places[0]
    plain = films.get(place, headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert "content-encoding" not in plain.headers and plain.headers["vary"] == "Accept-Encoding"
    with films.stream("GET", place, headers={"Accept-Encoding": "gzip, deflate, br"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip" and len(raw) < 0.8 * len(plain.content)
    assert json.loads(gzip.decompress(raw)) == plain.json()
    assert packed.headers["etag"] == plain.headers["etag"] and packed.headers["etag"].startswith("W/")


@pytest.mark.parametrize("content", [b"{}", b"[" + b"1," * 5000 + b"1]"])
def test_content_comes_back(content: bytes) -> None:
    kept = Content.of(content)
    assert kept.plain == content and kept.packed == (len(content) > 1400)
    assert Content.of(content, "state").tag != kept.tag == Content.of(content).tag


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_state_of_a_file_changes_with_every_process_that_writes(
    make_app: Callable[..., FastAPI], settings: ServerSettings, other_server: Store, tmp_path: Path
) -> None:
    store = other_server
    first = store.state()
    assert first is not None and store.state() == first
    make_app()
    with store.begin() as session:
        session.add(Token(name="new", digest="0" * 64, grants={}, created=0.0))
    second = store.state()
    assert second != first
    file = settings.state_dir / "server.sqlite"
    file.rename(tmp_path / "kept")
    assert store.state() is None
    (tmp_path / "kept").rename(file)
    assert store.state() not in (None, first, second)
