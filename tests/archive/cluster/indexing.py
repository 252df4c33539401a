"""Tasks for workers, and the processes in which they are done."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from facelib.archive.cluster.task import IndexTask
from facelib.films.indexed import made_from
from facelib.films.tracking import TrackingSettings
from facelib.project import Project
from facelib.project.store import Store

from ...processes import command_of

CHILD = "facelib.archive.cluster.child"
LOOK = {"name": "haar", "working_size": 320, "smallest_face": 80}
EMBED = {"name": "dlib"}
TRACKING = TrackingSettings(seconds_between_samples=0.5)


def task_of(project: Project, film: Path, networks, **changed) -> IndexTask:
    made = made_from(project.digest(film), *networks, TRACKING)
    fields = {
        "film": str(film), "size": film.stat().st_size, "store": Store.at(project.store).address, "detector": LOOK,
        "embedder": EMBED, "tracking": {"seconds_between_samples": 0.5}, "made": json.loads(json.dumps(made)),
    }  # fmt: skip
    return IndexTask(**fields | changed)


def children() -> list[tuple[psutil.Process, psutil.Process]]:
    """Return the processes in which a film is indexed for workers below this one, each with its worker.

    A forked one lies below the process that forked it; it has the standard input of what stands for it at its worker.
    """
    below = [(one, command_of(one)) for one in psutil.Process().children(recursive=True)]
    started = [(one, command) for one, command in below if CHILD in command and "serve" not in command]
    forks = [one for one in psutil.process_iter() if "serve" in command_of(one)] if started else []
    found = []
    for one, command in started:
        own = [process for process in forks if _input(process) == _input(one) != ""] if "start" in command else [one]
        with suppress(psutil.Error):
            found += [(process, one.parent()) for process in own]
    return found


def _input(process: psutil.Process) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/{process.pid}/fd/0")
    return ""


@contextmanager
def killing(choose) -> Iterator[list[int]]:
    """Kill processes while the block runs: those that `choose` returns for a film's process and its worker."""
    over, killed = threading.Event(), []

    def kill() -> None:
        while not over.wait(0.05):
            for process, worker in children():
                with suppress(psutil.Error):
                    for victim in choose(process, worker):
                        if victim.pid not in killed:  # on a busy machine it takes a while to end
                            victim.kill()
                            killed.append(victim.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()
