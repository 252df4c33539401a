"""Two names of one person: merged, kept apart, and taken back, in the one log of decisions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from facelib.project import Project
from facelib.project.decisions import (
    CORRECTION_COLUMNS,
    append_corrections,
    append_decision,
    moved_pictures,
    read_corrections,
    read_decisions,
)
from facelib.project.identities import answers, cast_of, keep_apart, merge, merged, open_pairs, take_back


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project("cast", tmp_path / "data", tmp_path / "output")
    for name in ("Harrison Ford", "Tob", "Tom Hanks"):
        (made.people / name).mkdir(parents=True)
    return made


def test_a_merge_is_remembered_and_taken_back(project: Project) -> None:
    assert answers(project) == {} and cast_of(project) == ["Harrison Ford", "Tob", "Tom Hanks"]
    merge(project, "Tob", "Harrison Ford")
    assert merged(project) == {"Tob": "Harrison Ford"} and cast_of(project) == ["Harrison Ford", "Tom Hanks"]
    assert answers(project) == {("Tob", "Harrison Ford"): "merge"}
    keep_apart(project, "Harrison Ford", "Tob")  # the last answer counts, whatever the order of the names
    assert merged(project) == {} and answers(project) == {("Harrison Ford", "Tob"): "apart"}
    assert take_back(project, "Tob", "Harrison Ford") and answers(project) == {}
    assert not take_back(project, "Tob", "Harrison Ford")
    assert len(read_decisions(project.corrections)) == 3  # nothing is ever overwritten


def test_names_merged_one_after_the_other_end_in_one(project: Project) -> None:
    merge(project, "Tob", "Tom Hanks")
    merge(project, "Tom Hanks", "Harrison Ford")
    assert merged(project) == dict.fromkeys(["Tob", "Tom Hanks"], "Harrison Ford")


def test_only_what_is_not_answered_is_asked(project: Project) -> None:
    pairs = [("Tob", "Harrison Ford"), ("Tob", "Tom Hanks")]
    keep_apart(project, "Tom Hanks", "Tob")
    assert open_pairs(project, pairs) == pairs[:1]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("Harison Ford", "Tob"), "did you mean one of .'Harrison Ford'."),
        (("Tob", "Tob"), "two names, got 'Tob' twice"),
    ],
)
def test_names_that_cannot_be_answered_for(project: Project, names: tuple[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        merge(project, *names)
    assert not project.corrections.exists()


def test_decisions_about_tracks_stand_under_the_merged_name(project: Project) -> None:
    row = dict.fromkeys(CORRECTION_COLUMNS, "") | {"video": "a.mp4", "track": 3, "was": "unknown", "is": "Tob"}
    append_corrections(project.corrections, pd.DataFrame([row]))
    merge(project, "Tob", "Harrison Ford")
    assert read_corrections(project.corrections)[["track", "is"]].values.tolist() == [[3, "Harrison Ford"]]
    take_back(project, "Tob", "Harrison Ford")
    assert read_corrections(project.corrections)["is"].tolist() == ["Tob"]


def test_places_that_pictures_were_moved_away_from(project: Project) -> None:
    append_decision(project.corrections, "people/Tob/a.jpg", was="Tob", now_is="Tom Hanks")
    assert moved_pictures(read_decisions(project.corrections)) == {"people/Tob/a.jpg"}
    append_decision(project.corrections, "people/Tom Hanks/a.jpg", was="Tom Hanks", now_is="Tob")
    assert moved_pictures(read_decisions(project.corrections)) == {"people/Tom Hanks/a.jpg"}
    assert answers(project) == {}
