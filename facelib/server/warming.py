"""What is likely to be opened first, made ready in the background while a server starts."""

from __future__ import annotations

import gc
import logging
from threading import Event

from facelib.project import Project
from facelib.server.films import FilmPages, named_films
from facelib.server.problems import Problem
from facelib.server.reviews import Reviews
from facelib.server.settings import ServerSettings, project_names, project_of

_log = logging.getLogger("facelib.server")
_PROJECTS, _FILMS = 3, 3  # made ready: those with the newest results, and of each the newest films


def get_ready(settings: ServerSettings, pages: FilmPages, reviews: Reviews, stop: Event) -> None:
    """Do as `warm_up`; then take what is in memory for lasting, so that nobody waits while it is searched for garbage.

    A search through all that the libraries and tables of a long film hold stops every answer for 0.2 to 0.4 s.
    """
    warm_up(settings, pages, reviews, stop)
    gc.collect()
    gc.freeze()


def warm_up(settings: ServerSettings, pages: FilmPages, reviews: Reviews, stop: Event) -> None:
    """Make the pages of the newest films ready; what cannot be made is left for the one who asks for it."""
    projects = [project_of(settings, name) for name in project_names(settings)]
    for project in sorted(projects, key=_age)[:_PROJECTS]:
        try:
            films = named_films(project)
            newest = sorted(films, key=lambda film: -project.film(film).tracks.stat().st_mtime)[:_FILMS]
            for film in newest:
                if stop.is_set():
                    return
                pages.film_page(project, film)
                pages.sheet(project, film, 0)
            if newest and len(films) <= _FILMS and not stop.is_set():
                pages.project_page(project)
                reviews.read(project)
        except (OSError, ValueError, KeyError, Problem) as error:
            _log.warning("not made ready: %s", type(error).__name__)


def _age(project: Project) -> float:
    """Return a number that is smaller for a project with newer results."""
    try:
        return -project.film_summary.parent.stat().st_mtime
    except OSError:
        return 0.0
