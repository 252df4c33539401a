"""`facelib page`: a project's films, people and search as a page to open in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from facelib.cli.options import DataFolder, OutputFolder, ProjectName, find_project
from facelib.cli.printing import relative


def page(
    project: ProjectName,
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
    longest_gap: Annotated[
        float, typer.Option(min=0, help="Seconds; shorter gaps between two tracks of one person are closed.")
    ] = 1.0,
) -> None:
    """Write a project's page: films with names on faces, people and search, in a browser without a server."""
    place = find_project(project, data_dir, output_dir)
    from facelib.page import write_page

    typer.echo(f"page      {relative(write_page(place, longest_gap=longest_gap, progress=sys.stderr.isatty()))}")
