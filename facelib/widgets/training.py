"""The curves of a training while it runs."""

from __future__ import annotations

import pandas as pd

from facelib.plots.training import curve_data, draw_curves, epoch_step
from facelib.widgets.fitted_figure import FittedFigure


class LiveCurves(FittedFigure):
    """The curves of a training; pass it as the training's `callback`, which extends them at each call.

    Nothing but the traces is sent. Where no page is open, as headless, nothing happens.
    """

    def __init__(self) -> None:
        columns = ["epoch", "loss", "recall_at_1", "knn_accuracy", "pair_accuracy"]
        super().__init__(draw_curves(pd.DataFrame(columns=pd.Index(columns), dtype=float)))

    def __call__(self, curves: pd.DataFrame) -> None:
        """Show the curves so far: the columns of `Result.curves`."""
        traces = {number: {"x": x, "y": y} for number, (x, y) in curve_data(curves).items()}
        self.move(traces, {"xaxis2.dtick": epoch_step(curves)})
