"""The decisions of a project on shared storage: one numbered object each, so that none is lost when several decide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from facelib.project import write_text
from facelib.project.decisions import CORRECTION_COLUMNS, read_decisions
from facelib.project.files import writer_lock
from facelib.project.spreadsheets import csv_text, read_csv_table
from facelib.project.store import Store

FOLDER = "corrections"
_FORM = f"{FOLDER}/{{:08d}}.csv"
_HEADER = ",".join(CORRECTION_COLUMNS)

Known = dict[str, tuple[str, str]]
"""The objects that were seen last: from the name to the ETag and the SHA-256 of the line."""


def merge_decisions(store: Store, path: Path, known: Known) -> Known:
    """Send the decisions made here, and write all that there are into `corrections.csv`, in the storage's order.

    A decision that was known and is not in the storage any more was removed there, as by `facelib forget`: it is
    removed here. One that is made here meanwhile stays, and is sent the next time.
    `known` is what an earlier call returned.

    Raises:
        ValueError: When `corrections.csv` is not a table of decisions.
        OSError: When the storage does not answer or refuses; nothing is lost here.
    """
    here = _lines(path)
    there = _read(store, known, here)
    removed = {content for _, content in known.values()} - {content for _, content in there[0].values()}
    for line in here:
        if line not in there[1] and _sha256(line) not in removed:
            store.put_next(_FORM, line.encode())
            there[1].append(line)
    now_known, lines = _read(store, there[0], here)
    with writer_lock(path):
        now = _lines(path)
        rest = [line for line in now if line not in lines and _sha256(line) not in removed]
        if [*lines, *rest] != now:
            write_text("\n".join([_HEADER, *lines, *rest]) + "\n", path)
    return now_known


def rewrite_decisions(store: Store, path: Path, known: Known) -> Known:
    """Make the decisions known in the storage those of `corrections.csv`, after some were changed or removed there.

    Those that others have sent meanwhile stay behind them.
    `known` is what `merge_decisions` returned before the change.

    Raises:
        OSError: When the storage does not answer or refuses.
    """
    lines, names = _lines(path), sorted(known)
    for name, line in zip(names, lines, strict=False):
        if known[name][1] != _sha256(line):
            store.put(name, line.encode())
    for name in names[len(lines) :]:
        store.delete(name)
    return merge_decisions(store, path, {})


def _read(store: Store, known: Known, here: Iterable[str]) -> tuple[Known, list[str]]:
    """Return the objects in the storage and their lines; those that are the same as before are not fetched again."""
    had = {_sha256(line): line for line in here}
    found: Known = {}
    lines = []
    for name, tag in store.find(FOLDER).items():
        tag_then, content = known.get(name, ("", ""))
        line = had[content] if tag_then == tag and content in had else store.get(name).decode("utf-8")
        found[name] = tag, _sha256(line)
        lines.append(line)
    return found, lines


def _lines(path: Path) -> list[str]:
    """Return the rows of `corrections.csv` as text, without its header, in its usual columns."""
    if not path.is_file():
        return []
    text = path.read_bytes().decode("utf-8-sig", "replace")
    if text.partition("\n")[0].strip() != _HEADER:  # edited by hand, or saved by a spreadsheet
        read_decisions(path)  # raises where it is no table of decisions
        table = read_csv_table(path, dtype="str")
        text = csv_text(table[CORRECTION_COLUMNS])
    lines: list[str] = []
    for piece in text.split("\n")[1:]:
        if lines and lines[-1].count('"') % 2:  # within a quoted field
            lines[-1] += "\n" + piece
        else:
            lines.append(piece)
    return [line.removesuffix("\r") for line in lines if line.strip()]


def _sha256(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
