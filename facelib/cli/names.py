"""`facelib merge`, `facelib keep-apart` and `facelib separate`: whether two names of the cast are one person's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.options import DataFolder, OutputFolder, ProjectName, find_project

Name = Annotated[str, typer.Argument(help="A name of the cast, such as Tob.")]
Other = Annotated[str, typer.Argument(help="The other name, such as 'Harrison Ford'.")]


def merge(
    name: Name,
    other: Other,
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
) -> None:
    """Record that two names are one person, called by the second. No picture is moved; `separate` undoes it."""
    place = find_project(project, data_dir, output_dir)
    from facelib.gallery import merge_people

    merge_people(place, name, other)
    typer.echo(f"{name} is now {other}. Next: facelib run --project {project} --steps 2-7")


def keep_apart(
    name: Name,
    other: Other,
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
) -> None:
    """Record that two names that look like one person are two people; `separate` undoes it."""
    place = find_project(project, data_dir, output_dir)
    from facelib.project import identities

    identities.keep_apart(place, name, other)
    typer.echo(f"{name} and {other} are two people. Next: facelib run --project {project} --steps 4-7")


def separate(
    name: Name,
    other: Other,
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
) -> None:
    """Undo `merge` or `keep-apart` for two names."""
    place = find_project(project, data_dir, output_dir)
    from facelib.gallery import separate_people

    done = separate_people(place, name, other)
    typer.echo(f"Undone for {name} and {other}." if done else f"Nothing is recorded about {name} and {other}.")
