"""What a step of the pipeline was made from, so that an unchanged step is not run again."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Self

from facelib.gather import split_sources
from facelib.gather.sources import find_source
from facelib.gather.sources.address import is_address
from facelib.project import Project, write_text
from facelib.project.cast import entries_left_out

FileStates = dict[str, str | None]
"""From a file's name within the project to the SHA-256 of its content; empty for a folder, None: not there."""

FileList = Callable[[Project, Mapping[str, object]], list[Path]]


@dataclass(frozen=True, slots=True)
class StepFiles:
    """The files that a step reads and writes, as functions of the project and the step's parameters.

    Attributes:
        inputs: What it reads.
        outputs: What it writes.
        unfinished: Whether it has something left to do and is to be run again in any case.
    """

    inputs: FileList
    outputs: FileList
    unfinished: Callable[[Project, Mapping[str, object]], bool] = lambda project, given: False


@dataclass(frozen=True, slots=True)
class Made:
    """The record of one finished step: everything that its outputs depend on, and the outputs themselves.

    Attributes:
        facelib: The version of facelib.
        notebook: sha256 of the sources of the notebook's cells.
        parameters: The parameters that were given.
        inputs: The state of the files it reads, from before it ran.
        outputs: The state of the files it writes, from after it ran.
    """

    facelib: str
    notebook: str
    parameters: dict[str, object]
    inputs: FileStates
    outputs: FileStates

    @classmethod
    def now(cls, notebook: Path, parameters: Mapping[str, object], inputs: FileStates, outputs: FileStates) -> Self:
        """Return what a step would be made from at this moment."""
        return cls(version("facelib"), notebook_digest(notebook), dict(parameters), inputs, outputs)

    def write(self, path: Path) -> None:
        """Write the record as JSON, with the time; it is written last, so that a killed run leaves none."""
        record = asdict(self) | {"finished": datetime.now(UTC).isoformat()}
        write_text(json.dumps(record, indent=2, ensure_ascii=False, sort_keys=True), path)


def find_record(project: Project, name: str) -> tuple[Path, dict[str, object]] | None:
    """Return the newest record of the step called `name` and its path, or None; unreadable ones do not count."""
    found = []
    for path in project.runs.glob(f"*/{name}.json"):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            found.append((str(record.pop("finished")), path, record))
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            continue
    if not found:
        return None
    _, path, record = max(found, key=lambda entry: entry[:2])
    return path, record


def same(record: Mapping[str, object], made: Made) -> bool:
    """Tell whether a record read from a file says the same as `made`; NaN equals NaN here."""
    return json.dumps(record, sort_keys=True) == json.dumps(asdict(made), sort_keys=True)


def notebook_digest(notebook: Path) -> str:
    """Return the sha256 of the sources of a notebook's cells: outputs and metadata do not count."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    sources = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()


def file_states(project: Project, paths: Iterable[Path]) -> FileStates:
    """Return the state of each file; a folder counts by being there alone.

    Names are relative to the project's own folders and times of change do not count, so that steps stay fresh when the
    project is moved or copied.
    """
    places = {project.place_of(path): path for path in paths}
    read = project.digests(path for path in places.values() if os.path.isfile(path))
    return {place: read.get(place, "" if os.path.exists(path) else None) for place, path in places.items()}


def _cast(project: Project, parameters: Mapping[str, object]) -> list[Path]:
    if not project.people.is_dir():
        return [project.people]
    people = project.find_people()
    pictures = [picture for person in people for picture in project.find_pictures(person)]
    return [*(project.people / person for person in people), *pictures, project.disabled]


def _films(project: Project, parameters: Mapping[str, object]) -> list[Path]:
    names = parameters.get("videos")
    return project.find_videos([str(name) for name in names] if isinstance(names, list | tuple) else None)


def _everything_there(project: Project) -> list[Path]:
    """Return all files in the project's `people/` and `videos/`, those left out with a reason too."""
    return [
        *_cast(project, {}),
        *(path for path, _ in entries_left_out(project.people)),
        *(path for path, _ in project.list_videos()),
    ]


def _brought_from(project: Project, parameters: Mapping[str, object]) -> list[Path]:
    """Return the files that are copied in; a fetched film counts where it lies in the project."""
    places = [Path(str(parameters[name])) for name in ("people_from", "dataset_from") if parameters.get(name)]
    places += [Path(film) for film in _films_from(parameters) if not is_address(film)]
    paths = [path for place in places for path in (place, *sorted(place.rglob("*")))]
    listed = parameters.get("addresses_from")
    paths += [Path(str(listed))] if listed else []
    # A folder that was given a name there is taken over by the next run.
    return paths + (sorted(project.proposed.glob("*/")) if project.proposed.is_dir() else [])


