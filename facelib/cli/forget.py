"""`facelib forget`: remove a person from a project for good."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.options import DataPlace, OutputPlace, ProjectName, find_project
from facelib.cli.printing import one_line


def forget(
    name: Annotated[str, typer.Argument(help="A name of the cast, or one given in films.")],
    project: ProjectName,
    data_dir: DataPlace = "data",
    output_dir: OutputPlace = "output",
    keep_name: Annotated[
        bool,
        typer.Option("--keep-name", help="Keep the name on the films, and drop the pictures, faces and embeddings."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Remove a person: pictures, faces, embeddings, and every mention. It cannot be undone."""
    from facelib.project.store import is_remote

    remote = is_remote(data_dir) or is_remote(output_dir)
    place = None if remote else find_project(project, Path(data_dir), Path(output_dir))
    what = "the pictures, faces and embeddings" if keep_name else "every picture, face, embedding and mention"
    from facelib.archive.forget import find_traces, forget_person

    if place is not None:
        find_traces(place, name)  # whoever mistyped a name is not asked first
    if not yes:
        typer.confirm(f"Remove {what} of {name} from {project}, for good?", abort=True)
    if place is None:
        from facelib.archive.cluster.shared import WorkingCopy

        copy = WorkingCopy.of(project, data_dir, output_dir)
        copy.fetch()
        done = forget_person(copy.project, name, keep_name=keep_name)
        copy.send(forgotten=True)
        done.stays.append("copies of the project on other machines, until the next run there")
        done.stays.append("earlier versions of objects, where the bucket keeps them: remove those by its own means")
    else:
        done = forget_person(place, name, keep_name=keep_name)
    typer.echo(f"In the project {project!r}, below its folders 'data' and 'output':")
    for line in done.removed:
        typer.echo(f"removed   {one_line(line)}")
    for line in done.stays:
        typer.echo(f"stays     {one_line(line)}")
