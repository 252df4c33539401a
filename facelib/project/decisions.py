"""The user's decisions in one append-only file: about tracks of films, pictures of the cast, and names."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from facelib.faces import BOX
from facelib.project.files import write_bytes, writer_lock
from facelib.project.names import as_known, reserved_label
from facelib.project.spreadsheets import csv_text, decoded, encoding_of, read_csv_table, separator_of

CORRECTION_COLUMNS = [
    "when", "video", "track", "picture", "was", "is", "by", "frame", "left", "top", "right", "bottom",
]  # fmt: skip


def now() -> str:
    """Return the current time as ISO 8601 in UTC; corrections with the same time are one decision."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def append_corrections(path: str | Path, rows: pd.DataFrame) -> None:
    """Add decisions, with the columns `CORRECTION_COLUMNS`, to a project's `corrections.csv`, all or none.

    The old file is copied byte by byte to a new one, which then replaces it: a reader sees the old file or the new one,
    even after a crash. Concurrent writers wait for each other.

    Raises:
        ValueError: When a column is missing, or the file is not a table of corrections; it stays as it is.
        OSError: When the folder cannot be written.
    """
    missing = [name for name in CORRECTION_COLUMNS if name not in rows]
    if missing:
        raise ValueError(f"expected corrections with the columns {CORRECTION_COLUMNS!r}, {missing!r} are missing")
    if rows.empty:
        return
    path = Path(path)
    with writer_lock(path):
        old = path.read_bytes() if path.is_file() else b""
        new = _in_form_of(old, rows, path) if old.strip() else csv_text(rows[CORRECTION_COLUMNS]).encode()
        write_bytes(old + new, path, sync=True)


def change_decisions(path: str | Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Replace a project's decisions by others, in one step; those that others make meanwhile wait, and come behind.

    Args:
        path: `Project.corrections`, which exists.
        change: Returns what is to stand there, given what `read_decisions` returns.

    Raises:
        ValueError: When the file is not a table of corrections; it stays as it is.
        OSError: When the folder cannot be written.
    """
    path = Path(path)
    with writer_lock(path):
        write_bytes(csv_text(change(read_decisions(path))[CORRECTION_COLUMNS]).encode(), path, sync=True)


def _in_form_of(old: bytes, rows: pd.DataFrame, path: Path) -> bytes:
    """Return rows as lines below those of a file, which a person may have saved with other separators or columns."""
    table, encoding = _table(old, path), encoding_of(old)
    lines = rows.reindex(columns=table.columns, fill_value="")
    text = csv_text(lines, header=False, separator=separator_of(decoded(old)))
    # A text editor may have left the last line open.
    return (text if old.endswith("\n".encode(encoding)) else f"\n{text}").encode(encoding)


def read_corrections(path: str | Path, people: Collection[str] = ()) -> pd.DataFrame:
    """Read a project's decisions about tracks, oldest first; none when there is no file.

    Merged names (`facelib.project.identities`) are replaced by the name that they are merged into, and names that
    somebody wrote in another case or with other spaces, such as `UNKNOWN`, by their usual form.

    Args:
        path: `corrections.csv`.
        people: The cast, as their folders are called.

    Returns:
        The columns `CORRECTION_COLUMNS`; `track` and `frame` are int64 and the box float64. A number that cannot be
        read becomes -1 or NaN, so that its row is listed as not applied.

    Raises:
        ValueError: When the file is not a table of corrections.
    """
    table = read_decisions(path)
    names = merged_names(table)
    tracks = table[table["video"] != ""].reset_index(drop=True)
    spelt = as_known([*tracks["was"], *tracks["is"]], people)
    plain = {name: reserved_label(name) or names.get(known, known) for name, known in spelt.items()}
    return tracks.assign(**{side: tracks[side].map(plain) for side in ("was", "is")})


def read_decisions(path: str | Path) -> pd.DataFrame:
    """Read all of a project's decisions as they were written, oldest first, in the columns of `read_corrections`.

    Those about tracks name a `video`. Those about pictures of the cast name the `picture`, relative to the project's
    data folder: `was` and `is` are the people before and after. Those about names name the folder of one of them,
    such as `people/Tob`; see `facelib.project.identities`.

    Raises:
        ValueError: When the file is not a table of corrections.
    """
    path = Path(path)
    content = path.read_bytes() if path.is_file() else ",".join(CORRECTION_COLUMNS).encode()
    return _table(content, path)[CORRECTION_COLUMNS]


@lru_cache(maxsize=4)
def _table(content: bytes, path: Path) -> pd.DataFrame:
    """Read the content of a file of decisions, in the file's order of columns; the same content is read once."""
    remedy = "bring the file back into that form, or move it away to start again"
    try:
        table = read_csv_table(io.StringIO(decoded(content), newline=""), dtype="str")
    except ValueError as error:  # those of pandas are subclasses
        raise ValueError(f"expected a table of corrections at {str(path)!r}, got: {error}; {remedy}") from error
    missing = [name for name in CORRECTION_COLUMNS if name not in table]
    if missing:
        raise ValueError(f"expected the columns {CORRECTION_COLUMNS!r} in {str(path)!r}, lacks {missing!r}; {remedy}")
    names = ["track", "frame", *BOX]
    texts = pd.concat([table[name] for name in names]).str.replace(",", ".", regex=False)  # decimal commas
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64).reshape(len(names), -1)
    numbers = np.where(np.abs(numbers) < 2**53, numbers, np.nan)  # infinite ones, and those that no integer holds
    whole = {name: np.nan_to_num(row, nan=-1).astype(np.int64) for name, row in zip(names[:2], numbers, strict=False)}
    return table.fillna("").assign(**whole, **dict(zip(BOX, numbers[2:], strict=True)))


