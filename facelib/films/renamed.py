"""The results of a film that was renamed go on under its new name: it is not searched again, nor found twice."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from facelib.films.record import content_of
from facelib.films.unknowns.kept import read_groups, write_groups
from facelib.project import FilmFiles, Project, text_of, write_text
from facelib.project.content import files_below
from facelib.project.decisions import change_decisions, read_decisions


class FormerResults:
    """The results of films that are gone, for films that are the same under other names.

    They are listed once, when the first film without results asks: that takes longer with each film of the project.
    """

    def __init__(self, project: Project, films: Iterable[Path] = ()) -> None:
        """Look at a project; `films` are those that may lie elsewhere than in `videos/` and are not gone either."""
        self._project, self._films = project, list(films)

    def take_over(self, film: Path, files: FilmFiles, content: str) -> None:
        """Give a film in `videos/` that has no results those of one with the same bytes whose file is gone.

        The decisions about the former name, and its tracks among the groups of unknown people, are then the new one's.

        Args:
            film: Its path.
            files: Its results, held by this process.
            content: The SHA-256 of its bytes.

        Raises:
            OSError: When the results cannot be moved.
        """
        project = self._project
        if files.folder.exists() or not film.is_relative_to(project.videos):
            return
        former = self._gone.pop(content, None)
        was, now = former.film if former else "", text_of(film.name)
        if not former or not was:  # another run was faster
            return
        if (read_decisions(project.corrections)["video"] == was).any():
            change_decisions(project.corrections, lambda said: said.assign(video=said["video"].replace(was, now)))
        with project.hold_all():
            kept = read_groups(project)
            if kept is not None and was in kept.films:
                films = {now if name == was else name: made for name, made in kept.films.items()}
                members = kept.members.assign(film=kept.members["film"].replace(was, now))
                write_groups(project, replace(kept, films=films, members=members))
        os.replace(former.folder, files.folder)  # last: where it was broken off before, it is found again
        write_text(f"{now}\n", files.source)

    @cached_property
    def _gone(self) -> dict[str, FilmFiles]:
        """The results of films that are gone, by the SHA-256 of the films."""
        there = {text_of(path.name) for path in [*files_below(self._project.videos), *self._films]}
        gone = [one for one in self._project.all_results() if one.film and one.film not in there]
        return {content_of(one): one for one in reversed(gone) if content_of(one)}
