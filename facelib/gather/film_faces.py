"""The people of films, grouped by their faces and proposed as folders of pictures that only lack a name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from facelib.detect import Detector, load_detector
from facelib.embed import Embedder, load_embedder
from facelib.films.indexed import index_film, made_from, read_index
from facelib.films.problems import Problems
from facelib.films.renamed import FormerResults
from facelib.films.tables import read_film_table
from facelib.films.tracking import TrackingSettings
from facelib.films.unknowns import grouping_threshold
from facelib.gather.adding import take_in
from facelib.gather.film_people import PROPOSED_COLUMNS, Chosen, ProposalSettings, choose_people
from facelib.gather.keeping import folder_of
from facelib.project import FilmFiles, Project, file_lock, write_table
from facelib.project.decisions import moved_pictures, read_decisions
from facelib.project.digests import sha256_if_readable
from facelib.project.files import remove_with_folder, write_bytes
from facelib.project.names import NOT_A_FACE, UNKNOWN, checked_name, is_proposed
from facelib.project.spreadsheets import read_own_table

ACCEPTED_COLUMNS = ["proposed", "person", "picture", "reason"]
"""One row per picture that was to be taken over: its path in the data folder, or why it has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposed:
    """People of films who may become people of the cast.

    Attributes:
        folder: Holds a folder for each of them: `Person 1`, `Person 2`, ...
        people: The columns `PEOPLE_COLUMNS`: `known_as` is whose name most of the person's seconds have been given
            before, empty for nobody in the cast; `seconds` on screen; `first_time` in seconds of the film.
        pictures: The columns `PROPOSED_COLUMNS`, the best of each person first; those that are still there.
        problems: A sentence for each film that could not be read, or not to its end.
    """

    folder: Path
    people: pd.DataFrame
    pictures: pd.DataFrame
    problems: list[str]


def propose_people(
    project: Project,
    films: Sequence[str] = (),
    *,
    detector: Detector | None = None,
    embedder: Embedder | None = None,
    tracking: TrackingSettings | None = None,
    choice: ProposalSettings | None = None,
    progress: bool = True,
) -> Proposed:
    """Group the faces of films into people, and put the best varied pictures of each into a folder without a name.

    People are grouped over all the films as unknown people are, see `films.unknowns`, and numbered by
    their time on screen. A film that was looked through before in the same way is not looked through again; tables that
    were made in another way stay as they are, and those for the proposals are kept apart.

    A second run changes nothing: a picture that was removed from a folder stays away, and a folder with another name
    is left alone, until films or parameters change; then the unchanged pictures of earlier proposals are replaced.

    Args:
        project: Its films are looked through; the proposals go to `proposed/` in its output folder.
        films: File names in the project's `videos/`, or paths; empty takes all films of the project.
        detector: Finds the faces; None takes the one of notebook 05.
        embedder: Embeds them; None takes dlib's.
        tracking: How the films are looked through; None takes the defaults.
        choice: Who is proposed, and with which pictures; None takes the defaults.
        progress: Show a bar for each film, with rate and time left.

    Raises:
        FileNotFoundError: When a named film is not there.
        ValueError: When there is no film, or none could be read.
        OSError: When the proposals cannot be written, or others are being made for this project.
    """
    paths = project.find_videos(list(films))
    if not paths:
        raise ValueError(f"expected at least one film in {str(project.videos)!r}, found none; put one there")
    detector, embedder = detector or load_detector(smallest_face=16, working_size=640), embedder or load_embedder()
    tracking, choice = tracking or TrackingSettings(), choice or ProposalSettings()
    folder = project.proposed
    with file_lock(folder / ".proposing.lock", what=f"other search for people in {project.name!r}"):
        tables, looks, problems = _followed(paths, project, detector, embedder, tracking, progress)
        chosen = choose_people(
            tables, looks, threshold=grouping_threshold(embedder.name, embedder.threshold), choice=choice
        )
        made = [made_from(project.digest(film), detector, embedder, tracking) for film in paths if film.name in tables]
        _write(chosen, folder, _digest(json.dumps([made, repr(choice)]).encode()))
        write_table(chosen.people, folder / "people.csv")
    there = [(folder / name).is_file() for name in chosen.pictures["picture"]]
    return Proposed(folder, chosen.people, chosen.pictures.loc[there].reset_index(drop=True), problems)


