"""Show errors of callbacks in the notebook; Jupyter writes them to a hidden log."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager

import ipywidgets


class ErrorArea(ipywidgets.HTML):  # type: ignore[misc]
    """A line that is empty until something goes wrong, and then says what."""

    @contextmanager
    def guarding(self, *, clear: bool = True) -> Iterator[None]:
        """Show any exception of the block here instead of raising it, and `clear` the line of an earlier one."""
        if clear:
            self.value = ""
        try:
            yield
        except Exception as error:
            text = html.escape(f"{type(error).__name__}: {error}")
            self.value = f'<p role="alert" style="color:#B00020;white-space:pre-wrap">{text}</p>'
