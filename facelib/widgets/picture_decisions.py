"""Decisions about pictures of the cast as a widget makes them: written at once, and each taken back as a whole."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence, Sized
from pathlib import Path, PurePosixPath

import pandas as pd

from facelib.gallery import accept, accepted, undo
from facelib.gallery.decisions import moving
from facelib.project import Project, write_table
from facelib.project.spreadsheets import read_csv_table
from facelib.project.wording import counted

Proposal = tuple[str, str]
"""A picture, relative to the project's data folder, and the kind of what is proposed about it."""

TO_WHOM = ("Move 1 picture to whom?", "Move {count} pictures to whom?")
"""How it is asked to which person one picture, or several, shall be moved."""


class PictureDecisions:
    """Leave pictures out, move them to another person, or keep them in spite of a proposal.

    `disabled.txt`, the folders of the people and `kept.csv`, all in the project's data folder, hold what is decided;
    this only remembers what was done since it was made, to take it back. Pictures are named as they were then, also
    once they are moved.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._moved: dict[str, str] = {}
        self._history: list[tuple[list[str], Callable[[], object]]] = []
        self.refresh()

    def refresh(self) -> None:
        """Read the files again."""
        self._out = {_same(picture) for picture in accepted(self.project)}
        self._kept = read_kept(self.project)

    def now(self, picture: str) -> str:
        """Return where a picture lies now."""
        return self._moved.get(picture, picture)

    def state(self, picture: str, kind: str = "") -> str:
        """Return `left out`, `moved to ...`, `kept`, or nothing where nothing is decided."""
        if picture in self._moved:
            return f"moved to {PurePosixPath(self._moved[picture]).parent.name}"
        if _same(picture) in self._out:
            return "left out"
        return "kept" if (picture, kind) in self._kept else ""

    def leave_out(self, rows: pd.DataFrame) -> str:
        """Accept proposals, or other rows with `picture` and `kind`; return what was done, in words."""
        _check_some(rows["picture"])
        given = list(dict.fromkeys(rows["picture"]))
        names = {self.now(picture): picture for picture in given}
        added = accept(self.project, rows.assign(picture=rows["picture"].map(self.now)))
        self._forget_kept(zip(rows["picture"], rows.get("kind", [""] * len(rows)), strict=True))
        self.refresh()
        if not added:
            return f"{_pictures(given)} left out already."
        self._history.append(([names[picture] for picture in added], lambda: undo(self.project, added)))
        return f"Left out {_pictures(added)}."

    def keep(self, proposals: Sequence[Proposal]) -> str:
        """Reject proposals; pictures that were left out are used again."""
        _check_some(proposals)
        pictures = list(dict.fromkeys(picture for picture, _ in proposals))
        for picture in pictures:
            if picture in self._moved:
                state = self.state(picture)
                raise ValueError(f"expected a picture where it was, {picture!r} is {state}; undo that first")
        removed = undo(self.project, pictures)
        before = read_kept(self.project)
        write_kept(self.project, before | set(proposals))
        self.refresh()

        def back() -> None:
            write_kept(self.project, before)
            accept(self.project, pd.DataFrame({"picture": removed}))

        self._history.append((pictures, back))
        return f"Kept {_pictures(pictures)}."

    def move(self, pictures: Iterable[str], person: str) -> str:
        """Move pictures to another person's folder; those that are there already stay, and one that fails ends it."""
        wanted = list(dict.fromkeys(pictures))
        _check_some(wanted)
        done: list[str] = []
        places: list[tuple[str, str, bool]] = []  # where each lay, and whether it was left out there

        def back() -> None:
            out = []
            try:
                with moving(self.project) as move:
                    while places:  # one that fails is tried again when it is asked for again
                        picture, place, was_out = places[-1]
                        self._return(picture, place, move)
                        places.pop()
                        out += [self.now(picture)] * was_out
            finally:
                if out:
                    accept(self.project, pd.DataFrame({"picture": out}))

        try:
            with moving(self.project) as move:
                for picture in wanted:
                    place = self.now(picture)
                    if PurePosixPath(place).parent.name != person:
                        self._moved[picture] = move(place, person)
                        places.append((picture, place, _same(place) in self._out))
                        done.append(picture)
        finally:
            if done:
                self._history.append((done, back))
            self.refresh()
        rest = "" if len(done) == len(wanted) else f" {_pictures(wanted[len(done) :])} there already."
        return f"Moved {_pictures(done)} to {person}.{rest}" if done else rest.strip()

    def take_back(self, proposals: Sequence[Proposal]) -> str:
        """Take back what is decided about pictures, in this session or an earlier one; a move only of this one."""
        _check_some(proposals)
        pictures = list(dict.fromkeys(picture for picture, _ in proposals))
        back = [picture for picture in pictures if picture in self._moved]
        with moving(self.project) as move:
            for picture in back:
                self._return(picture, picture, move)
        gone = undo(self.project, [self.now(picture) for picture in pictures])
        kept = self._forget_kept(proposals)
        self.refresh()
        if not (back or gone or kept):
            raise ValueError("expected a face with a decision, got none; Undo reverts the last decision")
        self._history = [(about, step) for about, step in self._history if not set(about) & set(pictures)]
        return f"Took back what was decided about {_pictures(pictures)}."

    def undo(self) -> tuple[str, list[str]]:
        """Take back the last decision; return what was done, and about which pictures it was.

        Raises:
            ValueError: When there is none left of this session.
        """
        if not self._history:
            raise ValueError("expected a decision made since this page was opened, found none left to take back")
        pictures, back = self._history[-1]
        back()
        self._history.pop()
        self.refresh()
        return f"Took the last decision back, about {_pictures(pictures)}.", pictures

    def _return(self, picture: str, place: str, move: Callable[..., str]) -> None:
        """Move a picture to where it lay before."""
        home = PurePosixPath(place)
        self._moved[picture] = move(self.now(picture), home.parent.name, name=home.name)
        if self._moved[picture] == picture:
            del self._moved[picture]

    def _forget_kept(self, proposals: Iterable[Proposal]) -> bool:
        before = read_kept(self.project)
        after = before - set(proposals)
        if after != before:
            write_kept(self.project, after)
        return after != before


def read_kept(project: Project) -> set[Proposal]:
    """Return the proposals that the user has rejected: the content of `kept.csv` in the project's data folder.

    Raises:
        ValueError: When the file is no table with the columns `picture` and `kind`.
    """
    path = _kept_file(project)
    if not path.is_file():
        return set()
    try:
        table = read_csv_table(path, dtype=str)
        return set(zip(table["picture"], table["kind"], strict=True))
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"expected a table with the columns 'picture' and 'kind' at {str(path)!r}, got: {error}; "
            f"correct it, or remove it to be asked again"
        ) from error


def write_kept(project: Project, proposals: set[Proposal]) -> None:
    """Write the rejected proposals, or remove the file when there are none."""
    path = _kept_file(project)
    if proposals:
        write_table(pd.DataFrame(sorted(proposals), columns=["picture", "kind"]), path)
    else:
        path.unlink(missing_ok=True)


def _check_some(faces: Sized) -> None:
    if not len(faces):
        raise ValueError("expected at least one face to decide about, got none")


def _kept_file(project: Project) -> Path:
    return project.data / "kept.csv"


def _same(picture: str) -> str:
    # Some file systems decompose names into letters and accents, so both sides are normalised first.
    return unicodedata.normalize("NFC", picture)


def _pictures(pictures: Sequence[str]) -> str:
    return counted(len(pictures), "picture")
