"""Films indexed by the workers of a real Dask scheduler: the tables of one machine, whatever dies meanwhile."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

import facelib
from facelib.archive.cluster import index_films, start_cluster
from facelib.archive.cluster.attempts import attempts
from facelib.archive.cluster.task import IndexTask, is_stored, take_tables
from facelib.archive.cluster.worker import index_on_worker
from facelib.films.index import TrackingSettings
from facelib.films.indexed import index_film, made_from
from facelib.project import FilmFiles, Project
from facelib.project.store import Store

pytest.importorskip("distributed")

LOOK = {"name": "haar", "working_size": 320}
EMBED = {"name": "dlib"}
TRACKING = TrackingSettings(seconds_between_samples=0.5)


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


@pytest.fixture(scope="module")
def alone(films, networks):
    """The tables that one machine makes, by film: name and digest of each."""
    for film in films.find_videos():
        with films.hold(film) as files:
            index_film(film, files, *networks, content=films.digest(film), tracking=TRACKING, progress=False)
    return tables(films)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with start_cluster(2) as started:
        yield started.address


def tables(project: Project) -> dict[str, str]:
    folder = project.film_summary.parent
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def index(project: Project, networks, scheduler: str, **options) -> dict[str, str]:
    return index_films(
        project.find_videos(),
        project,
        *networks,
        scheduler=scheduler,
        detector_options=LOOK,
        embedder_options=EMBED,
        tracking=TRACKING,
        progress=False,
        **options,
    )


def task_of(project: Project, film: Path, networks, **changed) -> IndexTask:
    made = made_from(project.digest(film), *networks, TRACKING)
    fields = {
        "film": str(film), "size": film.stat().st_size, "store": Store.at(project.store).address, "detector": LOOK,
        "embedder": EMBED, "tracking": {"seconds_between_samples": 0.5}, "made": json.loads(json.dumps(made)),
    }  # fmt: skip
    return IndexTask(**fields | changed)


def children() -> list[psutil.Process]:
    """Return the processes below this one in which a film is indexed."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "facelib.archive.cluster.child" in process.cmdline():
                found.append(process)
    return found


@contextmanager
def killing(choose) -> Iterator[list[int]]:
    """Kill processes while the block runs: those that `choose` returns for a process in which a film is indexed."""
    over, killed = threading.Event(), []

    def kill() -> None:
        while not over.wait(0.05):
            for process in children():
                with suppress(psutil.Error):
                    for victim in choose(process):
                        victim.kill()
                        killed.append(victim.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def test_tables_are_those_of_one_machine_and_made_once(project, alone, networks, scheduler):
    assert index(project, networks, scheduler) == {}
    assert tables(project) == alone
    assert index(project, networks, "tcp://nobody.invalid:1") == {}  # nothing is left to ask anybody for
    assert index(project, networks, "") == {}


def test_only_the_film_that_kills_its_process_is_set_aside(project, alone, networks, scheduler):
    deadly, other = project.find_videos()
    lost = set[int]()

    def choose(process: psutil.Process) -> list[psutil.Process]:
        open_files = [file.path for file in process.open_files()]
        if str(deadly) in open_files:
            return [process]
        if str(other) in open_files and not lost:  # and, once, the worker of the innocent film
            worker = process.parent()
            lost.add(worker.pid)
            return [worker]
        return []

    with killing(choose) as killed:
        left_out = index(project, networks, scheduler)
    assert len(killed) == 4 and lost <= set(killed)
    assert list(left_out) == [deadly.name]
    assert "set aside after 3 attempts" in left_out[deadly.name] and "killed by SIGKILL" in left_out[deadly.name]
    folder = project.film(other).folder.name
    assert tables(project) == {name: value for name, value in alone.items() if name.startswith(f"{folder}/")}
    assert index(project, networks, scheduler) == left_out  # it stays aside, and nobody tries again
    key = task_of(project, deadly, networks).key
    shutil.rmtree(project.store / "attempts" / key)
    assert index(project, networks, scheduler) == {}
    assert tables(project) == alone


def test_a_scheduler_that_is_started_again_is_given_what_is_left(project, alone, networks):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    found = list[dict[str, str]]()
    thread = threading.Thread(target=lambda: found.append(index(project, networks, f"tcp://127.0.0.1:{port}")))
    with start_cluster(1, port=port):
        thread.start()
        while not children():
            assert thread.is_alive()
            time.sleep(0.05)
    assert not children()  # a worker takes its process along
    with start_cluster(1, port=port):
        thread.join()
    assert found == [{}]
    assert tables(project) == alone


@contextmanager
def a_web_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def strangers(folder: Path) -> Iterator[str]:
    """Start a scheduler whose one worker has another facelib."""
    import distributed

    installed = folder / "facelib-0.1.9.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: facelib\nVersion: 0.1.9\n")
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address, "--no-nanny"]
        with subprocess.Popen([*command, "--no-dashboard"], cwd=folder, stderr=subprocess.DEVNULL) as worker:
            try:
                cluster.wait_for_workers(1)
                yield cluster.scheduler_address
            finally:
                worker.kill()


