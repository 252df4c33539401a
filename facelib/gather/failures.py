"""The pictures that gave no crop, in a list beside the crops, so that they need not be looked at again."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import pandas as pd

from facelib.gather.cutting import DIED, NO_FACE, Cut
from facelib.project import write_table, writer_lock
from facelib.project.spreadsheets import read_csv_table

FAILED_COLUMNS = ["picture", "reason", "sha256", "made"]
"""A row a picture without a crop: why, its digest, and with which parameters it was tried."""

_FINAL = frozenset({NO_FACE, DIED})  # what another try does not change; a file may become readable
_SECONDS_BETWEEN_WRITES = 20.0


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
        if self.path is not None and self.path.is_file():
            with suppress(ValueError, KeyError):  # damaged: start again
                table = read_csv_table(self.path, dtype="str", keep_default_na=False)[FAILED_COLUMNS]
                return table.drop_duplicates("picture", keep="last")
        return pd.DataFrame(columns=pd.Index(FAILED_COLUMNS), dtype="str")
