"""A web server on loopback that behaves as it is told, also badly, and a SPARQL endpoint on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from rdflib import Dataset

from facelib.gather.sources import SourceSettings, WebLimits
from tests.serving import Quiet, running

Answer = Callable[["Asked"], None]


@dataclass
class Film:
    """A film as the server sends it; each attribute is a way to behave.

    `cuts` holds, for one request after the other, how many bytes are sent before the connection is closed.
    """

    content: bytes
    tag: str | None = '"1"'
    changed: str | None = None
    ranges: bool = True
    length: int | None = None
    chunked: bool = False
    disposition: str | None = None
    cuts: list[int] = field(default_factory=list)

    def __call__(self, asked: Asked) -> None:
        start = self._start(asked)
        if start >= len(self.content) > 0:
            asked.begin(416, {"Content-Range": f"bytes */{len(self.content)}", "Content-Length": "0"})
            return
        body = self.content[start:]
        headers = {"Content-Type": "video/mp4", "ETag": self.tag, "Last-Modified": self.changed}
        headers["Content-Disposition"] = self.disposition
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body) if self.length is None else self.length)
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        asked.begin(206 if start else 200, headers)
        cut = self.cuts.pop(0) if self.cuts else None
        asked.send(body[:cut], chunked=self.chunked, end=cut is None)
        asked.close_connection = cut is not None or self.length is not None

    def _start(self, asked: Asked) -> int:
        wanted = asked.headers.get("Range", "")
        fits = asked.headers.get("If-Range") in {None, self.tag, self.changed}
        return int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and fits and self.ranges else 0


class Asked(Quiet):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        answer = self.server.answers.get(urlsplit(self.path).path)
        if answer is None:
            self.begin(404, {"Content-Length": "0"})
        else:
            answer(self)

    do_POST = do_GET

    def begin(self, status: int, headers: dict[str, str | None]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def send(self, body: bytes, *, chunked: bool = False, end: bool = True) -> None:
        for start in range(0, len(body), 1000):
            piece = body[start : start + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked and end:
            self.wfile.write(b"0\r\n\r\n")

    def send_text(self, text: str, *, status: int = 200, kind: str = "text/html") -> None:
        self.give(text.encode(), status=status, kind=kind)

    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())


class Site(ThreadingHTTPServer):
    """The server: an answer a path, and what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.stopping = threading.Event()

    def handle_error(self, *_: object) -> None:
        pass  # clients hang up on purpose here

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def put(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return self.address(path)

    def ranges(self) -> list[str | None]:
        """Return the `Range` of each request so far."""
        return [headers.get("Range") for _, _, headers in self.asked]

    def put_graph(self, path: str, graphs: str, *, methods: tuple[str, ...] = ("GET", "POST")) -> str:
        """Make a SPARQL endpoint over graphs in TriG."""
        graph = Dataset()
        graph.parse(data=graphs, format="trig")

        def answer(asked: Asked) -> None:
            form = asked.form()
            if asked.command not in methods:
                return asked.send_text("not this way", status=405)
            values = form if asked.command == "POST" else parse_qs(urlsplit(asked.path).query)
            try:
                result = graph.query(values["query"][0]).serialize(format="json")
            except Exception as error:
                return asked.send_text(f"no SPARQL: {error}", status=400)
            return asked.send_text((result or b"").decode(), kind="application/sparql-results+json")

        return self.put(path, answer)

    def stall(self, asked: Asked, sent: bytes, total: int) -> None:
        """Send a part, then nothing until the end of the test."""
        asked.begin(200, {"Content-Length": str(total), "ETag": '"1"'})
        asked.send(sent)
        self.stopping.wait(60)
        asked.close_connection = True

    def dribble(self, asked: Asked, content: bytes) -> None:
        """Send a byte now and then until the end of the test, or the client has enough."""
        asked.begin(200, {"Content-Length": str(len(content)), "ETag": '"1"'})
        for value in content:
            asked.wfile.write(bytes([value]))
            if self.stopping.wait(0.02):
                break
        asked.close_connection = True


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    server = Site()
    with running(server, poll_interval=0.01):
        yield server
        server.stopping.set()


@pytest.fixture
def limits() -> WebLimits:
    """Loopback allowed, and no patience."""
    return WebLimits(private=True, first_wait=0.001, timeout=60.0, attempts=3, spare=0)


@pytest.fixture
def settings(limits: WebLimits) -> SourceSettings:
    return SourceSettings(limits=limits)


@pytest.fixture
def content(make_film: Callable[..., Path]) -> bytes:
    """The bytes of a film."""
    found = make_film("made/film.mp4").read_bytes()
    assert len(found) > 8000
    return found
