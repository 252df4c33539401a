"""What the live widget is made of: the pace of its pictures, the faces it lists, and what it keeps of changes."""

from __future__ import annotations

import base64
import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from facelib.films.appearances import APPEARANCE_COLUMNS
from facelib.live import Change, LiveFace, LiveFrame, LiveView
from facelib.plots.tables import Table
from facelib.project.names import UNKNOWN
from facelib.widgets import listed_changes, live_appearances, read_changes
from facelib.widgets.live_view_faces import SeenFaces
from facelib.widgets.live_view_log import ChangeFile, Inbox, event_of
from facelib.widgets.live_view_page import Pace
from facelib.widgets.live_view_report import CHANGE_COLUMNS, faces_page, picture_page

COLOURS = {"Ada": "#0072B2", "Nina": "#E69F00", UNKNOWN: "#6A6A6A"}
WHEN = "2026-01-01T00:00:00.000+00:00"


def view(number, faces, *, size=(200, 100)):
    """A view at `number` seconds; faces are (track, person, left, side)."""
    shown = tuple(
        LiveFace(track, np.array([left, 20, left + side, 20 + side], np.float32), person, 0.9)
        for track, person, left, side in faces
    )
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[:, : size[0] // 2] = 255
    return LiveView(LiveFrame.of(image, number=number, time_=float(number)), shown, colours=COLOURS)


class TestPace:
    @pytest.fixture
    def pace(self):
        return Pace(0.1, 30.0)

    def test_the_next_picture_waits_for_the_answer_and_for_its_turn(self, pace):
        assert pace.may_send(0.0)
        pace.sent(1, 0.0, arrived=-0.2)
        assert not pace.may_send(0.05) and not pace.may_send(0.5)  # too early; not answered
        pace.answered(1, 0.03)
        assert not pace.may_send(0.05) and pace.may_send(0.1)
        assert pace.delay == pytest.approx(0.23)

    def test_a_page_that_never_answers_gets_a_picture_a_second(self, pace):
        pace.sent(1, 0.0, arrived=0.0)
        assert not pace.may_send(0.99) and pace.may_send(1.0)

    def test_an_answer_to_an_older_picture_is_none(self, pace):
        pace.sent(1, 0.0, arrived=0.0)
        pace.sent(2, 1.0, arrived=1.0)
        pace.answered(1, 1.1)
        assert math.isnan(pace.delay) and not pace.may_send(1.2)

    def test_without_any_page_nobody_is_missed(self, pace):
        pace.sent(1, 0.0, arrived=0.0)
        assert not pace.is_alone(1e6)

    def test_a_page_that_falls_silent_is_missed_after_its_patience(self, pace):
        pace.sent(1, 0.0, arrived=0.0)
        pace.answered(1, 0.1)
        assert not pace.is_alone(1e6)  # nothing is owed
        for second in range(1, 32):
            pace.sent(second + 1, float(second), arrived=0.0)
        assert not pace.is_alone(30.9) and pace.is_alone(31.1)
        pace.answered(32, 31.2)
        assert not pace.is_alone(1e6)

    def test_a_page_that_lets_go_is_given_seconds(self, pace):
        pace.answered(-1, 10.0)
        assert not pace.is_alone(13.9) and pace.is_alone(14.1)
        pace.sent(1, 13.0, arrived=13.0)
        pace.answered(1, 13.5)  # another page shows it still
        assert not pace.is_alone(14.1)

    def test_silence_that_could_not_be_broken_does_not_count(self, pace):
        pace.excuse(5.0)
        assert not pace.is_alone(1e6)  # nothing was owed, and nothing is
        pace.answered(0, 5.0)
        pace.sent(1, 6.0, arrived=6.0)
        pace.excuse(100.0)
        assert not pace.is_alone(129.9) and pace.is_alone(130.1)

    def test_a_quiet_page_is_asked_again(self, pace):
        assert pace.is_quiet(0.0)
        pace.sent(1, 0.0, arrived=math.nan)
        assert not pace.is_quiet(4.9) and pace.is_quiet(5.0)
        pace.answered(1, 5.1)
        assert math.isnan(pace.delay)  # nothing new was shown


class TestSeenFaces:
    def test_nobody_yet(self):
        seen = SeenFaces()
        seen.follow(view(0, []))
        assert seen.items() == [] and seen.thumbnails() == {} and seen.boxes(view(0, [])) == []

    def test_who_is_there_and_who_has_left(self):
        seen = SeenFaces()
        seen.follow(view(65, [(4, "Ada", 10, 40), (5, UNKNOWN, 120, 40)]))
        seen.follow(view(66, [(4, "Ada", 10, 40)]))
        names = ["track", "digit", "label", "known", "now", "last"]
        assert [[face[name] for name in names] for face in seen.items()] == [
            [4, 1, "Ada", True, True, ""],
            [5, 2, UNKNOWN, False, False, "1:05"],
        ]
        assert [face["colour"] for face in seen.items()] == ["#0072B2", "#6A6A6A"]

    def test_the_picture_is_the_largest_face(self):
        seen = SeenFaces()
        seen.follow(view(0, [(1, UNKNOWN, 110, 20)]))
        small = seen.thumbnails()["1"]
        seen.follow(view(1, [(1, UNKNOWN, 110, 22)]))
        assert seen.thumbnails()["1"] == small
        seen.follow(view(2, [(1, UNKNOWN, 120, 60)]))
        assert Image.open(io.BytesIO(seen.thumbnails()["1"])).size == (90, 90)  # a quarter around it
        seen.follow(view(3, [(1, UNKNOWN, -20, 75)]))  # larger, but half out of the picture
        assert Image.open(io.BytesIO(seen.thumbnails()["1"])).size == (90, 90)

    def test_of_a_person_only_the_newest_track_is_kept_and_of_strangers_each(self):
        seen = SeenFaces()
        for number in range(4):
            seen.follow(view(number, [(2 * number, "Ada", 10, 40), (2 * number + 1, UNKNOWN, 120, 40)]))
        assert [face["track"] for face in seen.items() if face["known"]] == [6]
        assert sorted(face["track"] for face in seen.items() if not face["known"]) == [1, 3, 5, 7]

    def test_two_of_one_name_at_one_time_are_both_shown(self):
        seen = SeenFaces()
        seen.follow(view(0, [(1, "Ada", 10, 40), (2, "Ada", 120, 40)]))
        assert [face["track"] for face in seen.items()] == [1, 2]

    def test_keys_stay_and_the_tenth_takes_the_one_of_who_left_first(self):
        seen = SeenFaces()
        for number in range(9):
            seen.follow(view(number, [(number, UNKNOWN, 10, 40)]))
        seen.follow(view(9, [(3, "Ada", 10, 40), (20, UNKNOWN, 120, 40)]))
        keys = {face["track"]: face["digit"] for face in seen.items()}
        assert keys[3] == 4 and keys[20] == 1 and 0 not in keys and len(keys) == 9
        crowd = [(30 + n, UNKNOWN, n, 10) for n in range(12)]
        seen.follow(view(10, crowd))
        assert len(seen.items()) == 9
        boxes = seen.boxes(view(10, crowd))
        assert len(boxes) == 12 and sorted(box["digit"] for box in boxes)[:3] == [0, 0, 0]

    def test_boxes_are_shares_of_the_picture_and_cut_at_its_border(self):
        seen = SeenFaces()
        shown = view(0, [(1, "Ada", 50, 40), (2, UNKNOWN, 180, 60)])
        seen.follow(shown)
        ada, stranger = seen.boxes(shown)
        assert ada["place"] == [0.25, 0.2, 0.2, 0.4] and stranger["place"] == pytest.approx([0.9, 0.2, 0.1, 0.6])
        assert ada["label"] == "Ada 90 %" and stranger["label"] == UNKNOWN
        assert (ada["colour"], ada["dark"]) == ("#0072B2", True)  # white on blue

    def test_who_is_enrolled_is_called_so_at_once_also_after_leaving(self):
        seen = SeenFaces()
        seen.follow(view(0, [(1, UNKNOWN, 10, 40)]))
        seen.follow(view(1, []))
        seen.enrolled(1, "Nina")
        seen.enrolled(99, "Nobody")
        assert [face["label"] for face in seen.items()] == ["Nina"]
        assert seen.items()[0]["colour"] == "#E69F00"


class TestChanges:
    @pytest.fixture
    def log(self, tmp_path):
        return ChangeFile(tmp_path / "live" / "changes.jsonl")

    def test_every_change_is_in_the_file_at_once_and_the_file_only_grows(self, log):
        assert read_changes(log.path).empty and list(read_changes(log.path)) == CHANGE_COLUMNS
        for number in range(3):
            log.add(Change(WHEN, float(number), "appeared", number, "Zoë"))
            assert read_changes(log.path)["track"].tolist() == list(range(number + 1))
        ChangeFile(log.path).add(Change("2026-01-02T00:00:00.000+00:00", 3.0, "left", 0, "Zoë"))
        assert read_changes(log.path, since="2026-01-01T12")["kind"].tolist() == ["left"]
        assert json.loads(log.path.read_text(encoding="utf-8").splitlines()[0])["person"] == "Zoë"

    def test_half_a_line_and_foreign_lines_spoil_nothing(self, log):
        log.add(Change(WHEN, 0.0, "connected"))
        with log.path.open("a") as file:
            file.write('[1, 2]\n{"when": 1}\n{"when": "2026-')
        log.add(Change(WHEN, 1.0, "ended"))
        assert read_changes(log.path)["kind"].tolist() == ["connected", "ended"]

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            (Change(WHEN, 61.0, "connected"), "The source plays"),
            (Change(WHEN, 61.0, "lost", message="no route"), "The source was lost: no route"),
            (Change(WHEN, 61.0, "appeared", 1, UNKNOWN), ""),
            (Change(WHEN, 61.0, "named", 1, "Ada", 0.999), "Ada (99 %)"),
            (Change(WHEN, 61.0, "named", 1, UNKNOWN, 0.9), "Somebody unknown"),
            (Change(WHEN, 61.0, "enrolled", 1, "Nina", 1.0), "Nina, enrolled"),
            (Change(WHEN, 61.0, "left", 1, "Ada"), "Ada left"),
            (Change(WHEN, 61.0, "left", 1, UNKNOWN), ""),
            (Change(WHEN, 61.0, "unrecorded", message="disk full"), "The recording ended early: disk full"),
            (Change(WHEN, 61.0, "ended"), "The source has ended"),
        ],
    )
    def test_changes_in_words(self, change, text):
        event = event_of(change)
        assert event.get("text", "") == text
        assert not text or (event["time"], event["kind"]) == ("1:01", change.kind)

    def test_a_place_that_cannot_be_written_is_told_and_stops_nothing(self, tmp_path):
        (tmp_path / "live").write_text("in the way")
        inbox = Inbox(ChangeFile(tmp_path / "live" / "changes.jsonl"))
        inbox.take(Change(WHEN, 0.0, "named", 1, "Ada", 1.0))
        inbox.take(Change(WHEN, 1.0, "left", 1, "Ada"))
        assert inbox.news and "changes are not kept" in inbox.take_problem()
        assert [event["text"] for event in inbox.take_events()] == ["Ada left", "Ada (100 %)"]  # newest first
        assert not inbox.news and inbox.take_problem() == ""


