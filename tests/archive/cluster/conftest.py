"""What the tests of clusters share."""

from __future__ import annotations

import gc
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.server import ThreadingHTTPServer
from pathlib import Path
from random import SystemRandom
from urllib.parse import urlparse

import pytest

import facelib
from facelib.archive.cluster import index_films, worker
from facelib.archive.cluster.shared import WorkingCopy
from facelib.project import Project
from facelib.project.digests import sha256_of
from facelib.project.store import Store
from tests.command import shared_forks
from tests.serving import Quiet, running
from tests.waiting import PATIENCE

from .indexing import EMBED, LOOK, TRACKING

WEED = str(Path(sys.executable).with_name("weed"))


@pytest.fixture(autouse=True)
def _dropped_connections() -> Iterator[None]:
    """Collect the connections that Dask drops unclosed when the other side dies, while their warning is ignored."""
    yield
    gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "cluster":
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
                )
            )


class S3Server:
    """SeaweedFS in a folder: what it holds survives its being killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, free_ports()
        (folder / "objects").mkdir()
        allowed = [("all", ["Admin", "Read", "Write", "List"]), ("reader", ["Read:films", "List:films"])]
        identities: list[dict[str, object]] = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": "secret"}], "actions": actions}
            for name, actions in allowed
        ]
        identities.append({"name": "anonymous", "actions": ["Write:films"]})
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        try:
            self.start()
            self.make_bucket("films")
        except BaseException:
            self.kill()
            raise

    def make_bucket(self, name: str) -> None:
        """Make a folder of the filer, which is what a bucket is."""
        place = f"http://127.0.0.1:{self.ports[2]}/buckets/{name}/"
        urllib.request.urlopen(urllib.request.Request(place, method="POST"), timeout=PATIENCE).close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports[3]}"

    def start(self) -> None:
        kinds = ("master", "volume", "filer", "s3")
        ports = [f"-{kind}.port={port}" for kind, port in zip(kinds, self.ports, strict=True)]
        # Tables are served at one port for all servers of a machine, a second of which would end.
        alone = ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        single = ["-master.peers=none"]  # a master that was killed would wait 12 s for others to elect it again
        quiet = ["-master.telemetry=false", "-master.telemetry.url=http://127.0.0.1:9/"]  # it reports by default
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [
                    WEED,
                    "server",
                    f"-dir={self.folder}/objects",
                    "-volume.max=8",
                    "-master.volumeSizeLimitMB=64",
                    "-s3",
                    f"-s3.config={self.folder}/s3.json",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    *ports,
                    *alone,
                    *single,
                    *quiet,
                ],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        for _ in range(1200):
            with suppress(urllib.error.HTTPError, OSError):
                urllib.request.urlopen(f"{self.address}/status", timeout=10).close()
                return
            assert self.process.poll() is None, self.told()
            time.sleep(0.1)
        raise AssertionError(f"the S3 server did not start: {self.told()}")

    def told(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


Answer = tuple[int, str, str]
GONE: Answer = 0, "", ""  # the connection is closed without an answer


class Gate(ThreadingHTTPServer):
    """Passes requests on to an S3 server, but for those that `answer` answers itself."""

    daemon_threads = True

    def __init__(self, server: S3Server) -> None:
        self._server, self.behind = server, urlparse(server.address).netloc
        self.answer: Callable[[str, str], Answer | None] = lambda method, path: None
        self.refused = self.missed = 0
        self._over = threading.Event()
        self._kills: list[tuple[threading.Event, threading.Thread]] = []
        super().__init__(("127.0.0.1", 0), _Passing)

    @classmethod
    @contextmanager
    def before(cls, server: S3Server) -> Iterator[Gate]:
        """Stand before a server: it is asked through the gate alone while the block runs."""
        gate = cls(server)
        try:
            with running(gate) as address, pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ENDPOINT_URL", address)
                yield gate
        finally:
            gate._over.set()  # a test that failed leaves the server to the next one
            for gone, back in gate._kills:
                if gone.is_set():
                    back.join()

    def kill_at(self, method: str, part: str) -> threading.Thread:
        """Kill the server as soon as it is asked so, and start it again once it was missed three times.

        Args:
            method: Such as PUT.
            part: Of the path of the request, such as an object's name.

        Returns:
            A thread that ends when the server is back.
        """
        gone, one_at_a_time = threading.Event(), threading.Lock()

        def answer(asked: str, path: str) -> Answer | None:
            with one_at_a_time:
                if asked != method or part not in path or gone.is_set():
                    return None
                self._server.kill()
                gone.set()
                return GONE

        def come_back() -> None:
            gone.wait()
            missed = self.missed
            while self.missed < missed + 3 and not self._over.wait(0.05):
                pass
            self._server.start()

        self.answer = answer
        thread = threading.Thread(target=come_back, daemon=True)
        thread.start()
        self._kills.append((gone, thread))
        return thread

    def handle_error(self, request, client_address) -> None:
        """Say nothing where a client has gone."""


class _Passing(Quiet):
    protocol_version = "HTTP/1.1"
    server: Gate

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        own = self.server.answer(self.command, self.path)
        if own is not None:
            self.server.refused += 1
        if own == GONE:
            self.close_connection = True
            return
        try:
            status, text, headers = self._asked(body) if own is None else _told(own)
        except (OSError, http.client.HTTPException):  # nobody is there
            self.server.missed += 1
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        length = dict((name.lower(), value) for name, value in headers).get("content-length")
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _asked(self, body: bytes) -> tuple[int, bytes, list[tuple[str, str]]]:
        with closing(http.client.HTTPConnection(self.server.behind)) as connection:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheaders()

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass


def _told(own: Answer) -> tuple[int, bytes, list[tuple[str, str]]]:
    status, code, message = own
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, text.encode(), [("Content-Type", "application/xml")]


def empty_bucket() -> None:
    """Remove all that tests have left on the S3 server."""
    store = Store("s3://films")
    for name in store.find():
        store.delete(name)


def free_ports() -> list[int]:
    """Return four ports; SeaweedFS listens 10,000 above each, too, which is below what Linux gives to clients."""
    ports: list[int] = []
    with ExitStack() as taken:
        for port in SystemRandom().sample(range(20_000, 22_700), 400):  # other tests choose at the same moment
            with suppress(OSError):
                for one in (port, port + 10_000):
                    taken.enter_context(socket.socket()).bind(("127.0.0.1", one))
                ports.append(port)
            if len(ports) == 4:
                return ports
    raise AssertionError("expected four free ports between 20,000 and 22,700, found fewer")


@pytest.fixture(scope="package")
def server(tmp_path_factory) -> Iterator[S3Server]:
    """An S3 server, and what says in the environment where it is."""
    with pytest.MonkeyPatch.context() as patch:
        started = S3Server(tmp_path_factory.mktemp("s3"))
        try:
            patch.setenv("AWS_ENDPOINT_URL", started.address)
            patch.setenv("AWS_REGION", "us-east-1")
            patch.setenv("AWS_ACCESS_KEY_ID", "all")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            yield started
        finally:
            started.kill()


@pytest.fixture(scope="package")
def forked_films(fork_server: str) -> Iterator[None]:
    """Processes of films that start at once, forked from the process from which kernels are, here and on workers."""
    if not fork_server:
        yield
        return
    import dask

    # Dask's workers run it when they start.
    shared = f"""from types import SimpleNamespace
