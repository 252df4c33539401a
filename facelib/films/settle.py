"""Settle a project's films: group unknown people over all of them, and apply the user's decisions.

No film is decoded, and only tables whose names change are written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from facelib.films.appearances import appearances, with_ends
from facelib.films.corrections import Corrected, automatic, correct_films, current, labels, match_project, rename_groups
from facelib.films.problems import Problems
from facelib.films.record import length_of, weights_of
from facelib.films.tables import UnusableTables, damage, read_film_table, read_whole
from facelib.films.unknowns import (
    add_to_groups,
    group_unknowns,
    number_groups,
    read_join_by_context,
    read_one_place,
    table_of_groups,
)
from facelib.films.unknowns.kept import Groups, no_groups, people_of, read_groups, write_groups
from facelib.project import FilmFiles, Project, write_table
from facelib.project.decisions import read_corrections

NAME_CHANGE_COLUMNS = ["video", "track", "start", "end", "was", "is", "reason"]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """The tables of films as they are now.

    Attributes:
        films: The films, in order.
        tracks: By the film's file name, the columns of `tracks.parquet`.
        appearances: By the film's file name, the columns of `appearances.csv`, with the groups of unknown people where
            they were asked for.
        durations: By the film's file name, its length in seconds.
        changes: One row per track of these films whose label differs from the file before: `video`,
            `track`, `start`, `end` (seconds), `was`, `is`, `reason`.
        elsewhere: The same for the other films of the project.
        written: The films whose tables were rewritten; where nothing changed, the files stay as they were.
        left_out: The decisions that were not applied, with the columns of `corrections.csv` and `why`.
        warnings: A sentence for each person whom the user named twice in one frame.
        unknown: The unknown people of all films of the project, see `facelib.films.unknowns.people_of`.
        problems: What went wrong with single films.
    """

    films: list[Path]
    tracks: dict[str, pd.DataFrame]
    appearances: dict[str, pd.DataFrame]
    durations: dict[str, float]
    changes: pd.DataFrame
    elsewhere: pd.DataFrame
    written: list[Path]
    left_out: pd.DataFrame
    warnings: list[str]
    unknown: pd.DataFrame
    problems: Problems


def settle_films(
    project: Project,
    films: Iterable[Path] | None = None,
    *,
    threshold: float | None = None,
    weights: str = "",
    regroup: bool = False,
    longest_gap: float = 1.0,
    show_unknown: bool = False,
    problems: Problems | None = None,
) -> Settled:
    """Group the unknown people of a project, apply the user's decisions, and write `tracks.parquet` and appearances.

    Films that are new to the project are matched to the existing groups, so that the others need not be read. All are
    grouped again where the threshold, the network or a film's tracks have changed, where `films` are all of the
    project, or on request. Films of another network keep their groups, whose labels no other group gets.

    Args:
        project: Its `corrections.csv` is read; no other process may settle it at the same time.
        films: The films to report about; None means all of the project that have tables.
        threshold: The largest distance of two groups that join, see `facelib.films.unknowns.fit_grouping`; None leaves
            the groups as they are.
        weights: SHA-256 of the weights that embedded the faces, with a threshold.
        regroup: Group all films again, with a threshold.
        longest_gap: As in `facelib.films.appearances.appearances`; a changed value alone rewrites nothing.
        show_unknown: Also the groups of unknown people in the appearances that are returned.
        problems: Where to record the problems of single films; None starts a new record.

    Raises:
        FileNotFoundError: When one of `films` has no tables.
        ValueError: When `corrections.csv` is damaged.
        OSError: When a table cannot be written.
    """
    problems = Problems(project) if problems is None else problems
    with project.hold_all():
        run = _Run(project, _chosen(project, films), problems)
        before = read_groups(project)
        kept, anew = _grouped(run, before, threshold, weights, regroup=regroup)
        corrected, kept = _decided(run, None if anew else before, kept)
        written, changes, elsewhere = _written(run, corrected, longest_gap)
        if threshold is not None or before is not None:
            write_groups(project, kept)  # last: they say that the decisions are in the tables
    tracks = {name: corrected.tables[name] for name in run.wanted}
    return Settled(
        films=list(run.wanted.values()),
        tracks=tracks,
        appearances={
            name: appearances(table, longest_gap=longest_gap, unknown=show_unknown) for name, table in tracks.items()
        },
        durations={name: length_of(project.film(film), tracks[name]) for name, film in run.wanted.items()},
        changes=changes,
        elsewhere=elsewhere,
        written=written,
        left_out=corrected.left_out,
        warnings=corrected.warnings,
        unknown=people_of(kept.members),
        problems=problems,
    )


def _chosen(project: Project, films: Iterable[Path] | None) -> list[Path]:
    if films is None:
        return [film for film in project.find_videos() if project.film(film).is_named]
    chosen = list(films)
    for film in chosen:
        if not project.film(film).is_named:
            raise FileNotFoundError(
                f"expected {str(project.film(film).tracks)!r}, found none; run 05 on {film.name!r} first"
            )
    return chosen


class _Run:
    """The films of one run: those asked for, and others as needed."""

    def __init__(self, project: Project, films: list[Path], problems: Problems) -> None:
        self.project, self.problems = project, problems
        self.named: dict[str, pd.DataFrame] = {}
        self.looks: dict[str, pd.DataFrame] = {}
        self.paths: dict[str, Path] = {}
        for film in films:
            self.read(film)
        self.wanted = dict(self.paths)

    def read(self, film: Path) -> None:
        """Read a film's named tracks once; a damaged table is recorded as a problem and left out."""
        with self.problems.of(film, "reading its tables"):
            if film.name not in self.named:
                self.named[film.name] = _read_named(self.project.film(film))
                self.paths[film.name] = film

    def read_looks(self, names: Iterable[str]) -> dict[str, pd.DataFrame]:
        """Return the quality of the best faces of films, of those that have them."""
        for name in set(names) - set(self.looks):
            with self.problems.of(self.paths[name], "reading its faces"), suppress(FileNotFoundError):
                self.looks[name] = read_film_table(self.project.film(name).looks, ["track", "quality"])
        return {name: self.looks[name] for name in names if name in self.looks}

    def one_place(self, name: str, threshold: float) -> list[list[int]]:
        """Return the unknown tracks of a film that are one person's by their surroundings."""
        return read_one_place(self.project.film(name), self.named[name], threshold=threshold)

    def joined(self, name: str, table: pd.DataFrame, threshold: float, *, settled: Iterable[str] = ()) -> pd.DataFrame:
        """Return a film's tracks with the groups that their surroundings show."""
        return read_join_by_context(self.project.film(name), table, threshold=threshold, settled=set(settled))

    def made(self, name: str) -> str:
        """Return what a film's named tracks were made from."""
        return str(self.named[name].attrs.get("made", ""))

    def others(self) -> list[Path]:
        """Return the other films of the project that have names."""
        every = self.project.find_videos()
        return [film for film in every if film.name not in self.wanted and self.project.film(film).is_named]


