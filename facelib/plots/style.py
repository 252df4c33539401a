"""The style of every figure: fonts, lines, labels."""

from __future__ import annotations

import html
import textwrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

import facelib.plots.quick_nbformat  # noqa: F401  # before plotly shows a figure
from facelib.plots.colours import COLOURS, SYMBOLS
from facelib.project.wording import isolated

NO_BUTTONS = ("sendChartToCloud", "sendDataToCloud", "zoomIn2d", "zoomOut2d", "autoScale2d")
"""Buttons that no figure has; where points are not chosen, those that choose are left out as well."""

AT_LEFT = {"x": 0.01, "xref": "container"}
"""Where a title stands that the buttons would cover, or the edge cut, if it stood over the plot: names take room."""

_LEGEND = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
_MOST_IN_LEGEND = len(COLOURS) * len(SYMBOLS)


def escaped(name: str, *, width: int = 14) -> str:
    """Return a name as a plotly label: nothing in it is taken for markup, and it is broken into lines.

    Args:
        name: Any text, such as a folder's name.
        width: The longest line in characters; 0 keeps it in one line. On a phone, 14 fit a legend in two columns.

    Examples:
        >>> escaped("Q & <b>A</b>")
        'Q &amp; &lt;b&gt;A&lt;/b&gt;'
        >>> escaped("Jean-Luc Alexander Picard")
        'Jean-Luc<br>Alexander<br>Picard'
    """
    lines = textwrap.wrap(name, width) if width else [name]
    return "<br>".join(isolated(html.escape(line, quote=False)) for line in lines)


def shortened(name: str, *, most: int = 20, width: int = 0) -> str:
    """Return a name as a plotly label as `escaped` does, with an ellipsis where it is longer than `most` characters.

    Examples:
        >>> shortened("Wolfeschlegelsteinhausen Bergerdorff")
        'Wolfeschlegelsteinh…'
    """
    return escaped(name if len(name) <= most else f"{name[: most - 1]}…", width=width)


def evenly_picked(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return every n-th row of a table, the first and the last among them, so that there are at most `most`."""
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, min(most, len(table))).astype(int))]


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
            # The names of a cast are nothing to be uploaded by a slip of the hand; a long bar would lie on the title.
            "modebar": {
                "remove": [*NO_BUTTONS, "select2d", "lasso2d"],
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


def lay_out(figure: go.Figure, title: str, *, height: int, below: int = 110, **more: object) -> None:
    """Give a figure its title and its height, of which `below` is for a legend in rows along the lower edge."""
    figure.update_layout(template=template(), title=title, height=height, margin_b=below, legend=_LEGEND, **more)


def legend_below(figure: go.Figure, *, plot_height: int, between: int = 0) -> None:
    """Lay the legend in columns under the plot, and make the figure as tall as that needs.

    A legend at the side would be cut, or need scrolling, from about twenty people on; printed, neither helps. The
    columns share the width, so that their number, and with it the height, is the same on a narrow page. Of more names
    than there are marks to tell them apart, none are listed: the title says so.

    Args:
        figure: Changed in place.
        plot_height: The height left to the plot itself, in pixels.
        between: The height between plot and legend, such as for an axis.
    """
    names = [str(trace.name).split("<br>") for trace in figure.data if trace.showlegend is not False]
    if len(names) > _MOST_IN_LEGEND:
        told = {"text": f"{len(names)} people, too many for a legend: point at a face for its name", "font_size": 13}
        below = between + 10
        figure.update_layout(title_subtitle=told, showlegend=False, height=plot_height + below, margin_b=below)
        return
    lines = [len(name) for name in names]
    longest = max((len(line) for name in names for line in name), default=0)
    columns = 3 if longest <= 7 else 2
    width = {"entrywidth": 0.92 / columns, "entrywidthmode": "fraction"}  # of the whole, less the gaps
    rows = [max(lines[start : start + columns]) for start in range(0, len(lines), columns)]
    below = 30 + sum(6 + 17 * row for row in rows)
    figure.update_layout(
        showlegend=True,
        height=plot_height + between + below,
        margin_b=between + below,
        legend=_LEGEND | width | {"maxheight": below, "itemsizing": "constant", "tracegroupgap": 0, "font_size": 12},
    )