def _films_from(parameters: Mapping[str, object]) -> list[str]:
    value = parameters.get("videos_from")
    return split_sources(list(map(str, value)) if isinstance(value, list | tuple) else str(value or ""))


def _something_is_missing(project: Project, parameters: Mapping[str, object]) -> bool:
    """Tell whether a film is still to be fetched, or an engine was in trouble and is to be asked again."""
    waiting = (film for film in _films_from(parameters) if is_address(film) and find_source(film, project) is None)
    return any(waiting) or _engine_failed(project)


def _engine_failed(project: Project) -> bool:
    """Tell whether the last search for pictures found an engine in trouble: its rows have no address."""
    try:
        with open(project.output / "gathered_pictures.csv", encoding="utf-8", newline="") as file:
            return any(row.get("address") == "" for row in csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return False


def _names_have_changed(project: Project, parameters: Mapping[str, object]) -> bool:
    """Tell whether names were merged or separated since the faces were written, as on another machine or by hand."""
    import pandas as pd

    from facelib.gallery.decisions import people_of

    try:
        table = pd.read_parquet(project.faces, columns=["picture", "person"])
        return bool((people_of(table, project) != table["person"]).any())
    except (OSError, ValueError, IndexError):  # no table of faces: the step itself says what is wrong
        return False


def _networks(given: Mapping[str, object]) -> list[Path]:
    """Return the files of networks named by their path: trained again, they are others under the same name."""
    return [Path(str(given[name])) for name in ("detector", "embedder") if str(given.get(name, "")).endswith(".onnx")]


def _people_to_train_on(project: Project, given: Mapping[str, object]) -> list[Path]:
    people = given.get("people_from")
    pictures = sorted(Path(str(people)).rglob("*")) if people else [*_cast(project, given), project.corrections]
    return [*pictures, *_networks(given)]


def _recognizer(project: Project) -> list[Path]:
    return [project.recognizer, project.recognizer.with_suffix(".json")]


def _results_of_films(project: Project, parameters: Mapping[str, object]) -> list[Path]:
    made = (project.film(video) for video in _films(project, parameters))
    tables = ((film.detections, film.tracks, film.looks, film.shots, film.appearances, film.annotated) for film in made)
    return list(chain.from_iterable(tables))


def _truth(project: Project, parameters: Mapping[str, object]) -> list[Path]:
    folder = Path(str(parameters.get("truth") or project.data / "truth"))
    return sorted(path for path in folder.rglob("*") if os.path.isfile(path))


STEP_FILES: Mapping[int, StepFiles] = {
    1: StepFiles(
        lambda project, given: [*_everything_there(project), *_brought_from(project, given)],
        lambda project, given: [
            project.output / f"{name}.csv" for name in ("gathered", "gathered_pictures", "pictures", "films")
        ],
        _something_is_missing,
    ),
    2: StepFiles(
        lambda project, given: [*_cast(project, given), *_networks(given)],
        lambda project, given: [project.faces],
        _names_have_changed,
    ),
    3: StepFiles(lambda project, given: [project.faces], lambda project, given: [project.map]),
    4: StepFiles(
        lambda project, given: [project.faces, project.corrections, *_networks(given)],
        lambda project, given: _recognizer(project),
    ),
    5: StepFiles(
        lambda project, given: [
            project.faces,
            *_recognizer(project),
            *_films(project, given),
            project.corrections,
            *_networks(given),
        ],
        _results_of_films,
    ),
    6: StepFiles(
        lambda project, given: [*_results_of_films(project, given), project.corrections],
        lambda project, given: [project.film(video).appearances for video in _films(project, given)],
    ),
    7: StepFiles(
        lambda project, given: [
            project.faces,
            *_recognizer(project),
            *_results_of_films(project, given),
            *_truth(project, given),
        ],
        lambda project, given: [project.output / "evaluation.csv", project.output / "evaluation.json"],
    ),
    8: StepFiles(
        _people_to_train_on,
        lambda project, given: [project.output / "training" / name for name in ("embedding.onnx", "progress.html")],
    ),
}
"""What each numbered step reads and writes; a step that is not listed is always run."""