def _read_named(files: FilmFiles) -> pd.DataFrame:
    """Return a film's tracks as the program named them, without groups; from `tracks.parquet` where it is older."""
    named = read_whole(files.named)
    if problem := damage(files) if named is not None else damage(files, files.tracks):
        raise UnusableTables(problem)
    if named is not None:
        return named
    table = automatic(read_film_table(files.tracks))
    table = table[[name for name in table.columns if not name.startswith("auto_")]]
    return with_ends(table)


def _grouped(
    run: _Run, before: Groups | None, threshold: float | None, weights: str, *, regroup: bool
) -> tuple[Groups, bool]:
    """Return the groups with the films of this run, labelled by grouping, and whether all were made again."""
    if threshold is None:
        return _as_they_are(run, before or no_groups()), before is None
    now = {name: run.made(name) for name in run.wanted}
    usable = before is not None and not regroup and (before.threshold, before.weights) == (threshold, weights)
    if before is None or not usable:
        return _all_anew(run, threshold, weights), True
    new = {name: made for name, made in now.items() if name not in before.films}
    changed = any(before.films[name] != made for name, made in now.items() if name not in new)
    if changed or (new and set(before.films) <= set(now)):
        return _all_anew(run, threshold, weights), True
    kept = before
    for name in sorted(new):
        looks = run.read_looks([name])
        table = group_unknowns(
            {name: run.named[name]},
            threshold=threshold,
            looks=looks,
            together={name: run.one_place(name, threshold)},
            reserved={*kept.reserved, *kept.renamed.values()},
            groups=kept.groups,
        )[name]
        joined = run.joined(name, table, threshold, settled=kept.groups["cluster"].tolist())
        told = {name: _told_by_face(joined, table, joined)}
        groups = add_to_groups(kept.groups, told, looks=looks)
        kept = replace(kept, groups=groups).with_members({name: joined}, run.looks)
    return replace(kept, films=dict(before.films) | new), False


