"""What commands print: tables as wide as the terminal, and paths as a user would type them."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def print_table(table: pd.DataFrame) -> None:
    """Print a table as wide as the terminal, 80 columns where there is none; long cells are broken, never cut."""
    rows = table.astype(object).where(table.notna(), "").astype(str)
    print_rows(list(map(str, table.columns)), [rows.values.tolist()], lines=True)


def print_rows(columns: Sequence[str], parts: Iterable[Sequence[Sequence[str]]], *, lines: bool = False) -> None:
    """Print rows as `print_table` does.

    Args:
        columns: The head.
        parts: Rows in parts, between which a line is drawn.
        lines: Draw a line below every row.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    sheet, parts = Table(show_lines=lines, box=box.HORIZONTALS, padding=(0, 1, 0, 0), pad_edge=False), list(parts)
    console = Console()
    for index, name in enumerate(columns):
        longest = max(
            len(word)
            for text in (name, *(row[index] for part in parts for row in part))
            for word in text.split() or [""]
        )
        # Words are kept whole where they are short enough to leave room for the other columns.
        least = min(longest, max(13, 54 // len(columns)))
        most = console.width // 4 - 2 if lines and name != columns[-1] else None  # the last says most
        sheet.add_column(name, overflow="fold", min_width=least, max_width=most)
    for part in parts:
        for row in part:
            sheet.add_row(*map(Text, row))
        sheet.add_section()
    console.print(sheet)


def folded(text: str, *, indent: int = 0) -> str:
    """Return a text in lines that fit the terminal, all but the first indented; as one line where there is none."""
    if not sys.stdout.isatty():
        return text
    from rich.cells import cell_len  # a Chinese letter takes two columns

    width = max(shutil.get_terminal_size().columns, indent + 20)
    first, *words = text[indent:].split(" ")
    lines = [text[:indent] + first]
    for word in words:
        if cell_len(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(" " * indent + word)
    return "\n".join(lines)


def relative(path: Path) -> str:
    """Return a path relative to the working folder where it lies below it, for a terminal."""
    return one_line(os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path))


def one_line(name: str) -> str:
    r"""Return a name, or a text with names, as a terminal can show it: control characters are written out.

    Those that turn the direction of what follows are, too.

    Examples:
        >>> print(one_line("new\nline.mp4"))
        new\nline.mp4
    """
    return re.sub(
        r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]",
        lambda found: found[0].encode("unicode_escape").decode(),
        name,
    )
