"""The review widget as the page speaks to it: by its traits."""

from __future__ import annotations

import io
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelib.project.decisions import read_corrections
from facelib.project.names import UNKNOWN
from facelib.review import Review
from facelib.widgets import TrackReview, review_page

from .boards import ask

TRACKS = [
    ("Ada", "", 0.99),
    (UNKNOWN, "Unknown 1", 0.9),
    (UNKNOWN, "Unknown 1", 0.8),
    (UNKNOWN, "Unknown 2", 0.7),
    ("Ada", "", 0.6),
]


@pytest.fixture
def project(make_reviewed):
    return make_reviewed({"a.mp4": TRACKS})


@pytest.fixture
def widget(project):
    return TrackReview(Review(project, project.find_videos(), by="Ann"))


def called(widget):
    return {item["id"]: item["title"] for item in widget.items}


def test_what_is_shown(widget):
    assert [item["id"] for item in widget.items] == [4, 3, 1, 2, 0]
    item = next(item for item in widget.items if item["id"] == 2)
    assert item == {"id": 2, "title": "Unknown 1", "size": 2, "other": True, "section": "", "badge": "", "sure": 0.8,
                    "lines": ["00:02.0 · 1.0 s", "confidence 0.80"], "tip": "a.mp4"}  # fmt: skip
    assert set(widget.pictures) == {"0", "1", "2", "3", "4"}
    assert Image.open(io.BytesIO(widget.pictures["3"])).size == (120, 160)
    assert (widget.total, widget.pages, widget.left, widget.error) == (5, 1, "5 to decide", "")
    assert [text for _, text, *under in widget.filters if under == ["called"]] == [
        "Ada (2)", "Unknown 1 (2)", "Unknown 2 (1)"]  # fmt: skip


def test_tracks_are_reviewed_without_pictures_where_their_table_is_damaged_within(project):
    review = Review(project, project.find_videos())
    looks = project.film("a.mp4").looks
    looks.write_bytes(b"PAR1" + bytes(looks.stat().st_size // 2) + looks.read_bytes()[4 + looks.stat().st_size // 2 :])
    assert [review.pictures(track) for track in review.tracks.index] == [[]] * 5


def test_a_name_that_is_nearly_a_known_one_is_asked_about(widget, project):
    ask(widget, "name", [2], person="Grace Hopper", whole_group=False)
    ask(widget, "name", [4], person="Graze Hopper", whole_group=False)
    assert widget.asked["near"] == ["Grace Hopper"] and not widget.asked["same"] and called(widget)[4] == "Ada"
    assert len(read_corrections(project.corrections)) == 1  # nothing is decided by asking
    ask(widget, "name", [4], person="Graze Hopper", whole_group=False, new=True)
    assert called(widget)[4] == "Graze Hopper" and widget.asked == {}
    ask(widget, "name", [3], person="grace  hopper", whole_group=False)
    assert widget.asked["same"]
    ask(widget, "name", [3], person="unknown 1", whole_group=False)
    assert "a reserved name" in widget.asked["problem"] and widget.asked["person"] == "unknown 1"
    assert widget.error == widget.status == ""  # it stands where the page asks again


def test_every_request_is_written_and_shown(widget, project):
    before = [item["id"] for item in widget.items]
    ask(widget, "confirm", [0])
    ask(widget, "name", [2], person="Grace", whole_group=True)
    ask(widget, "unknown", [4])
    ask(widget, "not a face", [3])
    assert called(widget) == {0: "Ada", 1: "Grace", 2: "Grace", 3: "not a face", 4: "unknown"}
    assert [item["id"] for item in widget.items] == before  # nothing moves under the user's hands
    assert widget.left == "0 to decide" and widget.people == ["Ada", "Grace"]
    assert read_corrections(project.corrections)["is"].tolist() == ["Ada", "Grace", "Grace", "unknown", "not a face"]
    ask(widget, "undo")
    assert called(widget)[3] == "Unknown 2" and widget.jump[1] == 3
    assert widget.status == "Took the last decision back, about 1 track."
    ask(widget, "sort")
    assert [item["id"] for item in widget.items] == [3]


def test_requests_that_come_together_are_all_done_once(widget, project):
    requests = [{"number": n, "action": "confirm", "faces": [n]} for n in (1, 2, 3)]
    widget.requests = requests
    widget.requests = [*requests[1:], {"number": 4, "action": "confirm", "faces": [4]}]
    assert read_corrections(project.corrections)["track"].tolist() == [1, 2, 3, 4]
    assert widget.handled == 4


def test_marks_made_while_a_decision_was_on_its_way_stay(widget):
    widget.set_state({"marked": [1, 3], "requests": [{"number": 1, "action": "confirm", "faces": [0]}]})
    assert widget.marked == [1, 3] and widget.handled == 1
    ask(widget, "split", [0])  # refused: the marks are still there to try something else
    assert widget.marked == [1, 3] and "one group" in widget.error


def test_merge_and_split_take_the_marks(widget):
    widget.view = "groups"
    ask(widget, "mark section", section="Unknown 1")
    assert sorted(widget.marked) == [1, 2]
    ask(widget, "merge", [*widget.marked, 3])
    assert called(widget)[3] == "Unknown 1" and widget.marked == []
    ask(widget, "split", [1])
    assert called(widget) == {0: "Ada", 1: "Unknown 3", 2: "Unknown 1", 3: "Unknown 1", 4: "Ada"}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"action": "name", "faces": [0], "person": "a/b", "whole_group": False}, "expected a name that a folder"),
        ({"action": "name", "faces": [0], "person": " ", "whole_group": False}, "expected a name that a folder"),
        ({"action": "merge", "faces": [1, 2]}, "two groups"),
        ({"action": "split", "faces": [0]}, "one group"),
        ({"action": "undo"}, "none left"),
        ({"action": "dance", "faces": [1]}, "'dance'"),
        ({"action": "confirm", "faces": [99]}, "99"),
        ({"action": "confirm", "faces": []}, "at least one"),
    ],
)
def test_errors_are_shown_and_the_next_request_goes_on(widget, project, request_, message):
    ask(widget, **request_)
    assert message in (widget.asked.get("problem") or widget.error) and not project.corrections.exists()
    assert widget.handled == 1
    ask(widget, "confirm", [0])
    assert widget.error == "" and widget.status.startswith("Confirmed Ada")


