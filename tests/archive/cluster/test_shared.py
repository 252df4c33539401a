"""Projects on S3, by a real server: worked on by several machines, and the server killed meanwhile."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import facelib
from facelib.archive.cluster import index_films, start_cluster
from facelib.archive.cluster.shared import WorkingCopy
from facelib.films.identify import identify_films
from facelib.films.index import TrackingSettings
from facelib.project import Project
from facelib.project.decisions import CORRECTION_COLUMNS, append_decision, read_decisions
from facelib.project.store import Store
from facelib.recognize import load_recognizer

pytest.importorskip("obstore")

LOOK, EMBED = {"name": "haar", "working_size": 320}, {"name": "dlib"}
TRACKING = TrackingSettings(seconds_between_samples=0.5)
WEED = str(Path(sys.executable).with_name("weed"))


class S3Server:
    """SeaweedFS in a folder: what it holds survives its being killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, free_ports()
        (folder / "objects").mkdir()
        allowed = [("all", ["Admin", "Read", "Write", "List"]), ("reader", ["Read:films", "List:films"])]
        identities = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": "secret"}], "actions": actions}
            for name, actions in allowed
        ]
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        try:
            self.start()
            self.make_bucket("films")
        except BaseException:
            self.kill()
            raise

    def make_bucket(self, name: str) -> None:
        subprocess.run(
            [WEED, "shell", f"-master=127.0.0.1:{self.ports[0]}"],
            input=f"s3.bucket.create -name {name}\n",
            text=True,
            check=True,
            capture_output=True,
            timeout=60,
        )

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.ports[3]}"

    def start(self) -> None:
        kinds = ("master", "volume", "filer", "s3")
        ports = [f"-{kind}.port={port}" for kind, port in zip(kinds, self.ports, strict=True)]
        quiet = ["-master.telemetry=false", "-master.telemetry.url=http://127.0.0.1:9/"]  # it reports by default
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
                *quiet,
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("w"),
        )
        for _ in range(1200):
            with suppress(urllib.error.HTTPError, OSError):
                urllib.request.urlopen(f"{self.address}/status", timeout=1).close()
                return
            assert self.process.poll() is None, self.told()
            time.sleep(0.1)
        raise AssertionError(f"the S3 server did not start: {self.told()}")

    def told(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def free_ports() -> list[int]:
    """Return four ports; SeaweedFS listens 10,000 above each, too."""
    ports: list[int] = []
    with ExitStack() as taken:
        for port in range(20_000 + os.getpid() % 5_000, 30_000):
            with suppress(OSError):
                for one in (port, port + 10_000):
                    taken.enter_context(socket.socket()).bind(("127.0.0.1", one))
                ports.append(port)
            if len(ports) == 4:
                return ports
    raise AssertionError("expected four free ports between 20,000 and 30,000, found fewer")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[S3Server]:
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


@pytest.fixture(scope="module")
def local(tmp_path_factory, make_tuned_demo) -> SimpleNamespace:
    """A project worked on as ever, with the networks."""
    project = make_tuned_demo(tmp_path_factory.mktemp("local"), 0.5)
    networks = facelib.load_detector(**LOOK), facelib.load_embedder(**EMBED)
    identify(project, networks, {})
    return SimpleNamespace(project=project, networks=networks)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a factory of working copies, each as on a machine of its own."""

    def make(name: str, bucket: str = "films") -> WorkingCopy:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("facelib.archive.cluster.shared.folders", lambda: (tmp_path / name,))
            return WorkingCopy.of("demo", f"s3://{bucket}/data", f"s3://{bucket}/output")

    return make


def identify(project: Project, networks, left_out: dict[str, str]) -> None:
    recognizer, info = load_recognizer(project.recognizer)
    films = project.find_videos()
    identify_films(
        films, project, *networks, recognizer, info, tracking=TRACKING, left_out=left_out, progress=False
    )  # fmt: skip


def tables(project: Project) -> dict[str, bytes]:
    folder = project.film_summary.parent
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_pipeline_over_s3_gives_the_tables_of_a_local_run(server, local, machine):
    project = local.project
    wanted = [path for path in project.data.rglob("*") if path.is_file()]
    for path in [*wanted, project.faces, project.recognizer, project.recognizer.with_suffix(".json")]:
        kind, _, name = project.place_of(path).partition("/")
        Store(f"s3://films/{kind}/demo").put(name, path)
    copy = machine("one")
    copy.fetch()
    left_out = list[dict[str, str]]()

    def index(scheduler: str) -> None:
        left_out.append(
            index_films(
                copy.project.find_videos(), copy.project, *local.networks, scheduler=scheduler, detector_options=LOOK,
                embedder_options=EMBED, tracking=TRACKING, progress=False,
            )
        )  # fmt: skip

    with start_cluster(2) as cluster:
        thread = threading.Thread(target=index, args=(cluster.address,))
        thread.start()
        time.sleep(2.0)
        server.kill()
        time.sleep(1.0)
        server.start()
        thread.join()
    assert left_out == [{}]
    identify(copy.project, local.networks, {})
    copy.send()
    assert tables(copy.project) == tables(local.project)
    other = machine("another")
    other.fetch()
    assert tables(other.project) == tables(local.project)
    other.project.film_summary.unlink()  # what is removed here is removed there
    other.send()
    copy.fetch()
    assert not copy.project.film_summary.exists()


def test_no_decision_is_lost(server, machine):
    Store("s3://films/data/demo").put_once("disabled.txt", b"# none\n")
    one, other = machine("one"), machine("other")
    one.fetch()
    other.fetch()
    append_decision(one.project.corrections, "people/A/1.jpg", was="A", now_is="B")
    append_decision(other.project.corrections, "people/A/2.jpg", was="A", now_is="C")
    one.send()
    other.send()
    append_decision(one.project.corrections, "people/A/1.jpg", was="B", now_is="A")
    one.send()
    other.fetch()
    decisions = [read_decisions(copy.project.corrections) for copy in (one, other)]
    pd.testing.assert_frame_equal(*decisions)
    assert decisions[0]["picture"].tolist() == ["people/A/1.jpg", "people/A/2.jpg", "people/A/1.jpg"]
    assert list(decisions[0].columns) == CORRECTION_COLUMNS


def test_an_object_is_written_once(server, tmp_path):
    for store in (Store("s3://films/once"), Store.at(tmp_path / "with space")):
        assert store.put_once("a/b", b"first") and not store.put_once("a/b", b"second")
        assert store.get("a/b") == b"first"
        assert list(store.find()) == list(store.find("a")) == ["a/b"]
        store.delete("a/b")
        store.delete("a/b")
        assert store.find() == {}
        with pytest.raises(FileNotFoundError, match="expected an object at"):
            store.get("a/b")


@pytest.mark.parametrize(
    ("key", "bucket", "error", "message"),
    [
        ("nobody", "films", PermissionError, "expected the right to read 's3://films/data/demo'"),
        ("all", "vanished", OSError, "s3://vanished/data"),
    ],
)
def test_buckets_that_refuse(server, machine, monkeypatch, key, bucket, error, message):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    with pytest.raises(error, match=message):
        machine("one", bucket).fetch()


def test_a_bucket_to_read_only(server, machine, monkeypatch):
    Store("s3://films/data/demo").put_once("disabled.txt", b"# none\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    copy = machine("one")
    copy.fetch()
    append_decision(copy.project.corrections, "people/A/1.jpg", was="A", now_is="B")
    with pytest.raises(PermissionError, match="expected the right to read and write"):
        copy.send()
    assert len(read_decisions(copy.project.corrections)) >= 1


@pytest.mark.parametrize("places", [("data", "s3://films/output"), ("s3://films/data", "output")])
def test_both_folders_are_shared_or_none(places):
    with pytest.raises(ValueError, match="both on shared storage"):
        WorkingCopy.of("demo", *places)
