"""FaceRec's own sequence, over HTTP alone: project, crawl, train, track, appearances, disabled, export."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from starlette.testclient import TestClient

from facelib.project import Project
from facelib.server.settings import ServerSettings
from tests.serving import Quiet, running, serving
from tests.waiting import PATIENCE

OWN = "/api/v1/projects/own"
PEOPLE = ["Eileen Collins", "Grace Hopper"]
PICTURES = 12
ROOT = Path(__file__).parents[2]


@pytest.fixture
def database_url() -> str:
    """SQLite alone: the jobs' own tests run on both."""
    return ""


class _Elsewhere(Quiet, SimpleHTTPRequestHandler):
    """The demo's files, and a search engine whose pages are as Bing's: it finds the pictures in the person's folder."""

    def do_GET(self) -> None:
        """Answer a search, or send a file."""
        asked = urlsplit(self.path)
        if asked.path != "/bing/images/async":
            super().do_GET()
            return
        words = {name: values[0] for name, values in parse_qs(asked.query).items()}
        person = next(name for name in PEOPLE if name in words["q"])
        names = sorted(os.listdir(Path(self.directory) / "people" / person))[:PICTURES]
        host = f"http://127.0.0.1:{self.server.server_address[1]}"  # type: ignore[index]
        found = [f"{host}/people/{quote(person)}/{quote(name)}" for name in names][int(words["first"]) :]
        known = [html.escape(json.dumps({"murl": one}, separators=(",", ":"))) for one in found]
        items = "".join(f'<div class="imgpt"><a class="iusc" m="{one}"></a></div>' for one in known)
        self.give(f"<html><body>{items}</body></html>".encode())


@pytest.fixture
def elsewhere(copy_demo: Callable[..., Project], tmp_path: Path) -> Iterator[tuple[Project, str]]:
    """The demo behind an address of this machine, where a search engine finds its pictures and films are fetched."""
    demo = copy_demo(tmp_path / "elsewhere", 0.4)
    with running(serving(partial(_Elsewhere, directory=str(demo.data)))) as address:
        yield demo, address


@pytest.fixture
def settings(
    settings: ServerSettings, elsewhere: tuple[Project, str], forked_jobs: None, tmp_path: Path
) -> ServerSettings:
    """The settings of a server that works, and whose notebooks ask the engine of this machine."""
    folder = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder)
    gather = next(folder.glob("01_*.ipynb"))
    own = "limits=limits_of_pictures,"
    there = f'{own} engine_addresses={{"bing": "{elsewhere[1]}/bing"}},'
    text = gather.read_text(encoding="utf-8")
    assert text.count(own) == 1
    gather.write_text(text.replace(own, there.replace('"', '\\"')), encoding="utf-8")
    return settings.model_copy(update={"workers": 1, "private_addresses": True, "notebooks": folder})


def _finish(client: TestClient, kind: str, /, **parameters: Any) -> dict[str, Any]:
    begun = client.post(f"{OWN}/jobs", json={"kind": kind, "parameters": parameters})
    assert begun.status_code == 202, begun.text
    until = time.monotonic() + 3 * PATIENCE
    while time.monotonic() < until:
        job = client.get(f"{OWN}/jobs/{begun.json()['id']}").json()
        if job["state"] not in ("queued", "running"):
            assert job["state"] == "done", job["reason"]
            return dict(job)
        time.sleep(0.3)
    raise AssertionError(f"expected the job to end, still {job}")


def test_the_whole_sequence(owner: TestClient, elsewhere: tuple[Project, str]) -> None:
    demo, address = elsewhere
    assert owner.post("/api/v1/projects", json={"name": "own"}).status_code == 201
    _finish(owner, "gather", names=PEOPLE, engines=["bing"], videos_from=[f"{address}/videos/demo.mp4"])  # the crawl
    cast = owner.get(f"{OWN}/people").json()["items"]
    assert [one["name"] for one in cast] == PEOPLE and all(5 < one["pictures"] <= PICTURES for one in cast)
    files = {"picture": ("own.jpg", demo.find_pictures(PEOPLE[0])[-1].read_bytes())}  # the training set, by hand
    assert owner.post(f"{OWN}/people/{PEOPLE[0]}/pictures", files=files).json()["new"]
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
