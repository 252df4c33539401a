"""Forget a person: every picture, embedding and mention in a project, or all but the name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.archive.traces import Mentions
from facelib.archive.update import update_archive
from facelib.films.corrections import labels
from facelib.films.record import read_facts
from facelib.films.settle import settle_films
from facelib.films.tables import read_film_table, read_without_embeddings
from facelib.films.unknowns.kept import read_groups
from facelib.gallery import read_gallery
from facelib.project import FilmFiles, Project, identities, path_of, text_of, write_table
from facelib.project.decisions import change_decisions, read_decisions
from facelib.project.digests import digest, sha256_of
from facelib.project.files import every_file, write_bytes, write_text
from facelib.project.names import NOT_A_FACE, UNKNOWN, as_known, near_names
from facelib.project.wording import did_you_mean
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune_again
from facelib.review import Review

_TABLES_OF_TRACKS = ("found", "looks", "detections", "named", "tracks")
"""The last ones tell whose tracks they are: a call that was broken off before finds them again."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What forgetting a person did.

    Attributes:
        person: Whose traces were removed.
        removed: What was removed, in words or as paths relative to the project's folders.
        stays: What was not touched and may still show or name the person, with the remedy.
        digests: SHA-256 of the pictures that were removed.
    """

    person: str
    removed: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)


def forget_person(project: Project, person: str, *, keep_name: bool = False, by: str = "user") -> Forgotten:
    """Remove a person from a project for good.

    Removed are the pictures, the faces in `faces.parquet`, the map and the recognizer (which is fitted again for the
    others), the person's tracks in films with their faces and embeddings, enrolled faces, decisions, executed
    notebooks and reports that mention the name, annotated films, exports and the page of the films concerned, the
    index, and every other file of the project's output that mentions the name or a picture's digest. The films
    themselves stay; so does a network that was trained on the pictures. Where it breaks off, it can be run again.

    Args:
        project: Whose jobs must not be running.
        person: A name of the cast, or one that was given in films. Names merged into it are forgotten with it.
        keep_name: Keep the name on the tracks, in appearances and exports, and drop pictures, faces and embeddings.
        by: Who decides; kept where the name is.

    Raises:
        ValueError: When nobody has this name, or it is one that facelib gives, such as `unknown`.
        BlockingIOError: When another process works on one of the films.
        OSError: When a folder cannot be read, or a file cannot be removed or written.
    """
    begun = _begun(project, person)
    before = read_facts(begun)
    names, tracks = find_traces(project, person)
    films, cast = list(tracks), project.find_people(missing_ok=True)
    folders = [project.people / path_of(name) for name in names if name in cast]
    pictures = every_file(*folders)
    done = Forgotten(person, digests=[*before.get("digests", []), *map(sha256_of, pictures)])
    others = _others(project, films, cast, names)
    shown = [film for film, own in tracks.items() if own or film.name in before.get("films", [])]
    groups = read_groups(project)
    grouping = before.get("grouping") if groups is None else [groups.threshold, groups.weights]
    known = {"names": names, "films": [film.name for film in shown], "digests": done.digests, "grouping": grouping}
    write_text(json.dumps(known), begun)
    with ExitStack() as held:
        for film in films:
            held.enter_context(project.hold(film))
        if keep_name:
            _keep_the_names(project, tracks, by)
        _forget_pictures(project, folders, names, done)
        _forget_tracks(project, tracks, Mentions(names, others), done, keep_name=keep_name)
    if not keep_name:
        _forget_decisions(project, names, done)
    _settle(project, films, *(grouping or [0.0, ""]))
    _forget_recognizer(project, names, done)
    _remove_made(project, shown, done, keep_name=keep_name)
    _sweep(project, names, others, done, keep_name=keep_name)
    _mention_what_stays(project, names, done)
    begun.unlink()
    return done


def find_traces(project: Project, person: str) -> tuple[list[str], dict[Path, list[int]]]:
    """Return under which names a person is in a project, and the person's tracks in each film; changes nothing.

    Raises:
        ValueError: When nobody has this name, or it is one that facelib gives, such as `unknown`.
        OSError: When a folder cannot be read.
    """
    every_file(project.data, project.output)  # in a folder that cannot be read, the person would stay
    if person in {UNKNOWN, NOT_A_FACE}:
        raise ValueError(f"expected somebody of the cast or of the films, got {person!r}, which is nobody's name")
    merged = [name for name, into in identities.merged(project).items() if into == person]
    before = read_facts(_begun(project, person))
    names = list(dict.fromkeys([person, *merged, *before.get("names", [])]))
    cast = project.find_people(missing_ok=True)
    names += _typed_alike(project, names, cast)
    films = _films(project)
    tracks = {film: _tracks_of(project.film(film), names) for film in films}
    if not (set(names) & set(cast) or any(tracks.values()) or before):
        hint = did_you_mean(one.name for one in near_names(person, _others(project, films, cast, [])))
        raise ValueError(f"expected somebody of the cast or of the films, got {person!r}{hint and '.' + hint}")
    return names, tracks


def _begun(project: Project, person: str) -> Path:
    """Return the file of what is known of a person while forgetting lasts; of one that was broken off, it stays."""
    return project.output / ".locks" / f"forget {digest(person)}.lock"


def _films(project: Project) -> list[Path]:
    """Return the films whose tracks have names; those that lie elsewhere or are gone too: their results stay."""
    films = project.find_videos()
    others = {files.film for files in project.all_results()} - {"", *(text_of(film.name) for film in films)}
    films += [project.videos / path_of(name) for name in sorted(others)]
    return [film for film in films if project.film(film).is_named]


def _typed_alike(project: Project, names: Collection[str], cast: Collection[str]) -> list[str]:
    """Return how else the names were typed in decisions, such as in another case."""
    said = read_decisions(project.corrections)
    spelt = as_known([*said["was"], *said["is"]], [*cast, *names])
    return [name for name, known in spelt.items() if known in names and name not in names]


def _others(project: Project, films: list[Path], cast: list[str], names: list[str]) -> list[str]:
    """Return the names of others: a longer one that contains the person's is no mention of the person."""
    found = set(cast)
    for film in films:
        files = project.film(film)
        if files.tracks.is_file():
            found |= set(read_film_table(files.tracks, ["person"])["person"])
    return sorted(found - set(names) - {UNKNOWN, NOT_A_FACE})


