"""The figures of the evaluation, by what they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from scipy.stats import norm

from facelib import plots
from facelib.evaluate import Searches, confusion, det_curve, join_films, reliability

CURVE = det_curve(Searches(np.array([0.9, 0.7, 0.5, -np.inf]), np.array([0.6, 0.4, 0.1, 0.05])))
PERFECT = det_curve(Searches(np.array([0.9, 0.7]), np.array([0.4, 0.1])))


def told(figure) -> str:
    """Return what an empty figure says; it has no axes, whose numbers would be of nothing."""
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    assert {axis.visible for axis in axes} == {False} and not figure.layout.shapes
    return "".join(note.text for note in figure.layout.annotations)


class TestDet:
    def test_both_axes_are_stretched_alike_and_labelled_with_rates(self):
        figure = plots.draw_det({"film": CURVE})
        line = figure.data[0]
        seen = {(round(x, 6), round(y, 6)) for x, y in zip(line.x, line.y, strict=True)}
        assert (round(norm.ppf(0.25), 6), round(norm.ppf(0.25), 6)) in seen
        assert np.isfinite([*line.x, *line.y]).all()  # rates of 0 and 1 lie at the border
        for axis in (figure.layout.xaxis, figure.layout.yaxis):
            ticks = dict(zip(axis.ticktext, axis.tickvals, strict=True))
            assert ticks["1 %"] == pytest.approx(norm.ppf(0.01))
            assert axis.range[0] < ticks["0"] == min(min(line.x), min(line.y))
            assert ticks["100 %"] < axis.range[1]
        shown = [
            place
            for place, text in zip(figure.layout.xaxis.tickvals, figure.layout.xaxis.ticktext, strict=True)
            if text
        ]
        width = shown[-1] - shown[0]
        assert np.diff(shown).min() / width > 0.11  # 50 pixels in the narrowest notebook
        (wanted,) = figure.layout.shapes
        assert wanted.x0 == pytest.approx(norm.ppf(0.01)) and (wanted.name, wanted.showlegend) == ("wanted FPIR", True)

    def test_the_hover_tells_the_true_rates(self):
        rates = np.array(plots.draw_det({"film": CURVE}).data[0].customdata, float)
        assert rates[:, :2].min() == 0 and rates[:, :2].max() == 1

    def test_a_curve_without_a_rate_is_left_out(self):
        alone = det_curve(Searches(np.array([0.5]), np.array([])))
        assert [line.name for line in plots.draw_det({"a": alone, "b": CURVE}).data] == ["b"]

    def test_a_long_curve_is_thinned(self):
        random = np.random.default_rng(0)
        curve = det_curve(Searches(random.random(9000), random.random(9000)))
        line = plots.draw_det({"long": curve}).data[0]
        assert 300 < len(line.x) < 2000
        # No spot of the curve is farther than a pixel from a point that is drawn.
        every = norm.ppf(curve[["fpir", "fnir"]].dropna().clip(0.0004, 0.997))
        assert cKDTree(np.column_stack([line.x, line.y])).query(every)[0].max() < 1.5 / 120

    @pytest.mark.parametrize(
        ("curves", "told"),
        [
            ({"a": CURVE}, ""),
            ({"a": PERFECT}, "The curve lies on the axes"),
            ({"a": PERFECT, "b": PERFECT}, "All curves lie on the axes"),
            ({"a": PERFECT, "b": CURVE}, "Some curves lie on the axes"),
        ],
    )
    def test_a_curve_that_lies_on_the_axes_looks_empty_and_is_told(self, curves, told):
        assert "".join(note.text for note in plots.draw_det(curves).layout.annotations).startswith(told)
        assert bool(plots.draw_det(curves).layout.annotations) == bool(told)

    def test_nothing(self):
        figure = plots.draw_det({})
        assert not figure.data and "No face with a known name" in told(figure)


class TestReliability:
    def test_points_intervals_and_counts(self):
        table = reliability([0.95, 0.95, 0.25], [True, False, False])
        figure = plots.draw_reliability({"films": table})
        diagonal, points, bars = figure.data
        assert list(diagonal.x) == list(diagonal.y) == [0, 1]
        assert list(points.x) == [0.25, 0.95] and list(points.y) == [0, 0.5]
        assert list(points.error_y.array)[1] == pytest.approx(table["right_high"].iloc[9] - 0.5)
        assert list(bars.customdata) == [0, 0, 1, 0, 0, 0, 0, 0, 0, 2]
        assert sum(bars.y) == pytest.approx(1)
        assert points.name == "films (3 answers)"

    def test_nothing(self):
        assert "There is no answer" in told(plots.draw_reliability({"films": reliability([], [])}))
        assert "There is no answer" in told(plots.draw_reliability({}))


class TestConfusion:
    TABLE = pd.DataFrame(
        [[3, 1, 0, 0], [0, 0, 0, 0]], index=["<i>A", "no face"], columns=["<i>A", "B", "C", "not found"]
    )

    def test_shares_colour_and_counts_are_written(self):
        heat = plots.draw_confusion(self.TABLE).data[0]
        assert np.array(heat.z).tolist() == [[0.75, 0.25]]
        assert np.array(heat.text).tolist() == [["3", "1"]]

    def test_names_are_escaped_and_empty_rows_left_out(self):
        figure = plots.draw_confusion(self.TABLE)
        assert list(figure.layout.yaxis.ticktext) == ["&lt;i&gt;A"]
        assert list(figure.layout.xaxis.ticktext) == ["&lt;i&gt;A", "B"]

    def test_long_names_stay_in_their_row_and_are_whole_under_the_pointer(self):
        name = "Maximilian-Alexander von und zu Hohenlohe"
        figure = plots.draw_confusion(pd.DataFrame([[2]], index=[name], columns=[name]))
        assert list(figure.layout.yaxis.ticktext) == list(figure.layout.xaxis.ticktext) == ["Maximilian-Alexande…"]
        assert np.array(figure.data[0].customdata).tolist() == [[[name, name]]]

    def test_a_person_who_never_got_their_name_keeps_their_column(self):
        table = pd.DataFrame([[0, 2]], index=["A"], columns=["A", "unknown"])
        assert list(plots.draw_confusion(table).layout.xaxis.ticktext) == ["A", "unknown"]

    def test_a_cast_of_62_is_drawn_without_numbers(self):
        names = [f"P{i}" for i in range(62)]
        figure = plots.draw_confusion(pd.DataFrame(np.eye(62), index=names, columns=names))
        assert figure.data[0].texttemplate is None and 62 * 15 < figure.layout.height < 62 * 25

    def test_nothing(self):
        assert "no labelled face" in told(plots.draw_confusion(confusion(join_films([], []))))
