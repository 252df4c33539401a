"""CSV tables that a spreadsheet opens without taking a name such as `=1+1` for a formula.

A text that begins like a formula is written with an apostrophe before it, which spreadsheets show as text; what reads
these tables takes it away again.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
_LINE_END = re.compile(r'("(?:[^"]|"")*")|\r\n')
_QUOTED = re.compile(r'"[^"]*"')
_DECIMAL_COMMA = re.compile(r'[;\t\n]"?-?\d+,\d')
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def escape_formula(text: str) -> str:
    """Return a text as it stands in a table; `restore_formula` gives it back.

    Examples:
        >>> [escape_formula(text) for text in ("=1+1", "'=1+1", "Ada", "-2.5")]
        ["'=1+1", "''=1+1", 'Ada', '-2.5']
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def restore_formula(text: str) -> str:
    """Return the text that `escape_formula` made safe.

    Examples:
        >>> [restore_formula(text) for text in ("'=1+1", "''=1+1", "'Ada")]
        ['=1+1', "'=1+1", "'Ada"]
    """
    return text[1:] if _ESCAPED.match(text) else text


def encoding_of(content: bytes) -> str:
    """Return the encoding of a text file: UTF-16 where its first bytes say so, as some spreadsheets write, else UTF-8.

    Examples:
        >>> encoding_of("a".encode("utf-16")), encoding_of(b"a")
        ('utf-16-le', 'utf-8')
    """
    marks = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    return marks.get(content[:2], "utf-8")


def decoded(content: bytes) -> str:
    """Return the text of a file that a person may have saved, without a byte order mark.

    Raises:
        ValueError: When it is neither UTF-8 nor UTF-16.
    """
    try:
        return content.decode(encoding_of(content)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected UTF-8 text, got: {error}; save it again as UTF-8") from error


def separator_of(text: str) -> str:
    """Return what stands between the columns of a table: a comma, or a semicolon or tab, as some spreadsheets write.

    Examples:
        >>> separator_of("person;id"), separator_of("person,id"), separator_of("person")
        (';', ',', ',')
    """
    header = _QUOTED.sub("", text.lstrip().partition("\n")[0])
    return max(",;\t", key=header.count)


def csv_text(table: pd.DataFrame, *, header: bool = True, separator: str = ",") -> str:
    """Return a table as CSV without formulas, its lines ended by a line feed."""
    safe = _with_texts(table, escape_formula)
    text = safe.to_csv(index=False, header=header, lineterminator="\n", sep=separator)
    if "\r" not in text:
        return text
    # Only where a line ends so does pandas put quotes round a carriage return, which begins a new line elsewhere.
    text = safe.to_csv(index=False, header=header, lineterminator="\r\n", sep=separator)
    return _LINE_END.sub(lambda found: found[1] or "\n", text)


def read_csv_table(source: str | Path | IO[str], **options: Any) -> pd.DataFrame:
    """Read a table that `write_table` or `csv_text` wrote; it may also have been saved by a spreadsheet.

    Semicolons or tabs between the columns, decimal commas with them, UTF-16 and a byte order mark are read as well;
    empty cells are empty texts. The options are those of `pandas.read_csv`.

    Raises:
        OSError: When it cannot be read.
        ValueError: When it is not a table.
    """
    import pandas as pd

    try:
        text = decoded(Path(source).read_bytes()) if isinstance(source, str | Path) else source.read()
        separator = separator_of(text)
        decimal = "," if separator != "," and _DECIMAL_COMMA.search(text) else "."
        text_file = io.StringIO(text, newline="")
        table = pd.read_csv(text_file, sep=separator, decimal=decimal, keep_default_na=False, **options)
        heading, first = _first_rows(text, separator)
        if first > heading:  # pandas then takes the first cells of all rows for an index
            raise ValueError("rows with more cells than the heading")
    except ValueError as error:
        if not isinstance(source, str | Path):
            raise
        raise ValueError(f"expected a table at {str(source)!r}, got: {error}") from error
    table.columns = table.columns.str.strip()
    return _with_texts(table, restore_formula) if "'" in text else table


def _first_rows(text: str, separator: str) -> tuple[int, int]:
    """Return how many cells the heading and the first row below it have; 0 where there is none."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    counts = (len(row) for row in rows if any(cell.strip() for cell in row))
    with suppress(csv.Error):  # a cell that is longer than the module takes
        return next(counts, 0), next(counts, 0)
    return 0, 0


def read_own_table(path: Path | None, columns: list[str]) -> pd.DataFrame:
    """Read the texts of a table that facelib keeps for itself; no rows where there is none, or a damaged one."""
    import pandas as pd

    try:
        return read_csv_table(path or "", dtype="str")[columns]
    except (OSError, ValueError, KeyError):
        return pd.DataFrame(columns=pd.Index(columns), dtype="str")


def _with_texts(table: pd.DataFrame, change: Any) -> pd.DataFrame:
    """Return a table in which a function has changed every text."""
    import pandas as pd

    def changed(column: pd.Series[Any]) -> pd.Series[Any]:
        values = column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
        return values.map(lambda one: change(one) if isinstance(one, str) else one)

    if not len(table):
        return table
    texts = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    return table.assign(**{str(name): changed(table[name]) for name in texts})
