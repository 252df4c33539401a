"""Crop pictures of people to aligned faces of one size, the input of embedding networks; list those that give none."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import pandas as pd
from tqdm.auto import tqdm

from facelib.gather.cutting import DIED, NO_FACE, AlignMethod, Cut, CutTask, Cutting, cut_out, find_crop
from facelib.gather.workers import spread
from facelib.images import find_pictures_below
from facelib.project import write_table, writer_lock
from facelib.project.digests import sha256_if_readable
from facelib.project.processes import allowed_cores
from facelib.project.spreadsheets import read_own_table

CROP_COLUMNS = ["picture", "crop", "reason"]
"""One row per picture: the picture, its crop (empty where there is none), and why there is none."""

_FEWEST_EACH = 12  # pictures that justify starting one more process

FAILED_COLUMNS = ["picture", "reason", "sha256", "made"]
"""One row per picture without a crop: why, its digest, and with which parameters it was tried."""

_FINAL = frozenset({NO_FACE, DIED})  # what another try does not change; a file may become readable
_SECONDS_BETWEEN_WRITES = 20.0


def align_tree(
    source: str | Path,
    destination: str | Path,
    *,
    image_size: int = 160,
    margin: float = 0.125,
    method: AlignMethod = "margin",
    detector: str | Path = "centerface",
    smallest_face: float = 40,
    processes: int | None = None,
    random_order: bool = False,
    seed: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Cut the face out of every picture of a folder tree, into a tree of the same form.

    Of several faces the largest and most central one is taken, as FaceNet's preparation of data sets does (Sandberg,
    `align_dataset_mtcnn.py`). Crops are PNG files, so that nothing is lost, and each tells inside what it was made
    from: run again, only what is new, changed, or was made with other parameters is made. Pictures without a crop are
    listed in `failed.csv` in the destination and skipped from then on, unless they change. A crop
    whose picture has no face any more is removed; files that are not crops are never touched.

    It may be killed at any time and run again, with the same result as an unbroken run, and several may run on one
    tree at the same time, on one machine or on several with a common disk; in random order they seldom meet.

    Args:
        source: A folder, usually with one folder per person, at any depth; hidden files and folders are skipped.
        destination: Another folder, not inside `source`.
        image_size: Side of the crops, pixels: 160 for FaceNet, 112 for ArcFace with `"five points"`, 150 for `"dlib"`.
        margin: Of the method `"margin"`: fraction of the box's side added on each side. Raising it shows more hair
            and background.
        method: How the face is cut out, see `facelib.embed.align`.
        detector: Name or path, see `facelib.load_detector`.
        smallest_face: In pixels of the picture, or of its copy with a longer side of 1000.
        processes: How many work at a time, with one thread each; None takes one for each core, where there is enough
            to do. With 1 all is done in this process, with all its threads.
        random_order: Take the pictures in random order.
        seed: Of the order; None takes another one each time.
        progress: Show a bar with rate and time left.

    Returns:
        Per picture, sorted: `picture` (relative to `source`), `crop` (relative to `destination`; empty where there
        is none), `reason` (why there is none, else empty).

    Raises:
        FileNotFoundError: When `source` is no folder, or holds no picture.
        ValueError: When `destination` lies in `source`, or a parameter is out of its range.
        OSError: When a crop cannot be written; what was made stays.
        RuntimeError: When no further process can be started.
    """
    source, destination = Path(source), Path(destination)
    cutting = Cutting(
        image_size=image_size, margin=margin, method=method, detector=str(detector), smallest_face=smallest_face
    )
    pictures = find_pictures_below(source).pictures
    if destination.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"expected a destination outside of {str(source)!r}, got {str(destination)!r}")
    if not pictures:
        raise FileNotFoundError(f"expected a folder with pictures at {str(source)!r}, found none")
    places = {picture: destination / place for picture, place in crop_names(source, pictures).items()}
    table = align_pictures(
        places,
        cutting=cutting,
        failed=destination / "failed.csv",
        relative_to=source,
        processes=processes,
        random_order=random_order,
        seed=seed,
        progress=progress,
    )
    crops = [Path(crop).relative_to(destination).as_posix() if crop else "" for crop in table["crop"]]
    return table.assign(crop=crops)


