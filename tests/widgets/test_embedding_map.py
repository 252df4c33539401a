from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from facelib.gallery import accepted
from facelib.project import Project
from facelib.widgets import EmbeddingMap

from .boards import ask

COLOURS = {"Ada": (255, 0, 0), "Grace": (0, 0, 255)}


@pytest.fixture
def points(tmp_path):
    """Four points of two people; every picture has its person's colour in the box and is white around it."""
    rows = []
    for i, person in enumerate(["Ada", "Grace", "Ada", "Grace"]):
        image = np.full((60, 60, 3), 255, np.uint8)
        image[10:50, 10:50] = COLOURS[person]
        Image.fromarray(image).save(tmp_path / f"{i} <b>.png")
        rows.append({"picture": f"{i} <b>.png", "face": 0, "person": person, "x": float(i), "y": 1.0 - i})
    return pd.DataFrame(rows).assign(left=20.0, top=20.0, right=40.0, bottom=40.0)


def shown_colour(widget: EmbeddingMap) -> tuple[int, ...]:
    pixels = np.asarray(Image.open(io.BytesIO(widget.image.value)), int)
    return tuple(int(value) for value in np.median(pixels.reshape(-1, 3), axis=0).round(-1))


def tell(widget: EmbeddingMap, what: str, rows: list[int]) -> None:
    """Do what the page does when the pointer is over points, clicks them, or has drawn a loop around them."""
    before = getattr(widget.figure, what).get("number", 0)
    setattr(widget.figure, what, {"number": before + 1, "rows": rows})


def test_the_face_under_the_pointer_is_shown_and_ringed(points, tmp_path):
    widget = EmbeddingMap(points, tmp_path)
    assert "Ada" in widget.caption.value
    tell(widget, "hovered", [3])
    assert widget.chooser.value == 3
    assert "Grace" in widget.caption.value and "3 &lt;b&gt;.png" in widget.caption.value
    assert shown_colour(widget)[2] > 240 > shown_colour(widget)[0]
    ring = widget.figure.data[-1]
    assert (ring["x"][0], ring["y"][0]) == (3.0, -2.0)


def test_the_chooser_does_the_same_by_keyboard(points, tmp_path):
    widget = EmbeddingMap(points, tmp_path)
    widget.chooser.value = 2
    assert "Ada" in widget.caption.value and shown_colour(widget)[0] > 240
    assert widget.figure.data[-1]["x"][0] == 2.0


def test_a_picture_is_read_once_and_only_when_shown(points, tmp_path):
    widget = EmbeddingMap(points, tmp_path)
    widget.chooser.value = 1
    for path in tmp_path.iterdir():
        path.unlink()
    widget.chooser.value = 0
    assert shown_colour(widget)[0] > 240 and widget.errors.value == ""
    widget.chooser.value = 3
    assert "FileNotFoundError" in widget.errors.value and widget.image.value == b""
    widget.chooser.value = 1
    assert widget.errors.value == "" and widget.image.value


def test_without_boxes_the_whole_picture_is_shown(points, tmp_path):
    widget = EmbeddingMap(points[["picture", "face", "person", "x", "y"]], tmp_path)
    assert np.asarray(Image.open(io.BytesIO(widget.image.value)))[2, 2].min() > 200


def test_one_face_is_a_map_too_and_none_is_refused(points, tmp_path):
    assert EmbeddingMap(points.head(1), tmp_path).chooser.max == 0
    with pytest.raises(ValueError, match="at least one face, got none"):
        EmbeddingMap(points.head(0), tmp_path)


@pytest.fixture
def project(tmp_path):
    """Three pictures each of two people, in a project; a picture has its person's colour."""
    project = Project("cast", tmp_path / "data", tmp_path / "output")
    for person, colour in COLOURS.items():
        (project.people / person).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (60, 60), colour).save(project.people / person / f"{person}{number}.png")
    return project


@pytest.fixture
def whole(project):
    """The map of all of them: Ada's are rows 0, 2, 4."""
    rows = [
        {"picture": f"people/{person}/{person}{number}.png", "person": person, "x": float(number), "y": -float(place)}
        for number in range(3)
        for place, person in enumerate(COLOURS)
    ]
    return EmbeddingMap(pd.DataFrame(rows).assign(face=0), project.data, project=project)


def xs(widget: EmbeddingMap, name: str) -> list[float]:
    return [float(x) for x in next(trace for trace in widget.figure.data if trace["name"] == name)["x"]]


def test_a_click_pins_a_face_that_stays_while_others_are_shown(points, tmp_path):
    widget = EmbeddingMap(points, tmp_path)
    tell(widget, "clicked", [1])
    assert widget.pinned == widget.chooser.value == 1 and "Grace" in widget.pinned_caption.value
    tell(widget, "hovered", [2])
    assert widget.chooser.value == 2 and "Ada" in widget.caption.value
    assert "Grace" in widget.pinned_caption.value and xs(widget, "pinned") == [1.0] and xs(widget, "shown") == [2.0]
    assert widget.pinned_image.value and widget.pinned_image.layout.display != "none"
    widget.chooser.value = 1
    widget.pin.click()  # again: let go
    assert widget.pinned is None and widget.pinned_caption.value == "" and xs(widget, "pinned") == []
    assert widget.pinned_image.layout.display == "none" and widget.board is None


