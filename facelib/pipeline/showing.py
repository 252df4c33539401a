"""What notebooks show only where there is something to show, and what they hand on to a run by it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from facelib.films.problems import Problems

Still = TypeVar("Still")

_PASSING = "passing_problems"

OPTIONAL = "optional"
"""The tag of a text cell that stands in a report, with the code below it, only if that showed something."""


def show_filled(*results: Sized, otherwise: str = "", metadata: Mapping[str, Any] | None = None) -> None:
    """Show each table, list or text that is not empty.

    Args:
        results: What to show, in this order.
        otherwise: What to print when all of them are empty.
        metadata: Kept with each in the notebook's file.
    """
    import pandas as pd
    from IPython.display import display

    from facelib.plots.tables import Table

    filled = [Table(result) if isinstance(result, pd.DataFrame) else result for result in results if len(result)]
    for result in filled:
        display(result, metadata=metadata)  # type: ignore[no-untyped-call]
    if otherwise and not filled:
        print(otherwise)


def show_problems(problems: Problems) -> None:
    """Show what went wrong with films; what no file keeps goes into the notebook's data, for `passing_problems`."""
    show_filled(problems.table, otherwise="No problems.", metadata={_PASSING: problems.passing})


def passing_problems(notebook: Path) -> dict[str, str]:
    """Return why films were left out of a notebook that was run, by their names, where no file keeps it."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    return {film: said for output in shown for film, said in output.get("metadata", {}).get(_PASSING, {}).items()}


def for_reports(still: Still) -> Still | None:
    """Return what replaces a widget in a report, where widgets do not work; where a user is there, nothing.

    In JupyterLab the widget shows the same, and each view is shown once.
    """
    from facelib.widgets.notebook import is_attended

    return None if is_attended() else still