def _as_they_are(run: _Run, kept: Groups) -> Groups:
    """Return the groups that the tables show, for films that are not among those kept."""
    for film in run.others():
        if film.name not in kept.films:
            run.read(film)
    shown = {name: _with_shown_clusters(run, name) for name in run.named if name not in kept.films}
    return kept.with_members(shown, {})


def _with_shown_clusters(run: _Run, name: str) -> pd.DataFrame:
    table, shown = run.named[name], read_whole(run.project.film(name).tracks)
    if (table["cluster"] != "").any() or shown is None:
        return table
    shown = automatic(shown)
    return _with_clusters(table, dict(zip(shown["track"].tolist(), shown["cluster"].tolist(), strict=True)))


def _all_anew(run: _Run, threshold: float, weights: str) -> Groups:
    """Group all films that the network embedded; embeddings of two networks cannot be compared."""
    others = {film: weights_of(run.project.film(film)) for film in run.others()}
    for film, used in others.items():
        if used == weights:
            run.read(film)
    reserved: set[str] = set()
    for film, used in others.items():
        if used in ("", weights):
            continue
        shown = read_whole(run.project.film(film).tracks, ["cluster"])
        if shown is not None:
            reserved |= {str(name) for name in shown["cluster"]} - {""}
    looks = run.read_looks(run.named)
    together = {name: run.one_place(name, threshold) for name in run.named}
    tables = group_unknowns(run.named, threshold=threshold, looks=looks, together=together, reserved=reserved)
    joined = {name: run.joined(name, table, threshold) for name, table in tables.items()}
    numbered = number_groups(joined, reserved=reserved)
    kept = no_groups(threshold=threshold, weights=weights).with_members(numbered, looks)
    films = {name: run.made(name) for name in tables}
    told = {name: _told_by_face(table, tables[name], joined[name]) for name, table in numbered.items()}
    return replace(kept, groups=table_of_groups(told, looks=looks), films=films, reserved=tuple(sorted(reserved)))


def _told_by_face(table: pd.DataFrame, before: pd.DataFrame, joined: pd.DataFrame) -> pd.DataFrame:
    """Return a film's tracks without the groups that context gave: new films are not compared with such faces."""
    return table.assign(cluster=table["cluster"].where(before["cluster"] == joined["cluster"], "").astype("str"))


