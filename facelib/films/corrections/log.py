"""What a film's user decided about its tracks, in a file that only grows."""

from __future__ import annotations

import io
import os
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from facelib.project import atomic_write, writer_lock
from facelib.recognize import UNKNOWN

NOT_A_FACE = "not a face"
"""What a track is called whose user said that it shows no face."""

CORRECTION_COLUMNS = [
    "when", "video", "track", "picture", "was", "is", "by", "frame", "left", "top", "right", "bottom",
]  # fmt: skip
BOX = ["left", "top", "right", "bottom"]


def now() -> str:
    """Return the time as corrections keep it: ISO 8601 in UTC; rows with the same one are one decision."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def append_corrections(path: str | Path, rows: pd.DataFrame) -> None:
    """Add decisions to a project's `corrections.csv`, all of them or, when that fails, none.

    The file is written anew beside the old one, which is copied byte by byte, and moved into its place: a reader or
    a killed process finds the old one or the new one whole. Processes that write at one time wait for each other.

    Args:
        path: `Project.corrections`.
        rows: The columns `CORRECTION_COLUMNS`.

    Raises:
        ValueError: When a column is missing.
        OSError: When the folder cannot be written.
    """
    missing = [name for name in CORRECTION_COLUMNS if name not in rows]
    if missing:
        raise ValueError(f"expected corrections with the columns {CORRECTION_COLUMNS!r}, {missing!r} are missing")
    if rows.empty:
        return
    path = Path(path)
    text = rows[CORRECTION_COLUMNS].to_csv(index=False, header=False, lineterminator="\n")
    with writer_lock(path):
        old = path.read_bytes() if path.is_file() else b""
        if not old.strip():
            old = (",".join(CORRECTION_COLUMNS) + "\n").encode()
        elif not old.endswith(b"\n"):  # a text editor may have left the last line open
            old += b"\n"
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            file.write(old + text.encode())
            file.flush()
            os.fsync(file.fileno())


def read_corrections(path: str | Path) -> pd.DataFrame:
    """Read a project's decisions, oldest first; no file is no decision.

    Returns:
        The columns `CORRECTION_COLUMNS`; `track` and `frame` are int64 and the box float64. A number that cannot be
        read becomes -1 or NaN, so that its row is listed as not applied.

    Raises:
        ValueError: When the file is not a table of corrections.
    """
    path = Path(path)
    if not path.is_file():
        table = pd.DataFrame(columns=pd.Index(CORRECTION_COLUMNS), dtype="str")
    else:
        remedy = "bring the file back into that form, or move it away to begin anew"
        try:
            text = path.read_text(encoding="utf-8-sig")
            table = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
        except ValueError as error:  # pandas' and Unicode's errors are kinds of it
            raise ValueError(f"expected a table of corrections at {str(path)!r}, got: {error}; {remedy}") from error
        missing = [name for name in CORRECTION_COLUMNS if name not in table]
        if missing:
            raise ValueError(
                f"expected the columns {CORRECTION_COLUMNS!r} in {str(path)!r}, lacks {missing!r}; {remedy}"
            )
    table = table[CORRECTION_COLUMNS].fillna("")
    for name in ("track", "frame", *BOX):
        number = pd.to_numeric(table[name], errors="coerce")
        table[name] = number.astype("float64") if name in BOX else number.fillna(-1).astype("int64")
    return table


def is_group(label: str) -> bool:
    """Tell whether a name is that of a group of unknown people, such as `Unknown 2`.

    Example:
        >>> is_group("Unknown 2"), is_group("Unknown Soldier")
        (True, False)
    """
    return group_number(label) > 0


def group_number(label: str) -> int:
    """Return the number of a group such as `Unknown 2`, and 0 for every other name."""
    start, _, number = label.partition(" ")
    return int(number) if start == "Unknown" and number.isascii() and number.isdigit() else 0


def checked_name(name: str) -> str:
    """Return a person's name as it may be kept, and as the folder of the person's pictures can be called.

    Example:
        >>> checked_name("  Ada   Lovelace ")
        'Ada Lovelace'

    Raises:
        ValueError: When it is empty, starts with a dot, holds a slash or a control character, is too long for a
            folder's name, or could be mistaken for an answer such as `unknown`.
    """
    plain = unicodedata.normalize("NFC", " ".join(name.split()))
    if not plain or plain.startswith(".") or set("/\\") & set(plain) or not plain.isprintable():
        raise ValueError(f"expected a name that a folder can have, without slashes or a dot at its start, got {name!r}")
    if len(plain.encode()) > 200:
        raise ValueError(f"expected a name of at most 200 bytes, got {len(plain.encode())}: {name!r}")
    if plain.casefold() in {UNKNOWN, NOT_A_FACE} or group_number(plain.casefold().replace("unknown", "Unknown")):
        raise ValueError(f"expected a person's name, got {name!r}, which is an answer of its own")
    return plain
