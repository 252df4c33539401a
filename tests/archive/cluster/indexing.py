"""Tasks for workers, and the processes in which they are done."""

from __future__ import annotations

import json
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


def children() -> list[psutil.Process]:
    """Return the processes below this one in which a film is indexed."""
    below = psutil.Process().children(recursive=True)
    return [process for process in below if "facelib.archive.cluster.child" in command_of(process)]


@contextmanager
def killing(choose) -> Iterator[list[int]]:
    """Kill processes while the block runs: those that `choose` returns for a process in which a film is indexed."""
    over, killed = threading.Event(), []

    def kill() -> None:
        while not over.wait(0.05):
            for process in children():
                with suppress(psutil.Error):
                    for victim in choose(process):
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
