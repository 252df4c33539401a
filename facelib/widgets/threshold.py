"""The threshold tuner: a slider with the figures that follow it, and a button that saves."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from facelib.plots import draw_outcomes
from facelib.plots.thresholds import threshold_label
from facelib.widgets.errors import ErrorArea

_COLUMNS = ("threshold", "right", "wrong", "rejected", "fpir")


class ThresholdTuner(ipywidgets.VBox):  # type: ignore[misc]
    """A slider over the thresholds of a curve, with what becomes of faces at each.

    The figures are looked up in the curve, nothing is computed again, so that they follow the slider. The slider
    moves by mouse and by arrow keys, and a number can be typed beside it. Moving it changes no file; the button
    calls `save`. An error of `save` is shown below the button.

    Args:
        curve: One row a threshold, sorted or not, with the columns `threshold`, `right`, `wrong`, `rejected` and
            `fpir`, the last four as fractions.
        threshold: Where the slider stands at first; widened to when it lies outside the curve.
        save: Called with the slider's threshold when the button is pressed; what it returns is shown as the place
            it was saved to. None leaves the button out.
        axis: The title of the horizontal axis.
        at_least: Whether faces with a score at or above the threshold are named, as with probabilities, and not
            those at or below it, as with distances.

    Raises:
        ValueError: When `curve` has no rows, or lacks a column.

    Attributes:
        slider: The `FloatSlider`.
        figure: The plotly `FigureWidget`.
        readout: The figures at the slider's threshold, as HTML.
        button: The button, or None.
        saved: A line that says what was saved.
        errors: A line that says what went wrong.
    """

    def __init__(
        self,
        curve: pd.DataFrame,
        *,
        threshold: float,
        save: Callable[[float], object] | None = None,
        axis: str = "threshold (distance)",
        at_least: bool = False,
    ) -> None:
        """Lay out the slider, the figures, the plot and the button."""
        missing = [name for name in _COLUMNS if name not in curve]
        if missing or curve.empty:
            raise ValueError(
                f"expected a curve with rows and the columns {_COLUMNS!r}, got {len(curve)} rows "
                f"and the columns {list(curve)!r}"
            )
        self._curve = curve.sort_values("threshold", ignore_index=True)
        self._save = save
        self._at_least = at_least
        steps = self._curve["threshold"].to_numpy(float)
        low, high = min(steps[0], threshold), max(steps[-1], threshold)
        self.slider = ipywidgets.FloatSlider(
            value=threshold,
            min=low,
            max=high,
            step=_step(high - low),
            readout_format=".3f",
            description="threshold",
            layout={"width": "100%"},
            style={"description_width": "initial"},
        )
        self.figure = go.FigureWidget(draw_outcomes(self._curve, threshold=threshold, axis=axis, at_least=at_least))
        self.readout = ipywidgets.HTML()
        self.button = (
            None
            if save is None
            else ipywidgets.Button(
                description="Save this threshold",
                icon="save",
                button_style="primary",
                layout={"width": "auto", "align_self": "flex-start"},
            )
        )
        self.saved = ipywidgets.HTML()
        self.errors = ErrorArea()
        self.slider.observe(self._moved, names="value")
        if self.button is not None:
            self.button.on_click(self._pressed)
        self._show(threshold)
        shown = [self.slider, self.readout, self.figure, self.button, self.saved, self.errors]
        super().__init__([part for part in shown if part is not None])

    @property
    def threshold(self) -> float:
        """Where the slider stands."""
        return float(self.slider.value)

    def row(self, threshold: float) -> pd.Series:
        """Return the row of the curve that holds at a threshold: the nearest one that names no face more."""
        steps = self._curve["threshold"].to_numpy(float)
        if self._at_least:
            at = int(np.searchsorted(steps, threshold - 1e-9, side="left"))
        else:
            at = int(np.searchsorted(steps, threshold + 1e-9, side="right")) - 1
        return self._curve.iloc[min(max(at, 0), len(steps) - 1)]

    def _moved(self, change: object) -> None:
        with self.errors.guarding():
            self._show(self.threshold)

    def _pressed(self, button: object) -> None:
        with self.errors.guarding():
            self.saved.value = ""
            assert self._save is not None
            where = self._save(self.threshold)
            self.saved.value = html.escape(f"Saved with threshold {self.threshold:.3f}: {where}")

    def _show(self, threshold: float) -> None:
        self.readout.value = _readout(self.row(threshold), threshold)
        with self.figure.batch_update():
            self.figure.layout.shapes[0].update(x0=threshold, x1=threshold)
            self.figure.layout.annotations[0].update(x=threshold, text=threshold_label(threshold))


def _step(width: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that cuts `width` into 200 to 500."""
    if width <= 0:
        return 0.001
    rough = width / 500
    power = 10.0 ** np.floor(np.log10(rough))
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999))


def _readout(row: pd.Series, threshold: float) -> str:
    parts = (
        ("named right", "right"),
        ("named wrong", "wrong"),
        ("rejected", "rejected"),
        ("strangers given a name", "fpir"),
    )
    cells = "".join(f"<span>{label} <b>{_percent(row[column])}</b></span>" for label, column in parts)
    return (
        f'<div aria-live="polite" style="display:flex;flex-wrap:wrap;gap:4px 24px;font-size:14px">'
        f"<span>at {threshold:.3f}:</span>{cells}</div>"
    )


def _percent(value: float) -> str:
    return "not known" if pd.isna(value) else f"{value:.1%}"
