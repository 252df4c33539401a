"""Annotated films, exports and reels of settled films.

An error in one film is recorded as its problem, and the others are finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from facelib.films.annotate import annotate_film, check_choices
from facelib.films.corrections import labels
from facelib.films.drawn import remember_drawn
from facelib.films.exports import FORMATS, Format, check_formats, export_film, read_wikidata
from facelib.films.media.decode import UnreadableFilm, probe
from facelib.films.media.encode import WriteReport
from facelib.films.reel import REEL_COLUMNS, check_people, write_reel_of
from facelib.films.settle import Settled
from facelib.films.tables import UnusableTables, outdated, read_film_table, read_shot_table
from facelib.films.threads import together
from facelib.project import FilmFiles, Project
from facelib.project.names import as_known
from facelib.project.processes import allowed_cores

_MOST_AT_ONCE = 4  # films in drawing
_PIXELS_AT_ONCE = _MOST_AT_ONCE * 1920 * 1080  # of a picture of each: a film holds some forty, 500 MB at 3840x2160


def read_shots(files: FilmFiles) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a film's shots and one picture of each, the columns of `shots.csv` and of `keyframes.parquet`."""
    return read_shot_table(files.shots), read_film_table(files.keyframes)


def draw_films(
    settled: Settled, colours: Mapping[str, str], *, films: Iterable[Path] | None = None, **options: Any
) -> list[Path]:
    """Write `annotated.mp4` of films; return those that were drawn.

    Several films are drawn at once, each on a share of the cores: one alone leaves some of their time unused.

    Args:
        settled: Their tables.
        colours: A colour for every name, such as `facelib.plots.project_colours` gives.
        films: Which of them; None draws all.
        **options: As in `facelib.films.annotate.annotate_film`.

    Raises:
        ValueError: When a choice is not known, or nobody has a name in `sharp`.
    """
    check_choices(**{name: value for name, value in options.items() if name in ("blur", "boxes")})
    if "sharp" in options:
        options["sharp"] = _names_in(settled, options["sharp"])
    wanted = [(film, settled.tracks[film.name]) for film in (settled.films if films is None else films)]
    at_once = drawn_at_once([film for film, _ in wanted])
    cores = allowed_cores() // at_once
    project, drawn = settled.problems.project, list[Path]()

    def draw(one: tuple[Path, pd.DataFrame], watch: Callable[[float], None] | None) -> str:
        """Draw one film; return what could not be carried over."""
        (film, tracks), report = one, WriteReport()
        how = options if watch is None else {**options, "progress": False}
        with _held(project, film) as files:
            annotate_film(film, files, tracks, colours, report=report, cores=cores, watch=watch, **how)
            remember_drawn(files, tracks, **how)
        return report.problem

    if at_once > 1:
        what, progress = f"drawing {len(wanted)} films", options.get("progress", True)
        works = together(draw, wanted, at_once=at_once, what=what, progress=progress)
    else:
        works = ((one, partial(draw, one, None)) for one in wanted)
    with closing(works):
        for (film, _), problem_of in works:
            with settled.problems.of(film, "drawing the names"):
                if problem := problem_of():
                    settled.problems.add(film, problem)
                drawn.append(film)
    return drawn


def _names_in(settled: Settled, given: str | Iterable[str]) -> list[str]:
    """Return names, of the cast or of groups of unknown people, as they are spelt in the films."""
    cast = settled.problems.project.find_people(missing_ok=True)
    known = list(dict.fromkeys([*cast, *chain.from_iterable(map(labels, settled.tracks.values()))]))
    spelt = as_known([given] if isinstance(given, str) else given, known)
    if missing := [name for name, one in spelt.items() if one not in known]:
        raise ValueError(f"expected names of {sorted(known)!r}, who are not to be blurred, got {missing!r}")
    return list(spelt.values())


def drawn_at_once(films: Sequence[Path]) -> int:
    """Return how many films are drawn at once: as many as there are cores, and fewer of large ones, for the memory."""
    most = min(allowed_cores(), len(films), _MOST_AT_ONCE)
    if most > 1:
        most = min(most, _PIXELS_AT_ONCE // max(map(_pixels, films)))
    return max(1, most)


def _pixels(film: Path) -> int:
    """Return the pixels of a film's picture; 1 for one that cannot be read, which drawing will report."""
    try:
        info = probe(film)
    except (OSError, UnreadableFilm):
        return 1
    return info.width * info.height


@contextmanager
def _held(project: Project, film: Path) -> Iterator[FilmFiles]:
    """Hold a film, see `Project.hold`; refuse one that is another film by now, see `outdated`."""
    pa.default_memory_pool().release_unused()  # what a long film, or many, left while they were indexed and named
    with project.hold(film) as files:
        if problem := outdated(project, film):
            raise UnusableTables(problem)
        yield files


def list_results(project: Project, films: Iterable[Path]) -> list[Path]:
    """Return what was made of films for people to open: each film with names, its appearances, its exports."""
    found: list[Path] = []
    for film in films:
        files = project.film(film)
        found += [path for path in (files.annotated, files.appearances) if path.is_file()]
        found += sorted(path for path in files.exports.glob("*") if path.is_file())
    return found


def export_films(
    settled: Settled, *, films: Iterable[Path] | None = None, formats: Sequence[Format] = FORMATS, **options: Any
) -> dict[str, dict[str, Path]]:
    """Write films for other programs; return the files by the film's file name and format.

    Args:
        settled: Their tables.
        films: Which of them; None exports all.
        formats: Which of `facelib.films.exports.FORMATS`.
        **options: As in `facelib.films.exports.export_film`; `wikidata` is the project's unless given.

    Raises:
        ValueError: When a format is not known, or the list of Wikidata ids is damaged.
    """
    check_formats(formats)
    written = {}
    options = {"wikidata": read_wikidata(settled.problems.project.wikidata), **options}
    for film in settled.films if films is None else films:
        with settled.problems.of(film, "exporting it"), _held(settled.problems.project, film) as files:
            written[film.name] = export_film(film, files, formats=formats, **options)
    return written


def cut_reels(settled: Settled, people: Sequence[str], **options: Any) -> pd.DataFrame:
    """Write `select_reel.mp4` of every film in which chosen people appear; elsewhere an old one is removed.

    Args:
        settled: The films' tables.
        people: Names, at least one; each must appear in at least one of the films.
        **options: As in `facelib.films.reel.write_reel_of`.

    Returns:
        One row per film: `video` (file name), `people` (who of the chosen appears), `pieces`, `seconds` (of the reel),
        `path` (empty where there is nothing to show).

    Raises:
        ValueError: When no one is chosen, or somebody who is in none of the films.
    """
    check_people(settled.appearances.values(), people)
    rows = []
    for film in settled.films:
        with settled.problems.of(film, "cutting its reel"), _held(settled.problems.project, film) as files:
            rows.append(write_reel_of(film, files, settled.appearances[film.name], people, **options))
    return pd.DataFrame(rows, columns=pd.Index(REEL_COLUMNS))
