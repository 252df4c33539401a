"""Films indexed by the workers of a real Dask scheduler: the tables of one machine, whatever dies meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import psutil
import pytest

from facelib.archive.cluster import start_cluster
from facelib.archive.cluster.connect import connected
from facelib.films.indexed import index_film
from facelib.project import Project
from tests.forked import FACELIB
from tests.serving import running, serving
from tests.waiting import PATIENCE, at_once, wait_until

from .conftest import index, tables
from .indexing import TRACKING, children, killing, task_of

pytest.importorskip("distributed")


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
    with running(serving(BaseHTTPRequestHandler)) as address:
        yield address.replace("http", "tcp")


@contextmanager
def a_talker(greeting: bytes) -> Iterator[str]:
    """Start a server of another kind, which greets and then waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = list[socket.socket]()

        def greet() -> None:
            with suppress(OSError):
                while True:
                    kept.append(server.accept()[0])
                    kept[-1].sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for one in kept:
                one.close()


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
        (lambda folder: a_talker(b"\n"), ConnectionError, "none answered within"),
        (lambda folder: a_talker(b"SSH-2.0-OpenSSH_9.2\r\n"), ConnectionError, "none answered within"),
        (lambda folder: a_talker((20).to_bytes(8, "little")), ConnectionError, "none answered within"),
        (lambda folder: a_talker((20).to_bytes(8, "little") + bytes(20)), ConnectionError, "none answered within"),
        (strangers, ValueError, "has facelib 0.1.9; install the same versions"),
    ],
)
def test_schedulers_that_will_not_do(project, networks, tmp_path, monkeypatch, who, error, message):
    if error is ConnectionError:  # a scheduler that is there may take longer on a busy machine
        monkeypatch.setattr("facelib.archive.cluster.connect._SECONDS", 1.0)
    with who(tmp_path) as address, pytest.raises(error, match=message):
        index(project, networks, address)
    assert tables(project) == {}


def test_a_port_that_another_program_has():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(OSError, match=f"at port {port}, got: .* in use; .*, or 0 for any"),
            start_cluster(1, port=port),
        ):
            pass


def test_an_address_may_end_in_a_slash_and_ctrl_c_ends_a_cluster_without_a_word_of_its_workers():
    command = [*FACELIB, "cluster", "--workers", "1", "--port", "0", "--dashboard-port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, start_new_session=True) as cluster:
        try:
            address = cluster.stdout.readline().split()[1]
            with connected(f"{address}/") as client:
                assert client.scheduler.address == address
        finally:
            os.killpg(cluster.pid, signal.SIGINT)
        _, said = cluster.communicate(timeout=PATIENCE)
    assert (cluster.returncode, said) == (130, "\nStopped. Run the same command again to continue.\n")


def test_ctrl_c_while_a_cluster_starts_ends_it_once_it_has():
    command = [*FACELIB, "cluster", "--workers", "1", "--port", "0", "--dashboard-port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, start_new_session=True) as cluster:
        wait_until(psutil.Process(cluster.pid).children)
        time.sleep(0.2)
        os.killpg(cluster.pid, signal.SIGINT)
        said = cluster.communicate(timeout=PATIENCE)
    assert (cluster.returncode, *said) == (130, "", "\nStopped. Run the same command again to continue.\n")


def test_a_film_that_is_deleted_before_it_is_handed_out_costs_no_other(project, networks, scheduler, monkeypatch):
    gone, kept = project.find_videos()
    content, read = gone.read_bytes(), Project.digest

    def digest(project: Project, film: Path) -> str:
        found = read(project, film)
        if film == kept:  # the last that is read before they are handed out
            gone.unlink()
        return found

    monkeypatch.setattr(Project, "digest", digest)
    try:
        assert index(project, networks, scheduler) == {}
    finally:
        gone.write_bytes(content)
    assert {name.partition("/")[0] for name in tables(project)} == {project.film(kept).folder.name}


def test_two_runs_of_one_project_at_once_share_the_work(project, alone, networks, scheduler):
    found = at_once(*[lambda: index(project, networks, scheduler)] * 2)
    told = [reason for left_out in found for reason in left_out.values()]
    assert all("other run on the film" in reason for reason in told)
    assert tables(project) == alone
    assert index(project, networks, "tcp://nobody.invalid:1") == {}


def test_a_film_that_was_renamed_keeps_its_results(films, alone, networks, tmp_path):
    project = Project(films.name, tmp_path / "data", tmp_path / "output")
    shutil.copytree(films.data, project.data)
    shutil.copytree(films.output, project.output)
    before = project.film("demo.mp4").folder
    (project.videos / "demo.mp4").rename(project.videos / "pilot.mp4")
    assert index(project, networks, "tcp://nobody.invalid:1") == {}
    assert not before.exists() and project.film("pilot.mp4").folder.name == "pilot"
