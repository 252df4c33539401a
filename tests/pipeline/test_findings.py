import json

import numpy as np
import pandas as pd
import pytest

from facelib.films.record import EARLIER, SUMMARY_COLUMNS
from facelib.gallery import write_gallery
from facelib.gallery.records import face_table
from facelib.gather import FILM_COLUMNS, GATHERED_COLUMNS, PICTURE_COLUMNS
from facelib.pipeline.findings import describe_films, describe_step
from facelib.project import Project, write_table
from facelib.project.identities import merge


@pytest.fixture
def project(tmp_path):
    return Project("demo", tmp_path / "data", tmp_path / "output")


def table(columns, *rows):
    return pd.DataFrame(rows, columns=list(columns))


def write_lists(project, pictures=(), films=(), gathered=()):
    """Write what step 1 writes: the reasons of pictures and films, the problems of fetched films."""
    picture = dict.fromkeys(PICTURE_COLUMNS, "")
    film = dict.fromkeys(FILM_COLUMNS, "")
    source = dict.fromkeys(GATHERED_COLUMNS, "")
    rows = [picture | {"person": person, "reason": reason} for person, reason in pictures]
    write_table(pd.DataFrame(rows, columns=list(PICTURE_COLUMNS)), project.output / "pictures.csv")
    rows = [film | {"reason": reason} for reason in films]
    write_table(pd.DataFrame(rows, columns=list(FILM_COLUMNS)), project.output / "films.csv")
    rows = [source | {"problem": problem} for problem in gathered]
    write_table(pd.DataFrame(rows, columns=list(GATHERED_COLUMNS)), project.output / "gathered.csv")


def write_film(project, film, *tracks, problem="", notes=""):
    """Write the tracks of a film, each `(person, cluster, start, until)`, and its row of the summary."""
    columns = ["track", "shot", "person", "cluster", "start", "end", "until", "confidence", "source"]
    rows = [
        [number, 0, person, cluster, start, until, until, 0.9, "face"]
        for number, (person, cluster, start, until) in enumerate(tracks)
    ]
    write_table(pd.DataFrame(rows, columns=columns), project.film(film).tracks)
    named = sum(person != "unknown" for person, *_ in tracks)
    found = {"film": film, "tracks": len(tracks), "named": named, "unknown": len(tracks) - named}
    found |= {"problem": problem, "notes": notes}
    known = pd.read_csv(project.film_summary, keep_default_na=False) if project.film_summary.is_file() else None
    one = pd.DataFrame([dict.fromkeys(SUMMARY_COLUMNS, 0) | found])
    write_table(one if known is None else pd.concat([known, one]), project.film_summary)


@pytest.mark.parametrize("number", range(1, 10))
def test_a_step_whose_files_are_not_there_has_no_line(project, number):
    line = describe_step(number, project)
    assert line == ("no decisions about tracks yet" if number == 6 else "")


def test_a_film_whose_tracks_are_damaged_is_left_out_of_what_was_found(project):
    write_film(project, "a.mp4", ("Ann", "", 0.0, 2.0))
    write_film(project, "b.mp4", ("Ann", "", 0.0, 2.0))
    assert describe_films(project)[0] == "On screen: Ann (4.0 s in 2 films)."
    project.film("b.mp4").tracks.write_bytes(b"PAR1")
    assert describe_films(project)[0] == "On screen: Ann (2.0 s)."
    assert describe_step(5, project).startswith("2 films, 2 tracks")


def test_step_1_counts_people_pictures_films_and_problems(project):
    write_lists(project)
    assert describe_step(1, project) == "0 people, 0 pictures, 0 films, no problems"
    write_lists(project, [("Ann", ""), ("Ann", "broken"), ("", "loose picture")], ["", "no film"], ["", "HTTP 404"])
    assert describe_step(1, project) == (
        "1 person, 1 picture, 1 film, 4 problems (2 of pictures, 1 of films, 1 of films not fetched: see the report)"
    )
    for folder in ("Person 1", "Person 2", "Jane Doe", "Person of Interest"):
        (project.proposed / folder).mkdir(parents=True)
    assert f"; 2 people found in the films: name the folders in {project.output / 'proposed'}, run" in describe_step(
        1, project
    )


