"""What notebooks show only where there is something to show."""

from __future__ import annotations

from collections.abc import Sized
from typing import TypeVar

Still = TypeVar("Still")

OPTIONAL = "optional"
"""The tag of a text cell that stands in a report, with the code below it, only if that showed something."""


def show_filled(*results: Sized, otherwise: str = "") -> None:
    """Show each table, list or text that is not empty.

    Args:
        results: What to show, in this order.
        otherwise: What to print when all of them are empty.
    """
    import pandas as pd
    from IPython.display import display

    from facelib.plots.tables import Table

    filled = [Table(result) if isinstance(result, pd.DataFrame) else result for result in results if len(result)]
    for result in filled:
        display(result)  # type: ignore[no-untyped-call]
    if otherwise and not filled:
        print(otherwise)


def for_reports(still: Still) -> Still | None:
    """Return what replaces a widget in a report, where widgets do not work; where a user is there, nothing.

    In JupyterLab the widget shows the same, and each view is shown once.
    """
    from facelib.widgets.notebook import is_attended

    return None if is_attended() else still
