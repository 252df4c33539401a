"""`facelib forget`: remove a person from a project for good."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.options import DataFolder, OutputFolder, ProjectName, find_project


def forget(
    name: Annotated[str, typer.Argument(help="A name of the cast, or one given in films.")],
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
    keep_name: Annotated[
        bool, typer.Option(help="Keep the name on the films, and drop the pictures, faces and embeddings.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Remove a person: pictures, faces, embeddings, and every mention. It cannot be undone."""
    from facelib.archive.forget import forget_person

    place = find_project(project, data_dir, output_dir)
    what = "the pictures, faces and embeddings" if keep_name else "every picture, face, embedding and mention"
    if not yes:
        typer.confirm(f"Remove {what} of {name} from {project}, for good?", abort=True)
    done = forget_person(place, name, keep_name=keep_name)
    for line in done.removed:
        typer.echo(f"removed   {line}")
    for line in done.stays:
        typer.echo(f"stays     {line}")