def _tracks_of(files: FilmFiles, names: Iterable[str]) -> list[int]:
    """Return the numbers of the tracks that are called one of the names."""
    path = files.tracks if files.tracks.is_file() else files.named
    table = read_without_embeddings(path)
    rows = labels(table.assign(cluster=table.get("cluster", ""))).isin(list(names))
    return sorted(table.loc[rows, "track"].tolist())


def _keep_the_names(project: Project, tracks: dict[Path, list[int]], by: str) -> None:
    """Confirm the names of tracks, so that they stay when nothing is left to recognise them by."""
    films = [film for film, own in tracks.items() if own and project.film(film).tracks.is_file()]
    if not films:
        return
    review = Review(project, films, by=by)
    table = review.tracks
    wanted = {(film.name, number) for film in films for number in tracks[film]}
    rows = [row for row, *key in table[["video", "track"]].itertuples() if (key[0], key[1]) in wanted]
    if rows:
        review.confirm(rows)


def _forget_pictures(project: Project, folders: list[Path], names: list[str], done: Forgotten) -> None:
    if project.faces.is_file():
        gallery = read_gallery(project.faces)
        own = [f"people/{folder.name}/" for folder in folders]
        rows = gallery.table["person"].isin(names) | gallery.table["picture"].str.startswith(tuple(own))
        replace(gallery, table=gallery.table[~rows].reset_index(drop=True)).save(project.faces)
        if rows.any():
            done.removed.append(f"{int(rows.sum())} faces in faces.parquet")
    for folder in folders:
        done.removed.extend(map(project.place_of, every_file(folder)))
        shutil.rmtree(folder)
    for path in (project.map, project.output / "measures.parquet"):
        _drop_rows(path, names, done)


