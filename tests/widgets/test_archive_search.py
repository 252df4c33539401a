"""The widget of the search finds, turns pages, plays and writes what its page asks for."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.archive import find_moments, open_archive, update_archive
from facelib.widgets import ArchiveSearch, hits_page


@pytest.fixture
def archive(make_reviewed):
    films = {
        "one.mp4": [("Ada", "", 0.9)] * 2 + [("unknown", "Unknown 1", 0.5)] * 2 + [("Ada", "", 0.9)],
        "two.mp4": [("Grace", "", 0.8)],
    }
    project = make_reviewed(films)
    update_archive(project)
    with open_archive(project) as opened:
        yield opened


@pytest.fixture
def ask(archive, tmp_path, monkeypatch):
    """Return a function that asks a widget as its page does."""

    def ask(widget, **question):
        answers = []
        monkeypatch.setattr(widget, "send", lambda content, buffers=None: answers.append((content, buffers)))
        widget._handle_custom_msg({"number": 3, **question}, [])
        return answers[-1]

    return ask


def test_hits_follow_what_is_chosen(archive):
    widget = ArchiveSearch(archive, people=["ada"], page_size=1)
    assert widget.people == [["Ada", 1], ["Unknown 1", 1], ["Grace", 1]]
    assert (widget.wanted, widget.found, widget.pages) == (["Ada"], "2 moments in 1 film", 2)
    assert [hit["when"] for hit in widget.hits] == ["00:00:00"]
    widget.page = 1
    assert [(hit["number"], hit["when"], hit["seconds"]) for hit in widget.hits] == [(1, "00:00:04", 1.0)]
    widget.shortest = 2.0
    assert (widget.page, widget.found) == (0, "1 moment in 1 film")
    widget.wanted = ["Ada", "Grace"]
    assert (widget.found, widget.hits, widget.pictures) == (
        "No moment found: take fewer people, or a shorter time.",
        [],
        [],
    )
    widget.wanted = []
    assert widget.found == "Choose somebody."
    widget.unwanted = widget.wanted = ["Ada"]
    assert "nobody both with and without" in widget.error
    widget.unwanted = ["Grace"]
    assert widget.error == ""


def test_names_that_nobody_has_are_refused(archive):
    with pytest.raises(ValueError, match="Did you mean 'Grace'"):
        ArchiveSearch(archive, people=["Grac"])


def test_the_list_is_written(archive, ask, tmp_path):
    widget = ArchiveSearch(archive, people=["Ada"], export=tmp_path / "new" / "hits.csv")
    answer, _ = ask(widget, ask="write")
    assert answer == {"number": 3, "written": str(tmp_path / "new" / "hits.csv")}
    assert len(pd.read_csv(tmp_path / "new" / "hits.csv")) == 2


def test_a_film_that_cannot_be_played_says_so(archive, ask):
    (archive.parts[0].project.videos / "one.mp4").unlink()
    answer, _ = ask(ArchiveSearch(archive, people=["Ada"]), ask="play", hit=1)
    assert "of 'one.mp4', found neither; run notebook 05 with draw" in answer["error"]


def test_a_hit_is_played_from_its_film(archive, ask, make_film):
    project = archive.parts[0].project
    make_film("film.mp4", frames=25).replace(project.videos / "one.mp4")
    answer, (film,) = ask(ArchiveSearch(archive, people=["Ada"]), ask="play", hit=1)
    assert film == (project.videos / "one.mp4").read_bytes()
    assert answer == {"number": 3, "kind": "video/mp4", "start": 4.0, "end": 5.0}
    assert "error" in ask(ArchiveSearch(archive, people=["Ada"]), ask="play", hit=99)[0]


def test_hits_as_a_page(archive):
    hits = find_moments(archive, ["Ada"])
    page = hits_page(archive, hits, most=1).html
    assert page.count("<figure") == 1 and "and 1 more" in page and "one.mp4" in page
    assert "Nothing was found" in hits_page(archive, hits.head(0)).html