def test_a_lasso_over_two_people_chooses_both_and_the_next_one_forgets_them(whole):
    tell(whole, "caught", [4, 0, 3])
    assert whole.board.chosen == [0, 3, 4] and whole.board.total == 3 and xs(whole, "chosen") == [0.0, 1.0, 2.0]
    tell(whole, "caught", [1])
    assert whole.board.chosen == [1]
    tell(whole, "caught", [])
    assert whole.board.chosen == [] and whole.errors.value == ""


def test_faces_are_chosen_by_keyboard_too(whole):
    for row in (3, 5):
        whole.chooser.value = row
        whole.add.click()
    assert whole.board.chosen == [3, 5]
    whole.add.click()
    assert whole.board.chosen == [3]
    ask(whole.board, "drop", [3])
    assert whole.board.chosen == [] and whole.board.total == 0


def test_chosen_faces_are_left_out_and_taken_back(whole, project):
    tell(whole, "caught", [0, 4])
    ask(whole.board, "disable", whole.board.everything)
    assert accepted(project) == {"people/Ada/Ada0.png", "people/Ada/Ada2.png"}
    assert [item["badge"] for item in whole.board.items] == ["left out"] * 2 and xs(whole, "left out") == [0.0, 2.0]
    ask(whole.board, "undo", [])
    assert accepted(project) == set() and xs(whole, "left out") == []
    assert [item["badge"] for item in whole.board.items] == [""] * 2
    ask(whole.board, "disable", [4])
    ask(whole.board, "reopen", [4])
    assert accepted(project) == set() and whole.board.error == ""


def test_chosen_faces_are_moved_to_another_person_and_back(whole, project):
    tell(whole, "caught", [1, 2])
    ask(whole.board, "move", [1, 2], person="Grace")
    assert [path.name for path in project.find_pictures("Ada")] == ["Ada0.png", "Ada2.png"]
    assert (project.people / "Grace" / "Ada1.png").is_file() and len(project.find_pictures("Grace")) == 4
    assert [item["badge"] for item in whole.board.items] == ["", "moved to Grace"] and "1 picture" in whole.board.status
    ask(whole.board, "undo", [])
    assert len(project.find_pictures("Ada")) == 3 and xs(whole, "left out") == []


def test_faces_that_were_moved_together_are_taken_back_together(whole, project):
    tell(whole, "caught", [0, 2, 4])
    ask(whole.board, "move", [0, 2, 4], person="Grace")
    assert project.find_pictures("Ada") == []
    ask(whole.board, "undo", [])
    assert len(project.find_pictures("Ada")) == 3 and "3 pictures" in whole.board.status
    assert whole.board.detail["place"] == "people/Ada/Ada0.png"
    ask(whole.board, "undo", [])
    assert "none left" in whole.board.error


def test_a_face_among_another_persons_is_proposed_to_be_that_persons(project):
    names, places = ["Ada", "Ada", "Ada", "Grace", "Grace", "Grace"], [0.0, 1.0, 8.2, 8.0, 8.1, 8.3]
    table = pd.DataFrame({"person": names, "x": places, "y": 0.0, "face": 0})
    widget = EmbeddingMap(table.assign(picture=[f"people/{n}/{n}{i % 3}.png" for i, n in enumerate(names)]),
                          project.data, project=project)  # fmt: skip
    widget.board.choose(range(6))
    assert [item["fits"] for item in widget.board.items] == ["", "", "Grace", "", "", ""]
    alone = EmbeddingMap(table.head(1).assign(picture="people/Ada/Ada0.png"), project.data, project=project)
    alone.board.choose([0])
    assert alone.board.items[0]["fits"] == "" and alone.board.error == ""


def test_what_goes_wrong_with_chosen_faces_is_shown(whole, project):
    tell(whole, "caught", [2])
    ask(whole.board, "move", [2], person="Nobody")
    assert "Nobody" in whole.board.asked["problem"] and (project.people / "Ada" / "Ada1.png").is_file()
    (project.people / "Ada" / "Ada1.png").unlink()
    ask(whole.board, "move", [2], person="Grace")
    assert "FileNotFoundError" in whole.board.error
    tell(whole, "caught", [99])
    assert "99" in whole.board.error
    tell(whole, "hovered", ["x"])
    assert "&#x27;x&#x27;" in whole.errors.value


def test_five_thousand_faces_are_a_map_and_a_lasso(project):
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(5000, 2)), columns=["x", "y"])
    table = table.assign(picture=[f"people/Ada/{i}.png" for i in range(5000)], face=0)
    table["person"] = [f"Person {i % 60:02}" for i in range(5000)]
    widget = EmbeddingMap(table, project.data, project=project)
    assert "FileNotFoundError" in widget.errors.value  # the one shown; the others are not looked at yet
    tell(widget, "caught", list(range(4800)))
    assert widget.board.total == 4800 and len(widget.board.items) == 24 and widget.board.error == ""
