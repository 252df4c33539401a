"""The tracks of a project's films under review: what they are called, what to ask next, and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from facelib.films.corrections import correct_films, current, match_project
from facelib.films.problems import problem_of
from facelib.films.tables import read_without_embeddings
from facelib.project import Project
from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections, now, read_corrections
from facelib.project.names import NOT_A_FACE, UNKNOWN, group_number, is_group, known_name
from facelib.project.wording import counted, listed
from facelib.review.tables import FACE, best_faces, read_pictures, worth_asking

Filter = Literal["all", "undecided", "unsure", "unknown", "decided"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision that can be undone.

    Attributes:
        when: When it was made, ISO 8601 in UTC; no two of a project have the same.
        by: Who made it.
        tracks: The tracks that it is about, as rows of `Review.tracks`.
        before: The earlier decision about each, "" for none.
        given: What each was called by it.
    """

    when: str
    by: str
    tracks: tuple[int, ...]
    before: tuple[str, ...]
    given: tuple[str, ...]


class Review:
    """The tracks of some films with the user's decisions applied; every decision is written at once.

    Tracks are identified by their row in `tracks`, which stays the same while decisions are made.

    Args:
        project: Films, their tables and `corrections.csv`.
        films: Paths; all of them must have been through notebook 05.
        by: Who decides, kept with every decision.
        sure: The confidence from which a name needs no second look.

    Raises:
        ValueError: When there is no film, or `corrections.csv` is damaged.
        FileNotFoundError: When a film has no tracks yet.

    Attributes:
        tracks: One row per track: the columns of `tracks.parquet` without `embedding`, and `video`, `label`, `seconds`,
            `effect`, `worth`, `decided`, and the track's best face: `frame`, `left`, `top`, `right`, `bottom`.
        warnings: A sentence for each person whom the user named twice in one moment.
        left_out: Decisions that could not be applied, and `why`.
        problems: A sentence for each film that is left out, since its tables are damaged.
        made: When each decision was made here that was not undone since, oldest first; see `Decision.when`.
    """

    def __init__(self, project: Project, films: Iterable[Path], *, by: str = "", sure: float = 0.9) -> None:
        self.project, self.by, self.sure = project, by, sure
        self.films = list(films)
        if not self.films:
            raise ValueError(f"expected at least one film with results, got none of {project.name!r}; run 05 first")
        for film in self.films:
            if not project.film(film).tracks.is_file():
                raise FileNotFoundError(f"expected the tracks of {film.name!r}, found none; run 05 on it first")
        self.problems: list[str] = []
        self._tables, faces = {}, []
        for film in self.films:
            try:
                table, best = read_without_embeddings(project.film(film).tracks), best_faces(project, film)
            except OSError as error:
                self.problems.append(f"{film.name} is left out: {problem_of(error, 'reading its tables')}")
            else:
                self._tables[film.name] = table
                faces.append(best)
        if not self._tables:
            raise ValueError(f"expected a film with tables that can be read, but {'; '.join(self.problems)}")
        self.films = [film for film in self.films if film.name in self._tables]
        self._looks = {film.name: project.film(film).looks for film in self.films}
        tracks = _joined({name: table[["track"]] for name, table in self._tables.items()})
        self._faces = tracks.merge(pd.concat(faces, ignore_index=True), on=["video", "track"], how="left")[FACE]
        self._matched: dict[tuple[object, ...], int] = {}
        self._read = pd.DataFrame()  # the corrections that are applied
        self.refresh()
        self.made: list[str] = []
        self.last_undone = -1

    def refresh(self) -> None:
        """Read the decisions again, which other processes may have added to, and apply them."""
        corrections = read_corrections(self.project.corrections, self.project.find_people(missing_ok=True))
        if corrections.equals(self._read):
            return
        self._corrections = self._match(corrections)
        corrected = correct_films(self._tables, self._corrections)
        self.warnings, self.left_out = corrected.warnings, corrected.left_out
        every = _joined(corrected.tables)
        self.tracks = worth_asking(pd.concat([every, self._faces], axis=1)).assign(decided=every["source"] == "user")
        self._read = corrections

    def _match(self, corrections: pd.DataFrame) -> pd.DataFrame:
        keys = _keys(corrections)
        new = [key not in self._matched for key in keys]
        if any(new):
            found = match_project(self.project, self.films, corrections[new])
            self._matched |= dict(zip(_keys(found), found["matched"].tolist(), strict=True))
        return corrections.assign(matched=np.array([self._matched[key] for key in keys], np.int64))

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions that can be undone, oldest first: rows with the same time are one."""
        rows = self._rows()
        said: dict[int, str] = {}
        steps: dict[int, Decision] = {}
        about: dict[int, list[int]] = {}  # the steps about each track, of those that stand
        known = self._corrections[self._corrections["matched"] >= 0]
        for number, (when, moment) in enumerate(known.groupby("when", sort=False)):
            keys = zip(moment["video"], moment["matched"], moment["is"], strict=True)
            given = {rows[video, track]: str(label) for video, track, label in keys if (video, track) in rows}
            before = tuple(said.get(row, "") for row in given)
            said |= given
            # One that restores the state before the last one about its tracks has undone that.
            last = max((about[row][-1] for row in given if about.get(row)), default=-1)
            undone = steps.get(last)
            restored = undone is not None and dict(zip(undone.tracks, undone.before, strict=True)) == given
            if undone is not None and restored and when not in self.made:
                del steps[last]
                for row in undone.tracks:
                    about[row].pop()
            elif given:
                by = str(moment["by"].iloc[0])
                steps[number] = Decision(str(when), by, tuple(given), before, tuple(given.values()))
                for row in given:
                    about.setdefault(row, []).append(number)
        return tuple(steps.values())

    def people(self) -> list[str]:
        """Return the names to choose from: the cast, and everybody named so far, sorted."""
        folders = self.project.find_people(missing_ok=True)
        labels = {label for label in self.tracks["label"] if not is_group(label)} - {UNKNOWN, NOT_A_FACE}
        return sorted({*folders, *labels}, key=str.casefold)

    def queue(self, shown: Filter = "undecided", *, person: str = "") -> list[int]:
        """Return the tracks of a filter, most worth reviewing first.

        Args:
            shown: `undecided` are those without a decision of the user; of them, `unsure` are those with a
                confidence below `sure`. `unknown` are nobody in the cast.
            person: Only those with this name, of a person or a group.
        """
        table = self.tracks
        chosen = {
            "all": pd.Series(True, index=table.index),
            "undecided": ~table["decided"],
            "unsure": ~table["decided"] & (table["confidence"] < self.sure),
            "unknown": table["person"] == UNKNOWN,
            "decided": table["decided"],
        }
        if shown not in chosen:
            raise ValueError(f"expected one of {list(chosen)!r}, got {shown!r}")
        rows = table[chosen[shown] & ((table["label"] == person) | (person == ""))]
        return [int(row) for row in rows.sort_values(["worth", "video", "track"], ascending=[False, True, True]).index]

    def members(self, track: int) -> list[int]:
        """Return the tracks of a track's group of unknown people, longest first; of another track, itself alone."""
        label = str(self.tracks.at[track, "label"])
        if not is_group(label):
            return [track]
        own = self.tracks[self.tracks["label"] == label]
        return [int(row) for row in own.sort_values("seconds", ascending=False, kind="stable").index]

    def decide(self, action: str, tracks: Sequence[int]) -> str:
        """Do to tracks what needs no name: `confirm`, `unknown`, `not a face`, `merge` or `split`."""
        actions = {"confirm": self.confirm, "unknown": self.unknown, "not a face": self.not_a_face,
                   "merge": self.merge, "split": self.split}  # fmt: skip
        return actions[action](tracks)

    def confirm(self, tracks: Sequence[int]) -> str:
        """Confirm the names of tracks; return what was done, as every method below does."""
        labels = self.tracks.loc[list(tracks), "label"].to_list()
        self._write([(row, label) for row, label in zip(tracks, labels, strict=True)])
        return f"Confirmed {listed(sorted(set(labels)), most=3)} in {_counted(tracks)}."

    def name(self, tracks: Sequence[int], name: str, *, whole_group: bool = False) -> str:
        """Give tracks the name of a person, or that of a group such as `Unknown 2`.

        Args:
            tracks: Rows.
            name: Upper and lower case do not matter where the person is known already.
            whole_group: Also the other tracks of their groups of unknown people, in all films.

        Raises:
            ValueError: When the name cannot be one.
        """
        rows = list(dict.fromkeys(row for one in tracks for row in (self.members(one) if whole_group else [one])))
        there = is_group(name) and name in set(self.tracks["label"])
        person = name if there else known_name(name, self.people())
        self._write([(row, person) for row in rows], *self._anchors([person]))
        return f"Named {_counted(rows)} {person}."

    def unknown(self, tracks: Sequence[int]) -> str:
        """Name tracks `unknown`: they show nobody in the cast."""
        self._write([(row, UNKNOWN) for row in tracks])
        return f"Called {_counted(tracks)} unknown."

    def not_a_face(self, tracks: Sequence[int]) -> str:
        """Mark tracks as not a face."""
        self._write([(row, NOT_A_FACE) for row in tracks])
        return f"Called {_counted(tracks)} no face."

    def merge(self, tracks: Sequence[int]) -> str:
        """Merge the groups that tracks belong to, under the name of the one longest on screen.

        Where some of them are a person of the cast, the groups get the person's name.

        Raises:
            ValueError: When they are one group already, or two people of the cast.
        """
        rows = list(dict.fromkeys(row for one in tracks for row in self.members(one)))
        table = self.tracks.loc[rows]
        people = sorted({label for label in table["label"] if not is_group(label)} - {UNKNOWN})
        groups = table.groupby("label")["seconds"].sum().round(2)
        named = sorted(filter(is_group, groups.index), key=lambda label: (-groups[label], group_number(label)))
        if not rows or (len(groups) < 2 and (UNKNOWN not in groups or len(rows) < 2)):
            raise ValueError(f"expected tracks of two groups to merge, got {groups.index.to_list()!r}")
        if len(people) > 1 or NOT_A_FACE in people:
            raise ValueError(f"expected groups of unknown people and at most one person, got {people!r}")
        target = (people or named or [self._free_label()])[0]
        moved = [row for row in rows if self.tracks.at[row, "label"] != target]
        self._write([(row, target) for row in moved], *self._anchors([target]))
        return f"Merged {_counted(moved)} into {target}."

    def split(self, tracks: Sequence[int]) -> str:
        """Take tracks out of their group of unknown people, as a new group.

        Raises:
            ValueError: When they are not of one group, or all of it.
        """
        labels = sorted(set(self.tracks.loc[list(tracks), "label"]))
        if len(labels) != 1 or not is_group(labels[0]):
            raise ValueError(f"expected tracks of one group of unknown people to split off, got {labels!r}")
        rest = [row for row in self.members(tracks[0]) if row not in set(tracks)]
        if not rest:
            raise ValueError(f"expected a part of {labels[0]!r} to split off, got all of its {_counted(tracks)}")
        label = self._free_label()
        # The first of each part is confirmed, so that both keep their names when the groups are renumbered.
        self._write([(row, label) for row in tracks], [(tracks[0], label)], [(rest[0], labels[0])])
        return f"Split {_counted(tracks)} off {labels[0]} as {label}."

    def undo(self, when: str = "") -> str:
        """Undo a decision, by writing the one before it; `last_undone` is a track of it.

        Args:
            when: Which one, see `decisions`; when empty, the last one made here, else the last one of earlier sessions.

        Raises:
            ValueError: When there is none, or a later one is about some of its tracks.
        """
        self.refresh()
        steps = self.decisions
        wanted = when or (self.made[-1] if self.made else "")
        step = next((one for one in reversed(steps) if wanted in ("", one.when)), None)
        if step is None:
            raise ValueError(f"expected a decision to undo, there is none{f' of {when}' if when else ' left'}")
        later = next(one for one in reversed(steps) if set(one.tracks) & set(step.tracks))
        if later is not step:
            raise ValueError(f"expected the last decision about its tracks, {later.by or 'somebody'} decided since")
        self._append([list(zip(step.tracks, step.before, strict=True))])
        self.made = [one for one in self.made if one != step.when]
        self.last_undone = step.tracks[0]
        return f"Took the last decision back, about {_counted(step.tracks)}."

    def _anchors(self, labels: Sequence[str]) -> list[list[tuple[int, str]]]:
        """Confirm the longest track of groups without a confirmed one, so that they keep their labels."""
        groups = list(filter(is_group, labels))
        if not groups:
            return []
        said = current(self._corrections)
        anchored = set(said.loc[said["is"] == said["was"], "is"])
        found = []
        for label in groups:
            own = self.tracks[self.tracks["label"] == label]
            if label not in anchored and len(own):
                found.append([(own.index.to_list()[int(own["seconds"].argmax())], label)])
        return found

    def _free_label(self) -> str:
        used = [
            *self.tracks["label"],
            *self.tracks["auto_cluster"],
            *self._corrections["is"],
            *self._corrections["was"],
        ]
        return f"Unknown {1 + max([0, *map(group_number, used)])}"

    def _write(self, *parts: list[tuple[int, str]]) -> None:
        """Write one decision; where a track is in several parts, each part starts from the result of the one before."""
        if not any(parts):
            raise ValueError("expected at least one track to decide about, got none")
        self.made.append(self._append(list(parts)))

    def _rows(self) -> dict[tuple[str, int], int]:
        return {key: row for row, key in enumerate(zip(self.tracks["video"], self.tracks["track"], strict=True))}

    def _append(self, parts: list[list[tuple[int, str]]]) -> str:
        labels = self.tracks["label"].to_dict()
        about = list({row for part in parts for row, _ in part})
        faces = self.tracks.loc[about, ["video", "track", *FACE]].to_dict("index")
        when, records = now(), []
        for part in parts:
            for row, label in part:
                records.append(faces[row] | {"was": labels[row], "is": label})
                labels[row] = label
        rows = pd.DataFrame(records).assign(when=when, by=self.by, picture="")
        append_corrections(self.project.corrections, rows[CORRECTION_COLUMNS])
        self._matched |= dict(zip(_keys(rows), rows["track"].tolist(), strict=True))
        self.refresh()
        return when

    def last_decisions(self) -> dict[int, tuple[str, str]]:
        """Return when each track was decided about last, and by whom, those that were taken back too."""
        known = self._corrections[self._corrections["matched"] >= 0]
        if known.empty:
            return {}
        last = known.drop_duplicates(["video", "matched"], keep="last")
        rows = self._rows()
        said = zip(last["video"], last["matched"], last["when"], last["by"], strict=True)
        found = ((rows.get((video, track)), str(when), str(by)) for video, track, when, by in said)
        return {row: (when, by) for row, when, by in found if row is not None}

    def summary(self) -> pd.DataFrame:
        """Return one row per film: its tracks, and how many are named, unknown, no face, decided, and unsure."""
        counted = self.tracks.assign(
            named=~self.tracks["person"].isin([UNKNOWN, NOT_A_FACE]),
            unknown=self.tracks["person"] == UNKNOWN,
            no_face=self.tracks["person"] == NOT_A_FACE,
            unsure=~self.tracks["decided"] & (self.tracks["confidence"] < self.sure),
        )
        columns = ["named", "unknown", "no_face", "decided", "unsure"]
        table = counted.groupby("video")[columns].sum().reindex([film.name for film in self.films], fill_value=0)
        table.insert(0, "tracks", counted.groupby("video").size().reindex(table.index, fill_value=0))
        return table.reset_index(names="film").rename(columns={"no_face": "no face"})

    def pictures(self, track: int) -> list[bytes]:
        """Return up to four JPEG pictures of a track, the best first; none where there are none that can be read."""
        try:
            kept = read_pictures(self._looks[str(self.tracks.at[track, "video"])])
        except (OSError, ValueError):  # those of pyarrow are both
            return []
        return kept.get(int(self.tracks["track"][track]), [])


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of films as one, with `video`."""
    named = [table.assign(video=name) for name, table in tables.items()]
    return pd.concat([table for table in named if len(table)] or named[:1], ignore_index=True)


def _keys(corrections: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = corrections[["video", "picture", *FACE]].fillna(-1)  # NaN would not be found again
    return list(columns.itertuples(index=False, name=None))


def _counted(tracks: Sequence[int]) -> str:
    return counted(len(tracks), "track")
