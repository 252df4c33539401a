"""Ground truth of films: readers of three formats."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.faces import BOX
from facelib.project import Project
from facelib.project.identities import merged
from facelib.project.names import NOT_A_FACE, UNKNOWN, as_known, is_group, reserved_label
from facelib.project.spreadsheets import decoded, read_csv_table

UNNAMED = ""
"""The `person` of a labelled face of which the truth does not say whose it is, nor that it is nobody's of the cast."""

_COLUMNS = ["frame", *BOX, "person"]
_MOT_COLUMNS = ["frame", "id", "left", "top", "width", "height", "counts"]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The labelled faces of a film.

    Attributes:
        faces: Per face: `frame` (0-based), `left`, `top`, `right`, `bottom` (pixels of the film), `person` (a name;
            `unknown` for strangers; empty where nobody says whose it is) and `identity` (the same text for all faces
            of one person, strangers too; empty where that is not known).
        frames: The labelled frames; whatever is found in another frame does not count. None: every frame is labelled.
        cuts: The first frame of every shot but the first, ascending; None where they are not known.
    """

    faces: pd.DataFrame
    frames: frozenset[int] | None = None
    cuts: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Truths:
    """The truth tables of a project's films.

    Attributes:
        folder: Where they were looked for.
        of_film: The path of a film's truth, by the film's path; films without one are not in it.
        films: All films that were asked for.
    """

    folder: Path
    of_film: Mapping[Path, Path] = field(default_factory=dict)
    films: tuple[Path, ...] = ()

    @property
    def message(self) -> str:
        """What can be measured, in a sentence."""
        if self.of_film:
            return f"Ground truth for {len(self.of_film)} of {len(self.films)} films, in {self.folder}."
        return (
            f"No ground truth for any of {len(self.films)} films: looked in {self.folder} for <film>.csv, <film>.txt "
            f"or <film>/gt/gt.txt. Only the gallery can be measured."
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row per film, with what is labelled in it.

        `film`, `truth` (file name; empty for none), `frames` (`all`, their number, or `unreadable`), and the numbers of
        labelled `faces`, those of the `cast` and those of `strangers`.
        """
        rows = []
        for film in self.films:
            path = self.of_film.get(film)
            if path is None:
                rows.append([film.name, "", "", 0, 0, 0])
                continue
            try:
                truth = load_truth(path)
            except (OSError, ValueError):
                rows.append([film.name, path.name, "unreadable", 0, 0, 0])
                continue
            people = truth.faces["person"]
            cast, strangers = ~people.isin([UNKNOWN, UNNAMED]), people == UNKNOWN
            frames = "all" if truth.frames is None else str(len(truth.frames))
            rows.append([film.name, path.name, frames, len(people), int(cast.sum()), int(strangers.sum())])
        return pd.DataFrame(rows, columns=pd.Index(["film", "truth", "frames", "faces", "cast", "strangers"]))


def find_truths(project: Project, films: Iterable[Path], *, folder: str | Path = "") -> Truths:
    """Find the truth of each film: `<film>.csv`, `<film>.txt` or `<film>/gt/gt.txt`, in this order.

    `<film>` is what the folder of the film's results is called: its name without the suffix, unless two films share it.

    Args:
        project: Whose `truth/` folder in its data folder is taken when none is given.
        films: Their paths.
        folder: Where to look; empty: the project's.

    Raises:
        NotADirectoryError: When a folder is given and there is none.
    """
    given = Path(folder) if str(folder) else project.data / "truth"
    if str(folder) and not given.is_dir():
        raise NotADirectoryError(f"expected a folder of truth tables at {str(given)!r}, found none")
    asked = tuple(films)
    found = {}
    for film in asked:
        name = project.film(film).folder.name
        places = (given / f"{name}.csv", given / f"{name}.txt", given / name / "gt" / "gt.txt")
        there = next((place for place in places if place.is_file()), None)
        if there is not None:
            found[film] = there
    return Truths(given, found, asked)


