"""What `facelib run` says of its steps, and at the end: who is in the films, how sure that is, and what to open."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from facelib.cli.printing import folded, one_line, relative

if TYPE_CHECKING:
    from pathlib import Path

    from facelib.pipeline import StepResult
    from facelib.project import Project

_OF_NAMES, _OF_FILMS = (1, 2), (5, 6)
_MOST_FILMS = 5  # whose files are named one by one


def print_step(step: StepResult, project: Project) -> None:
    """Say that a step starts, or what became of it and what it found."""
    line = {
        "running": "...",
        "done": f"done in {step.seconds:.1f} s",
        "fresh": "fresh: nothing it depends on has changed (--force runs it again)",
        "failed": f"FAILED after {step.seconds:.1f} s: {step.message}",
    }[step.state]
    typer.echo(f"{step.name}: {line}", err=step.state == "failed")
    if step.state in {"done", "fresh"}:
        from facelib.pipeline.findings import describe_step

        found = [describe_step(step.number, project), *_more(step.number, project)]
        for text in filter(None, found):
            typer.echo(folded(f"    {one_line(text)}", indent=4))


def _more(number: int, project: Project) -> list[str]:
    """Return what is said of a step besides its line: names that may be one person's, and the recognizer."""
    if number == 4:
        return _recognizer(project)
    if number not in _OF_NAMES or not project.people.is_dir():
        return []
    from facelib.gallery import name_questions

    return [f"QUESTION: {line}" for line in name_questions(project)]


def print_results(project: Project, results: Sequence[StepResult]) -> bool:
    """Say what was found and what to open; after a failure, where to look.

    Returns:
        Whether every step ended well and every film was finished.
    """
    if project.page_data.is_file():  # it links to the reports of this run, too, which were not there when it was made
        from facelib.page import write_reports

        write_reports(project)
    last = results[-1]
    if last.state == "failed":
        typer.echo(f"See the report {relative(last.report)} or the notebook {relative(last.notebook)}", err=True)
    typer.echo("")
    of_films = last.state != "failed" and any(result.number in _OF_FILMS for result in results)
    whole = True
    if of_films:
        _print_found(project)
        whole = _print_problems(project, results)
        _print_scores(project)
    _print_places(project, [result for result in results if result.state != "failed"])
    return whole and last.state != "failed"


def _print_found(project: Project) -> None:
    """Say who is in the films, the error rates of the threshold that decided it, and what to look at."""
    from facelib.pipeline.findings import describe_films

    for text in describe_films(project):
        typer.echo(folded(one_line(text)))
    for number, text in enumerate(_recognizer(project)):
        typer.echo(folded(text if number else f"Named by {text}"))


def _recognizer(project: Project) -> list[str]:
    """Return what threshold films are named by, its error rates, and what to look at first."""
    from facelib.recognize import read_recognizer_info
    from facelib.recognize.report import describe_recognizer, recognizer_warnings

    try:
        info = read_recognizer_info(project.recognizer)
    except (FileNotFoundError, ValueError):  # `save` was false, and there is none of before
        return []
    return [describe_recognizer(info), *(f"WARNING: {warning}" for warning in recognizer_warnings(info))]


def _print_problems(project: Project, results: Sequence[StepResult]) -> bool:
    """Say what went wrong with films, and which were left out; return whether all the others were finished."""
    from facelib.films.record import read_summary
    from facelib.pipeline.showing import passing_problems
    from facelib.project.content import VIDEO_SUFFIXES
    from facelib.project.files import text_of

    summary = read_summary(project)
    problems = summary.loc[summary["problem"] != "", ["film", "problem"]]
    for film, problem in problems.itertuples(index=False):
        typer.echo(folded(f"problem   {one_line(film)}: {one_line(problem)}", indent=10))
    for path, reason in project.list_videos():
        if reason and path.suffix.lower() in VIDEO_SUFFIXES:  # notebook 01 lists other files as well
            name = one_line(text_of(path.relative_to(project.videos).as_posix()))
            typer.echo(folded(f"left out  {name}: {reason}", indent=10))
    passing = [passing_problems(step.notebook) for step in results if step.state == "done" and step.number == 5]
    for film, problem in (item for held in passing for item in held.items()):
        typer.echo(folded(f"left out  {one_line(film)}: {one_line(problem)}", indent=10))
    return bool(problems.empty) and not any(passing)


def _print_scores(project: Project) -> None:
    """Say how right each film is whose truth is known, see `facelib.evaluate.find_truths`."""
    from facelib.evaluate import film_truth, find_truths, score_film

    for film, truth in find_truths(project, project.find_videos()).of_film.items():
        files = project.film(film)
        if files.detections.is_file() and files.tracks.is_file():
            try:
                said = f"right     {one_line(files.folder.name)}: {score_film(files, film_truth(truth, project))}"
            except (OSError, ValueError) as error:
                said = f"left out  {one_line(files.folder.name)}: not compared with its truth: {one_line(str(error))}"
            typer.echo(folded(said, indent=10))


def _print_places(project: Project, results: Sequence[StepResult]) -> None:
    """Say where the results lie, and which to look at first."""
    from facelib.project import FilmFiles

    if project.page.is_file():
        typer.echo(f"page      {relative(project.page)}")
    for result in results:
        typer.echo(f"report    {relative(result.report)}")
    films = [FilmFiles(folder) for folder in sorted((project.output / "videos").glob("*/"))]
    _print_paths("film", [files.annotated for files in films if os.path.isfile(files.annotated)])
    _print_paths("table", [files.appearances for files in films if os.path.isfile(files.appearances)])
    if project.page.is_file():
        typer.echo(folded("Next: open the page in a browser, then the reports; notebook 06 corrects names."))


def _print_paths(kind: str, paths: Sequence[Path]) -> None:
    """Say where each film's file lies, or where those of many films do."""
    if len(paths) > _MOST_FILMS:
        pattern = paths[0].parents[1] / "*" / paths[0].name
        typer.echo(f"{kind + 's':9} {relative(pattern)} ({len(paths)} of them)")
        return
    for path in paths:
        typer.echo(f"{kind:9} {relative(path)}")
