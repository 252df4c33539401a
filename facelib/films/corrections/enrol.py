"""Enrol faces that the user named in films as pictures of the cast."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.faces import BOX
from facelib.films.corrections.apply import current, match_corrections
from facelib.films.tables import read_film_table
from facelib.project import Project, write_table, writer_lock
from facelib.project.decisions import moved_pictures, read_corrections, read_decisions
from facelib.project.digests import sha256_of
from facelib.project.files import remove_with_folder, write_bytes
from facelib.project.names import NOT_A_FACE, UNKNOWN, checked_name, is_group
from facelib.project.spreadsheets import read_csv_table

ENROLLED_COLUMNS = ["picture", "sha256", "person", "video", "track", "frame", "quality"]
_ALIKE = 0.08  # embeddings nearer than this are of near-duplicate frames
_MOST_PER_TRACK = 4
_LEAST_QUALITY = 0.1  # see `facelib.embed.quality.quality`
_SMALLEST_FACE = 40.0  # pixels of the film of the shorter side


@dataclass(frozen=True, slots=True, eq=False)
class Enrolled:
    """The result of enrolling.

    Attributes:
        pictures: Every enrolled picture: `picture` (relative to the project's data folder), `sha256`,
            `person`, `video`, `track`, `frame`, `quality`; the content of `enrolled.csv`.
        added: The new ones among them.
        removed: Pictures removed because their decision was taken back or changed.
        left_out: A sentence for each named track that gave no picture, and for each file that was not touched.
    """

    pictures: pd.DataFrame
    added: list[str]
    removed: list[str]
    left_out: list[str]


def enrolled_file(project: Project) -> Path:
    """Return the path of the list of enrolled pictures; files that are not on it are the user's."""
    return project.output / "enrolled.csv"


def enrol(project: Project, *, most_per_person: int = 60) -> Enrolled:
    """Synchronise the pictures of people with the names given in films.

    The four best faces of every track that the user renamed, without near-duplicates, are written to `people/<Name>/`
    as JPEG files called `film <film> <frame>-<track>.jpg`, where `<film>` is its results folder; confirmed names add
    none. Pictures whose decision was taken back or changed are removed, and nothing else is: those of a film that was
    searched again, by another version or with other settings, stay also where their track has other faces now, or is
    not found; a picture moved to another person since stays there, and is not written again; a file that is not in
    `enrolled.csv`, or was changed since, is the user's. Doing it twice changes nothing. New pictures take effect with
    the next run of 02, 04 and 05.

    Args:
        project: Its films' `looks.parquet` and `detections.parquet` are read, and its `corrections.csv`.
        most_per_person: Pictures of one person at most, the best of each track first.

    Raises:
        ValueError: When a table is damaged.
        OSError: When a picture cannot be written.
    """
    corrections = read_corrections(project.corrections, project.find_people(missing_ok=True))
    with writer_lock(enrolled_file(project)):
        before = _read_list(project)
        problems: list[str] = []
        plans = []
        for video in sorted(set(corrections["video"])):
            files = project.film(video)
            if not files.looks.is_file() or not files.detections.is_file():
                plans.append(before[before["video"] == video])
                problems.append(f"{video}: its faces are missing, so its pictures stay as they are; run 05 on it")
                continue
            own = corrections[corrections["video"] == video]
            detections = read_film_table(files.detections, ["frame", "track", *BOX])
            own = own.assign(matched=match_corrections(own, detections))
            named = _named(own)
            chosen = _varied(_worthy(read_film_table(files.looks), named))
            planned = _planned(chosen, named, video, files.folder.name)
            stay = _standing(before[before["video"] == video], own, named, detections)
            stay = stay[~stay["picture"].isin(planned["picture"])]
            stay = stay[np.array([(project.data / name).is_file() for name in stay["picture"]], bool)]
            known = planned["picture"].isin(before["picture"]) | ~planned["track"].isin(stay["now"])
            plans += [planned[known], stay.assign(rank=stay.groupby("track").cumcount())]
            problems += [
                f"{video}, track {track}: no face of {person!r} is large and clear enough to enrol"
                for track, person in named.items()
                if track not in {*chosen["track"], *stay["now"]}
            ]
        moved = moved_pictures(read_decisions(project.corrections))
        plans = [plan[~plan["picture"].isin(moved)] for plan in plans]
        return _synchronise(project, before, _fewest(plans, most_per_person), problems)


def _read_list(project: Project) -> pd.DataFrame:
    path = enrolled_file(project)
    if not path.is_file():
        return pd.DataFrame(columns=pd.Index(ENROLLED_COLUMNS)).assign(content=None)
    try:
        texts = dict.fromkeys(("picture", "sha256", "person", "video"), "str")  # names may be numbers
        table = read_csv_table(path, dtype=texts)
        return table[ENROLLED_COLUMNS].assign(content=None)
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"expected the list of enrolled pictures at {str(path)!r}, got: {error}; bring it back from a copy, or "
            f"remove it: it is made anew from the decisions that there are"
        ) from error


def _named(corrections: pd.DataFrame) -> dict[int, str]:
    """Return the person of each track that the user renamed, by the decisions with their `matched` tracks."""
    named = {}
    said = current(corrections)
    for track, label in zip(said["matched"].tolist(), said["is"].tolist(), strict=True):
        if label in {UNKNOWN, NOT_A_FACE} or is_group(label):
            continue
        # A name that the user gave and confirmed later still counts as given by the user.
        history = corrections[corrections["matched"] == track]
        run = history[(history["is"] == label)[::-1].cumprod()[::-1].astype(bool)]
        if run["was"].iloc[0] != label:
            named[track] = checked_name(label)
    return named


