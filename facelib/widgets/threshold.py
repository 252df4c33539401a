"""The threshold tuner: sliders with the figures and faces that follow them, and a button that saves."""

from __future__ import annotations

import html
import math
from collections.abc import Callable

import ipywidgets
import numpy as np

from facelib.plots.colours import REJECTED, RIGHT, WRONG
from facelib.project import Project
from facelib.recognize import read_recognizer_info
from facelib.recognize.report import rate_warnings
from facelib.recognize.tuning import Setting, Tuning
from facelib.recognize.tuning.tuning import MOST_UNNAMED
from facelib.widgets.shared import ErrorArea, guarding
from facelib.widgets.threshold_figures import Confusion, Distances, Tradeoff
from facelib.widgets.threshold_mistakes import KnownFaces, MistakenFaces

_STRANGERS = "#CC79A7"
_WIDE = {"width": "100%", "min_width": "0"}
_STRETCHED = {"width": "auto", "min_width": "0"}  # a whole width and a margin would not fit


class ThresholdTuner(ipywidgets.VBox):  # type: ignore[misc]
    """Sliders for the number of voters and for the threshold, with the figures that follow them.

    All trials were done before; a setting is looked up in them, so that the figures follow the sliders. These move by
    mouse and by arrow keys, and a number can be typed beside them. A wanted FPIR typed in moves the threshold. Moving
    changes no file; the button saves the recognizer of this setting. Errors are shown below the controls.

    Args:
        tuning: The gallery tried against itself.
        project: Where the pictures lie and the recognizer is saved.
        threshold: Where the slider stands at first; None takes the fitted threshold.
        most_unnamed: As in `Tuning.save`.

    Attributes:
        voters: The `IntSlider` of k; None for an SVM.
        slider: The `FloatSlider` of the threshold, in the recognizer's own unit.
        wanted: The wanted error, in percent of the strangers.
        button: Saves; the threshold stays until `back` undoes it.
    """

    def __init__(
        self,
        tuning: Tuning,
        project: Project,
        *,
        threshold: float | None = None,
        most_unnamed: float = MOST_UNNAMED,
    ) -> None:
        self._tuning, self._project, self._most_unnamed = tuning, project, most_unnamed
        start = tuning.fitted.threshold if threshold is None else threshold
        self._make_controls(start)
        setting = self.setting
        self.tradeoff = Tradeoff(tuning.curve_at, setting, wanted_fpir=tuning.fitted.wanted_fpir)
        self.distances = Distances(tuning.genuine, tuning.impostor, threshold=start, axis=tuning.score)
        self.confusion = Confusion(setting)
        self.confusion.add_class("facelib-tuner-wide")
        self.mistakes = MistakenFaces(KnownFaces.of(tuning, project))
        self.mistakes.add_class("facelib-tuner-faces")
        self.errors = ErrorArea()
        self.mistakes.show(setting)
        self.counts.value = _counts(setting)
        self._tell_saved()
        self._watch()
        cells = ipywidgets.Box([self.tradeoff, self.distances, self.confusion, self.mistakes], layout=_WIDE)
        cells.add_class("facelib-tuner-cells")
        super().__init__([self._controls(), cells], layout={**_WIDE, "grid_gap": "12px"})
        self.add_class("facelib-tuner")

    @property
    def k(self) -> int:
        """How many neighbours vote."""
        return int(self.voters.value) if self.voters is not None else 1

    @property
    def threshold(self) -> float:
        """The position of the threshold's slider."""
        return float(self.slider.value)

    @property
    def setting(self) -> Setting:
        """The outcome for all faces at the sliders' setting."""
        return self._tuning.at(self.k, self.threshold)

    def _make_controls(self, start: float) -> None:
        tuning = self._tuning
        long = {"style": {"description_width": "150px"}, "layout": _STRETCHED}
        self.voters = (
            ipywidgets.IntSlider(value=tuning.k, min=1, max=tuning.largest_k, description="k, voters", **long)
            if tuning.kind == "knn"
            else None
        )
        low, high = _range(np.concatenate([tuning.genuine, tuning.impostor]), start)
        self.slider = ipywidgets.FloatSlider(
            value=start, min=low, max=high, step=0.001, readout_format=".3f", description="threshold", **long
        )
        self.slider.tooltip = tuning.unit
        self.wanted = ipywidgets.BoundedFloatText(
            value=round(100 * tuning.fitted.wanted_fpir, 6),
            min=0,
            max=99,
            step=0.1,
            description="wanted FPIR, %",
            tooltip="the share of strangers that may be given a name; sets the threshold",
            style={"description_width": "150px"},
            layout={"width": "270px"},
        )
        self.counts = ipywidgets.HTML(layout=_STRETCHED)
        self.button = ipywidgets.Button(
            description="Save this setting", button_style="primary", layout={"width": "auto"}
        )
        self.back = ipywidgets.Button(
            description="Take the fitted one",
            tooltip="save the fitted threshold in place of the one saved by hand",
            layout={"width": "auto"},
        )
        self.saved = ipywidgets.HTML()

    def _controls(self) -> ipywidgets.VBox:
        row = ipywidgets.HBox(
            [self.wanted, self.button, self.back, self.saved], layout={"flex_flow": "row wrap", "grid_gap": "4px 16px"}
        )
        sliders = [slider for slider in (self.voters, self.slider) if slider is not None]
        box = ipywidgets.VBox([*sliders, row, self.counts, self.errors], layout={**_WIDE, "grid_gap": "6px"})
        box.add_class("facelib-tuner-controls")
        return box

    def _watch(self) -> None:
        for slider in (self.voters, self.slider):
            if slider is not None:
                slider.observe(lambda change: self._guarded(self._show), names="value")
        self.wanted.observe(lambda change: self._guarded(self._want), names="value")
        self.button.on_click(lambda button: self._guarded(self._save))
        self.back.on_click(lambda button: self._guarded(self._take_fitted))

    def _guarded(self, action: Callable[[], None]) -> None:
        with guarding(self.errors.show):
            action()

    def _show(self) -> None:
        setting, threshold = self.setting, self.threshold
        self.counts.value = _counts(setting)
        self.distances.show(threshold)
        self.tradeoff.show(setting, wanted_fpir=self.wanted.value / 100)
        self.confusion.show(setting)
        self.mistakes.show(setting)

    def _want(self) -> None:
        """Move the threshold to where the wanted share of strangers is named; the slider shows the rest."""
        threshold = self._tuning.fit(self.wanted.value / 100, k=self.k).threshold
        if not math.isfinite(threshold):
            raise ValueError(f"expected a cast or strangers to try, found none to fit {self.wanted.value} % on")
        before = self.threshold
        self.slider.value = threshold
        if self.threshold == before:
            self._show()  # the line of the wanted error has moved all the same

    def _save(self) -> None:
        self.saved.value = ""
        self._tuning.save(
            self._project.recognizer, self.threshold, k=self.k, most_unnamed=self._most_unnamed, by_hand=True
        )
        self._tell_saved("Saved. ")

    def _take_fitted(self) -> None:
        self.saved.value = ""
        self._tuning.save(self._project.recognizer, k=self.k, most_unnamed=self._most_unnamed)
        self.slider.value = self._tuning.fitted.threshold
        self._tell_saved("Saved. ")

    def _tell_saved(self, begin: str = "") -> None:
        path = self._project.recognizer
        if not path.is_file():
            self.saved.value = "Nothing is saved yet."
            return
        info = read_recognizer_info(path)
        voters = f"k = {info.k}, " if info.kind == "knn" else ""
        text = f"{begin}{path.name} has {voters}threshold {info.threshold:.3f}"
        text += ", by hand: it stays until you take the fitted one" * (info.threshold_from == "hand")
        told = " ".join([f"{text}.", *rate_warnings(info.fpir, info.fnir, info.unnamed)])
        self.saved.value = f'<span role="status">{html.escape(told)}</span>'


def _range(scores: np.ndarray, start: float) -> tuple[float, float]:
    finite = scores[np.isfinite(scores)]
    high = max([start, *([float(finite.max())] if len(finite) else [])])
    return 0.0, math.ceil(1000 * high) / 1000 or 1.0


def _counts(setting: Setting) -> str:
    counts = setting.counts
    rows = (
        ("cast named right", counts.right, counts.cast, RIGHT),
        ("cast named wrong", counts.wrong, counts.cast, WRONG),
        ("cast rejected as unknown", counts.rejected, counts.cast, REJECTED),
        ("strangers given a name (FPIR)", counts.strangers_named, counts.strangers, _STRANGERS),
    )
    parts = "".join(
        f'<div style="--mark:{colour}">{label}<br><b>{count:,}</b> '
        f"<span>of {total:,}: {f'{count / total:.2%}' if total else 'not known'}</span></div>"
        for label, count, total, colour in rows
    )
    return f'<div class="facelib-counts" role="status" aria-live="polite">{parts}</div>'