import facelib.archive.cluster.worker as worker
worker.ForkServer = lambda *_: SimpleNamespace(address={fork_server!r})
"""
    with pytest.MonkeyPatch.context() as patch, dask.config.set({"distributed.worker.preload": [shared]}):
        patch.setattr("facelib.archive.cluster.worker.ForkServer", lambda *_: shared_forks(fork_server))
        yield
    worker._forks.cache_clear()


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a factory of working copies, each as on a machine of its own."""

    def make(name: str, bucket: str = "films") -> WorkingCopy:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("facelib.archive.cluster.shared.folders", lambda: (tmp_path / name,))
            return WorkingCopy.of("demo", f"s3://{bucket}/data", f"s3://{bucket}/output")

    return make


def tables(project: Project) -> dict[str, str]:
    """Return the digests of the tables of a project's films by their places; hidden files are not among them."""
    folder = project.film_summary.parent
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}


def index(project: Project, networks, scheduler: str) -> dict[str, str]:
    """Index the films of a project on the workers of a scheduler; return the problems."""
    return index_films(
        project.find_videos(), project, *networks, scheduler=scheduler, detector_options=LOOK, embedder_options=EMBED,
        tracking=TRACKING, progress=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def networks():
    return facelib.load_detector(**LOOK), facelib.load_embedder(**EMBED)


@pytest.fixture(scope="module")
def films(tmp_path_factory, copy_demo):
    """A project of two films with faces."""
    return copy_demo(tmp_path_factory.mktemp("films"), 0.4)


@pytest.fixture
def project(films, tmp_path):
    """The same project with nothing made of it yet."""
    return Project(films.name, films.data_dir, tmp_path / "output")
