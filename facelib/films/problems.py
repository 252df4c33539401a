"""Errors of single films, recorded while the others go on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from facelib.films.media.decode import UnreadableFilm
from facelib.films.record import SUMMARY_COLUMNS, read_summary
from facelib.films.tables import UnusableTables
from facelib.project import Project, write_table, writer_lock
from facelib.project.wording import in_one_line, with_type

LOOKING = "looking for its faces"
"""What is being done to a film while it is indexed, for `problem_of`."""
_log = logging.getLogger(__name__)


class Problems:
    """The problems of single films, each with its remedy; they are also written to the project's `summary.csv`.

    That another run holds a film is told but not written: it is true only while that run lasts, which writes its own.

    Attributes:
        lasting: What is written of each film, by its name.
        passing: What is only told of it.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.lasting: dict[str, str] = {}
        self.passing: dict[str, str] = {}

    @contextmanager
    def of(self, film: Path, doing: str) -> Iterator[None]:
        """Record an exception raised in a step, such as `"drawing the names"`, as a problem of one film, and go on."""
        try:
            yield
        except Exception as error:
            _log.debug("%s: %s", film.name, doing, exc_info=True)
            self.add(film, problem_of(error, doing), lasting=not isinstance(error, BlockingIOError))

    def add(self, film: Path, problem: str, *, lasting: bool = True) -> None:
        """Add a problem of a film to those recorded before."""
        texts = self.lasting if lasting else self.passing
        before = texts.get(film.name, "")
        if problem in before:
            return
        texts[film.name] = f"{before}; {problem}" if before else problem
        _log.warning("%s: %s", film.name, problem)
        if lasting:
            _write(self.project, film.name, problem)

    @property
    def found(self) -> dict[str, str]:
        """What is told of each film, by its name."""
        films = dict.fromkeys([*self.lasting, *self.passing])
        return {
            film: "; ".join(texts[film] for texts in (self.lasting, self.passing) if film in texts) for film in films
        }

    @property
    def table(self) -> pd.DataFrame:
        """One row per film with a problem: `film`, `problem`."""
        return pd.DataFrame(list(self.found.items()), columns=["film", "problem"])


def problem_of(error: Exception, doing: str) -> str:
    """Return what went wrong with a film in a step, such as `"drawing the names"`, as a sentence with the remedy."""
    if isinstance(error, UnusableTables):  # says what to run, and says the same of each step
        return in_one_line(error)
    return f"{doing} failed: {_said(error)}; {_remedy(error)}"


def _write(project: Project, film: str, problem: str) -> None:
    path = project.film_summary
    if not path.is_file():
        return
    with writer_lock(path):
        table = read_summary(project)
        rows = table["film"] == film
        if not rows.any():
            table = pd.concat([table, pd.DataFrame([[film, 0, 0, 0, 0, 0, "", 0, "", ""]], columns=SUMMARY_COLUMNS)])
            rows = table["film"] == film
        said = [one for one in table.loc[rows, "problem"].astype(str) if one and problem not in one]
        if said or not table.loc[rows, "problem"].astype(str).str.contains(problem, regex=False).any():
            table.loc[rows, "problem"] = "; ".join([*said, problem])
            write_table(table, path)


def _said(error: Exception) -> str:
    """Return an error's message, with its type where neither facelib nor the system wrote it."""
    own = isinstance(error, UnreadableFilm | OSError | ValueError)
    return in_one_line(error) if own else with_type(error)


def _remedy(error: Exception) -> str:
    if isinstance(error, BlockingIOError):
        return "the other films are finished"
    if isinstance(error, UnreadableFilm):
        return "convert the film with another program, or take it out of the films"
    if isinstance(error, OSError):
        return "put that right and run this again: what is finished is kept"
    return "run it again, and if this stays, leave the film out by naming the others in `videos`"
