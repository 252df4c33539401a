"""The kernel that the pipeline runs notebooks in, within its own process: ipykernel's, which an interruption ends."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from ipykernel.ipkernel import IPythonKernel


class StoppingKernel(IPythonKernel):
    """A kernel that ends when it is interrupted: at once, or when the cell that runs has removed what it half wrote.

    ipykernel's ignores an interruption between two cells, and runs the next one if that has been sent.
    """

    _interrupted = False

    def pre_handler_hook(self) -> None:
        """Let an interruption reach what the kernel is about to do, such as to run a cell."""
        signal.signal(signal.SIGINT, self._interrupt)

    def post_handler_hook(self) -> None:
        """Let an interruption end the kernel, as one that has come does."""
        signal.signal(signal.SIGINT, _leave)
        if self._interrupted:
            _leave()

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupted = True
        raise KeyboardInterrupt


def _leave(_number: int = signal.SIGINT, _frame: FrameType | None = None) -> None:
    sys.exit(128 + signal.SIGINT)