def _standing(
    before: pd.DataFrame, corrections: pd.DataFrame, named: dict[int, str], detections: pd.DataFrame
) -> pd.DataFrame:
    """Return the pictures of a film whose decision stands, with the track `now` in their frame; -1 where none is.

    Where no track of now is about the picture, the decision is found by the number that the track had, or by the name.
    """
    spans = detections.groupby("track")["frame"].agg(["min", "max"])
    given = corrections.groupby("matched")["is"].agg(set).to_dict()
    lost = corrections[corrections["matched"] < 0].drop_duplicates("track", keep="last")
    by_number = dict(zip(lost["track"], lost["is"], strict=True))
    names = {*named.values(), *by_number.values()}
    now = []
    for person, track, frame in zip(before["person"], before["track"], before["frame"], strict=True):
        there = [int(one) for one in spans.index[(spans["min"] <= frame) & (frame <= spans["max"])]]
        own = next((one for one in there if named.get(one) == person), None)
        taken_back = any(person in given.get(one, ()) for one in there)
        stands = person in names if track not in by_number else by_number[track] == person
        now.append(own if own is not None else None if taken_back or not stands else -1)
    kept = np.array([one is not None for one in now], bool)
    return before[kept].assign(now=[one for one in now if one is not None])


def _worthy(looks: pd.DataFrame, named: dict[int, str]) -> pd.DataFrame:
    """Return the faces of named tracks that are good enough: blurred or turned ones harm the gallery."""
    shorter = np.minimum(looks["right"] - looks["left"], looks["bottom"] - looks["top"])
    good = looks["track"].isin(list(named)) & (looks["quality"] >= _LEAST_QUALITY) & (shorter >= _SMALLEST_FACE)
    return looks[good & (looks["picture"].map(len) > 0)]


def _varied(looks: pd.DataFrame) -> pd.DataFrame:
    """Return the best faces of each track without near-duplicates, with their `rank` in the track."""
    chosen: list[int] = []
    for _, own in looks.sort_values("quality", ascending=False, kind="stable").groupby("track", sort=True):
        taken: list[int] = []
        for row in own.index:
            vector = np.asarray(own.at[row, "embedding"], float)
            if all(np.linalg.norm(vector - np.asarray(own.at[other, "embedding"], float)) >= _ALIKE for other in taken):
                taken.append(row)
        chosen += taken[:_MOST_PER_TRACK]
    picked = looks.loc[chosen]
    return picked.assign(rank=picked.groupby("track").cumcount())


def _planned(chosen: pd.DataFrame, named: dict[int, str], video: str, folder: str) -> pd.DataFrame:
    people = chosen["track"].map(named)
    names = [f"film {folder} {f}-{t}.jpg" for f, t in zip(chosen["frame"], chosen["track"], strict=True)]
    return pd.DataFrame(
        {
            "picture": [f"people/{person}/{name}" for person, name in zip(people, names, strict=True)],
            "sha256": [hashlib.sha256(content).hexdigest() for content in chosen["picture"]],
            "person": people,
            "video": video,
            "track": chosen["track"],
            "frame": chosen["frame"],
            "quality": chosen["quality"].round(4),
            "content": chosen["picture"],
            "rank": chosen["rank"],
        }
    )


def _fewest(plans: list[pd.DataFrame], most: int) -> pd.DataFrame:
    """Keep at most `most` pictures per person, the best of every track first."""
    filled = [plan.assign(rank=plan.get("rank", 0)) for plan in plans if len(plan)]
    if not filled:
        return pd.DataFrame(columns=pd.Index([*ENROLLED_COLUMNS, "content"]))
    every = pd.concat(filled).sort_values(["rank", "quality", "picture"], ascending=[True, False, True])
    return every.groupby("person").head(most).sort_values("picture").drop(columns="rank").reset_index(drop=True)


def _synchronise(project: Project, before: pd.DataFrame, plan: pd.DataFrame, problems: list[str]) -> Enrolled:
    """Write what is planned and remove what no longer is; the list comes first, so that a kill leaves no stray file."""
    listed = dict(zip(before["picture"], before["sha256"], strict=True))
    foreign = [  # neither the picture itself nor an earlier one of facelib's
        name
        for name, digest in zip(plan["picture"], plan["sha256"], strict=True)
        if (path := project.data / name).is_file() and sha256_of(path) not in {digest, listed.get(name)}
    ]
    problems += [f"{name}: a file of the user's own has this name" for name in foreign]
    plan, before = (table[~table["picture"].isin(foreign)] for table in (plan, before))
    obsolete = before[~before["picture"].isin(plan["picture"])]
    if len(plan) or len(before):
        write_table(pd.concat([plan, obsolete])[ENROLLED_COLUMNS], enrolled_file(project))
    added = [
        name
        for name, digest, content in zip(plan["picture"], plan["sha256"], plan["content"], strict=True)
        if content is not None and _write(project.data / name, content, digest)
    ]
    removed = []
    for name, digest in zip(obsolete["picture"], obsolete["sha256"], strict=True):
        path = project.data / name
        if path.is_file() and sha256_of(path) != digest:
            problems.append(f"{name}: changed since it was enrolled, so it stays")
        elif path.is_file():
            remove_with_folder(path)
            removed.append(name)
    if len(obsolete):
        write_table(plan[ENROLLED_COLUMNS], enrolled_file(project))
    return Enrolled(plan[ENROLLED_COLUMNS].reset_index(drop=True), added, removed, problems)


def _write(path: Path, content: bytes, sha256: str) -> bool:
    if path.is_file() and sha256_of(path) == sha256:
        return False
    write_bytes(content, path)
    return True
