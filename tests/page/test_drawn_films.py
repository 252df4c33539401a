"""Annotated films that show earlier names: the page says so, and a button draws them again as they were drawn."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.films import present
from facelib.films.drawn import drawn_options, films_behind
from facelib.films.media.decode import probe
from facelib.films.present import draw_films
from facelib.films.settle import Settled, settle_films
from facelib.page import write_page
from facelib.page.pack import script_value
from facelib.project import Project
from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections
from facelib.widgets import DrawnFilms
from tests.page.conftest import Square

SQUARE = Square("Ada", 0, 9)
COLOURS = {"Ada": "#0072B2", "Bo": "#E69F00", "unknown": "#6A6A6A"}


@pytest.fixture
def project(make_squares) -> Project:
    """Two films, drawn with the names that they had."""
    films = {f"{name}.mp4": [SQUARE] for name in "ab"}
    made = make_squares(films, frames=10, cast=["Ada", "Bo"])
    settled = settle_films(made)
    draw_films(settled, COLOURS, blur="everyone", sharp={"Bo"}, progress=False)
    write_page(made, progress=False)
    return made


def test_films_drawn_at_once_are_those_drawn_one_by_one(project, monkeypatch):
    films, settled = [project.film(name).annotated for name in ("a.mp4", "b.mp4")], settle_films(project)
    drawn = []
    for cores in (1, 2):
        monkeypatch.setattr(present, "allowed_cores", lambda cores=cores: cores)
        made = draw_films(settled, COLOURS, progress=False)
        assert [film.name for film in made] == ["a.mp4", "b.mp4"]
        drawn.append([path.read_bytes() for path in films])
    assert drawn[0] == drawn[1] and films_behind(project, settled.films) == []


def rename(project: Project, person: str) -> Settled:
    """Name the only track of the first film, as its user does in 06."""
    left, top, right, bottom = SQUARE.box(0)
    place = {"frame": 0, "left": left, "top": top, "right": right, "bottom": bottom}
    decision = dict.fromkeys(CORRECTION_COLUMNS, "") | {"video": "a.mp4", "track": 0, "was": "Ada", "is": person}
    append_corrections(project.corrections, pd.DataFrame([decision | place]))
    return settle_films(project)


def notices(project: Project) -> list[str]:
    return [film["notice"] for film in script_value(project.page_data)["films"]]


def test_the_page_says_which_film_shows_earlier_names(project):
    assert notices(project) == ["", ""]
    project.film("a.mp4").tracks.touch()  # newer than the film, with the same names
    write_page(project, progress=False)
    assert notices(project) == ["", ""]
    rename(project, "Bo")
    write_page(project, progress=False)
    assert notices(project)[0].startswith("The annotated film shows earlier names") and notices(project)[1] == ""


@pytest.mark.browser
def test_the_notice_stands_on_the_page_and_at_its_film(project, page):
    rename(project, "Bo")
    write_page(project, progress=False)
    for view, shown in (("", 1), ("#film=a", 1), ("#film=b", 0)):
        page.goto("about:blank")
        page.goto(f"{project.page.absolute().as_uri()}{view}")
        page.wait_for_selector(".facelib-page h1")
        assert page.locator(".notice", has_text="shows earlier names").count() == shown


def test_the_button_draws_only_what_is_behind_and_as_it_was_drawn(project):
    widget = DrawnFilms(rename(project, "Bo"), COLOURS)
    files = project.film("a.mp4")
    before = [project.film(name).annotated.stat().st_mtime_ns for name in ("a.mp4", "b.mp4")]
    assert [film.name for film in widget.films] == ["a.mp4"] and widget.button.layout.display == ""
    assert widget.status.value == "a.mp4: the annotated film shows earlier names"
    widget.button.click()
    after = [project.film(name).annotated.stat().st_mtime_ns for name in ("a.mp4", "b.mp4")]
    assert after[0] > before[0] and after[1] == before[1]
    assert widget.status.value == "1 film drawn again.<br>All annotated films show the current names."
    assert widget.button.layout.display == "none" and widget.films == []
    assert drawn_options(files) == {"blur": "everyone", "sharp": ["Bo"]}
    assert probe(files.annotated).frames == 10
    assert notices(project) == ["", ""]  # the page is written again too


def test_a_film_without_a_record_of_its_blurring_is_not_drawn(project):
    settled = rename(project, "Bo")
    project.film("a.mp4").drawn.unlink()
    before = project.film("a.mp4").annotated.read_bytes()
    widget = DrawnFilms(settled, COLOURS)
    widget.button.click()
    assert "run 05 again" in widget.children[-1].value
    assert project.film("a.mp4").annotated.read_bytes() == before and not widget.button.disabled


def test_a_film_that_cannot_be_drawn_is_told(project):
    settled = rename(project, "Bo")
    (project.videos / "a.mp4").unlink()
    widget = DrawnFilms(settled, COLOURS)
    widget.button.click()
    assert "drawing the names failed" in widget.status.value and len(widget.films) == 1


def test_films_that_were_never_drawn_are_left_alone(project):
    for name in ("a.mp4", "b.mp4"):
        project.film(name).annotated.unlink()
    settled = settle_films(project)
    assert DrawnFilms(settled, COLOURS).films == [] and len(films_behind(project, settled.films)) == 2
