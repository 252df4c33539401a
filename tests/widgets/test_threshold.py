"""The threshold tuner as the page speaks to it: by its traits."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelib.gallery import Gallery
from facelib.project import Project
from facelib.recognize import load_recognizer
from facelib.recognize.tuning import tune
from facelib.widgets import ThresholdTuner, mistakes_page
from facelib.widgets.threshold_figures import most_confused

BOX = {"left": 5.0, "top": 5.0, "right": 55.0, "bottom": 55.0}


def faces(people: int, each: int, *, spread: float, seed: int = 0, folder: str = "people") -> pd.DataFrame:
    """Faces in clusters about `people` points; the wider the spread, the more of them are mistaken."""
    random = np.random.default_rng(seed)
    names = np.repeat([f"P{number:02d} <b>" for number in range(people)], each)
    centres = np.repeat(0.047 * random.normal(size=(people, 128)), each, axis=0)
    vectors = (centres + spread * random.normal(size=centres.shape)).astype(np.float32)
    table = pd.DataFrame({"person": names, "embedding": list(vectors)})
    table["picture"] = [f"{folder}/{name}/{row}.png" for row, name in enumerate(names)]
    return table.assign(sha256="", face=0, score=1.0, sharpness=100.0, used=True, reason="", **BOX)


def gallery(table: pd.DataFrame) -> Gallery:
    return Gallery(table, "mtcnn", "dlib", "")


@pytest.fixture
def project(tmp_path) -> Project:
    return Project("small", tmp_path / "data", tmp_path / "output")


@pytest.fixture
def tuning():
    """Twelve people of eight faces each, some of which are mistaken for others."""
    return tune(gallery(faces(12, 8, spread=0.034)), fallback=0.6, progress=False)


@pytest.fixture
def tuner(tuning, project):
    return ThresholdTuner(tuning, project, most_unnamed=1.0)


def shown_counts(tuner: ThresholdTuner) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"<b>([\d,]+)</b>", tuner.counts.value)]


def counts_of(tuning, k: int, threshold: float) -> list[int]:
    counts = tuning.at(k, threshold).counts
    return [counts.right, counts.wrong, counts.rejected, counts.strangers_named]


def totals(tuner: ThresholdTuner) -> list[int]:
    return [group["total"] for group in tuner.mistakes.groups]


def test_everything_follows_the_threshold(tuner, tuning):
    assert tuner.threshold == tuning.fitted.threshold
    before = counts_of(tuning, 5, tuner.threshold)
    assert shown_counts(tuner) == before
    tuner.slider.value = 0.75
    after = counts_of(tuning, 5, 0.75)
    assert shown_counts(tuner) == after != before
    assert totals(tuner) == [after[1], after[3], after[2]]
    line, label = (tuner.distances.figure_layout[name][0] for name in ("shapes", "annotations"))
    assert line["x0"] == line["x1"] == label["x"] == 0.75 and label["text"] == "chosen: 0.750"
    setting = tuning.at(5, 0.75)
    point = tuner.tradeoff.data[1]
    assert (point["x"][0], point["y"][0]) == pytest.approx(
        tuple(probit(rate) for rate in (setting.counts.fpir, setting.counts.fnir))
    )
    texts = np.array(tuner.confusion.data[0]["text"])
    assert [int(text or 0) for text in texts.flat] == setting.confusion.to_numpy().flatten().tolist()
    assert tuner.errors.value == ""


def probit(rate: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(np.clip(rate, 0.0004, 0.997)))


def test_everything_follows_k(project):
    tuning = tune(gallery(faces(12, 8, spread=0.09)), fallback=0.6, progress=False)
    tuner = ThresholdTuner(tuning, project, threshold=2.0)
    settings = {k: counts_of(tuning, k, 2.0) for k in (1, 5, tuning.largest_k)}
    assert settings[1] != settings[5]
    drawn = []
    for k, counts in settings.items():
        tuner.voters.value = k
        assert shown_counts(tuner) == counts
        line = tuner.tradeoff.data[0]
        assert line["name"] == f"all thresholds at k = {k}"
        drawn.append(str(line["y"]))
    assert len(set(drawn)) == 3
    assert tuner.voters.max == tuning.largest_k


def test_a_figure_sends_only_what_changes_and_keeps_all_of_it(tuner):
    changes = []
    tuner.distances.observe(lambda change: changes.append(change["new"]), names="change")
    tuner.distances.observe(lambda change: pytest.fail("all was sent"), names=["data", "figure_layout"])
    tuner.slider.value = 0.4
    tuner.slider.value = 0.5
    assert [change["layout"]["shapes.0.x0"] for change in changes] == [0.4, 0.5]
    assert all(change["traces"] == {} for change in changes)
    state = tuner.distances.get_state()  # what a page opened now is given
    assert state["figure_layout"]["shapes"][0]["x0"] == 0.5
    assert len(state["data"]) == 2


def test_rates_that_are_not_known_are_left_out_of_a_figure(tuner):
    tuner.tradeoff.move({1: {"x": [math.nan], "y": np.array([[np.inf, 0.5]])}})
    assert tuner.tradeoff.change["traces"]["1"] == {"x": [None], "y": [[None, 0.5]]}


def test_the_library_is_sent_to_a_page_that_asks_for_it(tuner, monkeypatch):
    sent = []
    monkeypatch.setattr(tuner.tradeoff, "send", lambda content, buffers: sent.append(buffers[0]))
    tuner.tradeoff._handle_custom_msg({"wanted": "anything else"}, [])
    assert sent == []
    tuner.tradeoff._handle_custom_msg({"wanted": "plotly.js"}, [])
    assert len(sent) == 1 and b"plotly.js v" in sent[0][:400]


def test_a_wanted_error_moves_the_threshold(tuner, tuning):
    tuner.wanted.value = 10
    assert tuner.threshold == pytest.approx(tuning.fit(0.1).threshold)
    assert shown_counts(tuner) == counts_of(tuning, 5, tuner.threshold)
    assert tuner.tradeoff.figure_layout["shapes"][0]["x0"] == pytest.approx(probit(0.1))
    assert tuner.threshold != tuning.fitted.threshold


def test_a_wanted_error_that_changes_nothing_still_moves_its_line(tuner):
    tuner.wanted.value = 10
    before = tuner.threshold
    tuner.wanted.value = 10.0001
    assert tuner.threshold == before
    assert tuner.tradeoff.figure_layout["shapes"][0]["x0"] == pytest.approx(probit(0.100001))


def test_the_button_saves_the_setting_and_moving_saves_nothing(tuner, project):
    assert "Nothing is saved" in tuner.saved.value
    tuner.slider.value, tuner.voters.value = 0.4, 3
    assert not project.recognizer.exists()
    tuner.button.click()
    estimator, info = load_recognizer(project.recognizer)
    assert (estimator.k, estimator.threshold, info.k, info.threshold) == (3, 0.4, 3, 0.4)
    assert "Saved. recognizer.skops has k = 3, threshold 0.400" in tuner.saved.value
    tuner.slider.value = 0.5
    assert load_recognizer(project.recognizer)[1] == info


def test_a_threshold_that_leaves_the_cast_without_names_is_refused_and_said(tuning, project):
    tuner = ThresholdTuner(tuning, project)
    tuner.slider.value = 0.3
    tuner.button.click()
    assert "expected a threshold that leaves at most 50% of the cast" in tuner.errors.value
    assert not project.recognizer.exists()


def test_what_is_saved_already_is_said(tuner, tuning, project):
    tuning.save(project.recognizer, 0.321, k=7, most_unnamed=1.0)
    said = ThresholdTuner(tuning, project).saved.value
    assert "has k = 7, threshold 0.321. 100% of the cast" in said


def test_a_saved_threshold_that_names_strangers_is_warned_of(tuner, project):
    tuner.slider.value = tuner.slider.max
    tuner.button.click()
    assert project.recognizer.is_file()
    assert "of strangers would be given a name of the cast: look for" in tuner.saved.value


def test_an_error_of_saving_is_shown_and_goes_with_the_next_success(tuner, project):
    project.output_dir.write_text("a file where the folder should be")
    tuner.button.click()
    assert 'role="alert"' in tuner.errors.value and "expected to make the folder" in tuner.errors.value
    project.output_dir.unlink()
    tuner.button.click()
    assert tuner.errors.value == "" and "Saved." in tuner.saved.value


def test_an_error_of_looking_up_is_shown(tuner):
    tuner.voters.max = 1000
    tuner.voters.value = 900
    assert "expected k between 1 and 20, got 900" in tuner.errors.value
    tuner.voters.value = 4
    assert tuner.errors.value == ""


@pytest.mark.parametrize("threshold", [0.0, 0.2, 3.0])
def test_a_threshold_of_ones_own_is_where_the_slider_begins(tuning, project, threshold):
    tuner = ThresholdTuner(tuning, project, threshold=threshold)
    assert tuner.threshold == threshold
    assert shown_counts(tuner) == counts_of(tuning, 5, threshold)


def test_of_an_svm_the_threshold_is_a_probability_and_there_is_no_k(project):
    tuning = tune(gallery(faces(5, 8, spread=0.034)), fallback=0.6, kind="svm", progress=False)
    tuner = ThresholdTuner(tuning, project, most_unnamed=1.0)
    assert tuner.voters is None
    few = []
    for threshold in (0.2, 0.9):
        tuner.slider.value = threshold
        assert shown_counts(tuner) == counts_of(tuning, 1, threshold)
        few.append(shown_counts(tuner)[2])
    assert few[0] < few[1]  # a higher probability wanted rejects more
    tuner.button.click()
    assert load_recognizer(project.recognizer)[1].threshold == 0.9


@pytest.mark.parametrize(
    ("people", "each"),
    [
        (1, 1),  # neither genuine trials nor strangers
        (1, 3),  # no strangers
        (2, 1),  # no genuine trials
        (2, 2),
    ],
)
def test_the_smallest_galleries_have_a_tuner(project, people, each):
    tuning = tune(gallery(faces(people, each, spread=0.02)), fallback=0.5, progress=False)
    tuner = ThresholdTuner(tuning, project)
    tuner.slider.value = 0.3
    tuner.voters.value = 2
    assert tuner.errors.value == ""
    assert tuner.counts.value.count("not known") == 3 * (each == 1) + (people == 1)


def test_with_one_person_no_error_can_be_wanted_that_nobody_measured(project):
    tuning = tune(gallery(faces(1, 3, spread=0.02)), fallback=0.5, progress=False)
    tuner = ThresholdTuner(tuning, project)
    tuner.wanted.value = 5
    assert tuner.threshold == 0.5  # the embedder's own stays
    assert math.isfinite(tuner.slider.max)


@pytest.mark.parametrize("people", [1, 3, 14])
def test_of_a_small_cast_the_whole_confusion_is_shown(people):
    table = square(people)
    assert most_confused(table) is table


def test_of_a_large_cast_those_with_most_mistakes_are_shown():
    table = square(30)
    table.iloc[7, 7], table.iloc[7, 9] = 0, 5  # taken for another
    table.iloc[20, 20], table.iloc[20, 30] = 3, 2  # left unknown
    table.iloc[30, 25] = 4  # drew strangers
    part = most_confused(table, most=3)
    assert part.index.tolist() == ["P7", "P20", "P25", "stranger"]
    assert part.columns.tolist() == ["P7", "P20", "P25", "anybody else", "unknown"]
    assert part.loc["P7"].tolist() == [0, 0, 0, 5, 0]
    assert part.loc["P20"].tolist() == [0, 3, 0, 0, 2]
    assert part.sum(axis=1).tolist() == table.loc[part.index].sum(axis=1).tolist()


def square(people: int) -> pd.DataFrame:
    names = [f"P{number}" for number in range(people)]
    counts = np.diag([5] * people + [100])
    return pd.DataFrame(counts, index=[*names, "stranger"], columns=[*names, "unknown"])


class TestFaces:
    """Thumbnails of the mistakes."""

    @pytest.fixture
    def tuning(self, project):
        """A cast and strangers, all with pictures; one picture is gone and one is broken."""
        cast, others = faces(4, 4, spread=0.034), faces(3, 1, spread=0.034, seed=5, folder="strangers")
        for number, picture in enumerate([*cast["picture"], *others["picture"]]):
            path = project.data / picture
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (60, 60), (10 * number, 90, 90)).save(path)
        (project.data / cast["picture"][0]).unlink()
        (project.data / cast["picture"][1]).write_text("no picture")
        return tune(
            gallery(cast), fallback=0.6, strangers=gallery(others.assign(person="")), largest_k=5, progress=False
        )

    @pytest.fixture
    def widget(self, tuning, project):
        return ThresholdTuner(tuning, project, threshold=1.5).mistakes

    def pairs(self, widget, group: str) -> list[dict]:
        return next(found["pairs"] for found in widget.groups if found["id"] == group)

    def test_pairs_are_of_the_face_tried_and_of_the_one_that_carried_the_name(self, tuning, project):
        tuner = ThresholdTuner(tuning, project, threshold=1.5)
        tuner.mistakes.most = {"strangers": 100}
        table = tuning.at(5, 1.5).false_matches
        table = table[table["kind"] != "cast"]
        pairs = self.pairs(tuner.mistakes, "strangers")
        assert len(pairs) == len(table) == 16 + 3
        for pair, row in zip(pairs, table[::-1].to_dict("records"), strict=True):
            assert pair["shown"]["id"] == str(row["carrier"])
            assert pair["shown"]["person"] == row["name"]
            assert pair["text"] == f"nearest face at {row['score']:.3f}"
            assert pair["probe"]["person"] == (row["person"] or "a stranger")

    def test_the_order_can_be_turned_and_more_be_shown(self, widget):
        closest = [float(pair["text"].split()[-1]) for pair in self.pairs(widget, "strangers")]
        assert len(closest) == 8 and closest == sorted(closest, reverse=True)
        widget.order = "worst"
        worst = [float(pair["text"].split()[-1]) for pair in self.pairs(widget, "strangers")]
        assert worst == sorted(worst) and worst[0] < closest[-1]
        widget.most = {"strangers": 12}
        assert len(self.pairs(widget, "strangers")) == 12

    def test_rejections_lie_beyond_the_threshold_the_closest_first(self, tuning, project):
        widget = ThresholdTuner(tuning, project, threshold=0.2).mistakes
        scores = [float(pair["text"].split()[-1]) for pair in self.pairs(widget, "rejected")]
        assert scores == sorted(scores) and min(scores) > 0.2

    def test_pictures_come_when_asked_for_and_failures_are_said(self, widget):
        come: dict[str, bytes] = {}
        for attempt in range(4):  # as the page does: each answer takes no longer than a moment
            widget.wanted = {"ids": [face for face in ("0", "1", "2", "s2") if face not in come], "nonce": attempt}
            come |= widget.pictures
            assert widget.answered == attempt + 1
        assert widget.failed == {"0": "file gone", "1": "unreadable"}
        colours = {face: Image.open(io.BytesIO(content)).getpixel((5, 5))[0] for face, content in come.items()}
        assert colours == {"2": pytest.approx(20, abs=4), "s2": pytest.approx(180, abs=4)}

    def test_an_answer_holds_at_least_one_picture_however_slow_the_disk(self, widget, monkeypatch):
        monkeypatch.setattr("facelib.widgets.threshold_mistakes._PATIENCE", -1)
        widget.wanted = {"ids": ["2", "3", "4"], "nonce": 1}
        assert list(widget.pictures) == ["2"]
        widget.wanted = {"ids": ["3", "4"], "nonce": 2}
        assert list(widget.pictures) == ["3"]

    def test_an_error_of_the_page_is_shown_and_the_page_may_ask_on(self, widget):
        widget.wanted = {"ids": ["900"], "nonce": 1}
        assert widget.error.startswith("IndexError") and widget.answered == 1
        widget.wanted = {"ids": ["2"], "nonce": 2}
        assert widget.error == "" and list(widget.pictures) == ["2"]

    def test_a_page_for_reports_has_the_worst_pairs(self, tuning, project):
        page = mistakes_page(tuning, tuning.at(threshold=1.5), project, most=5).html
        assert "strangers given a name (19, the worst 5)" in page
        assert page.count("<figure") == 2 * (5 + tuning.at(threshold=1.5).counts.wrong)
        assert "P00 &lt;b&gt;" in page and "P00 <b>" not in page
        assert "file gone" in mistakes_page(tuning, tuning.at(threshold=1.5), project, most=50).html

    def test_a_page_without_mistakes_says_so(self, tuning, project):
        setting = tuning.at(threshold=0.0)
        page = mistakes_page(tuning, setting, project).html
        assert page.count("None at this setting.") == 2  # all are rejected