def _drop_rows(path: Path, names: list[str], done: Forgotten) -> None:
    """Remove the rows of a person or of the person's pictures from a table."""
    if not path.is_file():
        return
    table = pd.read_parquet(path)
    gone = pd.Series(False, index=table.index)
    for column, values in (("person", names), ("sha256", done.digests)):
        if column in table:
            gone |= table[column].isin(values)
    if gone.any() or "person" not in table:
        path.unlink() if "person" not in table else write_table(table[~gone].reset_index(drop=True), path)
        done.removed.append(path.name if "person" not in table else f"{int(gone.sum())} rows in {path.name}")


def _forget_tracks(
    project: Project, tracks: dict[Path, list[int]], mentions: Mentions, done: Forgotten, *, keep_name: bool
) -> None:
    """Remove the person's tracks, or what could recognise the person in them, from every table of the films."""
    for film, own in tracks.items():
        for name in _TABLES_OF_TRACKS:
            path: Path = getattr(project.film(film), name)
            if path.is_file() and not (keep_name and name == "detections"):
                _change_table(path, own, mentions, keep_name=keep_name and name != "looks")
        if own:
            what = "faces and embeddings of tracks" if keep_name else "tracks with their faces and embeddings"
            done.removed.append(f"{len(own)} {what} in {film.name}")


def _change_table(path: Path, own: list[int], mentions: Mentions, *, keep_name: bool) -> None:
    before = pd.read_parquet(path)
    rows = before["track"].isin(own)
    others = before[~rows].reset_index(drop=True)
    after = _without_vectors(before, rows) if keep_name else _without_names(others, mentions)
    if keep_name or rows.any() or not after.equals(before):
        after.attrs = dict(before.attrs)
        write_table(after, path)


def _without_names(table: pd.DataFrame, mentions: Mentions) -> pd.DataFrame:
    """Return the tracks of others without the name: as the second best, as evidence, as what they were called once."""
    changed = {}
    for column in table.columns:
        if not pd.api.types.is_string_dtype(table[column].dtype) and table[column].dtype != object:
            continue
        values = table[column].to_list()
        own = [isinstance(value, str) and mentions.within(value.encode()) for value in values]
        if any(own):
            instead = UNKNOWN if column in {"person", "auto_person"} else ""
            kept = [instead if gone else value for value, gone in zip(values, own, strict=True)]
            changed[column] = pd.Series(kept, index=table.index, dtype=table[column].dtype)
    return table.assign(**changed)