def load_truth(path: str | Path) -> Truth:
    """Read a truth table, by its suffix: `.txt` as `read_mot` does, anything else as `read_truth` does.

    Beside a table `scene.csv` two files may stand: `scene.frames` lists the frames that are labelled, one number a
    line, where not every frame is; `scene.shots` lists the first and the last frame of each shot, one shot per line.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When a file is not of its form.
    """
    path = Path(path)
    if path.suffix.lower() == ".txt":
        return read_mot(path)
    faces = read_truth(path)
    listed = path.with_suffix(".frames")
    frames = frozenset(_numbers(listed).ravel().tolist()) if listed.is_file() else None
    if frames is not None and not frames.issuperset(faces["frame"]):
        extra = sorted(set(faces["frame"]) - frames)[:5]
        raise ValueError(f"expected faces only in the frames that {str(listed)!r} lists, got some in frames {extra!r}")
    shots = path.with_suffix(".shots")
    cuts = tuple(_numbers(shots)[1:, 0].tolist()) if shots.is_file() else None
    return Truth(faces, frames, cuts)


def as_in_project(names: Iterable[str], project: Project) -> dict[str, str]:
    """Return what a project calls the people whom a truth table names.

    A name that differs from one of the cast only in case, spaces or Unicode form is that one, and a merged name is the
    one that it is merged into.

    Raises:
        ValueError: When `corrections.csv` is not a table of decisions.
    """
    into = merged(project)
    spelt = as_known(names, project.find_people(missing_ok=True))
    return {name: into.get(known, known) for name, known in spelt.items()}


def film_truth(path: str | Path, project: Project) -> Truth:
    """Read the truth of a film of a project, with people called as the project does; else as `load_truth`.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When a file is not of its form.
    """
    truth = load_truth(path)
    called = as_in_project(truth.faces["person"], project)
    faces = truth.faces.assign(
        person=truth.faces["person"].map(called),
        identity=truth.faces["identity"].map(lambda one: called.get(one, one)),
    )
    return replace(truth, faces=faces)


def read_truth(path: str | Path) -> pd.DataFrame:
    """Read a truth table: `frame,left,top,right,bottom,person`, with `unknown` for strangers.

    Further columns are kept; `identity` may tell strangers apart, and so do names such as `Unknown 2`. Reserved names
    mean the same in any case; rows of `not a face`, and those that came before, are left out.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When a column is missing, a number is none, a frame is no whole number from 0 on, or a box ends
            before it begins.
    """
    table = read_csv_table(path, dtype={"person": str, "identity": str})  # names may be numbers, such as 0007
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise ValueError(f"expected the columns frame, left, top, right, bottom, person in {str(path)!r}: no {missing}")
    for name in _COLUMNS[:-1]:
        numbers = pd.to_numeric(table[name], errors="coerce").astype(float)
        none = table[name][~np.isfinite(numbers)]
        if len(none):
            raise ValueError(
                f"expected numbers in the column {name!r} of {str(path)!r}, got {none.iloc[0]!r} in row "
                f"{none.index[0] + 1} below the heading"
            )
        table[name] = numbers
    _check(table, path, first=0)
    label = table["person"].astype(str).map(plain_label)
    group = label.map(is_group)
    if "identity" not in table:
        table["identity"] = label.where(label != UNKNOWN, "")
    table["person"] = label.mask(group, UNKNOWN)
    table = table[label != NOT_A_FACE].drop_duplicates([*_COLUMNS, "identity"], ignore_index=True)
    return table.astype({"frame": np.int64, "person": str, "identity": str})


def plain_label(name: str) -> str:
    """Return the name of a label as facelib writes it: without spare spaces, in Unicode's composed form.

    Examples:
        >>> plain_label(" Ada  Lovelace "), plain_label("UNKNOWN")
        ('Ada Lovelace', 'unknown')
    """
    return reserved_label(name) or unicodedata.normalize("NFC", " ".join(name.split()))


