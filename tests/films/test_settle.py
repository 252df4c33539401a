"""Films settled one after the other: groups are kept, and no film stops another."""

from __future__ import annotations

import pandas as pd
import pytest

from facelib.films.present import draw_films, export_films
from facelib.films.problems import Problems
from facelib.films.settle import settle_films
from facelib.films.unknowns.kept import read_groups

STRANGERS = [("unknown", "", 0.1)] * 3  # the same three in every film, by the fixture's numbers


@pytest.fixture
def settle(make_reviewed):
    project = make_reviewed({f"{name}.mp4": STRANGERS for name in "abc"})

    def run(*names, **options):
        films = [project.videos / f"{name}.mp4" for name in names]
        return settle_films(project, films, threshold=0.5, weights="w", **options)

    for name in "abc":
        project.film(f"{name}.mp4").followed.write_text('{"made": {"weights": "w"}}')
    return project, run


def test_a_new_film_joins_the_groups_there_are_and_no_other_is_touched(settle, make_reviewed):
    project, run = settle
    run("a", "b", "c")
    before = {name: project.film(f"{name}.mp4").tracks.read_bytes() for name in "abc"}
    make_reviewed({"d.mp4": STRANGERS})
    project.film("d.mp4").followed.write_text('{"made": {"weights": "w"}}')
    for name in "abc":  # none of them may be read
        project.film(f"{name}.mp4").looks.unlink()
    settled = run("d")
    assert settled.elsewhere.empty and list(settled.tracks) == ["d.mp4"]
    assert {name: project.film(f"{name}.mp4").tracks.read_bytes() for name in "abc"} == before
    mine = settled.tracks["d.mp4"]["cluster"].tolist()
    assert mine == pd.read_parquet(project.film("a.mp4").tracks)["cluster"].tolist()
    assert set(settled.unknown["films"]) == {4}
    kept = read_groups(project)
    assert kept is not None and set(kept.films) == {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}


def test_again_changes_nothing(settle):
    _, run = settle
    assert len(run("a", "b", "c").written) == 3
    assert run("a", "b", "c").written == [] and run("b").written == []


def test_a_damaged_film_is_told_and_the_others_are_settled(settle):
    project, run = settle
    project.film("b.mp4").tracks.write_bytes(b"no table")
    settled = run("a", "b", "c")
    assert [film.name for film in settled.films] == ["a.mp4", "c.mp4"]
    assert list(settled.problems.found) == ["b.mp4"]


@pytest.mark.parametrize("error", [AssertionError("odd"), MemoryError(), OSError("disk full"), KeyError("x")])
def test_whatever_is_raised_is_the_films_problem_with_a_remedy(make_reviewed, error):
    project = make_reviewed({"a.mp4": []})
    problems = Problems(project)
    with problems.of(project.videos / "a.mp4", "drawing it"):
        raise error
    assert problems.found["a.mp4"].startswith("drawing it failed: ")
    assert "run " in problems.found["a.mp4"].partition(";")[2]


def test_what_cannot_be_drawn_or_exported_does_not_stop_the_others(settle):
    _, run = settle  # the films are empty files
    settled = run("a", "b")
    assert draw_films(settled, {}, progress=False) == [] and export_films(settled) == {}
    assert all("drawing" in text and "exporting" in text for text in settled.problems.found.values())
    assert list(settled.problems.found) == ["a.mp4", "b.mp4"]
    with pytest.raises(ValueError, match="expected blur"):
        draw_films(settled, {}, blur="all")