def _without_vectors(table: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    changed = table.copy()
    for column in ("embedding", "evidence"):
        if column in changed:
            values = changed[column].to_list()
            blank = [np.zeros_like(one) if column == "embedding" else "" for one in values]
            kept = [new if gone else old for old, new, gone in zip(values, blank, rows, strict=True)]
            changed[column] = pd.Series(kept, index=changed.index, dtype=changed[column].dtype)
    if "reason" in changed:
        changed["reason"] = changed["reason"].mask(rows, "")
    return changed


def _forget_decisions(project: Project, names: list[str], done: Forgotten) -> None:
    """Remove the decisions that gave the person's name; of those that took it away the new name stays."""
    if not project.corrections.is_file():
        return
    paths = tuple(f"people/{name}/" for name in names)

    def without_names(said: pd.DataFrame) -> pd.DataFrame:
        about = said["picture"].str.startswith(paths) | said["picture"].isin([f"people/{name}" for name in names])
        gone = said["is"].isin(names) | about | ((said["was"].isin(names)) & (said["video"] == ""))
        if gone.any():
            done.removed.append(f"{int(gone.sum())} decisions in corrections.csv")
        return said[~gone].assign(was=said["was"].mask(said["was"].isin(names), UNKNOWN))

    change_decisions(project.corrections, without_names)


def _settle(project: Project, films: list[Path], threshold: float, weights: str) -> None:
    """Make groups of unknown people, appearances and tracks again from what is left."""
    if project.unknowns.is_dir():
        shutil.rmtree(project.unknowns)
    if films and threshold:
        settle_films(project, films, threshold=threshold, weights=weights, regroup=True)
    elif films:
        settle_films(project, films)


def _forget_recognizer(project: Project, names: list[str], done: Forgotten) -> None:
    """Fit the recognizer again for the others, at the threshold that it has; with too few people left it is removed."""
    described = project.recognizer.with_suffix(".json")
    if not project.recognizer.is_file() or not project.faces.is_file():
        return
    recognizer, info = load_recognizer(project.recognizer)
    if not set(recognizer.classes_.tolist()) & set(names):
        return
    gallery, tuning = read_gallery(project.faces), None
    try:
        if gallery.used["person"].nunique() >= (2 if info.kind == "svm" else 1):  # an SVM tells a person from others
            tuning = tune_again(gallery, project, recognizer, info)  # first: it takes long, and may be broken off
    except Exception:
        project.recognizer.unlink()
        raise
    project.recognizer.unlink()
    described.unlink()
    done.removed.append("the person in recognizer.skops")
    if tuning is not None:
        tuning.save(project.recognizer, info.threshold, most_unnamed=1.0, by_hand=info.threshold_from == "hand")


def _remove_made(project: Project, films: list[Path], done: Forgotten, *, keep_name: bool) -> None:
    """Remove what was made from the tables of films, and the index; the index is made again."""
    made: list[Path] = [project.page, project.page_data.parent]
    for film in films:
        files = project.film(film)
        made.append(files.page_data.parent)
        if not keep_name:
            made += [files.annotated, files.drawn, files.reel, files.exports]
    had_index = project.archive.is_dir()
    for path in [*made, project.archive, project.store]:
        if path.exists():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            done.removed.append(project.place_of(path))
    if had_index:
        update_archive(project, progress=False)


def _sweep(project: Project, names: list[str], others: list[str], done: Forgotten, *, keep_name: bool) -> None:
    """Remove every other mention: lines of text files, and whole files of other kinds."""
    everywhere = Mentions([] if keep_name else names, others, done.digests)
    in_runs = Mentions(names, others, done.digests)
    for path in _swept(project):
        is_run = path.is_relative_to(project.runs)
        mentions = in_runs if is_run else everywhere
        if not mentions.within_file(path):
            continue
        text = None if is_run else mentions.without_lines(path)
        if text is None:
            path.unlink()
        else:
            write_bytes(text, path)
        done.removed.append(f"{'' if text is None else 'lines in '}{project.place_of(path)}")


def _swept(project: Project) -> Iterator[Path]:
    """Yield the files in which the person may be mentioned: all but the films and the pictures of others."""
    for path in every_file(project.output, project.data):
        theirs = path.is_relative_to(project.videos) or path.is_relative_to(project.people)
        if not theirs and path.suffix not in {".lock", ".mp4"}:
            yield path


def _mention_what_stays(project: Project, names: list[str], done: Forgotten) -> None:
    named = [
        film.name for film in project.find_videos() if any(name.casefold() in film.name.casefold() for name in names)
    ]
    done.stays.append("the films, their keyframes, and annotated films of others: they show whoever is in them")
    if named:
        done.stays.append(f"films that are called so: {', '.join(map(repr, named))}; rename them")
    if any((project.output / "training").glob("*.onnx")):
        done.stays.append("a network that may have been trained on the pictures: train it again without them")
