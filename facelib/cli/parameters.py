"""`facelib run --help-parameters`: every parameter of the notebooks, what it does and which values it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from facelib.cli.printing import print_rows

if TYPE_CHECKING:
    from facelib.pipeline.notebooks import Notebook
    from facelib.pipeline.parameters.base import ParameterDescription


def print_parameters(notebooks: Sequence[Notebook]) -> None:
    """Print one table per notebook: first the parameters that its cell shows, below a line the further ones."""
    from facelib.pipeline.notebooks import PLACES

    for notebook in notebooks:
        described = {one.name: one for one in notebook.model.described() if one.name not in PLACES}
        first = [one for name, one in described.items() if name in notebook.shown]
        further = [one for name, one in described.items() if name not in notebook.shown]
        typer.secho(notebook.source.stem, bold=True)
        print_rows(["parameter", "meaning"], [list(map(_row, part)) for part in (first, further) if part])
    typer.echo(
        'Set one with -p NAME=VALUE, a list with -p NAME=\'["a", "b"]\'; it applies to every notebook that has it.'
    )
    typer.echo("In JupyterLab, those below a line go into the notebook's parameter options.")


def _row(one: ParameterDescription) -> tuple[str, str]:
    return one.name, "\n".join(filter(None, (one.meaning, f"{one.values}; default: {one.default}")))
