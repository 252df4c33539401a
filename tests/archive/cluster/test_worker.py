"""A film indexed by a worker, without a scheduler: its tables in the store, or its problem in words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

import psutil
import pytest

from facelib.archive.cluster import worker
from facelib.archive.cluster.task import attempts, is_stored, take_tables
from facelib.archive.cluster.worker import index_on_worker
from facelib.project import FilmFiles
from facelib.project.fork_server import ForkServer
from facelib.project.store import Store

from .indexing import killing, task_of

pytest.importorskip("distributed")
pytestmark = pytest.mark.usefixtures("forked_films")


@pytest.fixture
def own_forks(monkeypatch) -> Iterator[None]:
    """Processes of films that are forked from one of the worker's own, as they are for users."""
    monkeypatch.setattr(worker, "_forks", own := cache(worker._forks.__wrapped__))
    monkeypatch.setattr(worker, "ForkServer", ForkServer)
    yield
    if forks := own():
        forks.close()


def test_a_film_that_is_gone_or_another_one_has_a_problem_and_no_attempt(project, networks, tmp_path):
    film = shutil.copy(project.find_videos()[0], tmp_path / "film.mp4")
    task = task_of(project, film, networks, size=1)
    assert "it was changed" in index_on_worker(asdict(task))
    film.unlink()
    assert "No such file" in index_on_worker(asdict(task))
    assert attempts(Store(task.store), task.key) == []


def test_a_film_that_is_deleted_while_it_is_read_has_a_problem_and_no_tables(project, networks, tmp_path):
    film = Path(shutil.copy(project.find_videos()[0], tmp_path / "film.mp4"))
    task = task_of(project, film, networks)

    def choose(process: psutil.Process, _: psutil.Process) -> list[psutil.Process]:
        if str(film) in [file.path for file in process.open_files()]:
            film.unlink(missing_ok=True)
        return []

    with killing(choose):
        told = index_on_worker(asdict(task))
    assert not film.exists()
    assert "No such file" in told and str(film) in told
    assert attempts(Store(task.store), task.key) == [] and not is_stored(Store(task.store), task.key)


def test_a_worker_without_the_weights_says_where_to_get_them(project, networks, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing is fetched
    task = task_of(project, project.find_videos()[0], networks, detector={"name": "yunet"})
    told = index_on_worker(asdict(task))
    assert "yunet_n_640_640.onnx" in told and "put it at" in told and str(tmp_path) in told
    assert attempts(Store(task.store), task.key) == [] and not is_stored(Store(task.store), task.key)


def test_a_worker_with_other_networks_refuses(project, networks):
    task = task_of(project, project.find_videos()[0], networks)
    other = task_of(project, Path(task.film), networks, made=task.made | {"weights": "others"})
    assert "this worker has others: weights" in index_on_worker(asdict(other))
    assert not is_stored(Store(other.store), other.key)


def test_a_damaged_table_in_the_store_is_refused(project, networks, tmp_path):
    task = task_of(project, project.find_videos()[1], networks)
    store = Store(task.store)
    assert index_on_worker(asdict(task)) == "" and is_stored(store, task.key)
    largest = max((project.store / "objects").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(b"")
    with pytest.raises(OSError, match=r"expected .* with the SHA-256"):
        take_tables(store, task.key, FilmFiles(tmp_path / "taken"))
    assert not FilmFiles(tmp_path / "taken").followed.exists()


def test_a_worker_out_of_memory_sets_the_film_aside_and_says_so(project, networks, own_forks, monkeypatch):
    task = task_of(project, project.find_videos()[1], networks)
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_memory", lambda: 300 * 2**20)
        told = index_on_worker(asdict(task))
    assert "set aside after 3 attempts" in told and "give the workers more memory" in told
    reasons = attempts(Store(task.store), task.key)
    assert len(reasons) == 3 and not is_stored(Store(task.store), task.key)
    assert index_on_worker(asdict(task)) == told  # until somebody takes the attempts away
    shutil.rmtree(project.store / "attempts")
    assert index_on_worker(asdict(task)) == "" and is_stored(Store(task.store), task.key)


def test_a_worker_whose_disk_is_full_loses_nothing(project, networks, monkeypatch):
    monkeypatch.setattr(worker, "_forks", lambda: None)  # as where processes are not forked
    resource = pytest.importorskip("resource")
    task = task_of(project, project.find_videos()[1], networks)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # no file grows beyond, as on a disk that is full
    try:
        told = index_on_worker(asdict(task))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in told
    assert attempts(Store(task.store), task.key) == [] and not is_stored(Store(task.store), task.key)
    assert index_on_worker(asdict(task)) == "" and is_stored(Store(task.store), task.key)