def test_step_2_names_those_without_a_usable_face(project, tmp_path):
    for person in ("Ann", "Bob", "Eve"):
        (project.people / person).mkdir(parents=True)
    sides = dict.fromkeys(("left", "top", "right", "bottom", "score", "sharpness"), 1.0)
    vectors = {"landmarks": np.ones(10, np.float32), "embedding": np.ones(4, np.float32)}
    rows = [
        {
            "picture": f"people/{person}/1.jpg",
            "sha256": "a",
            "face": 0,
            "person": person,
            "reason": why,
            **sides,
            **vectors,
        }
        for person, why in [("Ann", ""), ("Bob", "duplicate")]
    ]
    faces = face_table(rows).assign(used=[True, False])
    write_gallery(faces, project.faces, detector="", embedder="", weights_sha256="", threshold=0.5)
    line = describe_step(2, project)
    assert line == "1 of 2 pictures used, of 1 person; left out: 1 duplicate; no usable face of Bob, Eve"
    for number in range(13):
        (project.people / f"X{number:02}").mkdir()
    assert describe_step(2, project).endswith(
        "of Bob, Eve, " + ", ".join(f"X{n:02}" for n in range(10)) + " and 3 more"
    )


def test_step_5_counts_films_tracks_and_problems(project):
    write_film(project, "a.mp4", ("Ann", "", 0.0, 2.0), ("unknown", "unknown 1", 3.0, 4.0))
    write_film(project, "b.mp4", ("unknown", "unknown 1", 0.0, 1.0), problem="cut short")
    assert (
        describe_step(5, project) == "2 films, 3 tracks: 1 named (0 by context), 2 unknown (1 group); 1 with a problem"
    )
    write_film(project, "c.mp4", notes=f"a menu track; {EARLIER}")
    assert describe_step(5, project).endswith(
        "1 with a problem; 1 searched again, whose tables were of an earlier version"
    )


def test_step_7_says_when_there_was_no_truth(project):
    project.output.mkdir(parents=True)
    path = project.output / "evaluation.json"
    path.write_text(json.dumps({"films": [], "score": {}}))
    assert describe_step(7, project).startswith("no film has ground truth")
    score = {"cast": 200, "right": 180, "wrong": 1, "strangers": 0, "strangers_named": 0}
    path.write_text(json.dumps({"films": ["a.mp4"], "score": score}))
    assert describe_step(7, project) == (
        "1 film measured: of the cast's faces 90.0% named right and 0.5% wrong; no face of a stranger was labelled"
    )


def test_who_was_found_comes_by_time_on_screen(project):
    assert describe_films(project) == []
    write_film(project, "a.mp4", ("Bob", "", 0.0, 2.0), ("Ann", "", 5.0, 70.0), ("unknown", "unknown 1", 3.0, 4.0))
    write_film(project, "b.mp4", ("Bob", "", 0.0, 2.5), ("unknown", "unknown 1", 3.0, 4.0), ("unknown", "", 9.0, 9.5))
    assert describe_films(project) == [
        "On screen: Ann (1:05 min), Bob (4.5 s in 2 films).",
        "Unknown: 1 person and 1 track in no group.",
    ]


def test_a_film_named_before_two_names_were_merged_is_told(project):
    write_film(project, "a.mp4", ("Bob", "", 0.0, 2.0), ("Ann", "", 5.0, 70.0))
    for name in ("Ann", "Bob"):
        (project.people / name).mkdir(parents=True)
    merge(project, "Bob", "Ann")
    assert describe_films(project)[-1].startswith("WARNING: Bob is Ann by now, and the films were named before that")
    write_film(project, "a.mp4", ("Ann", "", 0.0, 70.0))
    assert not [line for line in describe_films(project) if "WARNING" in line]


def test_films_without_a_name_or_without_a_face_are_told_as_such(project):
    write_film(project, "a.mp4")
    assert describe_films(project) == ["Nobody in the cast was found.", "Nobody stays unknown."]
    write_film(project, "b.mp4", ("unknown", "unknown 1", 3.0, 4.0))
    assert describe_films(project) == ["Nobody in the cast was found.", "Unknown: 1 person."]
    project.film_summary.unlink()
    write_film(project, "c.mp4", ("unknown", "", 3.0, 4.0))
    assert describe_films(project)[-1] == "Unknown: 1 track in no group."
