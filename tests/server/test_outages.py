"""The database goes away and comes back, the disk fills up, and a back-up is restored."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import psutil
import pytest
from anyio import to_thread
from fastapi import FastAPI
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.database import Event, open_store
from facelib.server.events import EventFeed
from facelib.server.settings import ServerSettings

from .conftest import Cluster

_numbers = count()
TUS = {"Tus-Resumable": "1.0.0"}
CHUNK = TUS | {"Content-Type": "application/offset+octet-stream"}


def state(client: TestClient) -> tuple[int, int, int]:
    """Return how health, a list and a change are answered."""
    new = {"name": f"project {next(_numbers)}"}
    answers = client.get("/health"), client.get("/api/v1/projects"), client.post("/api/v1/projects", json=new)
    for answer in answers:
        kind = "application/json" if answer.status_code < 400 else "application/problem+json"
        assert answer.headers["content-type"] == kind
    return answers[0].status_code, answers[1].status_code, answers[2].status_code


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_goes_away_and_comes_back(owner: TestClient, postgresql: Cluster) -> None:
    assert state(owner) == (200, 200, 201)
    postgresql.stop()
    assert state(owner) == (503, 503, 503)
    assert "expected the database to answer" in owner.get("/health").json()["detail"]
    postgresql.start()
    assert state(owner) == (200, 200, 201)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_frozen_postgresql_is_missed_and_served_again(
    owner: TestClient, postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state(owner) == (200, 200, 201)
    monkeypatch.setattr("facelib.server.database.store._ANSWERED", 0.1)
    first = psutil.Process(int((postgresql.folder / "data" / "postmaster.pid").read_text().split()[0]))
    frozen = [*first.children(recursive=True), first]
    for process in frozen:
        process.suspend()
    try:
        assert owner.get("/health").status_code == 503
    finally:
        for process in frozen:
            process.resume()
    monkeypatch.undo()
    assert state(owner) == (200, 200, 201)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("given", "milliseconds"), [("", "20000"), ("&tcp_user_timeout=5000", "5000")])
def test_postgresql_that_is_gone_without_a_word_is_missed(database_url: str, given: str, milliseconds: str) -> None:
    # The system drops a line that answers nothing for so long; that it does was seen with a network taken down.
    store = open_store(ServerSettings(database_url=database_url + given).database)
    with store.engine.connect() as connection:
        parameters = connection.connection.driver_connection.info.get_parameters()
    store.close()
    assert (parameters["tcp_user_timeout"], parameters["keepalives_idle"]) == (milliseconds, "10")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_file_of_the_database_goes_away_and_comes_back(owner: TestClient, tmp_path: Path) -> None:
    assert state(owner) == (200, 200, 201)
    kept = sorted((tmp_path / "output" / ".server").glob("server.sqlite*"))
    for path in kept:
        path.rename(tmp_path / path.name)
    assert state(owner) == (503, 503, 503)
    assert not (tmp_path / "output" / ".server" / "server.sqlite").exists()  # none is made in its place
    for path in kept:
        (tmp_path / path.name).rename(path)
    assert state(owner) == (200, 200, 201)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_stream_of_events_ends_without_a_trace_where_the_database_goes_away(
    owner: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    feed, kept = owner.app.state.feed, tmp_path / "output" / ".server" / "server.sqlite"

    async def since(_feed: EventFeed, number: int) -> list[Event]:
        kept.rename(tmp_path / kept.name)
        return await to_thread.run_sync(feed._read, number)

    monkeypatch.setattr(EventFeed, "since", since)
    answer = owner.get("/api/v1/events")
    assert answer.status_code == 200 and answer.text.startswith(": begin")
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_somebody_else_holds(
    database_url: str, monkeypatch: pytest.MonkeyPatch, make_app: Callable[..., FastAPI], tmp_path: Path
) -> None:
    monkeypatch.setattr("facelib.server.database.store._BUSY", 0.1)
    app = make_app()
    client = TestClient(app, headers={"Authorization": f"Bearer {app.state.first_token}"})
    assert state(client) == (200, 200, 201)
    with sqlite3.connect(tmp_path / "output" / ".server" / "server.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert state(client) == (200, 200, 503)
        other.execute("ROLLBACK")
    other.close()
    assert state(client) == (200, 200, 201)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE alembic_version SET version_num = 'later'", "found one of a later version"),
        ("DROP TABLE alembic_version", "got: table users already exists"),
        ("", "got: file is not a database"),
    ],
)
def test_a_database_that_is_not_ours_is_refused(
    tmp_path: Path, copy_sqlite: Callable[[Path], None], harm: str, said: str
) -> None:
    copy_sqlite(tmp_path)
    settings = ServerSettings(output_dir=tmp_path)
    file = settings.state_dir / "server.sqlite"
    if harm:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute(harm)
    else:
        file.write_bytes(b"another file " * 99)
    before = file.read_bytes()
    with pytest.raises((OSError, ValueError), match=f"^expected a database .*{said}"):
        open_store(settings.database)
    assert file.read_bytes() == before


@pytest.mark.parametrize("address", ["foo", "mysql://u:secret@h/x", "postgresql://u:secret@h:port/x"])
def test_the_address_of_a_database_that_is_none_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(ValueError, match=r"^expected the address of a database, such as postgresql") as told:
        open_store(ServerSettings(database_url=address).database)
    assert "secret" not in str(told.value)


def fill(folder: Path) -> Path:
    """Fill a disk to the last byte."""
    path = folder / "full"
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return path
    raise AssertionError("expected a disk that can be filled")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_fills_up_during_an_upload(
    make_app: Callable[..., FastAPI], small_disk: Path, monkeypatch: pytest.MonkeyPatch, make_film: Callable[..., Path]
) -> None:
    monkeypatch.setattr("facelib.server.uploads.keeping._SPARE", 0)
    project = Project("own", small_disk / "data", small_disk / "output")
    project.people.mkdir(parents=True)
    app = make_app(data_dir=small_disk / "data", output_dir=small_disk / "output")
    client = TestClient(app, raise_server_exceptions=False)
    client.headers["Authorization"] = f"Bearer {app.state.first_token}"
    film = make_film("film.mp4", frames=5).read_bytes()
    film += (8 + 2**22).to_bytes(4, "big") + b"free" + bytes(2**22)  # padding, as MP4 allows it
    name = {"Upload-Metadata": f"filename {base64.b64encode(b'film.mp4').decode()}", "Upload-Length": str(len(film))}
    place = client.post("/api/v1/projects/own/uploads", headers=TUS | name).headers["Location"]
    full = fill(small_disk)
    with open(full, "r+b") as file:
        file.truncate(full.stat().st_size - 2**20)  # a part of the piece finds room
    answer = client.patch(place, content=film, headers=CHUNK | {"Upload-Offset": "0"})
    assert (answer.status_code, answer.headers["content-type"]) == (507, "application/problem+json")
    assert not project.find_videos()
    made = client.post("/api/v1/projects", json={"name": "no room"})
    assert made.status_code == 507 and "room on the server's disk" in made.json()["detail"]
    full.unlink()
    offset = int(client.head(place).headers["Upload-Offset"])
    assert 0 <= offset < len(film)
    answer = client.patch(place, content=film[offset:], headers=CHUNK | {"Upload-Offset": str(offset)})
    assert answer.status_code == 204, answer.text
    assert [path.read_bytes() for path in project.find_videos()] == [film]
    assert client.post("/api/v1/projects", json={"name": "room"}).status_code == 201


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_back_up_is_restored(
    database_url: str, settings: ServerSettings, make_app: Callable[..., FastAPI], tmp_path: Path
) -> None:
    app = make_app()
    client = TestClient(app, headers={"Authorization": f"Bearer {app.state.first_token}"})
    assert client.post("/api/v1/projects", json={"name": "kept"}).status_code == 201
    user = {"name": "ada", "password": "correct horse", "grants": {"kept": "read"}}
    assert client.post("/api/v1/users", json=user).status_code == 201
    # As docs/how-to/server.md says, while the server runs.
    database = settings.state_dir / "server.sqlite"
    backup = ["sqlite3", str(database), f".backup {tmp_path / 'server.backup'}"]
    if shutil.which("sqlite3"):
        subprocess.run(backup, check=True)
    else:
        with sqlite3.connect(database) as source, sqlite3.connect(tmp_path / "server.backup") as target:
            source.backup(target)
        source.close()
        target.close()
    subprocess.run(["tar", "--create", "--file", "projects.tar", "data", "output"], check=True, cwd=tmp_path)
    app.state.store.close()
    shutil.rmtree(tmp_path / "data")
    shutil.rmtree(tmp_path / "output")
    subprocess.run(["tar", "--extract", "--file", "projects.tar"], check=True, cwd=tmp_path)
    shutil.copy(tmp_path / "server.backup", database)
    for name in ("server.sqlite-wal", "server.sqlite-shm"):
        database.with_name(name).unlink(missing_ok=True)
    restored = make_app()
    assert restored.state.first_token is None
    client = TestClient(restored, headers=client.headers)
    assert [one["name"] for one in client.get("/api/v1/projects").json()["items"]] == ["kept"]
    log_in = {"name": "ada", "password": "correct horse"}
    assert TestClient(restored).post("/api/v1/session", json=log_in).status_code == 201