def _decided(run: _Run, before: Groups | None, kept: Groups) -> tuple[Corrected, Groups]:
    """Apply the decisions to the films of this run, and to others whose groups they or the grouping change.

    `before` is the last result; None where all groups were made again.
    """
    path = run.project.corrections
    # The state first: a decision that somebody makes in between is read, and counts as new the next time as well.
    state = hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
    corrections = read_corrections(path, run.project.find_people(missing_ok=True))
    known = {*kept.films, *run.named}
    new = list(set(run.wanted) - set(before.films if before else ()))
    if before is None or before.corrections != state or corrections["video"].isin(new).any():
        films = _with_decisions(run, known, corrections)
        matched = match_project(run.project, films, corrections)
        decided = current(matched[matched["video"].isin([film.name for film in films])])
        renamed = rename_groups(kept.members.rename(columns={"film": "video"}), decided)
        _read_changed(run, before, kept, renamed, {film.name for film in films})
    else:
        matched = match_project(run.project, run.wanted.values(), corrections)
        renamed = dict(kept.renamed)
    tables = {name: _with_clusters(table, kept.clusters(name)) for name, table in run.named.items()}
    rows = matched[matched["video"].isin(list(tables)) | ~matched["video"].isin(list(known))]
    corrected = correct_films(tables, rows, renamed=renamed)
    looks = run.read_looks(run.named) if kept.films else {}
    kept = kept.with_members(corrected.tables, looks)
    return corrected, replace(kept, corrections=state, renamed=renamed)


def _with_decisions(run: _Run, known: set[str], corrections: pd.DataFrame) -> list[Path]:
    """Return the films that decisions are about and that have tables."""
    asked = set(corrections["video"]) & known
    there = {film.name: film for film in run.project.find_videos() if film.name in asked} | run.paths
    return [film for name, film in there.items() if name in asked and run.project.film(film).is_named]


def _read_changed(
    run: _Run, before: Groups | None, kept: Groups, renamed: Mapping[str, str], decided: set[str]
) -> None:
    """Read the films whose labels have changed, besides those of this run."""
    earlier = before.renamed if before is not None else {}
    changed = [label for label in {*renamed, *earlier} if renamed.get(label, label) != earlier.get(label, label)]
    names = decided | set(kept.members.loc[kept.members["auto_cluster"].isin(changed), "film"])
    if names - set(run.named):
        for film in run.project.find_videos():
            if film.name in names:
                run.read(film)


def _with_clusters(table: pd.DataFrame, clusters: Mapping[int, str]) -> pd.DataFrame:
    cluster = table["track"].map(lambda track: clusters.get(track, "")).astype("str")
    return table.assign(cluster=cluster if len(table) else pd.Series(dtype="str"))


def _written(run: _Run, corrected: Corrected, longest_gap: float) -> tuple[list[Path], pd.DataFrame, pd.DataFrame]:
    """Write the tables that changed; return their films, and what changed in those asked for, and elsewhere."""
    written: list[Path] = []
    changes: list[pd.DataFrame] = []
    elsewhere: list[pd.DataFrame] = []
    for name, after in corrected.tables.items():
        files = run.project.film(run.paths[name])
        after.attrs = {"made": run.made(name)}
        before = read_whole(files.tracks)
        if before is not None and (_same(before, after) if name in run.wanted else _called_the_same(before, after)):
            continue
        write_table(appearances(after, longest_gap=longest_gap), files.appearances)
        write_table(after, files.tracks)  # last: where it is up to date, nothing is written
        if name in run.wanted:
            written.append(run.paths[name])
        if before is not None:
            (changes if name in run.wanted else elsewhere).append(_changes(name, before, after))
    return written, _joined(changes), _joined(elsewhere)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=pd.Index(NAME_CHANGE_COLUMNS))


def _same(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    kept = [name for name in after.columns if name != "embedding"]
    same = kept == [name for name in before.columns if name != "embedding"] and before[kept].equals(after[kept])
    return same and before.attrs.get("made", "") == after.attrs["made"]


def _called_the_same(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    groups = before.get("auto_cluster", after["auto_cluster"])
    return labels(before).equals(labels(after)) and groups.equals(after["auto_cluster"])


def _changes(video: str, before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the tracks whose label changed; none where the film was indexed again."""
    spans = ["track", "start_frame", "end_frame"]
    if not before[spans].equals(after[spans]):
        return pd.DataFrame(columns=pd.Index(NAME_CHANGE_COLUMNS))
    table = after.assign(video=video, was=labels(before).to_numpy())
    table = table.assign(**{"is": labels(after).to_numpy()})
    return table.loc[table["was"] != table["is"], NAME_CHANGE_COLUMNS].reset_index(drop=True)
