"""Projects on S3, by a real server: worked on by several machines, and the server killed meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import facelib
from facelib.archive import update_archive
from facelib.archive.cluster import start_cluster
from facelib.archive.cluster.shared import WorkingCopy
from facelib.films.exports import export_film
from facelib.films.identify import identify_films
from facelib.films.media.reader import read_times
from facelib.project import Project, write_text
from facelib.project.decisions import append_decision, read_decisions
from facelib.project.elsewhere import lies_elsewhere
from facelib.project.ranges import CACHE_VARIABLE, open_file
from facelib.project.store import Store
from facelib.recognize import load_recognizer
from tests.processes import without_rights
from tests.waiting import PATIENCE, at_once

from .conftest import Gate, empty_bucket, index, tables
from .indexing import EMBED, LOOK, TRACKING

pytest.importorskip("obstore")


@pytest.fixture(scope="module")
def local(tmp_path_factory, make_tuned_demo) -> SimpleNamespace:
    """A project worked on as ever, with the networks."""
    project = make_tuned_demo(tmp_path_factory.mktemp("local"), 0.4)
    networks = facelib.load_detector(**LOOK), facelib.load_embedder(**EMBED)
    identify(project, networks, {})
    return SimpleNamespace(project=project, networks=networks)


def identify(project: Project, networks, left_out: dict[str, str]) -> None:
    recognizer, info = load_recognizer(project.recognizer)
    films = project.find_videos()
    identify_films(
        films, project, *networks, recognizer, info, tracking=TRACKING, left_out=left_out, progress=False
    )  # fmt: skip


def put(project: Project) -> None:
    """Put a project into the bucket as notebook 04 leaves it, in the place of all that is there."""
    empty_bucket()
    for path in [*project.data.rglob("*"), project.faces, *project.output.glob("recognizer.*")]:
        kind, _, name = project.place_of(path).partition("/")
        if path.is_file():
            Store(f"s3://films/{kind}/demo").put(name, path)


def test_what_cannot_be_read_here_is_not_removed_there(tmp_path):
    project = Project("demo", tmp_path / "copy" / "data", tmp_path / "copy" / "output")
    write_text("a picture", project.people / "Ann" / "1.jpg")
    copy = WorkingCopy(project, (tmp_path / "data").as_uri(), (tmp_path / "output").as_uri())
    copy.send()
    code = (
        "from pathlib import PosixPath\nfrom facelib.archive.cluster.shared import WorkingCopy\n"
        f"from facelib.project import Project\n{copy!r}.send()"
    )
    (project.people / "Ann").chmod(0)
    done = subprocess.run([*without_rights(), sys.executable, "-c", code], capture_output=True, text=True)
    (project.people / "Ann").chmod(0o755)
    assert "PermissionError" in done.stderr
    assert (tmp_path / "data" / "demo" / "people" / "Ann" / "1.jpg").read_text() == "a picture"


def test_a_pipeline_over_s3_gives_the_tables_of_a_local_run(server, local, machine, forked_films):
    project = local.project
    put(project)
    copy = machine("one")
    copy.fetch()
    with Gate.before(server) as gate, start_cluster(2) as cluster:
        back = gate.kill_at("PUT", "/store/objects/")  # when the first table is to be stored
        assert index(copy.project, local.networks, cluster.address) == {}
        back.join()
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


def test_films_that_there_is_no_room_for_are_read_in_place(server, local, machine, monkeypatch, tmp_path):
    put(local.project)
    films = {path.name: path for path in local.project.find_videos()}
    smallest = min(path.stat().st_size for path in films.values())
    monkeypatch.setenv("FACELIB_FILM_CACHE", f"{(smallest + 10) / 1e9:.9f}")  # one of two has room
    copy = machine("small")
    copy.fetch()
    (copy.project.output / "digests.json").unlink(missing_ok=True)
    held = [film for film in copy.project.find_videos() if lies_elsewhere(film)]
    assert len(copy.project.find_videos()) == 2 and len(held) == 1
    assert held[0].stat().st_size == films[held[0].name].stat().st_size
    assert held[0].stat().st_blocks * 512 < held[0].stat().st_size / 4
    assert copy.project.digest(held[0]) == local.project.digest(films[held[0].name])
    (copy.project.output / "digests.json").unlink()
    np.testing.assert_array_equal(read_times(held[0]).ticks, read_times(films[held[0].name]).ticks)
    identify(copy.project, local.networks, {})  # here, without workers
    exported = export_film(held[0], copy.project.film(held[0]), formats=["json"], folder=tmp_path)["json"]
    assert json.loads(exported.read_text())["film"]["address"] == f"s3://films/data/demo/videos/{held[0].name}"
    for film in copy.project.find_videos():
        film.unlink()  # as whoever empties a cache does
    copy.send()
    for name, path in films.items():
        assert Store("s3://films/data/demo/videos").get(name) == path.read_bytes()
    assert tables(copy.project) == tables(local.project)
    monkeypatch.setenv("FACELIB_FILM_CACHE", "1")
    Store("s3://films/data/demo/videos").put(held[0].name, (changed := held[0].name.encode()))
    copy.fetch()
    assert not lies_elsewhere(held[0]) and held[0].read_bytes() == changed


def test_two_machines_that_run_one_project_at_once_leave_the_same(server, local, machine, forked_films, monkeypatch):
    monkeypatch.setenv("FACELIB_FILM_CACHE", "0.000001")
    project = local.project
    put(project)
    copies = [machine("here"), machine("there")]

    def work(copy: WorkingCopy, scheduler: str) -> None:
        copy.fetch()
        identify(copy.project, local.networks, index(copy.project, local.networks, scheduler))
        copy.send()

    with start_cluster(2) as cluster:
        at_once(*[partial(work, copy, cluster.address) for copy in copies])
    for copy in copies:
        copy.fetch()
        assert tables(copy.project) == tables(project)


def test_the_index_is_each_machine_s_own(server, local, machine):
    put(local.project)
    one, other = machine("one"), machine("other")
    for copy in (one, other):
        copy.fetch()
        identify(copy.project, local.networks, {})
        update_archive(copy.project, progress=False)
        copy.send()
    assert not Store("s3://films/output/demo/archive").find()
    one.fetch()
    assert update_archive(one.project, progress=False).unchanged == len(one.project.find_videos())


def test_folders_as_a_storage_makes_them_are_no_files(server, machine):
    for folder in ("", "people/", "people/Ada/", "videos/"):  # the last one is empty
        asked = urllib.request.Request(f"{server.address}/films/open/data/demo/{folder}", data=b"", method="PUT")
        asked.add_header("Content-Type", "application/octet-stream")
        urllib.request.urlopen(asked, timeout=PATIENCE).close()
    store = Store("s3://films/open/data/demo")
    store.put("people/Ada/1.jpg", b"picture")
    assert list(store.find()) == ["people/Ada/1.jpg", "videos"]
    copy = machine("one", "films/open")
    copy.fetch()
    copy.send()
    assert [path.name for path in copy.project.data.rglob("*") if path.is_file()] == ["1.jpg"]


def test_names_as_long_as_files_may_have(server, machine, monkeypatch):
    name = f"videos/{'x' * 251}.mp4"
    Store("s3://films/long/data/demo").put(name, b"no film")
    whole, held = machine("whole", "films/long"), machine("held", "films/long")
    whole.fetch()
    assert (whole.project.data / name).read_bytes() == b"no film"
    monkeypatch.setenv(CACHE_VARIABLE, "1e-9")
    held.fetch()
    film = lies_elsewhere(held.project.data / name)
    assert film is not None and film.address == f"s3://films/long/data/demo/{name}"
    with held.project.hold(name):
        pass


def test_any_name_may_stand_in_an_address(server):
    names = ["a #1", "a #2", "50%41", "50A", "what?", "ü b", "q'\"", "[x]{y}", "&+="]
    for name in names:
        Store(f"s3://films/odd/{name}").put(f"{name}.mp4", name.encode())
    assert set(Store("s3://films/odd").find()) == {f"{name}/{name}.mp4" for name in names}
    for name in names:
        with open_file(f"s3://films/odd/{name}/{name}.mp4") as file:
            assert file.read().decode() == name


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
        ("nobody", "films", PermissionError, "expected the right to read and write 's3://films/data/demo'"),
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
