"""`facelib run`: the notebooks of a project in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelib.cli.options import DataPlace, OutputPlace
from facelib.cli.printing import print_rows
from facelib.cli.progress import step_line
from facelib.cli.results import print_results, print_step
from facelib.cli.storage import Workplace

if TYPE_CHECKING:
    from facelib.pipeline import StepResult
    from facelib.pipeline.notebooks import Notebook
    from facelib.pipeline.parameters.base import ParameterDescription


def run(
    project: Annotated[
        str,
        typer.Option(
            help="The project: the name of its folder in the data folder; only --help-parameters needs none.",
            show_default=False,
        ),
    ] = "",
    data_dir: DataPlace = "data",
    output_dir: OutputPlace = "output",
    steps: Annotated[
        str | None, typer.Option(help="Which notebooks, such as 2-5, 2,4 or 3.", show_default="1-7")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="A parameter of the notebooks; may be repeated. Often set: names, videos, detector, embedder, "
            "wanted_fpir, confidence_threshold, seconds_between_samples, blur, exports; all are explained by "
            "--help-parameters.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Run steps again even where their files are up to date.")
    ] = False,
    notebooks: Annotated[
        Path | None, typer.Option(help="A folder of notebooks to run instead of facelib's own.", show_default=False)
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="A Dask scheduler whose workers search the films, such as tcp://host:8786; 'facelib cluster' starts "
            "one.",
            show_default=False,
        ),
    ] = None,
    help_parameters: Annotated[
        bool,
        typer.Option("--help-parameters", help="List the parameters of all notebooks, or of --steps, and exit."),
    ] = False,
) -> None:
    """Run a project's notebooks in order, with an HTML report of each."""
    # Everything is checked first: loading the pipeline takes seconds.
    numbers, values = parse_steps(steps), parse_parameters(parameter or [])
    if scheduler is not None:
        values["scheduler"] = scheduler
    from facelib.pipeline.notebooks import all_steps, check_parameters, check_project, find_notebooks

    if help_parameters:
        print_parameters(find_notebooks(notebooks, all_steps(notebooks) if numbers is None else numbers))
        return
    if not project:
        problem = "expected the name of a project; 'facelib demo' makes one to try, called demo"
        raise typer.BadParameter(problem, param_hint="'--project'")
    chosen = find_notebooks(notebooks, numbers)
    check_parameters(chosen, values)
    workplace = Workplace.of(project, data_dir, output_dir)
    place = workplace.project
    check_project(place, steps=[notebook.number for notebook in chosen], parameters=values)
    from facelib.pipeline import run_pipeline

    def tell_and_send(step: StepResult) -> None:
        print_step(step, place)
        if step.state in ("done", "failed"):
            workplace.send()

    with step_line(tell_and_send) as (tell, line):
        results = run_pipeline(
            place,
            steps=numbers,
            parameters=values,
            force=force,
            notebooks=notebooks,
            progress=tell,
            watch=None if line is None else line.show,
        )
    whole = print_results(place, results)
    workplace.send_all()
    if not whole:
        raise typer.Exit(1)


def parse_steps(text: str | None) -> list[int] | None:
    """Read which steps are wanted.

    Examples:
        >>> parse_steps("2-4"), parse_steps("2,4"), parse_steps("3")
        ([2, 3, 4], [2, 4], [3])

    Raises:
        typer.BadParameter: When the text is not numbers and ranges.
    """
    if text is None:
        return None
    numbers: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"([0-9]{1,3})(?:-([0-9]{1,3}))?", part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            raise typer.BadParameter(f"expected steps such as 2-5, 2,4 or 3, got {text!r}", param_hint="'--steps'")
        numbers += range(first, last + 1)
    return numbers


def parse_parameters(pairs: Sequence[str]) -> dict[str, object]:
    """Read `name=value` pairs; values are read as papermill reads them, and lists as JSON.

    Examples:
        >>> parse_parameters(["k=5", "detector=cnn", 'videos=["a.mp4"]'])
        {'k': 5, 'detector': 'cnn', 'videos': ['a.mp4']}

    Raises:
        typer.BadParameter: When a pair has no equals sign, or its value opens a list that is not whole.
    """
    from facelib.pipeline.parameters import parse_value

    values: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        try:
            if not (equals and name.strip().isidentifier()):
                raise ValueError(f"expected NAME=VALUE, got {pair!r}")
            values[name.strip()] = parse_value(text)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="'-p'") from None
    return values


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
