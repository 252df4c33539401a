"""The line on the terminal that says how far the running step is; where there is no terminal, there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facelib.pipeline import StepResult
    from facelib.pipeline.progress import Progress


class StepLine:
    """One line on stderr, written over as the step goes on, and taken away before anything else is printed."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console, self._step = Console(stderr=True), ""
        self._status = self._console.status("")

    def step(self, step: StepResult) -> None:
        """Take a step's start or end."""
        self._status.stop()
        if step.state == "running":
            self._step = step.name
            self._status.update(step.name)  # it still shows the step before
            self._status.start()

    def show(self, progress: Progress) -> None:
        """Show how far the step is."""
        from rich.text import Text

        line = Text(f"{self._step}: {progress}")
        line.truncate(self._console.width - 2, overflow="ellipsis")  # beside the spinner, which would wrap it
        self._status.update(line)

    def stop(self) -> None:
        """Take the line away."""
        self._status.stop()


@contextmanager
def step_line(tell: Callable[[StepResult], None]) -> Iterator[tuple[Callable[[StepResult], None], StepLine | None]]:
    """Give what is to be called at each step's start and end, and the line; None where stderr is no terminal.

    `tell` prints a step; it is called when the line is out of the way.
    """
    if not sys.stderr.isatty():
        yield tell, None
        return
    line = StepLine()

    def told(step: StepResult) -> None:
        line.stop()
        tell(step)
        line.step(step)

    try:
        yield told, line
    finally:
        line.stop()