def append_decision(path: str | Path, picture: str, *, was: str, now_is: str, by: str = "user") -> None:
    """Add one decision about a picture of the cast, or about a name; see `read_decisions`.

    Raises:
        OSError: When the folder cannot be written.
    """
    row = dict.fromkeys(CORRECTION_COLUMNS, "") | {
        "when": now(),
        "picture": picture,
        "was": was,
        "is": now_is,
        "by": by,
    }
    append_corrections(path, pd.DataFrame([row]))


def moved_pictures(decisions: pd.DataFrame) -> set[str]:
    """Return the paths in `people/` that pictures were moved away from: no step writes there again."""
    rows = decisions[(decisions["video"] == "") & (decisions["picture"].str.count("/") > 1)]
    away: set[str] = set()
    for picture, now_is in zip(rows["picture"], rows["is"], strict=True):
        away.add(str(picture))
        away.discard(f"people/{now_is}/{str(picture).rsplit('/', 1)[-1]}")
    return away


def merged_names(decisions: pd.DataFrame) -> dict[str, str]:
    """Return each merged name of `read_decisions` with the name that it is merged into."""
    into: dict[str, str] = {}
    for (name, other), answer in name_answers(decisions).items():
        if answer == "merge":
            into[name] = other
    return {name: _last(name, into) for name in into}


def name_answers(decisions: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Return the last answer about each pair of names: `merge`, the first into the second, or `apart`.

    Args:
        decisions: Of `read_decisions`. A row about `people/Tob` with `is` `Harrison Ford` merges Tob into him; one with
            `was` `Harrison Ford` and `is` `Tob` keeps them apart; one with an empty `is` takes the answer back.
    """
    said: dict[tuple[str, str], str] = {}
    rows = decisions[decisions["video"] == ""]
    rows = rows[rows["picture"].str.count("/") == 1] if len(rows) else rows
    for picture, was, now_is in zip(rows["picture"], rows["was"], rows["is"], strict=True):
        name = str(picture).removeprefix("people/")
        other = str(now_is) if now_is not in ("", name) else str(was)
        for pair in ((name, other), (other, name)):
            said.pop(pair, None)
        if now_is:
            said[name, other] = "apart" if now_is == name else "merge"
    return said


def _last(name: str, into: dict[str, str]) -> str:
    seen = {name}
    while name in into and into[name] not in seen:
        name = into[name]
        seen.add(name)
    return name
