"""The options that several commands have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from facelib.project import Project

ProjectName = Annotated[str, typer.Option("--project", help="The project: the name of its folder in the data folder.")]
DataFolder = Annotated[Path, typer.Option("--data-dir", help="Holds NAME/people/<Person Name>/* and NAME/videos/*.")]
OutputFolder = Annotated[Path, typer.Option("--output-dir", help="Results are written to NAME/ in this folder.")]
DataPlace = Annotated[
    str,
    typer.Option("--data-dir", help="Holds NAME/people/<Person Name>/* and NAME/videos/*; may be s3://BUCKET/FOLDER."),
]
OutputPlace = Annotated[
    str, typer.Option("--output-dir", help="Results are written to NAME/ in this folder; may be s3://BUCKET/FOLDER.")
]

_REMOTE = re.compile(r"\w{2,}:/")  # of two slashes a path keeps one


def find_project(name: str, data_dir: Path, output_dir: Path) -> Project:
    """Return a project that is there.

    Raises:
        ValueError: When the name is no name of a folder, or a place is an address.
        FileNotFoundError: When there is none; those with names like it are offered.
    """
    from facelib.pipeline.notebooks import check_project
    from facelib.project import Project

    for place in (data_dir, output_dir):
        if _REMOTE.match(place.as_posix()):
            raise ValueError(
                f"expected a folder of this machine, got {place.as_posix()!r}: only 'facelib run' and 'facelib forget' "
                f"take addresses; give the local copy's folder, which 'facelib run' prints"
            )
    project = Project(name, data_dir, output_dir)
    check_project(project)
    return project