def _check(table: pd.DataFrame, path: str | Path, *, first: int) -> None:
    """Refuse frames that are no whole numbers from `first` on, and boxes that end before they begin."""
    frame = table["frame"]
    bad = frame[(frame < first) | (frame != np.floor(frame)) | (frame >= 2**53)]
    if len(bad):
        raise ValueError(f"expected the numbers of frames, counted from {first}, in {str(path)!r}, got {bad.iloc[0]:g}")
    box = table[(table["right"] <= table["left"]) | (table["bottom"] <= table["top"])]
    if len(box):
        raise ValueError(
            f"expected boxes that end after they begin in {str(path)!r}, got {box[BOX].iloc[0].tolist()!r} in frame "
            f"{box['frame'].iloc[0]:g}"
        )


def read_mot(path: str | Path) -> Truth:
    """Read a truth table of the MOTChallenge: `frame,id,left,top,width,height,counts,...`, frames counted from 1.

    Rows whose seventh number is 0 are not to be counted, and are left out. Who an id is may stand in
    `<stem>_names.csv` beside it, with the columns `id` and `person`; the faces of other ids are
    somebody's of whom nothing is said, and count for finding and following only.
    Source: Dendorfer et al., "MOTChallenge: a benchmark for single-camera multiple target tracking" (IJCV 2021).

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When a line is not of this form.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a truth table at {str(path)!r}, found none")
    rows = _numbers(path, separator=",", kind=float, most=7)
    given = rows.shape[1]
    if given < 6:
        raise ValueError(
            f"expected lines of frame,id,left,top,width,height in {str(path)!r}, got {given} numbers per line"
        )
    counted = np.ones((len(rows), max(0, 7 - given)))  # where a table does not say, every row counts
    table = pd.DataFrame(np.hstack([rows[:, :7], counted]), columns=_MOT_COLUMNS)
    table = table[table["counts"] != 0].reset_index(drop=True)
    person = _names(path.with_name(f"{path.stem}_names.csv"))
    numbers = table["id"].astype(np.int64).astype(str)
    label = pd.Series([person.get(number, UNNAMED) for number in numbers], dtype=str)
    faces = pd.DataFrame(
        {
            "frame": table["frame"],
            "left": table["left"],
            "top": table["top"],
            "right": table["left"] + table["width"],
            "bottom": table["top"] + table["height"],
            "person": label.mask(label.map(is_group).astype(bool), UNKNOWN).astype(str),
            "identity": "id " + numbers,
        }
    )
    _check(faces, path, first=1)
    faces["frame"] = faces["frame"].astype(np.int64) - 1
    faces = faces[label != NOT_A_FACE].reset_index(drop=True)
    # Several ids may be one person, who comes and goes.
    cast = ~faces["person"].isin([UNKNOWN, UNNAMED])
    faces.loc[cast, "identity"] = faces.loc[cast, "person"]
    return Truth(faces)


def _names(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    table = read_csv_table(path, dtype=str)
    if not {"id", "person"} <= set(table):
        raise ValueError(f"expected the columns id and person in {str(path)!r}, got {list(table)!r}")
    return dict(zip(table["id"].str.strip(), table["person"].map(plain_label), strict=True))


def _numbers(path: Path, *, separator: str | None = None, kind: type = int, most: int | None = None) -> np.ndarray:
    """Read lines of as many numbers each, the first `most` of them; no line at all gives an array of no rows."""
    try:
        text = decoded(path.read_bytes())
        lines = [line.split(separator)[:most] for line in text.splitlines() if line.strip()]
        numbers: np.ndarray = np.array([[kind(word) for word in line] for line in lines] or np.empty((0, 7)), kind)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"expected lines of as many numbers each in {str(path)!r}, got: {error}") from error
    if not np.isfinite(numbers).all():
        raise ValueError(f"expected numbers in {str(path)!r}, got {numbers[~np.isfinite(numbers)][0]}")
    return numbers
