"""The doctor's proposals as the page speaks to them: by traits."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelib.gallery import PROPOSAL_KINDS, Examination, accepted
from facelib.project import Project
from facelib.widgets import GalleryProposals, proposals_page
from facelib.widgets.picture_decisions import read_kept

from .boards import ask

ADA, GRACE = "Ada Ünï", "Grace <b>"
PROPOSALS = [  # picture, person, kind, fits, used
    (f"people/{ADA}/1.png", ADA, "duplicate", ADA, False),
    (f"people/{ADA}/2.png", ADA, "wrong person", GRACE, True),
    (f"people/{ADA}/3.png", ADA, "wrong person", "", True),
    (f"people/{ADA}/2.png", ADA, "blurred", GRACE, True),
]


@pytest.fixture
def project(tmp_path) -> Project:
    project = Project("cast", tmp_path / "data", tmp_path / "output")
    for number, person in enumerate([ADA, GRACE]):
        (project.people / person).mkdir(parents=True)
        for picture in range(5):
            colour = (200 * number, 40 * picture, 90)
            Image.new("RGB", (60, 60), colour).save(project.people / person / f"{picture}.png")
    return project


@pytest.fixture
def faces(project) -> pd.DataFrame:
    rows = []
    for place, person in enumerate([ADA, GRACE]):
        for number, path in enumerate(project.find_pictures(person)):
            picture = path.relative_to(project.data).as_posix()
            vector = np.array([place, 0.1 * number], np.float32)
            rows.append({"picture": picture, "face": 0, "person": person, "embedding": vector})
    table = pd.DataFrame(rows).assign(left=10.0, top=10.0, right=50.0, bottom=50.0, used=True, reason="")
    return table


def examination(rows: list[tuple[str, str, str, str, bool]]) -> Examination:
    columns = ["picture", "person", "kind", "fits", "used"]
    table = pd.DataFrame(rows, columns=columns).assign(face=0, detail="a sentence", score=0.5)
    empty = pd.DataFrame()
    return Examination(table.astype({"used": bool}), empty, empty, empty, [])


@pytest.fixture
def widget(project, faces) -> GalleryProposals:
    return GalleryProposals(examination(PROPOSALS), project, faces=faces)


def badges(widget):
    return {item["id"]: item["badge"] for item in widget.items}


def test_what_is_shown_by_reason(widget):
    places = {item["id"]: PROPOSAL_KINDS.index(item["section"]) for item in widget.items}
    assert sorted(places) == [0, 1, 2, 3] and list(places.values()) == sorted(places.values())
    item = next(item for item in widget.items if item["id"] == 1)
    assert item["title"] == ADA and item["lines"] == [f"looks like {GRACE}", "2.png"] and item["fits"] == GRACE
    assert next(item for item in widget.items if item["id"] == 0)["lines"] == ["1.png", "not in use"]
    assert Image.open(io.BytesIO(widget.pictures["1"])).size[0] > 20
    assert (widget.left, widget.total, widget.error) == ("4 to decide", 4, "")
    assert ["kind:blurred", "blurred (1)"] in widget.filters


def test_the_face_in_focus_is_compared_with_both_people(widget):
    widget.focused = 1
    captions = [row["caption"] for row in widget.detail["rows"]]
    assert captions == [f"most similar of {ADA}", f"most similar of {GRACE}"]
    assert [len(row["pictures"]) for row in widget.detail["rows"]] == [4, 4]
    first = np.asarray(Image.open(io.BytesIO(widget.detail["rows"][1]["pictures"][0])), int)
    assert first[..., 0].min() > 150  # one of Grace's, which are red
    assert widget.detail["place"] == f"people/{ADA}/2.png" and "a sentence" in widget.detail["lines"]


def test_accept_writes_the_list_and_undo_takes_exactly_that_back(widget, project):
    project.disabled.write_text(f"# mine\npeople/{GRACE}/0.png\n", encoding="utf-8")
    before = project.disabled.read_bytes()
    ask(widget, "accept", [1])
    assert accepted(project) == {f"people/{GRACE}/0.png", f"people/{ADA}/2.png"}
    assert badges(widget) == {0: "", 1: "left out", 2: "", 3: "left out"}  # one picture, two proposals
    assert widget.status == "Left out 1 picture." and widget.left == "2 to decide"
    ask(widget, "undo")
    assert project.disabled.read_bytes() == before
    assert set(badges(widget).values()) == {""} and widget.jump[1] in (1, 3)
    ask(widget, "undo")
    assert "none left to take back" in widget.error and project.disabled.read_bytes() == before


def test_several_at_once_and_requests_that_come_together(widget, project):
    first = {"number": 1, "action": "accept", "faces": [0, 2]}
    widget.requests = [first]
    widget.requests = [first, {"number": 2, "action": "reject", "faces": [1]}]
    assert badges(widget) == {0: "left out", 1: "kept", 2: "left out", 3: ""}
    assert accepted(project) == {f"people/{ADA}/1.png", f"people/{ADA}/3.png"}
    ask(widget, "undo")
    ask(widget, "undo")
    assert set(badges(widget).values()) == {""} and accepted(project) == set() and read_kept(project) == set()


def test_what_is_rejected_is_not_asked_again(widget, project, faces):
    ask(widget, "reject", [1, 2])
    again = GalleryProposals(examination(PROPOSALS), project, faces=faces)
    assert sorted(item["id"] for item in again.items) == [0, 3]
    again.shown = "decided"
    assert badges(again) == {1: "kept", 2: "kept"}
    ask(again, "reopen", [1])
    assert badges(again) == {1: "", 2: "kept"} and read_kept(project) == {(f"people/{ADA}/3.png", "wrong person")}
    ask(again, "accept", [2])
    assert badges(again)[2] == "left out" and read_kept(project) == set()
    ask(again, "reject", [2])
    assert badges(again)[2] == "kept" and accepted(project) == set()
    ask(again, "undo")
    assert badges(again)[2] == "left out" and accepted(project) == {f"people/{ADA}/3.png"}


def test_what_was_left_out_before_can_be_taken_back(project, faces):
    picture = f"people/{GRACE}/4.png"
    project.disabled.write_text(picture, encoding="utf-8")
    rows = faces["picture"] == picture
    table = faces.assign(used=faces["used"] & ~rows, reason=faces["reason"].mask(rows, "disabled"))
    widget = GalleryProposals(examination(PROPOSALS), project, faces=table, shown="decided")
    assert badges(widget) == {4: "left out"} and widget.items[0]["section"] == "left out by you"
    ask(widget, "reopen", [4])
    assert accepted(project) == set() and badges(widget) == {4: ""}


def test_move_and_back(widget, project):
    ask(widget, "move", [1], person=GRACE)
    assert badges(widget)[1] == f"moved to {GRACE}" and widget.status == f"Moved 1 picture to {GRACE}."
    assert not (project.people / ADA / "2.png").exists()
    assert len(project.find_pictures(GRACE)) == 6  # the name was taken, and nothing is overwritten
    widget.focused = 1
    assert widget.detail["picture"] and widget.detail["place"].startswith(f"people/{GRACE}/2")
    ask(widget, "reject", [1])
    assert "undo that first" in widget.error
    ask(widget, "undo")
    assert (project.people / ADA / "2.png").exists() and badges(widget)[1] == ""
    ask(widget, "move", [1, 2], person=ADA)
    assert "there already" in widget.status


def test_filters(widget):
    widget.shown = "kind:wrong person"
    assert [item["id"] for item in widget.items] == [1, 2]
    widget.shown = "used"
    assert sorted(item["id"] for item in widget.items) == [1, 2, 3]
    widget.shown = "decided"
    assert widget.items == [] and widget.detail == {} and widget.error == ""
    widget.shown = "nonsense"
    assert "'nonsense'" in widget.error
    widget.shown = "all"
    assert widget.error == "" and len(widget.items) == 4
    ask(widget, "mark section", section="wrong person")
    assert sorted(widget.marked) == [1, 2]
    ask(widget, "accept", widget.marked)
    assert widget.marked == []
    ask(widget, "sort")
    assert len(widget.items) == 4
    widget.shown = "open"
    assert [item["id"] for item in widget.items] == [0]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"action": "dance", "faces": [1]}, "'dance'"),
        ({"action": "accept", "faces": []}, "at least one face"),
        ({"action": "reject", "faces": []}, "at least one face"),
        ({"action": "move", "faces": [], "person": GRACE}, "at least one face"),
        ({"action": "move", "faces": [1], "person": "../x"}, "expected one of the people"),
        ({"action": "reopen", "faces": [1]}, "with a decision"),
        ({"action": "accept", "faces": [99]}, "99"),
    ],
)
def test_errors_are_shown_and_the_next_request_goes_on(widget, project, request_, message):
    ask(widget, **request_)
    assert message in (widget.asked.get("problem") or widget.error) and widget.handled == 1
    assert accepted(project) == set()
    ask(widget, "accept", [0])
    assert widget.error == "" and accepted(project) == {f"people/{ADA}/1.png"}


def test_a_list_that_cannot_be_written_is_told_and_nothing_is_pretended(widget, project):
    project.disabled.mkdir()
    ask(widget, "accept", [1])
    assert "Error" in widget.error and badges(widget)[1] == ""
    project.disabled.rmdir()
    ask(widget, "accept", [1])
    assert widget.error == "" and badges(widget)[1] == "left out"


def test_a_broken_list_of_kept_ones_is_told_with_the_remedy(widget, project):
    (project.data / "kept.csv").write_text("one,two\n1,2\n")
    ask(widget, "reject", [1])
    assert "kept.csv" in widget.error and "remove it" in widget.error


def test_a_picture_that_is_gone_leaves_a_tile_without_one(project, faces):
    (project.people / ADA / "3.png").unlink()
    (project.people / ADA / "2.png").write_bytes(b"no picture")
    widget = GalleryProposals(examination(PROPOSALS), project, faces=faces)
    assert widget.pictures["2"] == b"" and widget.pictures["1"] == b"" and widget.pictures["0"]


def test_nothing_proposed_and_many_pages(project, faces):
    widget = GalleryProposals(examination([]), project, faces=faces)
    assert (widget.total, widget.pages, widget.items, widget.error) == (0, 1, [], "")
    ask(widget, "undo")
    assert "none left" in widget.error
    many = GalleryProposals(examination(PROPOSALS[:1] * 95), project, faces=faces, page_size=40)
    assert (many.pages, len(many.items), len(many.pictures)) == (3, 40, 40)
    many.page = 2
    assert len(many.items) == 15
    many.page = 3
    assert many.page == 2
    with pytest.raises(ValueError, match="at least one face per page"):
        GalleryProposals(examination([]), project, faces=faces, page_size=0)


def test_the_page_without_a_widget(project, faces):
    page = proposals_page(examination(PROPOSALS), faces, project.data, most=1).html
    assert "wrong person (2, the first 1)" in page and "blurred (1)" in page and "duplicate (1)" in page
    assert page.count("data:image/jpeg;base64,") == 3
    assert "looks like Grace &lt;b&gt;" in page and "not in use" in page and "Grace <b>" not in page
    assert "Nothing is proposed" in proposals_page(examination([]), faces, project.data).html