@contextmanager
def no_address() -> Iterator[str]:
    yield "http://127.0.0.1"


@contextmanager
def nobody() -> Iterator[str]:
    yield "tcp://127.0.0.1:9"


@pytest.mark.parametrize(
    ("who", "error", "message"),
    [
        (lambda folder: no_address(), ValueError, "expected the address of a Dask scheduler such as"),
        (lambda folder: nobody(), ConnectionError, "none answered within"),
        (lambda folder: a_web_server(), ConnectionError, "none answered within"),
        (strangers, ValueError, "has facelib 0.1.9; install the same versions"),
    ],
)
def test_schedulers_that_will_not_do(project, networks, tmp_path, monkeypatch, who, error, message):
    monkeypatch.setattr("facelib.archive.cluster.connect._SECONDS", 1.0)
    with who(tmp_path) as address, pytest.raises(error, match=message):
        index(project, networks, address)
    assert tables(project) == {}


def test_a_film_that_is_gone_or_another_one_has_a_problem_and_no_attempt(project, networks, tmp_path):
    film = shutil.copy(project.find_videos()[0], tmp_path / "film.mp4")
    task = task_of(project, film, networks, size=1)
    assert "it was changed" in index_on_worker(task.fields())
    film.unlink()
    assert "No such file" in index_on_worker(task.fields())
    assert attempts(Store(task.store), task.key) == []


def test_a_film_that_is_deleted_while_it_is_read_has_a_problem_and_no_tables(project, networks, tmp_path):
    film = Path(shutil.copy(project.find_videos()[0], tmp_path / "film.mp4"))
    task = task_of(project, film, networks)

    def choose(process: psutil.Process) -> list[psutil.Process]:
        if str(film) in [file.path for file in process.open_files()]:
            film.unlink(missing_ok=True)
        return []

    with killing(choose):
        told = index_on_worker(task.fields())
    assert not film.exists()
    assert "No such file" in told and str(film) in told
    assert attempts(Store(task.store), task.key) == [] and not is_stored(Store(task.store), task.key)


def test_a_worker_without_the_weights_says_where_to_get_them(project, networks, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing is fetched
    task = task_of(project, project.find_videos()[0], networks, detector={"name": "yunet"})
    told = index_on_worker(task.fields())
    assert "yunet_n_640_640.onnx" in told and "put it at" in told and str(tmp_path) in told
    assert attempts(Store(task.store), task.key) == [] and not is_stored(Store(task.store), task.key)


def test_a_worker_with_other_networks_refuses(project, networks):
    task = task_of(project, project.find_videos()[0], networks)
    other = task_of(project, Path(task.film), networks, made=task.made | {"weights": "others"})
    assert "this worker has others: weights" in index_on_worker(other.fields())
    assert not is_stored(Store(other.store), other.key)


def test_a_damaged_table_in_the_store_is_refused(project, networks, tmp_path):
    task = task_of(project, project.find_videos()[1], networks)
    store = Store(task.store)
    assert index_on_worker(task.fields()) == "" and is_stored(store, task.key)
    largest = max((project.store / "objects").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(b"")
    with pytest.raises(OSError, match=r"expected .* with the SHA-256"):
        take_tables(store, task.key, FilmFiles(tmp_path / "taken"))
    assert not FilmFiles(tmp_path / "taken").followed.exists()


def test_a_worker_out_of_memory_sets_the_film_aside_and_says_so(project, networks, monkeypatch):
    task = task_of(project, project.find_videos()[1], networks)
    monkeypatch.setattr("facelib.archive.cluster.worker._memory", lambda: 300 * 2**20)
    told = index_on_worker(task.fields())
    assert "set aside after 3 attempts" in told and "give the workers more memory" in told
    reasons = attempts(Store(task.store), task.key)
    assert len(reasons) == 3 and not is_stored(Store(task.store), task.key)
    monkeypatch.undo()
    assert index_on_worker(task.fields()) == told  # until somebody takes the attempts away
    shutil.rmtree(project.store / "attempts")
    assert index_on_worker(task.fields()) == "" and is_stored(Store(task.store), task.key)


def test_a_worker_whose_disk_is_full_loses_nothing(project, networks):
    resource = pytest.importorskip("resource")
    task = task_of(project, project.find_videos()[1], networks)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # no file grows beyond, as on a disk that is full
    try:
        told = index_on_worker(task.fields())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in told
    assert attempts(Store(task.store), task.key) == [] and not is_stored(Store(task.store), task.key)
    assert index_on_worker(task.fields()) == "" and is_stored(Store(task.store), task.key)


def test_two_runs_of_one_project_at_once_share_the_work(project, alone, networks, scheduler):
    found = list[dict[str, str]]()
    threads = [threading.Thread(target=lambda: found.append(index(project, networks, scheduler))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [reason for left_out in found for reason in left_out.values()]
    assert len(found) == 2 and all("other run on the film" in reason for reason in told)
    assert tables(project) == alone
    assert index(project, networks, "tcp://nobody.invalid:1") == {}
