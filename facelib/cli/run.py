"""`facelib run`: the notebooks of a project in order, and where their results lie."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelib.cli.options import DataFolder, OutputFolder
from facelib.cli.parameters import print_parameters
from facelib.cli.printing import shown

if TYPE_CHECKING:
    from facelib.pipeline import StepResult
    from facelib.project import Project


def run(
    project: Annotated[
        str,
        typer.Option(help="The project: the name of its folder in the data folder.", show_default="required"),
    ] = "",
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
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
    force: Annotated[bool, typer.Option("--force", help="Run also the steps whose files are still fresh.")] = False,
    notebooks: Annotated[
        Path | None, typer.Option(help="A folder of notebooks to run instead of facelib's own.", show_default=False)
    ] = None,
    help_parameters: Annotated[
        bool,
        typer.Option("--help-parameters", help="List the parameters of all notebooks, or of --steps, and end."),
    ] = False,
) -> None:
    """Run the notebooks of a project in order, with an HTML report each."""
    # Everything is checked first: loading the pipeline takes seconds.
    numbers, values = parse_steps(steps), parse_parameters(parameter or [])
    from facelib.pipeline.notebooks import all_steps, check_parameters, check_project, find_notebooks

    if help_parameters:
        print_parameters(find_notebooks(notebooks, all_steps(notebooks) if numbers is None else numbers))
        return
    if not project:
        raise typer.BadParameter("expected the name of a project", param_hint="'--project'")
    chosen = find_notebooks(notebooks, numbers)
    check_parameters(chosen, values)
    from facelib.project import Project

    place = Project(project, data_dir, output_dir)
    check_project(place, steps=[notebook.number for notebook in chosen], parameters=values)
    from facelib.pipeline import run_pipeline

    results = run_pipeline(
        place,
        steps=numbers,
        parameters=values,
        force=force,
        notebooks=notebooks,
        progress=lambda step: _print_step(step, place),
        progress_bar=sys.stderr.isatty(),
    )
    _link_reports(place)
    _print_places(place, results)
    if results[-1].state == "failed":
        raise typer.Exit(1)
    if any(result.number in (5, 6) for result in results):
        whole = _print_problems(place)
        _print_scores(place)
        if not whole:
            raise typer.Exit(1)


def parse_steps(text: str | None) -> list[int] | None:
    """Read which steps are wanted.

    Example:
        >>> parse_steps("2-4"), parse_steps("2,4"), parse_steps("3")
        ([2, 3, 4], [2, 4], [3])

    Raises:
        typer.BadParameter: When the text is not numbers and ranges.
    """
    if text is None:
        return None
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
            raise typer.BadParameter(f"expected steps such as 2-5, 2,4 or 3, got {text!r}", param_hint="'--steps'")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def parse_parameters(pairs: Sequence[str]) -> dict[str, object]:
    """Read `name=value` pairs; values are read as papermill reads them, and lists as JSON.

    Example:
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


def _print_step(step: StepResult, project: Project) -> None:
    line = {
        "running": "...",
        "done": f"done in {step.seconds:.1f} s",
        "fresh": "fresh: nothing it depends on has changed (--force runs it again)",
        "failed": f"FAILED after {step.seconds:.1f} s: {step.message}",
    }[step.state]
    typer.echo(f"{step.name}: {line}", err=step.state == "failed")
    if step.number == 4 and step.state in {"done", "fresh"}:
        _print_recognizer(project)


def _print_recognizer(project: Project) -> None:
    """Say what threshold films are named by, how often it errs, and what to look at first."""
    from facelib.recognize import load_recognizer
    from facelib.recognize.report import describe_recognizer, recognizer_warnings

    try:
        _, info = load_recognizer(project.recognizer)
    except (FileNotFoundError, ValueError):  # `save` was false, and there is none of before
        return
    typer.echo(f"    {describe_recognizer(info)}")
    for warning in recognizer_warnings(info):
        typer.echo(f"    WARNING: {warning}")


def _link_reports(project: Project) -> None:
    """Let the project's page link to the reports of this run, which were not there yet when it was written."""
    if project.page_data.is_file():
        from facelib.page import write_reports

        write_reports(project)


def _print_places(project: Project, results: Sequence[StepResult]) -> None:
    """Say where the results lie; after a failure, where to look."""
    from facelib.project import FilmFiles

    last = results[-1]
    if last.state == "failed":
        typer.echo(f"See the report {shown(last.report)} or the notebook {shown(last.notebook)}", err=True)
    typer.echo("")
    for result in results:
        if result.state != "failed":
            typer.echo(f"report    {shown(result.report)}")
    if project.page.is_file():
        typer.echo(f"page      {shown(project.page)}")
    for folder in sorted((project.output / "videos").glob("*/")):
        files = FilmFiles(folder)
        for kind, path in (("film", files.annotated), ("table", files.appearances)):
            if path.is_file():
                typer.echo(f"{kind:9} {shown(path)}")


def _print_problems(project: Project) -> bool:
    """Say what went wrong with films; return whether all of them were finished."""
    import pandas as pd

    if not project.film_summary.is_file():
        return True
    summary = pd.read_csv(project.film_summary, keep_default_na=False)
    problems = summary.loc[summary["problem"] != "", ["film", "problem"]]
    for film, problem in problems.itertuples(index=False):
        typer.echo(f"problem   {film}: {problem}")
    return problems.empty


def _print_scores(project: Project) -> None:
    """Say how right each film is whose truth is known, see `facelib.evaluate.find_truths`."""
    from facelib.evaluate import find_truths, load_truth, score_film

    for film, truth in find_truths(project, project.find_videos()).of_film.items():
        files = project.film(film)
        if files.detections.is_file() and files.tracks.is_file():
            typer.echo(f"right     {files.folder.name}: {score_film(files, load_truth(truth))}")
