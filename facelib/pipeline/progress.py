"""How far a running notebook is: its cells, and the bars of tqdm that its Python process shows; saved meanwhile."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager

ENGINE = "facelib"
"""The name under which papermill knows `TellingEngine`."""

_SECONDS_BETWEEN_SAVES = 5.0
# Seconds for a kernel to start, and for what a cell has shown to arrive after its end. On a slow machine the usual
# minute and four seconds are too few, and what comes later is lost without a word.
_PATIENCE = 600


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a notebook is.

    Attributes:
        cell: The cell that runs, from 1 on.
        cells: How many there are.
        bars: tqdm's bars that are not at their end, the outer ones first, such as
            `film.mp4: 40% 120/300 [00:10<00:15, 12.00 frames/s]`: what is done of how much, the time taken and left.
        title: The notebook's title without its number, such as `Name the faces in films`; empty where it has none.
        section: The heading above the cell, such as `The shots`; empty before the first.
    """

    cell: int
    cells: int
    bars: tuple[str, ...] = ()
    title: str = ""
    section: str = ""

    @property
    def fraction(self) -> float:
        """How far it is, from 0 to 1, by its cells and the outermost bar of the present one.

        Examples:
            >>> Progress(3, 4, ("film.mp4: 40% 120/300 [00:10<00:15, 12.00 frames/s]",)).fraction
            0.6
        """
        within = re.search(r"(\d+)%", self.bars[0]) if self.bars else None
        return (self.cell - 1 + (int(within[1]) / 100 if within else 0.0)) / max(self.cells, 1)

    @property
    def left(self) -> float | None:
        """The seconds that the outermost bar says are left; None when it says nothing.

        Examples:
            >>> Progress(3, 4, ("film.mp4: 40% 120/300 [00:10<01:02:15, 12.00 frames/s]",)).left
            3735.0
        """
        told = re.search(r"<([\d:]+)", self.bars[0]) if self.bars else None
        if told is None:
            return None
        seconds = 0.0
        for part in told[1].split(":"):
            seconds = seconds * 60 + int(part)
        return seconds

    def __str__(self) -> str:
        return "  ".join([self.section or f"cell {self.cell} of {self.cells}", *self.bars])


Watch = Callable[[Progress], None]


class TellingClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs a notebook, and reports progress at each cell and each change of a progress bar.

    In a notebook, a bar of tqdm is three widgets in a box: text, bar, text. Their state comes over the kernel's own
    channel, as it does to JupyterLab.
    """

    def __init__(self, nb_man: Any, *, watch: Watch, **options: Any) -> None:
        super().__init__(nb_man, **options)
        self._watch, self._cell, self._headings = watch, 0, ("", "")
        self._bars: dict[str, list[str]] = {}  # from a box to the widgets in it, in the order in which they are made

    def start_new_kernel_client(self) -> Any:
        """Connect to the kernel; see nbclient."""
        client = super().start_new_kernel_client()
        self.km.cleanup_connection_file()  # the kernel has read it: nothing is left where this process is killed
        return client

    def execute_cell(self, cell: Any, cell_index: int, *rest: Any, **options: Any) -> Any:
        """Run a cell; see nbclient."""
        self._cell = cell_index + 1
        self._headings = _headings_above(self.nb.cells[: self._cell])
        self._tell()
        return super().execute_cell(cell, cell_index, *rest, **options)

    def handle_comm_msg(self, outs: Any, msg: Any, cell_index: int) -> None:
        """Take a message from a widget; see nbclient."""
        super().handle_comm_msg(outs, msg, cell_index)
        widget = msg["content"]["comm_id"]
        known = any(widget in (box, *parts) for box, parts in self._bars.items())
        children = self.widget_state.get(widget, {}).get("children") or []
        if msg["msg_type"] == "comm_close":
            self._bars.pop(widget, None)
        elif len(children) == 3:
            self._bars.setdefault(widget, [str(child).removeprefix("IPY_MODEL_") for child in children])
        if known:
            self._tell()

    def _tell(self) -> None:
        bars = (self._bar(parts) for parts in self._bars.values())
        self._watch(Progress(self._cell, len(self.nb.cells), tuple(bar for bar in bars if bar), *self._headings))

    def _bar(self, parts: list[str]) -> str:
        """Return a bar as text; nothing for one that is at its end, or for a box of something else."""
        before, bar, after = (self.widget_state.get(part, {}) for part in parts)
        if bar.get("_model_name") != "FloatProgressModel" or bar.get("bar_style") in {"success", "danger"}:
            return ""
        text = f"{before.get('value', '')} {after.get('value', '')}"
        return re.sub(r"\s+", " ", html.unescape(text)).strip()


def _headings_above(cells: Sequence[Any]) -> tuple[str, str]:
    """Return the title and the last heading of a section in text cells, whose first lines they are."""
    firsts = [cell["source"].partition("\n")[0] for cell in cells if cell["cell_type"] == "markdown"]
    titles = [re.sub(r"^# (\d+\. )?", "", first) for first in firsts if first.startswith("# ")]
    sections = [first.removeprefix("## ") for first in firsts if first.startswith("## ")]
    return "".join(titles[:1]), "".join(sections[-1:])


class TellingEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's engine with `TellingClient`; takes the further argument `watch`.

    papermill writes the whole notebook again twice a cell, which takes a second where there are large figures. Here it
    is written when some seconds have passed, and at the end.
    """

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, watch: Watch, log_output: bool = False, **options: Any
    ) -> Any:
        """Run a notebook; see papermill."""
        given = {name: value for name, value in options.items() if name not in {"input_path", "start_timeout"}}
        given["startup_timeout"] = given["iopub_timeout"] = _PATIENCE
        given["timeout"] = given.pop("execution_timeout", None)
        client = TellingClient(nb_man, watch=watch, kernel_name=kernel_name, log_output=log_output, **given)
        with _saved_seldom(nb_man):
            return client.execute()


@contextmanager
def _saved_seldom(nb_man: NotebookExecutionManager) -> Iterator[None]:
    save, saved = nb_man.save, time.monotonic()

    def save_seldom(**more: Any) -> None:
        nonlocal saved
        if time.monotonic() - saved >= _SECONDS_BETWEEN_SAVES:
            save(**more)
            saved = time.monotonic()

    nb_man.save = save_seldom
    try:
        yield
    finally:
        nb_man.save = save  # papermill saves it once more
