"""The colours and symbols of people, kept for each project, and the colours of figures."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from facelib.project import Project, write_table
from facelib.project.names import UNKNOWN, is_reserved
from facelib.project.spreadsheets import read_own_table

_log = logging.getLogger(__name__)

GREY = "#6A6A6A"
"""The colour of everybody who is not of the cast."""

# Okabe & Ito, "Color Universal Design" (2008): told apart under every common colour blindness. Yellow comes
# last, because it is the weakest on white; black stands in the eighth place of the original.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#1A1A1A", "#F0E442")

GROUND = "background:var(--jp-layout-color2,#f2f2f2);color:var(--jp-ui-font-color1,#333)"
"""The ground of small pictures in HTML: JupyterLab's or a report's own, light or dark."""

# The next person differs in both: 8 colours by 8 symbols tell 64 people apart, the first eight by either alone.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "star", "x")

PATTERNS = dict(zip(SYMBOLS, ("", "/", "\\", "|", "+", "-", "x", "."), strict=True))
"""The pattern of a person's bars by the symbol, as plotly calls it; on the project's page they are the same."""


def bar_pattern(shape: str | Sequence[str]) -> dict[str, object]:
    """Return the lines over bars, dark or white, whichever is seen: one shape for all bars, or one for each."""
    return {"shape": shape, "fillmode": "overlay", "size": 8, "solidity": 0.2}


# What became of a face: right, wrong or rejected; also used for the parts of a gallery.
RIGHT, WRONG, REJECTED = "#009E73", "#D55E00", "#56B4E9"


@dataclass(frozen=True, slots=True)
class Mark:
    """How one person is drawn: a colour as `#RRGGBB`, and the name of a plotly marker symbol."""

    colour: str
    symbol: str


def marks(people: Iterable[str]) -> dict[str, Mark]:
    """Return how each person is drawn, by name, sorted.

    The same cast gets the same marks in every figure, whatever order it comes in. Whoever is not of the cast,
    `unknown` and clusters named `Unknown 1` and so on, is a grey circle and uses up no colour.

    Examples:
        >>> marks(["Bo", "unknown", "Al"])["Al"]
        Mark(colour='#0072B2', symbol='circle')
        >>> marks(["unknown"])["unknown"].colour == GREY
        True
    """
    names = sorted(set(people))
    cast = [name for name in names if not is_reserved(name)]
    chosen = {name: nth_mark(i) for i, name in enumerate(cast)}
    return {name: chosen.get(name, Mark(GREY, "circle")) for name in names}


def nth_mark(number: int) -> Mark:
    """Return one of 64 marks by its number; each eight from a multiple of eight on differ in colour and in symbol."""
    return Mark(COLOURS[number % len(COLOURS)], SYMBOLS[(number + number // len(COLOURS)) % len(SYMBOLS)])


def colours_of(people: Iterable[str]) -> dict[str, str]:
    """Return the colour of each person, by name, as in every figure; `unknown` is always among them."""
    return {name: mark.colour for name, mark in marks([*people, UNKNOWN]).items()}


def project_marks(project: Project, people: Iterable[str]) -> dict[str, Mark]:
    """Return how each person is drawn, by name, sorted; the first to ask for a name settles its mark for good.

    `marks.csv` in the project's output folder keeps them: `person` and `number`, of `facelib.plots.colours.nth_mark`.
    New people, and those of the cast who are not drawn yet, take the next numbers in the order of their names. Whoever
    is not of the cast is a grey circle, as in `facelib.plots.marks`, and has no row. A table that cannot be written is
    a warning in the log: to look at a project nobody needs to write there.
    """
    names = sorted(set(people))
    kept = _read(project)
    cast = project.find_people(missing_ok=True)
    new = [name for name in sorted({*names, *cast}) if name not in kept and not is_reserved(name)]
    if new:
        following = max(kept.values(), default=-1) + 1
        kept |= {name: following + i for i, name in enumerate(new)}
        try:
            write_table(pd.DataFrame(kept.items(), columns=pd.Index(["person", "number"])), project.marks)
        except OSError as error:
            _log.warning("colours may change: %s cannot be written: %s", project.marks, error)
    return {name: nth_mark(kept[name]) if name in kept else Mark(GREY, "circle") for name in names}


def project_colours(project: Project, people: Iterable[str]) -> dict[str, str]:
    """Return the colour of each person by name, as `project_marks` keeps it; `unknown` is always among them."""
    return {name: mark.colour for name, mark in project_marks(project, [*people, UNKNOWN]).items()}


def _read(project: Project) -> dict[str, int]:
    table = read_own_table(project.marks, ["person", "number"])
    table = table[table["number"].str.isdecimal()]
    return dict(zip(table["person"], table["number"].astype(int).tolist(), strict=True))
