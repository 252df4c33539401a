"""Which project a notebook works on: the parameter's, the environment's, or the one used last."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from facelib.project import Project, write_text

VARIABLE = "FACELIB_PROJECT"
"""The environment variable that names the project of all notebooks."""

_DEFAULT = "demo"
_LAST = ".last_project"  # in the output folder


def choose_project(
    name: str = "", data_dir: str | Path = "data", output_dir: str | Path = "output"
) -> tuple[Project, str]:
    """Return the project to work on, and a sentence that says which it is and why.

    Where no name is given, the environment variable `FACELIB_PROJECT` counts; else, in an interactive front end such as
    JupyterLab, the project used last with this output folder; else the demo. Without a front end, as under papermill,
    what was used last does not count, so that the same command does the same every time.

    Raises:
        ValueError: When the name is no name of a folder.
    """
    chosen, why = _chosen(name, Path(data_dir), Path(output_dir))
    project = Project(chosen, Path(data_dir), Path(output_dir))
    if project.data.is_dir() or project.output.is_dir():
        with suppress(OSError):  # what cannot be remembered is chosen again
            write_text(f"{chosen}\n", project.output_dir / _LAST)
    return project, f"Project {chosen!r}: {why}."


def _chosen(name: str, data_dir: Path, output_dir: Path) -> tuple[str, str]:
    if name:
        return name, "chosen by the parameter 'project'"
    named = os.environ.get(VARIABLE, "")
    if named:
        return named, f"chosen by {VARIABLE} in the environment; the parameter 'project' overrides it"
    others = f"choose another with the parameter 'project' or {VARIABLE}"
    last = _used_last(data_dir, output_dir)
    return (last, f"used last; {others}") if last else (_DEFAULT, f"no other was chosen; {others}")


def _used_last(data_dir: Path, output_dir: Path) -> str:
    """Return the project used last, where a user is there to see it and it is still there; else an empty text."""
    from facelib.widgets.notebook import is_attended

    if not is_attended():
        return ""
    try:
        place = Project(_DEFAULT, data_dir, output_dir)  # it knows from where relative folders count
        last = Project((place.output_dir / _LAST).read_text(encoding="utf-8").strip(), data_dir, output_dir)
    except (OSError, ValueError):
        return ""
    return last.name if last.data.is_dir() or last.output.is_dir() else ""
