"""One film in a process of its own: `python -m facelib.archive.cluster.child`.

The task comes as one line of JSON on standard input, how it ended goes as one line of JSON to standard output. Standard
input stays open as long as the worker lives: when it ends, so does this process.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from facelib.archive.cluster.task import IndexTask, store_tables
from facelib.films.indexed import index_film, made_from
from facelib.films.problems import LOOKING, problem_of
from facelib.project import FilmFiles, digest
from facelib.project.child import end_with_parent, limit_memory
from facelib.project.store import Store, is_remote


def main() -> None:
    """Index the film that standard input names."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not come before the line of JSON
    asked = json.loads(sys.stdin.readline())
    end_with_parent()
    _die_before_worker()
    limit_memory(asked["memory"])
    try:
        told = {"problem": _index(IndexTask(**asked["task"]))}
    except MemoryError:
        told = {"died": f"it needed more than the {asked['memory'] / 2**30:.1f} GB of memory that it may take"}
    except Exception as error:  # a film's error is its result
        told = {"problem": problem_of(error, LOOKING)}
    out.write(json.dumps(told) + "\n")
    out.flush()


def _index(task: IndexTask) -> str:
    """Index a film and store its tables; return nothing."""
    import cv2

    import facelib

    cv2.setNumThreads(1)
    detector, embedder = facelib.load_detector(**task.detector), facelib.load_embedder(**task.embedder)
    made = made_from(str(task.made["film"]), detector, embedder, task.settings)
    if digest(made) != task.key:
        differ = {name: (task.made.get(name), made[name]) for name in made if made[name] != task.made.get(name)}
        raise ValueError(
            f"expected the networks and the version of facelib of the machine that asked, this worker has others: "
            f"{', '.join(f'{name} {theirs!r} instead of {ours!r}' for name, (ours, theirs) in differ.items())}; "
            f"install the same ones on all workers"
        )
    with tempfile.TemporaryDirectory(prefix="facelib-") as folder:
        film = _film(task, Path(folder))
        _check_size(film, task.size)
        files = FilmFiles(Path(folder) / "film")
        index_film(film, files, detector, embedder, content=str(made["film"]), tracking=task.settings, progress=False)
        _check_size(film, task.size)
        store_tables(Store(task.store), task.key, files)
    return ""


def _film(task: IndexTask, folder: Path) -> Path:
    """Return the path of the film; one on shared storage is fetched into a folder first."""
    if not is_remote(task.film):
        return Path(task.film)
    address, _, name = task.film.rpartition("/")
    film = folder / name
    content = Store(address).fetch(name, film)
    if content != task.made["film"]:
        raise OSError(f"expected the film that was asked for at {task.film!r}, it was changed")
    return film


def _check_size(film: Path, expected: int) -> None:
    size = film.stat().st_size
    if size != expected:
        raise OSError(f"expected a film of {expected} bytes at {str(film)!r}, it has {size} now: it was changed")


def _die_before_worker() -> None:
    """Let the system end this process before the worker when memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