def align_pictures(
    places: Mapping[Path, Path],
    *,
    cutting: Cutting | None = None,
    failed: str | Path | None = None,
    relative_to: str | Path | None = None,
    processes: int | None = None,
    random_order: bool = False,
    seed: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Cut the face out of each of some pictures; see `align_tree`, which does it for a folder.

    Args:
        places: Where the crop of each picture goes, a path that ends in `.png`. A readable picture that is there and
            is no crop of facelib's is left alone, and the reason says so.
        cutting: How; None takes the defaults.
        failed: The list of pictures without a crop, a CSV file; None keeps none.
        relative_to: The folder to which the pictures' paths in the tables are relative; None shows them as they are.
        processes: As in `align_tree`.
        random_order: As in `align_tree`.
        seed: As in `align_tree`.
        progress: Show a bar with rate and time left.

    Returns:
        One row per picture, sorted by it: `picture`, `crop` (its path; empty where there is none), `reason`.

    Raises:
        ValueError: When a crop's path does not end in `.png`, two are the same, or a number is out of its range.
        OSError: When a crop cannot be written; what was made stays.
    """
    cutting = cutting or Cutting()
    _check(places, processes)
    failures = Failures(failed, cutting.description)
    named = {one: (one.relative_to(relative_to) if relative_to is not None else one).as_posix() for one in places}
    tasks = [CutTask(picture, crop, failures.known(named[picture])) for picture, crop in places.items()]
    if random_order:
        random.Random(seed).shuffle(tasks)
    reasons: dict[Path, str] = {}
    bar = tqdm(total=len(tasks), unit=" pictures", desc="crops", leave=False, disable=not progress)
    with bar, failures:
        for task, result in _done(cutting, tasks, processes):
            reasons[task.picture] = result.reason
            failures.add(named[task.picture], result)
            bar.update()
    rows = [[named[picture], "" if reasons[picture] else str(places[picture]), reasons[picture]] for picture in places]
    return pd.DataFrame(sorted(rows), columns=pd.Index(CROP_COLUMNS))


def crop_names(source: str | Path, pictures: Sequence[Path]) -> dict[Path, Path]:
    """Return the crop's path of each picture: the picture's own below `source`, ending in `.png`.

    Of pictures that differ in their endings only, all but the first keep theirs in the name.

    Examples:
        >>> names = crop_names("in", [Path("in/Ada/1.jpg"), Path("in/Ada/1.png")])
        >>> [name.as_posix() for name in names.values()]
        ['Ada/1.png', 'Ada/1 (png).png']
    """
    names: dict[Path, Path] = {}
    taken: set[str] = set()
    for picture in sorted(pictures):
        plain = picture.relative_to(source).with_suffix("")
        marks = ("", f" ({picture.suffix[1:]})", *(f" ({picture.suffix[1:]} {number})" for number in range(2, 100)))
        places = (plain.with_name(f"{plain.name}{mark}.png") for mark in marks)
        names[picture] = next(place for place in places if place.as_posix().casefold() not in taken)
        taken.add(names[picture].as_posix().casefold())
    return names


def _check(places: Mapping[Path, Path], processes: int | None) -> None:
    if processes is not None and processes < 1:
        raise ValueError(f"expected at least one process, or None for one per core, got {processes!r}")
    other = next((crop for crop in places.values() if crop.suffix != ".png"), None)
    if other is not None:
        raise ValueError(f"expected crops as .png files, got {str(other)!r}")
    if len(set(places.values())) < len(places):
        raise ValueError(f"expected a crop of its own for each of {len(places)} pictures, some share one")


def _done(cutting: Cutting, tasks: Sequence[CutTask], processes: int | None) -> Iterator[tuple[CutTask, Cut]]:
    """Yield the result of each picture, those already known first."""
    wanted = []
    for task in tasks:
        found = find_crop(cutting, task)
        if found is None:
            wanted.append(task)
        else:
            yield task, found
    count = min(allowed_cores(), len(wanted) // _FEWEST_EACH) if processes is None else min(processes, len(wanted))
    for task, made in spread(partial(cut_out, cutting), wanted, processes=max(1, count)):
        yield task, made or Cut(DIED, sha256_if_readable(task.picture))


class Failures:
    """The list of one run; several runs may keep one file at the same time, as may a killed one and the next.

    Args:
        path: A CSV file with the columns `FAILED_COLUMNS`; None keeps nothing.
        made: The parameters of this run.
    """

    def __init__(self, path: str | Path | None, made: str) -> None:
        self.path, self.made = None if path is None else Path(path), made
        self._new: dict[str, Cut] = {}
        self._written = time.monotonic()
        before = self._read()
        final = before[(before["made"] == made) & before["reason"].isin(_FINAL)]
        columns = (final["picture"], final["reason"], final["sha256"])
        self._known = {picture: Cut(reason, sha256) for picture, reason, sha256 in zip(*columns, strict=True)}

    def __enter__(self) -> Self:
        """Begin a block; the list is written at its end, even after an error."""
        return self

    def __exit__(self, *_: object) -> None:
        self.write()

    def known(self, picture: str) -> Cut | None:
        """Return what an earlier run with the same parameters found, where that need not be tried again."""
        return self._known.get(picture)

    def add(self, picture: str, result: Cut) -> None:
        """Add the result of a picture; the file is written at intervals."""
        self._new[picture] = result
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Bring the file in line with what was found since the last time; rows of other pictures stay.

        Raises:
            OSError: When it cannot be written.
        """
        if self.path is None or not self._new:
            return
        rows = [[name, cut.reason, cut.sha256, self.made] for name, cut in self._new.items() if cut.reason]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with writer_lock(self.path):
            before = self._read()
            new = pd.DataFrame(rows, columns=pd.Index(FAILED_COLUMNS), dtype="str")
            table = pd.concat([before[~before["picture"].isin(list(self._new))], new])
            table = table.sort_values("picture", ignore_index=True)
            if len(table) or self.path.is_file():
                write_table(table, self.path)
        self._new, self._written = {}, time.monotonic()

    def _read(self) -> pd.DataFrame:
        table = read_own_table(self.path, FAILED_COLUMNS)
        return table.drop_duplicates("picture", keep="last")