class TestReport:
    def test_appearances_of_nothing(self, tmp_path):
        table = live_appearances(read_changes(tmp_path / "none.jsonl"))
        assert table.empty and list(table) == APPEARANCE_COLUMNS

    def test_tracks_become_stretches_by_their_last_name(self, tmp_path):
        log = ChangeFile(tmp_path / "changes.jsonl")
        for time, kind, track, person in [
            (0.0, "connected", -1, ""),
            (1.0, "appeared", 1, UNKNOWN),
            (1.5, "named", 1, "Ada"),
            (3.0, "left", 1, "Ada"),
            (3.5, "appeared", 2, "Ada"),
            (4.0, "appeared", 3, UNKNOWN),
            (5.0, "left", 2, "Ada"),
            (6.0, "appeared", 4, UNKNOWN),
            (6.5, "enrolled", 4, "Nina"),
            (9.0, "stopped", -1, ""),
        ]:
            log.add(Change(WHEN, time, kind, track, person, 0.9))
        table = live_appearances(read_changes(log.path))
        assert table[["person", "start", "end"]].to_numpy().tolist() == [
            ["Ada", 1.0, 5.0],  # the gap of half a second is closed
            [UNKNOWN, 4.0, 9.0],  # who never left was there to the end
            ["Nina", 6.0, 9.0],
        ]
        assert list(table) == APPEARANCE_COLUMNS

    def test_who_is_in_the_picture_stays_until_now(self, tmp_path):
        log = ChangeFile(tmp_path / "changes.jsonl")
        for time, kind in [(0.0, "connected"), (1.0, "appeared"), (1.5, "named")]:
            log.add(Change(WHEN, time, kind, -1 if kind == "connected" else 1, "" if kind == "connected" else "Ada"))
        changes = read_changes(log.path)
        assert live_appearances(changes, until=60.0)[["start", "end"]].to_numpy().tolist() == [[1.0, 60.0]]
        assert live_appearances(changes, until=1.2)["end"].tolist() == [1.5]

    def test_a_change_of_the_source_is_of_no_face(self, tmp_path):
        log = ChangeFile(tmp_path / "changes.jsonl")
        log.add(Change(WHEN, 0.0, "connected"))
        log.add(Change(WHEN, 1.0, "named", 12, "Ada", 0.9))
        shown = str(Table(listed_changes(read_changes(log.path)))).splitlines()
        assert shown[1].split() == [WHEN, "0.0", "connected"]
        assert shown[2].split() == [WHEN, "1.0", "named", "12", "Ada", "0.9"]
        assert listed_changes(read_changes(tmp_path / "none.jsonl")).empty

    def test_strangers_alone(self, tmp_path):
        log = ChangeFile(tmp_path / "changes.jsonl")
        log.add(Change(WHEN, 0.0, "appeared", 0, UNKNOWN))
        log.add(Change(WHEN, 2.0, "left", 0, UNKNOWN))
        assert live_appearances(read_changes(log.path))[["person", "end"]].to_numpy().tolist() == [[UNKNOWN, 2.0]]

    def test_a_picture_is_shown_within_its_page_or_said_to_be_missing(self, tmp_path):
        assert "No picture" in picture_page(None, width=640).html
        path = tmp_path / "<1>.jpg"
        path.write_bytes(b"picture")
        page = picture_page(path, width=640).html
        assert base64.b64encode(b"picture").decode() in page and "640px" in page and "&lt;1&gt;.jpg" in page

    def test_the_page_shows_faces_and_takes_no_name_for_markup(self):
        assert "No faces" in faces_page([]).html
        seen = SeenFaces()
        seen.follow(view(2, [(1, "<b>Ada</b>", 110, 40), (2, UNKNOWN, 10, 0)]))
        page = faces_page(seen.listed()).html
        assert page.count("<figure") == 2 and page.count("data:image/jpeg;base64") == 1
        assert "&lt;b&gt;Ada&lt;/b&gt;" in page and "confidence 0.90" in page and "no picture" in page
