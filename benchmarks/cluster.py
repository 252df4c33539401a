"""Films on 1, 2 and 4 workers: how long it takes, and whether the tables stay the same whatever is killed meanwhile.

Scheduler and workers are processes of their own, each worker kept to one core: left alone, a worker decodes on one core
and searches on another, so that a second one would gain less. In the last run a worker is killed every 20 seconds,
the scheduler twice, and the process that indexes one chosen film each time: only that film may be set aside.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

import facelib
from facelib.archive.cluster import index_films
from facelib.demo import make_demo
from facelib.project import Project

LOOK = {"name": "centerface", "smallest_face": 16.0, "working_size": 640}
EMBED = {"name": "dlib"}


def _on_core(number: int) -> list[str]:
    """Return what keeps a process and all that it starts on one core, each worker on the next one."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[number % len(cores)])] if shutil.which("taskset") else []


class Cluster:
    """A scheduler and workers that are started again when they end."""

    def __init__(self, workers: int) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        port = self.address.rpartition(":")[2]
        dask = [sys.executable, "-m"]
        quiet = ["--no-dashboard"]
        worker = [*dask, "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny", *quiet]
        self._commands = [
            [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, *quiet],
            *[[*_on_core(number), *worker] for number in range(workers)],
        ]
        self.processes = [self._start(command) for command in self._commands]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            for place, process in enumerate(self.processes):
                if process.poll() is not None:
                    self.processes[place] = self._start(self._commands[place])

    def wait(self) -> None:
        """Wait until all workers are up."""
        from distributed import Client

        count = len(self._commands) - 1
        while True:
            with suppress(OSError), Client(self.address, timeout=60, set_as_default=False) as client:
                client.wait_for_workers(count, timeout=120)
                return

    def stop(self) -> None:
        """End all processes."""
        self._over.set()
        self._thread.join()
        for process in self.processes:
            process.kill()
            process.wait()


def make_films(folder: Path, count: int, seconds: float) -> Project:
    """Make films that show the same and differ in their bytes."""
    project = Project("films", folder / "data", folder / "output")
    make_demo(project, seconds_per_shot=seconds, progress=False)
    (project.videos / "demo_vfr.mp4").unlink()
    film = (project.videos / "demo.mp4").rename(folder / "film.mp4").read_bytes()
    for number in range(count):
        free = struct.pack(">I4sQ", 16, b"free", number)  # a box of MP4 that holds nothing
        (project.videos / f"film_{number:02d}.mp4").write_bytes(film + free)
    return project


def tables(project: Project) -> dict[str, str]:
    paths = [path for path in project.film_summary.parent.rglob("*") if path.is_file()]
    return {str(path.relative_to(project.output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@dataclass
class Run:
    """What became of one run.

    Attributes:
        seconds: How long it took.
        busy: Seconds of processor, of scheduler, workers and what they started, their own start included.
        left_out: Films without tables, with the reason.
        workers: How many workers were killed.
        schedulers: How often the scheduler was killed.
    """

    seconds: float = 0.0
    busy: float = 0.0
    left_out: dict[str, str] = field(default_factory=dict)
    workers: int = 0
    schedulers: int = 0


def run(project: Project, workers: int, deadly: Path | None = None) -> Run:
    """Index all films anew."""
    shutil.rmtree(project.output, ignore_errors=True)
    detector, embedder = facelib.load_detector(**LOOK), facelib.load_embedder(**EMBED)
    told, before = Run(), _busy()
    cluster, over = Cluster(workers), threading.Event()
    killer = threading.Thread(target=kill, args=(cluster, deadly, over, told)) if deadly else None
    cluster.wait()
    started = time.monotonic()
    try:
        if killer is not None:
            killer.start()
        told.left_out = index_films(
            project.find_videos(), project, detector, embedder, scheduler=cluster.address, detector_options=LOOK,
            embedder_options=EMBED,
        )  # fmt: skip
        told.seconds = time.monotonic() - started
    finally:
        over.set()
        if killer is not None:
            killer.join()
        cluster.stop()
    told.busy = _busy() - before
    return told


def _busy() -> float:
    """Return the seconds of processor of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kill(cluster: Cluster, deadly: Path, over: threading.Event, told: Run) -> None:
    """Kill a worker every 20 seconds, the scheduler with the first and the third, and whoever opens one film."""
    due = time.monotonic() + 20.0
    while not over.wait(0.05):
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if any(file.path == str(deadly) for file in process.open_files()):
                    process.send_signal(signal.SIGKILL)
        if time.monotonic() > due:
            told.workers, due = told.workers + 1, due + 20.0
            cluster.processes[1 + told.workers % (len(cluster.processes) - 1)].kill()
            if told.workers in (1, 3):
                told.schedulers += 1
                cluster.processes[0].kill()


def main() -> None:
    """Print the time of each run, and what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a shot of the demo; it has eight or so")
    parser.add_argument("--workers", type=int, nargs="*", default=[2, 4])
    parser.add_argument("--no-kill", action="store_true", help="leave out the run in which processes are killed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = make_films(Path(folder), given.films, given.seconds)
        first, alone = run(project, 1), tables(project)
        print(f"load before: {os.getloadavg()[0]:.1f}; {given.films} films")
        print(f"1 worker: {first.seconds:.0f} s, busy {first.busy:.0f} s", flush=True)
        for workers in given.workers:
            told = run(project, workers)
            same = "the same tables" if tables(project) == alone else "OTHER TABLES"
            ratio = f"{first.seconds / told.seconds:.2f} times as fast, busy {told.busy / first.busy:.2f} times as much"
            print(f"{workers} workers: {told.seconds:.0f} s, busy {told.busy:.0f} s, {ratio}, {same}", flush=True)
        if given.no_kill:
            return
        deadly = project.find_videos()[0]
        told = run(project, 2, deadly)
        innocent = {name: value for name, value in alone.items() if f"/{deadly.stem}/" not in name}
        same = "the same tables" if tables(project) == innocent else "OTHER TABLES"
        print(f"2 workers, {told.workers} killed, the scheduler {told.schedulers} times: {told.seconds:.0f} s, {same}")
        print(f"set aside: {told.left_out}")


if __name__ == "__main__":
    main()
