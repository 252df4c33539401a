"""One film in a process of its own: `python -m facelib.archive.cluster.child`.

The task comes as one line of JSON on standard input, how it ended goes as one line of JSON to standard output. Standard
input stays open as long as the worker lives: when it ends, so does this process.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from facelib.archive.cluster.task import IndexTask, store_tables
from facelib.films.indexed import index_film, made_from
from facelib.films.problems import LOOKING, problem_of
from facelib.project import FilmFiles, digest
from facelib.project.processes import answer_parent, end_with_parent, is_out_of_memory, is_still_there, limit_memory
from facelib.project.ranges import CACHE_VARIABLE, room_for_films, size_of
from facelib.project.store import Store, is_remote
from facelib.project.wording import sized

_FOLDER = "facelib-film-"


def main() -> None:
    """Index the film that standard input names."""
    asked, tell = answer_parent()
    end_with_parent()
    with suppress(OSError):  # the system is to end this process before the worker when memory runs out
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    limit_memory(asked["memory"])
    try:
        tell({"problem": _index(IndexTask(**asked["task"]))})
    except Exception as error:  # a film's error is its result, a lack of memory is not
        most = f"the {asked['memory'] / 2**30:.1f} GB of memory that it may take"
        died = {"died": f"it needed more than {most if asked['memory'] else 'the memory that there is'}"}
        tell(died if is_out_of_memory(error) else {"problem": problem_of(error, LOOKING)})


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
    remove_leftovers()
    with tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-") as folder:
        film = _film(task, Path(folder))
        _check_size(film, task.size)
        files = FilmFiles(Path(folder) / "film")
        index_film(film, files, detector, embedder, content=str(made["film"]), tracking=task.settings, progress=False)
        _check_size(film, task.size)
        store_tables(Store(task.store), task.key, files)
    return ""


def _film(task: IndexTask, folder: Path) -> str | Path:
    """Return where the film is read: its path, or its address where it is known by its ETag; else it is fetched."""
    if not is_remote(task.film):
        return Path(task.film)
    address, _, name = task.film.rpartition("/")
    store, film = Store(address), folder / name
    if task.tag and store.facts(name).tag == task.tag:
        return task.film
    room = room_for_films(folder)
    if task.size > room:
        raise OSError(
            f"expected room for the {sized(task.size)} of {task.film!r} on the worker, which may take "
            f"{sized(room, beside=task.size)}; raise {CACHE_VARIABLE}, or make room in {tempfile.gettempdir()!r}"
        )
    if store.fetch(name, film) != task.made["film"]:
        raise OSError(f"expected the film that was asked for at {task.film!r}, it was changed")
    return film


def _check_size(film: str | Path, expected: int) -> None:
    size = size_of(film)
    if size != expected:
        raise OSError(f"expected a film of {expected} bytes at {str(film)!r}, it has {size} now: it was changed")


def remove_leftovers() -> None:
    """Remove the temporary folders of processes that were killed while they indexed a film."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        number = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if number.isdecimal() and not is_still_there(int(number), folder):
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
    os._exit(0)  # all is reported; unloading the imports would take a quarter of a second
