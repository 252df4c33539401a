"""Index the films of a project on many machines: the tasks handed out, followed, and their tables taken over."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from facelib.archive.cluster.connect import connected
from facelib.archive.cluster.shared import addresses_of, known_objects
from facelib.archive.cluster.task import IndexTask, add_attempt, set_aside, take_tables
from facelib.archive.cluster.worker import index_on_worker
from facelib.detect import Detector
from facelib.embed import Embedder
from facelib.films.indexed import made_from, read_index
from facelib.films.problems import LOOKING, problem_of
from facelib.films.renamed import FormerResults
from facelib.films.tracking import TrackingSettings
from facelib.project import Project, text_of, write_text
from facelib.project.decisions import read_decisions
from facelib.project.store import Store

_PAUSE = 0.2  # seconds between two looks at the tasks
_PATIENCE = 120.0  # seconds for a scheduler to come back
_log = logging.getLogger(__name__)


def index_films(
    films: Iterable[Path],
    project: Project,
    detector: Detector,
    embedder: Embedder,
    *,
    scheduler: str,
    detector_options: Mapping[str, Any],
    embedder_options: Mapping[str, Any],
    tracking: TrackingSettings | None = None,
    progress: bool = True,
) -> dict[str, str]:
    """Index films on the workers of a Dask scheduler, and take their tables over into the project.

    Films whose tables are up to date are left alone; without a scheduler, all are. Data and output lie where all
    machines reach them: under the same path, or at addresses (`facelib.archive.cluster.shared`). A worker that dies
    costs the film that it was working on, which goes to another one; a scheduler that is started again is given what is
    left. A film that brings its process down three times is set aside.

    Args:
        films: Paths.
        project: Where the results go.
        detector: Finds the faces; it says what the tables must be made from.
        embedder: Embeds them.
        scheduler: Such as `tcp://host:8786`; empty does nothing.
        detector_options: The arguments of `facelib.load_detector` with which workers open the same detector.
        embedder_options: Those of `facelib.load_embedder`.
        tracking: How faces are found and tracked; None takes the defaults.
        progress: Show a bar over all films, with the time left.

    Returns:
        The films without tables, by file name, each with its problem: for `identify_films(left_out=)`.

    Raises:
        ImportError: When the extra `scale` is not installed.
        ValueError: When the address is none, a machine has other versions, or `corrections.csv` is damaged.
        ConnectionError: When no scheduler answers, or it does not come back.
    """
    if not scheduler:
        return {}
    tracking = tracking or TrackingSettings()
    films = list(films)
    former = FormerResults(project, films)
    made = {film: _made(project, film, former, detector, embedder, tracking) for film in films}
    stale = {film: inputs for film, inputs in made.items() if inputs is not None}
    if not stale:
        return {}
    read_decisions(project.corrections)  # as in `identify_films`
    options = {"detector": dict(detector_options), "embedder": dict(embedder_options), "tracking": asdict(tracking)}
    tasks: dict[str, IndexTask] = {}
    films_of: dict[str, list[Path]] = {}
    for film, task in _tasks(project, stale, **options):
        tasks[task.key] = task
        films_of.setdefault(task.key, []).append(film)
    problems: dict[str, str] = {}
    total = sum(task.size for task in tasks.values())
    with tqdm(total=total, unit="B", unit_scale=True, desc=_count(0, tasks), leave=False, disable=not progress) as bar:
        for number, (key, problem) in enumerate(_finished(tasks, scheduler), 1):
            for film in films_of[key]:
                problems |= {film.name: problem} if problem else _take_over(project, film, tasks[key])
            bar.set_description(_count(number, tasks), refresh=False)
            bar.update(tasks[key].size)
    return problems


def _tasks(
    project: Project, films: Mapping[Path, Mapping[str, Any]], **options: Mapping[str, Any]
) -> Iterator[tuple[Path, IndexTask]]:
    """Yield the task of each film that is there, which is given with what its tables are to be made from."""
    shared = addresses_of(project)
    store = f"{shared['output']}/store" if shared else Store.at(project.store).address
    tags = known_objects(project) if shared else {}
    for film, made in films.items():
        try:
            size = film.stat().st_size
        except OSError:  # deleted while others were read; reported by whoever reads it next
            continue
        where = str(film.absolute())
        if shared and film.is_relative_to(project.data):
            where = f"{shared['data']}/{film.relative_to(project.data).as_posix()}"
        tag, content = tags.get(project.place_of(film), ("", ""))
        tag = tag if content == made["film"] else ""
        yield film, IndexTask(where, size, store, made=json.loads(json.dumps(made)), tag=tag, **options)


def _count(number: int, tasks: Mapping[str, IndexTask]) -> str:
    return f"film {number} of {len(tasks)}"


def _made(
    project: Project,
    film: Path,
    former: FormerResults,
    detector: Detector,
    embedder: Embedder,
    tracking: TrackingSettings,
) -> dict[str, object] | None:
    """Return what a film's tables are to be made from; None where they are up to date or it cannot be read."""
    try:
        content = project.digest(film)
        with suppress(BlockingIOError), project.hold(film) as files:  # whoever holds it looks at that
            former.take_over(film, files, content)
    except OSError:  # reported by whoever reads it next
        return None
    made = made_from(content, detector, embedder, tracking)
    return made if read_index(project.film(film), made) is None else None


