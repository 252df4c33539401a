"""The notebook of a widget: whether it is interactive, and whether a cell is running."""

from __future__ import annotations

from typing import Any

from IPython.core.getipython import get_ipython


def is_attended() -> bool:
    """Return whether the running cell was sent by an interactive front end, such as JupyterLab.

    Every request to run a cell says whether a question to the user could be answered: papermill, nbclient and Voilà
    say no. Without a kernel, as in a script, the answer is no too.
    """
    return bool(_request().get("content", {}).get("allow_stdin"))


def _request() -> dict[str, Any]:
    """Return the request that the kernel is at; empty without a kernel."""
    kernel = getattr(get_ipython(), "kernel", None)
    return {} if kernel is None else kernel.get_parent("shell") or {}


class RunningCell:
    """Knows whether a cell of the notebook runs; messages of the page may have to wait for it.

    Attributes:
        running: Whether one runs; never without a kernel.
    """

    def __init__(self) -> None:
        """Follow the kernel from now on, usually from within a cell."""
        self.running = _request().get("header", {}).get("msg_type") == "execute_request"
        self._events = getattr(get_ipython(), "events", None)
        if self._events is not None:
            self._events.register("pre_execute", self._begin)
            self._events.register("post_execute", self._end)

    def close(self) -> None:
        """Follow the kernel no more; may be called any number of times."""
        events, self._events = self._events, None
        if events is not None:
            events.unregister("pre_execute", self._begin)
            events.unregister("post_execute", self._end)

    def _begin(self) -> None:
        self.running = True

    def _end(self) -> None:
        self.running = False
