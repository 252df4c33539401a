from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from facelib.widgets import ThresholdTuner


def curve(steps: int = 101) -> pd.DataFrame:
    """A curve over thresholds 0 to 1 whose share of named strangers is the threshold itself."""
    at = np.linspace(0, 1, steps)
    return pd.DataFrame({"threshold": at, "right": at / 2, "wrong": at / 10, "rejected": 1 - 0.6 * at, "fpir": at})


def test_the_figures_follow_the_slider():
    tuner = ThresholdTuner(curve(), threshold=0.4)
    assert tuner.threshold == 0.4 and "40.0%" in tuner.readout.value
    tuner.slider.value = 0.7
    assert "70.0%" in tuner.readout.value and "35.0%" in tuner.readout.value and "0.700" in tuner.readout.value
    assert tuner.figure.layout.shapes[0].x0 == tuner.figure.layout.shapes[0].x1 == 0.7
    assert tuner.figure.layout.annotations[0].x == 0.7
    assert tuner.figure.layout.annotations[0].text == "chosen: 0.700"


@pytest.mark.parametrize(
    ("threshold", "row"),
    [
        (0.0, 0),
        (0.5, 50),
        (0.509, 50),  # between two rows the lower one holds
        (1.0, 100),
        (2.0, 100),  # beyond the curve
        (-1.0, 0),
    ],
)
def test_a_threshold_is_looked_up_in_the_curve(threshold, row):
    tuner = ThresholdTuner(curve().sample(frac=1, random_state=0), threshold=0.4)
    assert tuner.row(threshold)["fpir"] == pytest.approx(curve()["fpir"][row])


@pytest.mark.parametrize(("threshold", "row"), [(0.0, 0), (0.5, 50), (0.501, 51), (1.0, 100), (2.0, 100)])
def test_of_probabilities_the_next_higher_row_holds(threshold, row):
    tuner = ThresholdTuner(curve(), threshold=0.4, at_least=True)
    assert tuner.row(threshold)["fpir"] == pytest.approx(curve()["fpir"][row])


def test_moving_the_slider_takes_less_than_a_twentieth_of_a_second_on_a_large_curve():
    tuner = ThresholdTuner(curve(20_001), threshold=0.4)
    places = np.linspace(0.1, 0.9, 20)
    begin = time.perf_counter()
    for place in places:
        tuner.slider.value = place
    assert (time.perf_counter() - begin) / len(places) < 0.05


def test_the_button_saves_the_sliders_threshold_and_moving_saves_nothing():
    saved: list[float] = []
    tuner = ThresholdTuner(curve(), threshold=0.4, save=lambda value: saved.append(value) or "here.skops")
    tuner.slider.value = 0.6
    assert saved == []
    tuner.button.click()
    assert saved == [0.6]
    assert "0.600" in tuner.saved.value and "here.skops" in tuner.saved.value


def test_an_error_of_saving_is_shown_and_goes_with_the_next_success():
    full = True

    def save(threshold: float) -> str:
        if full:
            raise OSError("no space left on <device>")
        return "here"

    tuner = ThresholdTuner(curve(), threshold=0.4, save=save)
    tuner.button.click()
    assert "OSError: no space left on &lt;device&gt;" in tuner.errors.value
    assert tuner.saved.value == ""
    full = False
    tuner.button.click()
    assert tuner.errors.value == "" and "here" in tuner.saved.value


def test_without_saving_there_is_no_button():
    tuner = ThresholdTuner(curve(), threshold=0.4)
    assert tuner.button is None
    assert tuner.slider in tuner.children and tuner.figure in tuner.children


@pytest.mark.parametrize("threshold", [-0.5, 1.5])
def test_a_threshold_outside_the_curve_is_within_reach_of_the_slider(threshold):
    tuner = ThresholdTuner(curve(), threshold=threshold)
    assert tuner.threshold == threshold


@pytest.mark.parametrize("rows", [1, 2])
def test_a_tiny_curve_works(rows):
    tuner = ThresholdTuner(curve().head(rows), threshold=0.0)
    assert tuner.slider.step > 0


def test_figures_that_are_not_known_are_said_to_be():
    tuner = ThresholdTuner(curve().assign(fpir=np.nan), threshold=0.4)  # a cast of one has no strangers
    assert "strangers given a name <b>not known</b>" in tuner.readout.value


@pytest.mark.parametrize("bad", [curve().head(0), curve().drop(columns="fpir")])
def test_a_curve_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="expected a curve with rows and the columns"):
        ThresholdTuner(bad, threshold=0.4)