def _take_over(project: Project, film: Path, task: IndexTask) -> dict[str, str]:
    """Write a film's tables into its folder; return its problem by its name, if any."""
    try:
        with project.hold(film) as files:
            write_text(f"{text_of(film.name)}\n", files.source)
            take_tables(Store(task.store), task.key, files)
    except BlockingIOError:  # whoever holds it makes its tables; `identify_films` says so where it still is held
        return {}
    except OSError as error:
        return {film.name: problem_of(error, LOOKING)}
    return {}


def _finished(tasks: Mapping[str, IndexTask], scheduler: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the problem of each task as it ends; a scheduler that goes away is waited for."""
    waiting, reached, gone = dict(tasks), False, 0.0
    while waiting:
        try:
            with connected(scheduler) as client:
                if not reached:
                    _log.info("%d films go to %s; dashboard: %s", len(waiting), scheduler, client.dashboard_link)
                reached, gone = True, 0.0
                for key, problem in _followed(client, dict(waiting)):
                    del waiting[key]
                    yield key, problem
        except ConnectionError as error:
            if not reached:
                raise
            gone = gone or time.monotonic()
            if time.monotonic() - gone > _PATIENCE:
                raise ConnectionError(
                    f"{error}; {len(waiting)} films are left, the others are finished: run this again"
                ) from None
            _log.warning("the scheduler %s is gone; waiting for it to come back", scheduler)
            time.sleep(1.0)


def _followed(client: Any, tasks: Mapping[str, IndexTask]) -> Iterator[tuple[str, str]]:
    """Hand out tasks, and yield each key with its problem; a ConnectionError says that the scheduler is gone."""
    futures = {key: _submit(client, task, 0) for key, task in tasks.items()}
    tries = dict.fromkeys(futures, 0)
    while futures:
        time.sleep(_PAUSE)
        states = {key: future.status for key, future in futures.items()}
        if client.status != "running" or {"cancelled", "lost"} & set(states.values()):
            raise ConnectionError("the connection to the scheduler was lost")
        for key, state in states.items():
            if state == "pending":
                continue
            problem = _problem(futures[key], tasks[key])
            if problem is None:
                tries[key] += 1
                futures[key] = _submit(client, tasks[key], tries[key])
                continue
            del futures[key]
            yield key, problem


def _submit(client: Any, task: IndexTask, tries: int) -> Any:
    # Under one name, so that two runs of one project share the work; a task that failed keeps its name.
    return client.submit(index_on_worker, asdict(task), key=f"facelib-{task.key}-{tries}")


def _problem(future: Any, task: IndexTask) -> str | None:
    """Return the problem of a task that has ended, empty for none; None where it is to be tried again."""
    from distributed.scheduler import KilledWorker

    if future.status == "finished":
        return str(future.result())
    error = future.exception()
    if isinstance(error, KilledWorker):  # several workers went away while they worked on it
        store = Store(task.store)
        add_attempt(store, task.key, "several workers in turn went away while they worked on it")
        return set_aside(store, task.key) or None
    return problem_of(error, LOOKING)
