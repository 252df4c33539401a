"""The results of a film that was renamed go on under its new name: it is not searched again, nor found twice."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from facelib.films.record import content_of
from facelib.films.unknowns.kept import read_groups, write_groups
from facelib.project import FilmFiles, Project, text_of, write_text
from facelib.project.content import files_below
from facelib.project.decisions import change_decisions, read_decisions


def follow_renamed(
    project: Project, film: Path, files: FilmFiles, *, content: str, others: Iterable[Path] = ()
) -> None:
    """Give a film in `videos/` that has no results those of one with the same bytes whose file is gone.

    The decisions about the former name, and its tracks among the groups of unknown people, are then the new one's.

    Args:
        project: Of the film.
        film: Its path.
        files: Its results, held by this process.
        content: The SHA-256 of its bytes.
        others: Films that may lie elsewhere and are not gone either.

    Raises:
        OSError: When the results cannot be moved.
    """
    if files.folder.exists() or not film.is_relative_to(project.videos):
        return
    there = {text_of(path.name) for path in [*files_below(project.videos), *others]}
    gone = (one for one in project.all_results() if one.film and one.film not in there)
    former = next((one for one in gone if content_of(one) == content), None)
    if former is None:
        return
    was, now = former.film, text_of(film.name)
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
