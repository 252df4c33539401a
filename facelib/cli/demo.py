"""`facelib demo`: a project to try."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.options import DataFolder, ProjectName


def demo(
    project: ProjectName = "demo",
    data_dir: DataFolder = Path("data"),
    seconds_per_shot: Annotated[
        float, typer.Option(help="The film has ten shots; shorter ones take less time to process.")
    ] = 3.0,
) -> None:
    """Make a small project to try: pictures of two people, a film of them and strangers, and its ground truth."""
    from facelib.demo import make_demo
    from facelib.project import Project

    place = Project(project, data_dir)
    make_demo(place, seconds_per_shot=seconds_per_shot, progress=sys.stderr.isatty())
    typer.echo(f"The demo project {project!r} lies in {place.data}")
    typer.echo(
        f"Next: facelib run --project {project}" + ("" if data_dir == Path("data") else f" --data-dir {data_dir}")
    )
