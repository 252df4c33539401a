"""Training figures: curves, and maps of the same faces from untrained to trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from facelib.plots.colours import COLOURS, Mark, marks
from facelib.plots.dark import report_style
from facelib.plots.style import escaped, lay_out, legend_below, template
from facelib.project import write_text
from facelib.project.wording import counted

if TYPE_CHECKING:
    from facelib.train.progress import TrainingMaps

_RATES = (
    ("recall_at_1", "recall@1", COLOURS[0], "solid", "circle"),
    ("knn_accuracy", "KNN accuracy", COLOURS[2], "dash", "square"),
    ("pair_accuracy", "pair accuracy", COLOURS[3], "dot", "diamond"),
)
_MOVE = 500  # milliseconds that points take from one map to the next
_FIGURES, _SLIDER = 72, 96  # pixels under the maps


def draw_curves(curves: pd.DataFrame, *, best_epoch: int | None = None) -> go.Figure:
    """Draw how the loss fell and how well unseen people were told apart, by epoch; epoch 0 is the untrained network.

    Args:
        curves: A row a validated epoch, with the columns of `Result.curves`; may be empty.
        best_epoch: Marked by a line, where given.

    Returns:
        A figure of two panels over one axis: first the trace of the loss, then those of the three rates.
    """
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.36, 0.64], vertical_spacing=0.1,
        subplot_titles=("loss", "people not trained on"),
    )  # fmt: skip
    for number, (x, y) in curve_data(curves).items():
        name, colour, dash, symbol = (
            ("loss", "#1A1A1A", "solid", "circle") if number == 0 else (_RATES[number - 1][1], *_RATES[number - 1][2:])
        )
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines+markers", row=1 if number == 0 else 2, col=1, showlegend=number > 0,
            line={"color": colour, "dash": dash, "width": 2.5}, marker={"symbol": symbol, "size": 7},
            hovertemplate=("%{y:.3g}" if number == 0 else "%{y:.1%}") + f"<extra>{name}</extra>",
        )  # fmt: skip
    if best_epoch is not None:
        figure.add_vline(x=best_epoch, line={"color": "#6A6A6A", "width": 1.5, "dash": "dot"})
        figure.add_annotation(
            x=best_epoch, y=1, xref="x2", yref="y domain", yanchor="bottom", text=f"best: {best_epoch}", showarrow=False
        )
    lay_out(figure, "Training", height=520, hovermode="x unified", margin_t=86)
    figure.update_annotations(font_size=13)
    for note in figure.layout.annotations[:2]:
        note.update(x=0, xanchor="left")
    figure.update_xaxes(title="epoch", rangemode="tozero", dtick=epoch_step(curves), row=2, col=1)
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.05], row=2, col=1)
    return figure


def epoch_step(curves: pd.DataFrame) -> int | None:
    """Return how far apart the marks on the axis of epochs are: 1 where there are few; None leaves it to plotly."""
    return 1 if len(curves) and curves["epoch"].max() <= 10 else None


def curve_data(curves: pd.DataFrame) -> dict[int, tuple[list[Any], list[Any]]]:
    """Return x and y of the traces of `draw_curves`, by their number; a loss that is not there yet is left out."""
    trained = curves[curves["loss"].notna()] if len(curves) else curves
    found = {0: (trained["epoch"].tolist(), trained["loss"].tolist())}
    return found | {
        number: (curves["epoch"].tolist(), curves[column].tolist()) for number, (column, *_) in enumerate(_RATES, 1)
    }


def draw_untrained_and_trained(progress: TrainingMaps) -> go.Figure:
    """Draw the unseen faces by the untrained network and by the one that was kept, side by side."""
    first, kept = progress.epochs[0], progress.kept
    figure = _panels("The same unseen faces, before and after", "untrained", f"trained ({counted(kept, 'epoch')})")
    looks = marks(progress.maps["person"])
    for column, epoch in ((1, first), (2, kept)):
        _add_map(figure, progress.maps[progress.maps["epoch"] == epoch], looks, column, legend=column == 2)
        _add_text(figure, _figures(_measured(progress, epoch)), column)
    _lay_out(figure)
    return figure


def draw_progress(progress: TrainingMaps) -> go.Figure:
    """Draw the map of the unseen faces with a slider over the epochs, beside that of the network that is known.

    Returns:
        A figure that shows the last epoch; moving the slider, or pressing Play, moves every point to where it lay.
    """
    other = f"{progress.reference_name}, as it comes" if progress.reference_name else ""
    figure = _panels("Unseen faces while the network learns", "this network", other)
    looks = marks(progress.maps["person"])
    last = progress.epochs[-1]
    _add_map(figure, progress.maps[progress.maps["epoch"] == last], looks, 1, legend=True)
    _add_text(figure, _figures(_measured(progress, last)), 1)
    if len(progress.reference):
        _add_map(figure, progress.reference, looks, 2, legend=False)
        _add_text(figure, _figures(progress.reference_measures), 2)
    figure.frames = [_frame(progress, epoch, len(figure.data)) for epoch in progress.epochs]
    _lay_out(figure, slider=_SLIDER)
    _add_slider(figure, progress.epochs)
    return figure


def write_progress_page(path: str | Path, figures: Iterable[go.Figure], *, title: str) -> Path:
    """Write figures as a page of its own that works without a network."""
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=number == 0, auto_play=False, config={"displaylogo": False})
        for number, figure in enumerate(figures)
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escaped(title)}</title>'
    style = "body{font:15px Open Sans,Arial,sans-serif;max-width:1000px;margin:24px auto;padding:0 16px}"
    style += f"@media (prefers-color-scheme: dark){{body{{background:#111;color:#d6d9dc}}}}{report_style()}"
    head += f"<style>{style}</style>"
    body = f"<h1>{escaped(title, width=0)}</h1>{''.join(parts)}"
    write_text(f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>', path)
    return Path(path)


def _panels(title: str, left: str, right: str) -> go.Figure:
    figure = make_subplots(rows=1, cols=2, horizontal_spacing=0.04, subplot_titles=(left, right))
    figure.update_annotations(font_size=14)
    figure.update_layout(template=template(), title=title, hovermode="closest", margin_t=84, margin_l=16, margin_r=16)
    return figure


def _lay_out(figure: go.Figure, *, slider: int = 0) -> None:
    # The numbers on a t-SNE map mean nothing.
    framed = {"range": [-1.1, 1.1], "constrain": "domain", "mirror": True, "showline": True}
    hidden = {"showticklabels": False, "title": None, "showgrid": False}
    figure.update_xaxes(**framed, **hidden)
    figure.update_yaxes(constraintoward="top", **framed, **hidden)
    for number in ("", "2"):
        figure.layout[f"yaxis{number}"].update(scaleanchor=f"x{number}")
    legend_below(figure, plot_height=460, between=_FIGURES + slider)


def _add_map(figure: go.Figure, points: pd.DataFrame, looks: Mapping[str, Mark], column: int, *, legend: bool) -> None:
    """Add one trace per person, in the order of the names; those who are on no point have an empty one."""
    for person, mark in looks.items():
        rows = points[points["person"] == person]
        figure.add_scatter(
            x=rows["x"], y=rows["y"], mode="markers", name=escaped(person), legendgroup=person, showlegend=legend,
            row=1, col=column, text=[escaped(str(picture), width=60) for picture in rows["picture"]],
            marker={"color": mark.colour, "symbol": mark.symbol, "size": 8, "opacity": 0.85,
                    "line": {"color": "#404040", "width": 0.5}},
            hovertemplate="<b>" + escaped(person) + "</b><br>%{text}<extra></extra>",
        )  # fmt: skip


def _add_text(figure: go.Figure, text: str, column: int) -> None:
    figure.add_scatter(
        x=[0], y=[-1.09], mode="text", text=[text], textposition="bottom center", cliponaxis=False,
        textfont={"size": 13}, hoverinfo="skip", showlegend=False, row=1, col=column,
    )  # fmt: skip


def _measured(progress: TrainingMaps, epoch: int) -> dict[str, float]:
    row = progress.measures[progress.measures["epoch"] == epoch].iloc[0]
    return {name: float(row[name]) for name in ("silhouette", "recall_at_1", "pair_accuracy")}


def _figures(measures: Mapping[str, float]) -> str:
    """Return what stands under a map; a figure that does not exist is a dash."""
    shown = {
        name: f"{value:.2f}".replace("-", "\u2212") if np.isfinite(value) else "\u2013"
        for name, value in measures.items()
    }
    return (  # below the frame, so after an empty line
        f"<br>recall@1 <b>{shown['recall_at_1']}</b><br>pair accuracy <b>{shown['pair_accuracy']}</b>"
        f"<br>silhouette <b>{shown['silhouette']}</b>"
    )


def _frame(progress: TrainingMaps, epoch: int, traces: int) -> go.Frame:
    points = progress.maps[progress.maps["epoch"] == epoch]
    moved = [
        {"type": "scatter", "x": rows["x"].round(4).tolist(), "y": rows["y"].round(4).tolist()}
        for rows in (points[points["person"] == person] for person in marks(progress.maps["person"]))
    ]
    text = {"type": "scatter", "text": [_figures(_measured(progress, epoch))]}
    # The other map is named as well, though nothing changes in it: plotly takes off a panel that a frame leaves out.
    still = [{"type": "scatter"}] * (traces - len(moved) - 1)
    return go.Frame(name=str(epoch), data=[*moved, text, *still], traces=list(range(traces)))


def _add_slider(figure: go.Figure, epochs: list[int]) -> None:
    timing = {"mode": "immediate", "frame": {"duration": _MOVE, "redraw": False}, "transition": {"duration": _MOVE}}
    steps = [
        {"method": "animate", "args": [[str(epoch)], timing], "label": "untrained" if epoch == 0 else str(epoch)}
        for epoch in epochs
    ]
    playing = timing | {"fromcurrent": False, "frame": {"duration": 2 * _MOVE, "redraw": False}}
    below = {"xanchor": "left", "yanchor": "top", "y": 0}
    figure.update_layout(
        sliders=[
            below
            | {"active": len(steps) - 1, "steps": steps, "x": 0, "len": 1,
               "pad": {"t": 22 + _FIGURES, "b": 0, "l": 100}, "transition": {"duration": _MOVE},
               "currentvalue": {"prefix": "epoch: ", "font": {"size": 13}}}
        ],
        updatemenus=[
            below
            | {"type": "buttons", "direction": "left", "x": 0, "showactive": False,
               "pad": {"t": 34 + _FIGURES, "r": 10},
               "buttons": [{"label": "▶ Play", "method": "animate", "args": [None, playing]}]}
        ],
    )  # fmt: skip
