"""What a run found, in words: one line per step, and who is in the films."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from facelib.films.appearances import appearances, screen_time
from facelib.films.record import EARLIER, read_summary
from facelib.films.tables import read_without_embeddings
from facelib.gallery import read_gallery, summary
from facelib.project import Project
from facelib.project.decisions import read_corrections
from facelib.project.identities import cast_of, merged
from facelib.project.names import UNKNOWN, is_proposed
from facelib.project.spreadsheets import read_csv_table
from facelib.project.wording import clock_time, counted, listed

_MOST_PEOPLE = 12  # named one by one at the end of a run
_NEEDS = ["person", "cluster", "start", "end"]  # of the tracks


def describe_step(number: int, project: Project) -> str:
    """Return what a finished step found, as one line; empty where its files are missing or it has no line.

    Step 4's line is `facelib.recognize.report.describe_recognizer`.
    """
    try:
        return _STEPS[number](project) if number in _STEPS else ""
    except (OSError, ValueError, KeyError):  # the user's own notebooks write other tables, or none
        return ""


def describe_films(project: Project) -> list[str]:
    """Return who is in the films of the last run: the cast by time on screen, then the unknown people.

    Returns:
        A sentence each; none when no film was looked through yet.
    """
    tables = _tracks(project)
    if not tables:
        return []
    appeared = [appearances(table) for table in tables]
    times = screen_time(pd.concat(appeared, ignore_index=True))
    films = Counter(person for one in appeared for person in set(one["person"]))
    spoken = [
        f"{person} ({_duration(seconds)}{f' in {films[person]} films' if films[person] > 1 else ''})"
        for person, seconds in times[["person", "seconds"]].itertuples(index=False)
    ]
    groups, loose = _unknown(tables)
    lines = [f"On screen: {listed(spoken, most=_MOST_PEOPLE)}." if spoken else "Nobody in the cast was found."]
    if groups or loose:
        grouped = counted(groups, "person") if groups else ""
        alone = f"{counted(loose, 'track')} in no group" if loose else ""
        lines.append(f"Unknown: {' and '.join(filter(None, (grouped, alone)))}.")
    else:
        lines.append("Nobody stays unknown.")
    lines += [
        f"WARNING: {name} is {other} by now, and the films were named before that: run steps 2, 4 and 5."
        for name, other in merged(project).items()
        if name in films
    ]
    return lines


def _tracks(project: Project) -> list[pd.DataFrame]:
    """Return the tracks of the films of the last run that have a table that can be read."""
    tables = []
    for film in read_summary(project)["film"]:
        with suppress(OSError, ValueError):  # those of pyarrow are both
            tables.append(read_without_embeddings(project.film(film).tracks, needs=_NEEDS))
    return tables


def _unknown(tables: list[pd.DataFrame]) -> tuple[int, int]:
    """Return how many groups of unknown people there are, and how many unknown tracks in no group."""
    tracks = pd.concat([table.loc[table["person"] == UNKNOWN, ["cluster"]] for table in tables], ignore_index=True)
    cluster = tracks["cluster"].fillna("").astype(str)
    return int(cluster[cluster != ""].nunique()), int((cluster == "").sum())


def _gathered(project: Project) -> str:
    pictures, films = (_csv(project.output / f"{name}.csv") for name in ("pictures", "films"))
    whole, playable = pictures[pictures["reason"] == ""], films[films["reason"] == ""]
    gathered = project.output / "gathered.csv"
    fetched = int((_csv(gathered)["problem"] != "").sum()) if gathered.is_file() else 0
    problems = {
        "pictures": len(pictures) - len(whole),
        "films": len(films) - len(playable),
        "films not fetched": fetched,
    }
    told = ", ".join(f"{count} of {what}" for what, count in problems.items() if count)
    total = sum(problems.values())
    people = counted(whole["person"].nunique(), "person")
    nameless = sum(is_proposed(folder.name) for folder in project.proposed.glob("*/"))
    found = f"{people}, {counted(len(whole), 'picture')}, {counted(len(playable), 'film')}, "
    found += f"{counted(total, 'problem')} ({told}: see the report)" if total else "no problems"
    if nameless:
        found += f"; {counted(nameless, 'person')} found in the films: name the folders in {project.proposed}, "
        found += "run step 1 again"
    return found


def _faces(project: Project) -> str:
    people = cast_of(project)
    counts = summary(read_gallery(project.faces).table, people=people)
    sums = counts.drop(columns="person").sum()
    reasons = sums.drop(["pictures", "used"])
    left_out = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
    pictures = counted(int(sums["pictures"]), "picture")
    nobody = listed(counts.loc[counts["used"] == 0, "person"].to_list(), most=_MOST_PEOPLE)
    shown = counted(int((counts["used"] > 0).sum()), "person")
    return f"{sums['used']} of {pictures} used, of {shown}; left out: {left_out or 'none'}" + (
        f"; no usable face of {nobody}" if nobody else ""
    )


def _films(project: Project) -> str:
    films = read_summary(project)
    if films.empty:
        return ""
    tracks, named, context, unknown = (
        int(films[name].astype(int).sum()) for name in ("tracks", "named", "by context", "unknown")
    )
    tables, problems = _tracks(project), int((films["problem"] != "").sum())
    groups = _unknown(tables)[0] if tables else 0
    earlier = int(films["notes"].str.contains(EARLIER, regex=False).sum())
    return (
        f"{counted(len(films), 'film')}, {counted(tracks, 'track')}: {named} named ({context} by context), "
        f"{unknown} unknown ({counted(groups, 'group')}); {f'{problems} with a problem' if problems else 'no problems'}"
        + (f"; {earlier} searched again, whose tables were of an earlier version" if earlier else "")
    )


def _reviewed(project: Project) -> str:
    decided = len(read_corrections(project.corrections))
    return f"{counted(decided, 'decision')} about tracks so far" if decided else "no decisions about tracks yet"


def _measured(project: Project) -> str:
    found: dict[str, Any] = json.loads((project.output / "evaluation.json").read_text(encoding="utf-8"))
    if not found["films"]:
        return "no film has ground truth, so nothing was measured in films; the report covers the gallery alone"
    score = found["score"]
    cast, strangers = score["cast"], score["strangers"]
    of_cast = f"of the cast's faces {score['right'] / cast:.1%} named right and {score['wrong'] / cast:.1%} wrong"
    of_strangers = f"of strangers' faces {score['strangers_named'] / strangers:.1%} given a name" if strangers else ""
    return (
        f"{counted(len(found['films']), 'film')} measured: {of_cast if cast else 'no face of the cast was labelled'}; "
        f"{of_strangers or 'no face of a stranger was labelled'}"
    )


_STEPS: dict[int, Callable[[Project], str]] = {1: _gathered, 2: _faces, 5: _films, 6: _reviewed, 7: _measured}


def _csv(path: Path) -> pd.DataFrame:
    return read_csv_table(path, dtype=str)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return clock_time(seconds + 0.5) + (" min" if seconds < 3599.5 else "")
