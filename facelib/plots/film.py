"""Who is on screen when: the timeline of a film, and the time each person has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from facelib.plots.style import escaped, marks, template
from facelib.project import write_text
from facelib.timeline import screen_time, timecode

_ROW = 34  # pixels a person


def draw_timeline(appearances: pd.DataFrame, *, duration: float) -> go.Figure:
    """Draw a film's appearances: a row a person, a bar from each beginning to its end, in seconds.

    Args:
        appearances: The columns of `appearances.csv`; may be empty.
        duration: Length of the film in seconds.

    Returns:
        The figure, one trace a person; `base` and `x` of a bar are its start and length in seconds.
    """
    people = screen_time(appearances)["person"].to_list()
    looks = marks(people)
    figure = go.Figure()
    for person in people:
        own = appearances[appearances["person"] == person]
        figure.add_bar(
            base=own["start"],
            x=(own["end"] - own["start"]).clip(lower=duration / 500),  # the shortest can still be seen
            y=[escaped(person)] * len(own),
            orientation="h",
            width=0.62,
            marker_color=looks[person].colour,
            name=escaped(person, width=0),
            customdata=own[["start_timecode", "end_timecode", "confidence"]],
            hovertemplate="%{customdata[0]} to %{customdata[1]}<br>confidence %{customdata[2]:.2f}",
        )
    figure.update_layout(
        template=template(),
        title="Who is on screen, and when" if people else "Nobody of the cast is on screen",
        barmode="overlay",
        showlegend=False,
        height=110 + _ROW * max(len(people), 1),
        xaxis=_time_axis(duration),
        yaxis={"autorange": "reversed", "showgrid": False},
    )
    return figure


def _time_axis(duration: float) -> dict[str, object]:
    steps = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((one for one in steps if duration / one <= 12), 3600 * max(1, round(duration / 43200)))
    ticks = [step * i for i in range(int(duration / step) + 1)]
    texts = [timecode(tick)[: -4 if step >= 1 else -2].removeprefix("00:") for tick in ticks]
    return {"range": [0, duration], "tickvals": ticks, "ticktext": texts, "title": "time in the film"}


def draw_screen_time(appearances: pd.DataFrame) -> go.Figure:
    """Draw how many seconds each person is on screen, longest first."""
    table = screen_time(appearances)
    looks = marks(table["person"])
    figure = go.Figure(
        go.Bar(
            x=table["seconds"],
            y=[escaped(person) for person in table["person"]],
            orientation="h",
            width=0.62,
            marker_color=[looks[person].colour for person in table["person"]],
            text=[f"{seconds:.1f} s" for seconds in table["seconds"]],
            textposition="outside",
            cliponaxis=False,
            customdata=table["stretches"],
            hovertemplate="%{x:.1f} s in %{customdata} stretches<extra></extra>",
        )
    )
    figure.update_layout(
        template=template(),
        title="Time on screen",
        height=110 + _ROW * max(len(table), 1),
        margin_r=70,
        xaxis={"title": "seconds", "rangemode": "tozero"},
        yaxis={"autorange": "reversed", "showgrid": False},
    )
    return figure


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body{{font:15px/1.5 "Open Sans","Noto Sans",Arial,sans-serif;color:#2a2a2a;max-width:1100px;margin:24px auto;
padding:0 20px}}h1{{font-size:22px}}video{{width:100%;max-height:60vh;background:#111}}</style></head><body>
<h1>{title}</h1><video id="film" src="annotated.mp4" controls preload="metadata"></video>
<p>A click on a bar shows that moment.</p>{figure}</body></html>
"""

_SEEK = """
const film = document.getElementById("film");
document.getElementById("{plot_id}").on("plotly_click", event => {
  film.currentTime = event.points[0].base + 0.01;
  film.pause();
});
"""


def write_timeline_page(path: str | Path, appearances: pd.DataFrame, *, title: str, duration: float) -> Path:
    """Write the timeline as a page of its own, beside `annotated.mp4`, which it plays; works without a network."""
    figure = draw_timeline(appearances, duration=duration)
    inner = figure.to_html(full_html=False, include_plotlyjs=True, post_script=_SEEK, config={"displaylogo": False})
    write_text(_PAGE.format(title=escaped(title, width=0), figure=inner), path)
    return Path(path)
