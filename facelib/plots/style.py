"""The style of every figure: colours and symbols of people, fonts, labels."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

import plotly.graph_objects as go

import facelib.plots.quick_nbformat  # noqa: F401  # before plotly shows a figure
from facelib.films.corrections import NOT_A_FACE
from facelib.recognize import UNKNOWN

GREY = "#6A6A6A"
"""The colour of everybody who is not of the cast."""

# Okabe & Ito, "Color Universal Design" (2008): told apart under every common colour blindness. Yellow comes
# last, because it is the weakest on white; black stands in the eighth place of the original.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#1A1A1A", "#F0E442")

GROUND = "background:var(--jp-layout-color2,#f2f2f2);color:var(--jp-ui-font-color2,#555)"
"""The ground of small pictures in HTML: JupyterLab's or a report's own, light or dark."""

# The next person differs in both: 8 colours by 8 symbols tell 64 people apart, the first eight by either alone.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "star", "x")

# What became of a face: right, wrong or rejected; also used for the parts of a gallery.
RIGHT, WRONG, REJECTED = "#009E73", "#D55E00", "#56B4E9"


@dataclass(frozen=True, slots=True)
class Mark:
    """How one person is drawn.

    Attributes:
        colour: A hexadecimal colour, `#RRGGBB`.
        symbol: The name of a plotly marker symbol.
    """

    colour: str
    symbol: str


def marks(people: Iterable[str]) -> dict[str, Mark]:
    """Return how each person is drawn, by name, sorted.

    The same cast gets the same marks in every figure, whatever order it comes in. Whoever is not of the cast,
    `unknown` and clusters named `Unknown 1` and so on, is a grey circle and uses up no colour.

    Example:
        >>> marks(["Bo", "unknown", "Al"])["Al"]
        Mark(colour='#0072B2', symbol='circle')
        >>> marks(["unknown"])["unknown"].colour == GREY
        True
    """
    names = sorted(set(people))
    cast = [name for name in names if not is_stranger(name)]
    chosen = {name: nth_mark(i) for i, name in enumerate(cast)}
    return {name: chosen.get(name, Mark(GREY, "circle")) for name in names}


def nth_mark(number: int) -> Mark:
    """Return one of 64 marks by its number; each eight from a multiple of eight on differ in colour and in symbol."""
    return Mark(COLOURS[number % len(COLOURS)], SYMBOLS[(number + number // len(COLOURS)) % len(SYMBOLS)])


def colours_of(people: Iterable[str]) -> dict[str, str]:
    """Return the colour of each person, by name, as in every figure; `unknown` is always among them."""
    return {name: mark.colour for name, mark in marks([*people, UNKNOWN]).items()}


def is_stranger(name: str) -> bool:
    """Tell whether a name is nobody's of the cast: `unknown`, `not a face`, or a group such as `Unknown 1`."""
    start, _, number = name.partition(" ")
    return name in (UNKNOWN, NOT_A_FACE) or (start == "Unknown" and number.isdigit())


def escaped(name: str, *, width: int = 24) -> str:
    """Return a name as a plotly label: nothing in it is taken for markup, and it is broken into lines.

    Args:
        name: Any text, such as a folder's name.
        width: The longest line in characters; 0 keeps it in one line.

    Example:
        >>> escaped("Tom & <b>Jerry</b>")
        'Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;'
        >>> escaped("Wolfeschlegelsteinhausen Bergerdorff", width=24)
        'Wolfeschlegelsteinhausen<br>Bergerdorff'
    """
    lines = textwrap.wrap(name, width) if width else [name]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def template() -> go.layout.Template:
    """Return the look that all figures share: a white ground, faint lines, and text of 13 pixels."""
    axis = {
        "gridcolor": "#E6E6E6",
        "linecolor": "#B0B0B0",
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 12},
    }
    return go.layout.Template(
        layout={
            "font": {"family": "Open Sans, Noto Sans, DejaVu Sans, Arial, sans-serif", "size": 13, "color": "#2A2A2A"},
            "title": {
                "font": {"size": 16},
                "x": 0.0,
                "xref": "paper",
                "xanchor": "left",
                "y": 1.0,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 16},
            },
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "colorway": list(COLOURS),
            # The names of a cast are nothing to be uploaded by a slip of the hand.
            "modebar": {
                "remove": ["sendChartToCloud", "sendDataToCloud"],
                "bgcolor": "rgba(0, 0, 0, 0)",
                "color": "#8A8A8A",
                "activecolor": "#0072B2",
            },
            "hoverlabel": {"font": {"size": 13}, "namelength": -1},
            "margin": {"l": 60, "r": 24, "t": 60, "b": 50},
            "xaxis": axis,
            "yaxis": axis | {"ticklabelstandoff": 6},
        }
    )


def legend_below(figure: go.Figure, *, plot_height: int) -> None:
    """Lay the legend in columns under the plot, and make the figure as tall as that needs.

    A legend at the side would be cut, or need scrolling, from about twenty people on; printed, neither helps.

    Args:
        figure: Changed in place.
        plot_height: The height left to the plot itself, in pixels.
    """
    columns = 3  # at 190 pixels each: the narrowest column of a notebook or report is 700 pixels wide
    lines = [str(trace.name).count("<br>") + 1 for trace in figure.data if trace.showlegend is not False]
    rows = [max(lines[start : start + columns]) for start in range(0, len(lines), columns)]
    below = 30 + sum(6 + 17 * row for row in rows)
    figure.update_layout(
        showlegend=True,
        height=plot_height + below,
        margin_b=below,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "entrywidth": 190,
            "maxheight": below,
            "itemsizing": "constant",
        },
    )