def accept_people(project: Project, names: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Copy proposed people's pictures into `people/`, under their names; nothing is overwritten.

    Args:
        project: Its proposals are taken.
        names: The names to give, by proposed folder, such as `{"Person 1": "Amy Adams"}`; empty ones are ignored,
            and folders with one name become one person. None takes the folders that were given another name by hand.

    Returns:
        The columns `ACCEPTED_COLUMNS`, one row per picture of the folders named; `picture` is relative to the project's
        data folder, also where it was there before.

    Raises:
        ValueError: When there is no such proposal, or a name cannot be that of a person; nothing is copied then.
        OSError: When a picture cannot be written.
    """
    folder = project.proposed
    there = sorted(path.name for path in folder.glob("*/") if path.name[0] != ".")
    if names is None:
        names = {name: name for name in there if not is_proposed(name)}
    wanted = {given: folder_of(checked_name(name), project) for given, name in names.items() if name.strip()}
    missing = [given for given in wanted if given not in there]
    if missing:
        raise ValueError(
            f"expected proposals among {there!r} in {str(folder)!r}, got {missing!r}; propose people first"
        )
    rows = []
    moved = moved_pictures(read_decisions(project.corrections))
    for given, person in wanted.items():
        for path in sorted((folder / given).glob("*.jpg")):
            if f"{project.people.name}/{person}/{path.name}" in moved:
                continue  # the user has moved it to somebody else since
            picture, reason = take_in(path.read_bytes(), person, path.name, project.people)
            rows.append([given, person, f"{project.people.name}/{picture}" if picture else "", reason])
    return pd.DataFrame(rows, columns=pd.Index(ACCEPTED_COLUMNS), dtype="str")


def _followed(
    paths: Sequence[Path],
    project: Project,
    detector: Detector,
    embedder: Embedder,
    tracking: TrackingSettings,
    progress: bool,
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame], list[str]]:
    """Return the tracks and the face samples of each film that can be read, with the names `known` so far."""
    tables, looks, problems, former = {}, {}, Problems(project), FormerResults(project, paths)
    for film in paths:
        with problems.of(film, "looking for its faces"), project.hold(film) as own:
            content = project.digest(film)
            former.take_over(film, own, content)
            files, made = own, made_from(content, detector, embedder, tracking)
            if (own.is_named or own.found.is_file()) and read_index(own, made) is None:
                files = FilmFiles(project.proposed / ".films" / own.folder.name)
            found = index_film(film, files, detector, embedder, content=content, tracking=tracking, progress=progress)
            known = pd.Series(dtype=str)
            if files.tracks.is_file():
                known = read_film_table(files.tracks, ["track", "person"]).set_index("track")["person"]
            table = found.tracks.assign(
                known=[known.get(track, UNKNOWN) for track in found.tracks["track"]], person=UNKNOWN
            )
            looks[film.name] = read_film_table(files.looks)
            tables[film.name] = table[table["known"] != NOT_A_FACE]
            if found.problem:
                problems.add(film, found.problem)
    said = [f"{film}: {problem}" for film, problem in problems.found.items()]
    if not tables:
        raise ValueError(f"none of the films could be read: {'; '.join(said)}")
    return tables, looks, said


def _write(chosen: Chosen, folder: Path, made: str) -> None:
    """Update the folders to the list, except where the user has changed them since."""
    path = folder / "pictures.csv"
    before = read_own_table(path, [*PROPOSED_COLUMNS, "made"])  # without it, everything is the user's
    renamed = not set(before["film"]) <= set(chosen.pictures["film"])  # a film, after which pictures are named
    if len(before) and (before["made"] == made).all() and not renamed:
        return
    # The list comes first, so that a kill leaves no picture that is on none.
    listed = pd.concat([table for table in (chosen.pictures, before) if len(table)] or [before])
    write_table(listed.assign(made="").drop_duplicates(["picture", "sha256"]), path)
    for name, digest in zip(before["picture"], before["sha256"], strict=True):
        if name not in chosen.contents and sha256_if_readable(folder / name) == digest:  # it is as it was made
            remove_with_folder(folder / name)
    for name, content in chosen.contents.items():
        earlier = set(before.loc[before["picture"] == name, "sha256"])
        if not (folder / name).exists() or _digest((folder / name).read_bytes()) in earlier:
            write_bytes(content, folder / name)
    write_table(chosen.pictures.assign(made=made), path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
