"""A server over a real demo, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from _pytest.mark import ParameterSet
from fastapi import FastAPI
from playwright.sync_api import Error as PlaywrightError
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import make_url
from starlette.testclient import TestClient

import facelib
from facelib.films.identify import identify_films
from facelib.page import write_page
from facelib.project import Project
from facelib.recognize import load_recognizer
from facelib.server.app import create_app
from facelib.server.database import open_store
from facelib.server.security import secrets
from facelib.server.settings import ServerSettings
from tests.command import shared_forks
from tests.waiting import PATIENCE

_numbers = count()
T = TypeVar("T")


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server of our own; called, it gives the address of a new database, empty or with our tables."""

    folder: Path
    programs: Path
    user: str | None

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", f"{self.folder}/data", *arguments]
        patience = os.environ | {"PGCTLTIMEOUT": f"{PATIENCE:.0f}"}
        subprocess.run(command, check=True, user=self.user, stdout=subprocess.DEVNULL, cwd=self.folder, env=patience)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        self.run("pg_ctl", "-w", "-o", options, "-l", f"{self.folder}/log", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-m", "immediate", "stop")

    def __call__(self, *, with_tables: bool = False) -> str:
        name = f"facelib_{next(_numbers)}"
        self.tell(f"create database {name} template {self.with_tables if with_tables else 'template1'}{self.copied}")
        return f"postgresql://facelib@/{name}?host={self.folder}"

    @cached_property
    def copied(self) -> str:
        """How a database is copied: file by file, as before PostgreSQL 15, in a third of the processor time."""
        with psycopg.connect(f"host={self.folder} user=facelib dbname=postgres") as connection:
            return " strategy file_copy" if connection.info.server_version >= 150_000 else ""

    @cached_property
    def with_tables(self) -> str:
        """The name of a database with the tables of the server's first start; copied, it saves their making."""
        address = self()
        open_store(ServerSettings(database_url=address).database).close()
        return str(make_url(address).database)

    def drop(self, address: str) -> None:
        """Remove a database: hundreds of them are gigabytes."""
        self.tell(f"drop database {make_url(address).database} with (force)")

    def tell(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user=facelib dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server of our own."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(programs[-1]) if programs else shutil.which("initdb")
    if found is None:
        reason = "expected PostgreSQL's initdb; on Debian, apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the socket's path has at most some 100 bytes
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    cluster = Cluster(folder, Path(found).parent, user)
    cluster.run("initdb", "-U", "facelib", "-A", "trust", "--no-sync", "-E", "UTF8")
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def copy_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Return a function that puts a SQLite file with the tables of a first start where a server looks for it."""
    first = ServerSettings(output_dir=tmp_path_factory.mktemp("sqlite"), database_url="")
    open_store(first.database).close()

    def copy(output: Path) -> None:
        shutil.copytree(first.state_dir, ServerSettings(output_dir=output).state_dir)

    return copy


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database, of each kind in turn; empty for the usual SQLite file.

    One for servers that run as programs has no tables; the others' has those of a first start.
    """
    if request.param == "sqlite":
        if "settings" in request.fixturenames:
            request.getfixturevalue("copy_sqlite")(request.getfixturevalue("tmp_path") / "output")
        yield ""
        return
    cluster: Cluster = request.getfixturevalue("postgresql")
    address = cluster(with_tables="settings" in request.fixturenames)
    yield address
    cluster.drop(address)


def over_databases(cases: Mapping[str, T], *, in_sql: Collection[str]) -> list[ParameterSet]:
    """Return cases as `database_url` and a value: all over SQLite, over PostgreSQL those whose values get into SQL."""
    return [
        *(pytest.param("sqlite", case, id=f"sqlite-{name}") for name, case in cases.items()),
        *(
            pytest.param("postgresql", cases[name], id=f"postgresql-{name}", marks=pytest.mark.postgresql)
            for name in in_sql
        ),
    ]


@pytest.fixture
def demo(tmp_path: Path, make_tuned_demo: Callable[[Path, float], Project]) -> Project:
    """The demo as notebooks 02 and 04 leave it."""
    return make_tuned_demo(tmp_path, 0.4)


@pytest.fixture(scope="session")
def named_films(make_once: Callable[..., Path], make_tuned_demo: Callable[[Path, float], Project]) -> Path:
    """The folder of the demo as notebook 05 leaves it; copy it."""

    def fill(new: Path) -> None:
        project = make_tuned_demo(new, 0.4)
        networks = facelib.load_detector(), facelib.load_embedder("dlib")
        identify_films(project.find_videos(), project, *networks, *load_recognizer(project.recognizer), progress=False)
        write_page(project, progress=False)

    return make_once("demo named", fill)


@pytest.fixture
def named(tmp_path: Path, named_films: Path) -> Project:
    """The demo as notebook 05 leaves it, with the names and the page, without annotated films."""
    shutil.copytree(named_films, tmp_path, dirs_exist_ok=True)
    return Project("demo", tmp_path / "data", tmp_path / "output")


@pytest.fixture
def films(named: Project, owner: TestClient) -> TestClient:
    """A client that may do everything, of a server over the demo with its films, which `named` names."""
    return owner


@pytest.fixture(scope="module", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Argon2 with the least memory and passes: as users have it, a password takes a quarter of a second each time."""
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "_argon2", lambda: quick)
        patch.setattr(secrets, "_of_nobody", cache(lambda: secrets.hash_password("of nobody")))
        yield


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> ServerSettings:
    """The settings of a server over `tmp_path`, where `demo` puts its project."""
    return ServerSettings(
        data_dir=tmp_path / "data", output_dir=tmp_path / "output", database_url=database_url, workers=0
    )


@pytest.fixture
def forked_jobs(fork_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that begin soon, forked from the process from which kernels are, which no server starts or ends."""
    monkeypatch.setattr("facelib.server.jobs.worker._PAUSE", 0.05)
    if fork_server:
        monkeypatch.setattr("facelib.server.jobs.process.ForkServer", lambda *_: shared_forks(fork_server))


@pytest.fixture
def make_app(settings: ServerSettings) -> Iterator[Callable[..., FastAPI]]:
    """A factory of applications with these settings, some of them changed; all share the database."""
    made: list[FastAPI] = []

    def make(**changed: object) -> FastAPI:
        made.append(create_app(ServerSettings(**{**settings.model_dump(), **changed})))
        return made[-1]

    yield make
    for app in made:
        app.state.store.close()


@pytest.fixture
def stranger(make_app: Callable[..., FastAPI]) -> Iterator[TestClient]:
    """A client of a server without a log-in; the server starts without a project unless `demo` is asked for too."""
    with TestClient(make_app(), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def owner(stranger: TestClient) -> TestClient:
    """A client of that server with the token of the first start."""
    stranger.headers["Authorization"] = f"Bearer {stranger.app.state.first_token}"
    return stranger


@pytest.fixture
def api(demo: Project, owner: TestClient) -> TestClient:
    """A client that may do everything, of a server over the demo, which `demo` names."""
    return owner


@pytest.fixture
def client_with(owner: TestClient) -> Callable[[dict[str, str]], TestClient]:
    """Return a factory of clients of the same server whose token has the grants given, such as `{"demo": "read"}`."""

    def make(grants: dict[str, str]) -> TestClient:
        made = owner.post("/api/v1/tokens", json={"name": "test", "grants": grants})
        assert made.status_code == 201, made.text
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        return TestClient(owner.app, raise_server_exceptions=False, headers=headers)

    return make


def logged_in(owner: TestClient, name: str, password: str = "correct horse") -> TestClient:
    """Return a browser of the same server in which a user is logged in."""
    browser = TestClient(owner.app, raise_server_exceptions=False)
    login = browser.post("/api/v1/session", json={"name": name, "password": password})
    assert login.status_code == 201, login.text
    browser.headers["X-CSRF-Token"] = login.json()["csrf"]
    return browser


def pytest_exception_interact(node: pytest.Item, report: pytest.TestReport) -> None:
    """Show what a browser's page showed where a test with one fails."""
    page = getattr(node, "funcargs", {}).get("opened")
    if page is None or report.when != "call":
        return
    picture = Path(tempfile.mkdtemp(prefix="facelib-page-")) / "page.png"
    with suppress(PlaywrightError):
        page.screenshot(path=picture, full_page=True)
        shown = page.locator("body").inner_text(timeout=5000)
        report.sections.append(("The page", f"{page.url}\n{picture}\n{shown}\n" + "\n".join(page.said[-50:])))
