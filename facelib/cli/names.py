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
    """Say that a name is the other one's from now on. No picture is moved; `separate` takes it back."""
    place = find_project(project, data_dir, output_dir)
    from facelib.gallery import merge_people

    merge_people(place, name, other)
    typer.echo(f"{name} is {other} from now on. Next: facelib run --project {project} --steps 2-7")


def keep_apart(
    name: Name,
    other: Other,
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
) -> None:
    """Say that two names that look like one person are two people's; `separate` takes it back."""
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
    """Take back what `merge` or `keep-apart` said of two names."""
    place = find_project(project, data_dir, output_dir)
    from facelib.gallery import separate_people

    done = separate_people(place, name, other)
    typer.echo(f"{name} and {other} are open again." if done else f"Nothing was said of {name} and {other}.")
