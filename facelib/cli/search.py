"""`facelib search`: who is where in all films of a project, or of several."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from facelib.cli.options import DataFolder, OutputFolder, find_project
from facelib.cli.printing import folded, one_line, print_rows

if TYPE_CHECKING:
    import pandas as pd

    from facelib.archive import Archive
    from facelib.project import Project


_TIMES = {"start", "end", "first_start", "last_end", "seconds"}


_UNDATED = (
    "Films whose file has no date count without a year. To give a copy one: "
    "ffmpeg -i film.mp4 -map 0 -c copy -metadata date=1999 dated.mp4"
)

Unit = Literal["moment", "shot", "scene"]
Form = Literal["table", "json", "csv"]


def search(
    project: Annotated[
        list[str], typer.Option("--project", help="The project; may be repeated, to search several at once.")
    ],
    people: Annotated[
        list[str] | None,
        typer.Argument(help="People who are all seen; without a name, lists who there is.", show_default=False),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Who must not be seen; may be repeated.", show_default=False)
    ] = None,
    by: Annotated[
        Unit, typer.Option(help="moment: all on screen at once; shot, scene: all seen at some time within it.")
    ] = "moment",
    shortest: Annotated[float, typer.Option(min=0, help="Seconds; shorter hits are left out.")] = 0.0,
    company: Annotated[bool, typer.Option("--company", help="List who is seen together with the person.")] = False,
    years: Annotated[
        bool, typer.Option("--years", help="List the first and the last appearance in each year.")
    ] = False,
    face: Annotated[
        Path | None,
        typer.Option(help="A picture: find the tracks whose faces are like its largest face.", show_default=False),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Rows of a table, and tracks found by --face.")] = 20,
    form: Annotated[
        Form, typer.Option("--form", help="table, for reading; json or csv, complete, for programs.")
    ] = "table",
    data_dir: DataFolder = Path("data"),
    output_dir: OutputFolder = Path("output"),
) -> None:
    """Search all films: where people are seen together, with whom, in which years, and faces like a picture's.

    The index of the films is brought up to date first, which takes seconds where little has changed.
    """
    people, without = people or [], without or []
    moments = (people or without) and not (company or years)
    if face is not None and (people or without or company or years):
        raise ValueError("expected --face alone, without names and without --company or --years")
    if not moments and (by != "moment" or shortest):
        raise ValueError("expected --by and --shortest with the names of people who are seen, and nothing else")
    places = [find_project(name, data_dir, output_dir) for name in dict.fromkeys(project)]
    from facelib.archive import open_archive, update_archive

    for place in places:
        changes = update_archive(place, progress=sys.stderr.isatty())
        for film, problem in changes.problems.items():
            typer.echo(one_line(f"WARNING: {film} is not in the index: {problem}"), err=True)
    with open_archive(places) as archive:
        if face is not None:
            answer = _faces(archive, places, face, most)
        else:
            answer = _people(archive, people, without, by, shortest, company=company, years=years)
    _print(answer, form, most, several=len(places) > 1)


def _people(
    archive: Archive,
    people: Sequence[str],
    without: Sequence[str],
    by: Unit,
    shortest: float,
    *,
    company: bool,
    years: bool,
) -> pd.DataFrame:
    from facelib.archive import find_company, find_moments, find_years, list_people

    if (company or years) and (company == years or len(people) > 1 or without):
        raise ValueError("expected one person with either --company or --years, and nobody without")
    if company and not people:
        raise ValueError("expected the name of a person with --company, got none")
    if years:
        return find_years(archive, *people)
    if company:
        return find_company(archive, people[0])
    if people or without:
        return find_moments(archive, people, without=without, by=by, shortest=shortest)
    return list_people(archive)


def _faces(archive: Archive, places: Sequence[Project], picture: Path, most: int) -> pd.DataFrame:
    """Return the tracks nearest to the largest face of a picture, embedded as the first project's cast is."""
    from facelib.archive import embed_face, films_of_other_networks, find_face

    vector, weights = embed_face(places[0], picture)
    others = films_of_other_networks(archive, len(vector), weights=weights)
    if others:
        listed = ", ".join(map(repr, others[:5])) + (", ..." if len(others) > 5 else "")
        typer.echo(f"WARNING: not searched, since another network embedded their faces: {listed}", err=True)
    return find_face(archive, vector, most=most, weights=weights)


def _print(answer: pd.DataFrame, form: Form, most: int, *, several: bool) -> None:
    """Print an answer; a table leaves out the project where there is only one."""
    from facelib.archive.pictures import as_json, with_timecodes
    from facelib.films.appearances import timecode
    from facelib.project.spreadsheets import csv_text
    from facelib.project.wording import counted

    if form == "json":
        typer.echo(as_json(answer))
        return
    if form == "csv":
        typer.echo(csv_text(with_timecodes(answer) if {"start", "end"} <= set(answer) else answer), nl=False)
        return
    # Years and faces have more columns than a terminal is wide.
    wide = ["kind", "appearances"] if "first_start" in answer else []
    wide += ["date", "shot", "end"] if "distance" in answer else []
    shown = answer.head(most).drop(columns=wide)
    for name in shown.columns:
        if name in _TIMES:
            shown[name] = [timecode(float(value)) for value in shown[name]]
        elif shown[name].dtype.kind == "f":
            shown[name] = shown[name].map("{:.3f}".format)
    shown = shown.astype(object).where(shown.notna(), "").astype(str).map(one_line)
    for edge, at in (("first", "first_start"), ("last", "last_end")):
        if at in shown:  # one column, so that the table fits a terminal
            shown[edge] = shown.pop(f"{edge}_film") + " " + shown.pop(at)
    alone = [name for name in shown.columns if name.endswith("project") and not several]
    shown = shown.drop(columns=alone)
    shown = shown.loc[:, (shown != "").any()]  # such as the dates of films whose metadata has none
    if len(shown):
        print_rows(list(shown.columns), [shown.values.tolist()])
    more = f", the first {len(shown)} shown; --form json or csv gives all" if len(answer) > len(shown) else ""
    whole = ""
    if len(answer) and {"start", "end"} <= set(answer) and "distance" not in answer:  # moments
        films = len(answer[["project", "film"]].drop_duplicates())
        whole = f", {timecode(float((answer['end'] - answer['start']).sum()))} in {counted(films, 'film')}"
    typer.echo(f"{len(answer)} found{whole}{more}")
    if "year" in answer and answer["year"].isna().any():
        typer.echo(folded(_UNDATED))
