"""The pictures of the cast, counted: used, and left out for what reason."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from facelib.plots.colours import COLOURS, GREY, RIGHT, bar_pattern
from facelib.plots.style import AT_LEFT, escaped, shortened, template

_REASONS = ("several faces", "no face", "duplicate", "outlier", "unreadable", "sideways", "disabled")
_REASON_COLOURS = (COLOURS[4], COLOURS[1], COLOURS[5], COLOURS[3], "#444444", COLOURS[0], GREY)
_REASON_PATTERNS = ("x", "/", ".", "\\", "|", "-", "+")


def draw_gallery(table: pd.DataFrame) -> go.Figure:
    """Draw one bar per person: pictures used, then those left out by reason.

    Args:
        table: The table of known faces, with the columns `picture`, `person`, `used` and `reason`. A picture
            that has rows of several faces counts once, as used when one of its faces is.

    Returns:
        A figure as tall as the cast is long; the largest gallery stands on top.
    """
    counts = count_pictures(table)
    figure = go.Figure()
    colours = {"used": RIGHT} | dict(zip(_REASONS, _REASON_COLOURS, strict=True))
    patterns = dict(zip(_REASONS, _REASON_PATTERNS, strict=True))
    labels = [shortened(str(person), most=40, width=20) for person in counts.index]
    for column in counts.columns:
        figure.add_bar(
            y=list(range(len(counts))),
            x=counts[column],
            name=escaped(column),
            orientation="h",
            marker={
                "color": colours.get(column, GREY),
                "line": {"color": "white", "width": 1},
                "pattern": bar_pattern(patterns.get(column, "")),
            },
            customdata=labels,
            hovertemplate="%{customdata}: %{x} " + escaped(column, width=0) + "<extra></extra>",
        )
    tallest = max((label.count("<br>") + 1 for label in labels), default=1)
    below = 22 * len(counts.columns)  # for a legend in one column, on a phone
    height = 140 + (10 + 17 * tallest) * max(len(counts), 2) + below
    figure.update_layout(
        template=template(),
        title={"text": "Pictures of the cast", **AT_LEFT},
        barmode="stack",
        bargap=0.25,
        height=height,
        margin_b=50 + below,
        legend={
            "orientation": "h", "traceorder": "normal",
            "x": 0, "xref": "container", "y": below / height, "yref": "container", "yanchor": "top",
        },
    )  # fmt: skip
    figure.update_xaxes(title="pictures", rangemode="tozero")
    # Ticks at numbers with the names as their text: two people whose names wrap alike stay two bars.
    figure.update_yaxes(tickvals=list(range(len(counts))), ticktext=labels, showgrid=False)
    return figure


def count_pictures(table: pd.DataFrame) -> pd.DataFrame:
    """Return the number of pictures by person (the index, smallest gallery first) and by what became of them.

    The columns are `used` and every reason that occurs, in the order of `REASONS`.
    """
    fate = table["reason"].where(~table["used"].astype(bool), "used").replace("", "disabled")
    pictures = pd.DataFrame({"picture": table["picture"], "person": table["person"], "fate": fate})
    pictures = pictures.sort_values("fate", key=lambda values: values != "used", kind="stable")
    pictures = pictures.drop_duplicates("picture")
    counts = pd.crosstab(pictures["person"], pictures["fate"])
    known = ["used", *_REASONS]
    found = [name for name in known if name in counts or name == "used"]
    counts = counts.reindex(columns=found + sorted(set(counts.columns) - set(known)), fill_value=0)
    order = counts.assign(total=counts.sum(axis=1)).sort_values(["used", "total"], kind="stable").index
    return counts.loc[order]
