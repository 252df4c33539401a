"""What commands print: tables as wide as the terminal, and paths as a user would type them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def print_table(table: pd.DataFrame) -> None:
    """Print a table as wide as the terminal, 80 columns where there is none; long cells are broken, never cut."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    sheet = Table(show_lines=True, box=box.HORIZONTALS)
    for name in table.columns:
        longest = max((len(word) for cell in table[name] for word in str(cell).split()), default=0)
        # Words are kept whole where they are short enough to leave room for the other columns.
        sheet.add_column(str(name), overflow="fold", min_width=min(longest, 13))
    for row in table.astype(object).where(table.notna(), "").astype(str).itertuples(index=False):
        sheet.add_row(*map(Text, row))
    Console().print(sheet)


def shown(path: Path) -> str:
    """Return a path relative to the working folder where it lies below it."""
    return os.path.relpath(path) if path.absolute().is_relative_to(Path.cwd()) else str(path)