def test_a_place_that_cannot_be_written_is_told_and_nothing_is_pretended(widget, project):
    project.corrections.mkdir()
    ask(widget, "name", [1], person="Grace", whole_group=False)
    assert "Error" in widget.error and called(widget)[1] == "Unknown 1"
    project.corrections.rmdir()
    ask(widget, "name", [1], person="Grace", whole_group=False)
    assert widget.error == "" and called(widget)[1] == "Grace"


def test_filters_and_groups(widget):
    widget.shown = "unsure"
    assert {item["id"] for item in widget.items} == {2, 3, 4}
    widget.shown = "label:Ada"
    assert {item["id"] for item in widget.items} == {0, 4}
    widget.shown = "all"
    widget.view = "groups"
    assert [item["section"] for item in widget.items] == ["Ada", "Ada", "Unknown 2", "Unknown 1", "Unknown 1"]
    ask(widget, "view")
    assert widget.view == "tracks" and {item["section"] for item in widget.items} == {""}
    widget.shown = "nonsense"
    assert "nonsense" in widget.error
    widget.shown = "all"
    widget.view = "heaps"
    assert "heaps" in widget.error


def test_the_track_in_focus_is_shown_beside(widget, project):
    evidence = project.people / "Ada" / "1.jpg"
    evidence.parent.mkdir()
    Image.fromarray(np.full((600, 400, 3), 90, np.uint8)).save(evidence)
    widget.focused = 0
    widget.focused = 4
    detail = widget.detail
    assert detail["lines"] == ["face: 0.40 from people/Ada/1.jpg"] and len(detail["more"]) == 3 and detail["picture"]
    (row,) = detail["rows"]
    assert row["caption"] == "most like Ada/1.jpg" and Image.open(io.BytesIO(row["pictures"][0])).size == (149, 224)
    assert detail["place"] == "a.mp4, 00:00:04.000 to 00:00:04.960, shot 4, track 4"
    ask(widget, "unknown", [4])
    assert widget.detail["title"] == "unknown"
    assert widget.detail["rows"][0] == {"caption": "without the decision: Ada", "pictures": []}
    evidence.write_bytes(b"no picture")
    widget.focused = 0
    assert "could not read" in widget.error
    again = TrackReview(Review(project, project.find_videos()), shown="all")
    assert len(again.items) == 5 and "could not read" in again.error


def test_two_in_one_moment_are_warned_of(make_reviewed):
    project = make_reviewed({"a.mp4": TRACKS})
    path = project.film("a.mp4").tracks
    pd.read_parquet(path).assign(start_frame=0, end_frame=24).to_parquet(path, index=False)
    widget = TrackReview(Review(project, project.find_videos()))
    assert widget.warnings == []
    ask(widget, "name", [1], person="Ada", whole_group=False)
    assert any("Ada is on screen twice" in line for line in widget.warnings)


def test_two_thousand_tracks_are_sent_a_page_at_a_time(make_reviewed):
    random = np.random.default_rng(0)
    many = [(UNKNOWN, f"Unknown {1 + n % 300}", float(random.random())) for n in range(2000)]
    project = make_reviewed({"a.mp4": many})
    widget = TrackReview(Review(project, project.find_videos()), page_size=40)
    assert (widget.pages, len(widget.items), len(widget.pictures)) == (50, 40, 40)
    widget.page = 49
    assert len(widget.items) == 40 and widget.error == ""
    widget.page = 50
    assert widget.page == 49
    started = time.monotonic()
    for item in list(widget.items)[:10]:
        ask(widget, "confirm", [item["id"]])
    assert widget.error == ""
    assert time.monotonic() - started < 20  # a decision is far below the time of a key press and a look


@pytest.mark.parametrize("tracks", [[], TRACKS[:1]])
def test_few_tracks(make_reviewed, tracks):
    project = make_reviewed({"a.mp4": tracks})
    review = Review(project, project.find_videos())
    widget = TrackReview(review)
    assert widget.total == len(tracks) and widget.pages == 1
    ask(widget, "sort")
    assert widget.error == ""
    with pytest.raises(ValueError, match="at least one track per page"):
        TrackReview(review, page_size=0)


def test_the_page_without_a_widget(project):
    review = Review(project, project.find_videos())
    page = review_page(review, review.queue("all"), most=3).html
    assert page.count("<figure") == page.count("data:image/jpeg;base64,") == 3
    assert "and 2 more" in page and "Unknown 1" in page and "confidence 0.60" in page and "shot 4 of a.mp4" in page
    assert "No tracks" in review_page(review, []).html
    review.name([0], "Tom & <b>Jerry<i>".replace("<", "(").replace(">", ")"))
    assert "Tom &amp; (b)Jerry(i)" in review_page(review, [0]).html
    project.film("a.mp4").looks.unlink()
    assert "no picture" in review_page(Review(project, project.find_videos()), [0]).html
