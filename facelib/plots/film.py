"""The timeline of a film and the screen time of each person."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd
import plotly.graph_objects as go

from facelib.films.appearances import screen_time, timecode
from facelib.plots.colours import GREY, PATTERNS, Mark, bar_pattern, marks
from facelib.plots.style import AT_LEFT, escaped, template

_ROW, _LINE = 34, 17  # pixels a person, and a line of a name
_LONG = 15  # from so many people on, rows stand closer, and the times stand on top

# Groups of unknown people next to each other differ in brightness; none is as dark or as light as a colour.
_GREYS = (GREY, "#A4A4A4", "#868686", "#BEBEBE")


def draw_timeline(
    appearances: pd.DataFrame,
    *,
    duration: float,
    tracks: pd.DataFrame | None = None,
    looks: Mapping[str, Mark] | None = None,
) -> go.Figure:
    """Draw a film's appearances: one row per person, a bar from each beginning to its end, in seconds.

    Args:
        appearances: The columns of `appearances.csv`; may be empty. Groups of unknown people come last, in grey.
        duration: Length of the film in seconds.
        tracks: The columns of `tracks.parquet`; with them the pointer shows why a name was given.
        looks: Of people, such as `facelib.plots.colours` returns; without it each figure has its own.

    Returns:
        The figure, one trace per person; `base` and `x` of a bar are its start and length in seconds, `y` the number
        of its row.
    """
    looks = shades(screen_time(appearances)["person"], looks)
    people = list(looks)
    why = _reasons(appearances, tracks)
    figure = go.Figure()
    for row, person in enumerate(people):
        own = appearances[appearances["person"] == person]
        facts = own[["start_timecode", "end_timecode", "confidence"]].assign(why=why[own.index])
        figure.add_bar(
            base=own["start"],
            x=(own["end"] - own["start"]).clip(lower=duration / 500),  # the shortest can still be seen
            y=[row] * len(own),
            orientation="h",
            width=0.62,
            marker={"color": looks[person].colour, "pattern": bar_pattern(PATTERNS[looks[person].symbol])},
            name=escaped(person, width=0),
            customdata=facts,
            hovertemplate="%{customdata[0]} to %{customdata[1]}<br>confidence %{customdata[2]:.2f}%{customdata[3]}",
        )
    figure.update_layout(
        template=template(),
        title={"text": "Who is on screen, and when", **AT_LEFT},
        barmode="overlay",
        showlegend=False,
        xaxis=_time_axis(duration),
    )
    _lay_rows(figure, people)
    if len(people) > _LONG:
        figure.update_layout(xaxis_side="top", margin_t=110)
    return figure


def shades(people: Iterable[str], looks: Mapping[str, Mark] | None = None) -> dict[str, Mark]:
    """Return how each person is drawn, in the order given, but the cast before the unknown, who are shades of grey.

    A group of unknown people has the same grey in all films.

    Args:
        people: Names.
        looks: Of the cast where they are settled; whoever is not among them gets one of this figure's own.
    """
    own = marks(people := list(people))
    strangers = [person for person in people if own[person].colour == GREY]
    cast = {person: (looks or {}).get(person, own[person]) for person in people if person not in strangers}
    return cast | {person: Mark(_grey(person), own[person].symbol) for person in strangers}


def _grey(stranger: str) -> str:
    """Return the shade of a group of unknown people, by its number; of `unknown`, the darkest."""
    number = stranger.rpartition(" ")[2]
    return _GREYS[(int(number) - 1) % len(_GREYS)] if number.isdecimal() else GREY


def _reasons(appearances: pd.DataFrame, tracks: pd.DataFrame | None) -> pd.Series[str]:
    """Return a line of text a stretch: the reason of the name of its longest track, and how many more there are."""
    if tracks is None or "reason" not in tracks or appearances.empty:
        return pd.Series("", index=appearances.index, dtype="str")
    length = tracks.assign(length=tracks["end"] - tracks["start"]).set_index("track")["length"]
    reason = tracks.set_index("track")["reason"].fillna("")

    def text(numbers: object) -> str:
        own = [int(number) for number in str(numbers).split() if int(number) in length.index]
        if not own:
            return ""
        longest = max(own, key=lambda number: float(length[number]))
        more = f" (and {len(own) - 1} more tracks)" if len(own) > 1 else ""
        return f"<br>{escaped(str(reason[longest]) + more, width=60)}" if reason[longest] else ""

    return appearances["tracks"].map(text)


def _lay_rows(figure: go.Figure, people: list[str]) -> None:
    """Name the rows from top to bottom, and make the figure as tall as they need."""
    labels = [escaped(person, width=32) for person in people]
    most_lines = max((label.count("<br>") + 1 for label in labels), default=1)
    row = max(22 if len(people) > _LONG else _ROW, 6 + _LINE * most_lines)
    figure.update_layout(height=110 + row * max(len(people), 1))
    if not people:  # numbers along an axis would be of nothing
        figure.update_layout(title_text="Nobody is on screen", xaxis_visible=False, yaxis_visible=False)
    # Rows at numbers with the names as their text: two people whose names wrap alike stay two rows.
    figure.update_yaxes(
        range=[max(len(people), 1) - 0.5, -0.5],
        tickvals=list(range(len(people))),
        ticktext=labels,
        showgrid=len(people) > _LONG,  # a line that leads from a name to its bars, which may be far away
    )


def _time_axis(duration: float) -> dict[str, object]:
    steps = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    most = 7  # in a narrow column more would be written across each other
    step = next((one for one in steps if duration / one <= most), 3600 * math.ceil(duration / most / 3600))
    ticks = [step * i for i in range(int(duration / step) + 1)]
    texts = [timecode(tick)[: -4 if step >= 1 else -2].removeprefix("00:") for tick in ticks]
    return {"range": [0, duration], "tickvals": ticks, "ticktext": texts, "title": "time in the film"}


def draw_screen_time(
    appearances: pd.DataFrame, *, tracks: pd.DataFrame | None = None, looks: Mapping[str, Mark] | None = None
) -> go.Figure:
    """Draw how many seconds each person is on screen, longest first; the arguments are those of `draw_timeline`.

    With `tracks`, the hover text lists the shots.
    """
    table = screen_time(appearances, tracks)
    looks = shades(table["person"], looks)
    table = table.set_index("person").loc[list(looks)].reset_index()
    shots = table["shots"].map(" and {} shots".format) if "shots" in table else ""
    figure = go.Figure(
        go.Bar(
            x=table["seconds"],
            y=list(range(len(table))),
            orientation="h",
            width=0.62,
            marker={
                "color": [look.colour for look in looks.values()],
                "pattern": bar_pattern([PATTERNS[look.symbol] for look in looks.values()]),
            },
            text=[f"{seconds:.1f} s" for seconds in table["seconds"]],
            textposition="outside",
            cliponaxis=False,
            customdata=table[["stretches"]].assign(shots=shots, person=[escaped(name, width=0) for name in looks]),
            hovertemplate="%{customdata[2]}: %{x:.1f} s in %{customdata[0]} stretches%{customdata[1]}<extra></extra>",
        )
    )
    figure.update_layout(
        template=template(),
        title={"text": "Time on screen", **AT_LEFT},
        margin_r=70,
        xaxis={"title": "seconds", "rangemode": "tozero"},
    )
    _lay_rows(figure, list(looks))
    return figure.update_yaxes(showgrid=False)  # the lines would cross out the seconds
