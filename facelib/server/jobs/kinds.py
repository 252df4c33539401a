"""The kinds of jobs: which notebooks each runs, and which of their parameters a request may give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from facelib.gather.sources.address import is_address
from facelib.pipeline.notebooks import PLACES, check_parameters, check_project, find_notebooks
from facelib.project import Project, text_of

JobKind = Literal["gather", "train", "map", "film", "evaluate", "network", "run"]
"""What a job does: pictures and films brought in; known faces and recognizer made again; the map; one film; figures; an
embedding network trained; any notebooks by their numbers."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The notebooks of a kind of job.

    Attributes:
        steps: Their numbers.
        only_missing: Those that are run only where what they make is missing: a threshold that somebody chose stays.
    """

    steps: tuple[int, ...]
    only_missing: frozenset[int] = frozenset()


KINDS: Mapping[JobKind, Kind] = {
    "gather": Kind((1,)),
    "train": Kind((2, 4)),
    "map": Kind((3,)),
    "film": Kind((2, 4, 5), only_missing=frozenset({2, 4})),
    "evaluate": Kind((7,)),
    "network": Kind((8,)),
    "run": Kind(()),
}
assert set(KINDS) == set(get_args(JobKind))

# They name places on the server's disk or in its network, which nobody chooses from outside.
_OF_THE_SERVER = frozenset(
    {*PLACES, "people_from", "dataset_from", "addresses_from", "truth", "pairs", "pairs_pictures", "sparql_endpoint",
     "private_addresses", "source"}
)  # fmt: skip
_NETWORKS = frozenset({"detector", "embedder", "network", "reference"})
_FILMS = frozenset({"videos", "faces_from"})


def steps_of(kind: JobKind, steps: Sequence[int], project: Project) -> list[int]:
    """Return the numbers of the notebooks that a job runs, in order."""
    if kind == "run":
        return sorted(set(steps))
    made = {2: project.faces, 4: project.recognizer}
    skipped = {number for number in KINDS[kind].only_missing if made[number].is_file()}
    return [number for number in KINDS[kind].steps if number not in skipped]


def check_job(
    project: Project,
    kind: JobKind,
    parameters: Mapping[str, object],
    steps: Sequence[int] = (),
    *,
    notebooks: Path | None = None,
) -> None:
    """Refuse a job that could not run, or that would reach beyond the project; only the kind `run` has `steps`.

    Raises:
        ValueError: When a parameter is unknown, of another type, or names a place of the server.
        FileNotFoundError: When a film is not there.
    """
    if bool(steps) != (kind == "run"):
        raise ValueError(f"expected steps for the kind 'run' and for no other, got {list(steps)!r} for {kind!r}")
    for name, value in parameters.items():
        _refuse_places(name, value, project)
    if kind == "film" and len(_texts(parameters.get("videos"))) != 1:
        raise ValueError(f"expected one film in 'videos', got {parameters.get('videos')!r}; make a job for each")
    numbers = steps or KINDS[kind].steps
    check_parameters(find_notebooks(notebooks, numbers), parameters)
    check_project(project, steps=numbers, parameters=parameters)


def _refuse_places(name: str, value: object, project: Project) -> None:
    if name in _OF_THE_SERVER:
        raise ValueError(f"expected no {name!r}: it names a place of the server, which its owner alone chooses")
    for text in _texts(value):
        if name in _NETWORKS and (set("/\\") & set(text) or text.endswith(".onnx")):
            raise ValueError(f"expected the name of a network as {name!r}, got {text!r}, a file of the server")
        if name == "videos_from" and not (is_address(text) and text.partition(":")[0] in {"http", "https"}):
            raise ValueError(f"expected addresses of films, such as https://example.org/a.mp4, got {text!r}")
        if name in _FILMS and text not in (names := [text_of(film.name) for film in project.find_videos()]):
            raise FileNotFoundError(f"expected a film of the project, got {text!r}; there are {names!r}")


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)] if value else []
