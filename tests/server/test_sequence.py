"""FaceRec's own sequence, over HTTP alone: project, crawl, train, track, appearances, disabled, export."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.settings import ServerSettings

OWN = "/api/v1/projects/own"


@pytest.fixture
def database_url() -> str:
    """SQLite alone: the jobs' own tests run on both."""
    return ""


@pytest.fixture
def settings(settings: ServerSettings) -> ServerSettings:
    """The settings of a server that works, and may fetch from this machine."""
    return settings.model_copy(update={"workers": 1, "private_addresses": True})


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere(copy_demo: Callable[..., Project], tmp_path: Path) -> Iterator[tuple[Project, str]]:
    """The demo behind an address of this machine, from which films are fetched."""
    demo = copy_demo(tmp_path / "elsewhere", 0.4)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(demo.videos)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield demo, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _finish(client: TestClient, kind: str, /, **parameters: Any) -> dict[str, Any]:
    begun = client.post(f"{OWN}/jobs", json={"kind": kind, "parameters": parameters})
    assert begun.status_code == 202, begun.text
    until = time.monotonic() + 500
    while time.monotonic() < until:
        job = client.get(f"{OWN}/jobs/{begun.json()['id']}").json()
        if job["state"] not in ("queued", "running"):
            assert job["state"] == "done", job["reason"]
            return dict(job)
        time.sleep(0.3)
    raise AssertionError(f"expected the job to end, still {job}")


@pytest.mark.kernel
def test_the_whole_sequence(owner: TestClient, elsewhere: tuple[Project, str], kernel_server: None) -> None:
    demo, address = elsewhere
    assert owner.post("/api/v1/projects", json={"name": "own"}).status_code == 201
    for person in demo.find_people():  # the training set
        assert owner.post(f"{OWN}/people", json={"name": person}).status_code == 201
        for picture in demo.find_pictures(person)[:12]:
            files = {"picture": (picture.name, picture.read_bytes())}
            assert owner.post(f"{OWN}/people/{person}/pictures", files=files).status_code in (201, 422)
    _finish(owner, "gather", videos_from=[f"{address}/demo.mp4"])  # the crawl
    (video,) = owner.get(f"{OWN}/videos").json()["items"]
    assert video["state"] == "new" and video["bytes"] == (demo.videos / "demo.mp4").stat().st_size

    _finish(owner, "train", kind="knn", k=3)
    recognizer = owner.get(f"{OWN}/recognizer").json()
    assert (recognizer["kind"], recognizer["k"]) == ("knn", 3)

    film = video["name"].split("/")[-1]
    job = _finish(owner, "film", videos=[film])  # tracks
    report = job["stages"][-1]
    assert owner.get(f"{OWN}/reports/{report['run']}/{report['name']}.html").status_code == 200
    tracks = owner.get(f"{OWN}/videos/{video['id']}/tracks", params={"limit": 1000}).json()["items"]
    assert {one["person"] for one in tracks} >= set(demo.find_people())

    person = demo.find_people()[0]
    seen = owner.get(f"{OWN}/videos/{video['id']}/appearances", params={"person": person}).json()["items"]
    assert seen and all(one["person"] == person and one["end"] > one["start"] for one in seen)

    face = owner.get(f"{OWN}/people/{person}/pictures").json()["items"][0]  # a face disabled
    off = owner.patch(f"{OWN}/people/{person}/pictures/{face['name']}", json={"disabled": True}).json()
    assert (off["disabled"], off["used"]) == (True, False)

    exported = owner.get(f"{OWN}/videos/{video['id']}/exports/csv").text
    rows = [row for row in csv.DictReader(io.StringIO(exported)) if row["person"] == person]
    assert [float(row["start"]) for row in rows] == pytest.approx([one["start"] for one in seen], abs=1e-3)
    media = owner.get(f"{OWN}/videos/{video['id']}/media/source", headers={"Range": "bytes=0-11"})
    assert media.status_code == 206 and media.content[4:8] == b"ftyp"
    assert owner.get(f"{OWN}/videos/{video['id']}/media/annotated").status_code == 200
