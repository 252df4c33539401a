"""Films settled one after the other: groups are kept, and no film stops another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from facelib.faces import BOX
from facelib.films import present
from facelib.films import settle as settle_module
from facelib.films.appearances import appearances
from facelib.films.drawn import drawn_options
from facelib.films.present import cut_reels, draw_films, drawn_at_once, export_films
from facelib.films.problems import Problems
from facelib.films.record import read_summary
from facelib.films.settle import settle_films
from facelib.films.unknowns.kept import read_groups, write_groups
from facelib.project import write_table
from facelib.project.decisions import CORRECTION_COLUMNS, append_corrections, now, read_corrections

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


def decision(project, film, name):
    """Return the decision that a film's first track is somebody."""
    face = pd.read_parquet(project.film(film).looks).iloc[0]
    row = dict.fromkeys(CORRECTION_COLUMNS, "") | {key: face[key] for key in ("frame", *BOX)}
    return pd.DataFrame([row | {"when": now(), "video": film, "track": 0, "was": "Unknown 1", "is": name}])


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


def test_a_decision_made_while_others_are_read_counts_the_next_time(settle, monkeypatch):
    project, run = settle
    run("a", "b", "c")
    named = decision(project, "a.mp4", "Ada")

    def read_late(path, people):
        found = read_corrections(path, people)
        monkeypatch.undo()
        append_corrections(path, named)
        return found

    monkeypatch.setattr(settle_module, "read_corrections", read_late)
    run("b")
    settled = run("b")  # not the film that was decided about
    assert pd.read_parquet(project.film("a.mp4").tracks)["person"].tolist()[0] == "Ada"
    assert settled.elsewhere["is"].tolist() == ["Ada"]


@pytest.mark.parametrize("broken_off", ["tracks.parquet", "appearances.csv", "groups.parquet"])
def test_what_is_broken_off_is_finished_the_next_time(settle, monkeypatch, broken_off):
    project, run = settle
    run("a", "b", "c")
    append_corrections(project.corrections, decision(project, "a.mp4", "Ada"))

    def write(table, path):
        if path.name == broken_off:
            raise KeyboardInterrupt
        write_table(table, path)

    def write_all(*given):
        if broken_off == "groups.parquet":
            raise KeyboardInterrupt
        write_groups(*given)

    with monkeypatch.context() as patch:
        patch.setattr(settle_module, "write_table", write)
        patch.setattr(settle_module, "write_groups", write_all)
        with pytest.raises(KeyboardInterrupt):
            run("b")
    run("b")  # not the film that was decided about
    files = project.film("a.mp4")
    tracks = pd.read_parquet(files.tracks)
    assert tracks["person"].tolist()[0] == "Ada"
    assert pd.read_csv(files.appearances)["person"].tolist() == appearances(tracks)["person"].tolist() == ["Ada"]
    assert run("a", "b", "c").written == []


@pytest.mark.parametrize("name", ["groups", "members"])
def test_groups_without_one_of_their_columns_are_made_anew(settle, name):
    project, run = settle
    before = run("a", "b").tracks["a.mp4"]["cluster"].tolist()
    path = project.unknowns / f"{name}.parquet"
    table = pq.read_table(path)
    pq.write_table(table.rename_columns(["x", *table.column_names[1:]]), path)
    assert run("a", "b").tracks["a.mp4"]["cluster"].tolist() == before
    assert read_groups(project) is not None


def test_without_room_for_the_groups_those_that_were_there_stay(settle, small_disk):
    project, run = settle
    project.unknowns.symlink_to(small_disk)
    run("a", "b")
    kept = read_groups(project)
    more = replace(kept, groups=pd.concat([kept.groups] * 20_000, ignore_index=True))
    (small_disk / "large").write_bytes(bytes(shutil.disk_usage(small_disk).free - 65_536))  # room for the members
    with pytest.raises(OSError, match=r"No space left on device: .*groups\.parquet"):
        write_groups(project, more)
    again = read_groups(project)
    assert again is not None and again.members.equals(kept.members)


@pytest.mark.parametrize("table", ["looks", "detections"])
def test_a_film_with_any_damaged_table_is_told_and_the_others_are_settled(settle, table):
    project, run = settle
    path = getattr(project.film("b.mp4"), table)
    path.write_bytes(path.read_bytes()[:-20])  # as where the machine went down
    settled = run("a", "b", "c")
    assert list(settled.tracks) == ["a.mp4", "c.mp4"]
    assert f"{path.name} cannot be read" in settled.problems.found["b.mp4"]


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("looks", "quality", None, "looks.parquet cannot be read: it has no column 'quality'; run 05 on it again"),
        ("looks", "quality", "x", "its column 'quality' does not hold numbers"),
        ("looks", "picture", 1.5, "its column 'picture' does not hold pictures"),
        ("detections", "time", None, "detections.parquet cannot be read: it has no column 'time'; run 05 on it again"),
        ("tracks", "cluster", None, "tracks.parquet cannot be read: it has no column 'cluster'; run 05 on it again"),
        ("tracks", "person", 1.5, "its column 'person' does not hold texts"),
        ("tracks", "start", "x", "its column 'start' does not hold numbers"),
    ],
)
def test_a_film_with_a_column_missing_or_of_another_type_is_told_and_the_others_are_settled(
    settle, table, column, value, message
):
    project, run = settle
    path = getattr(project.film("b.mp4"), table)
    whole = pd.read_parquet(path)
    write_table(whole.drop(columns=column) if value is None else whole.assign(**{column: value}), path)
    settled = run("a", "b", "c")
    assert list(settled.tracks) == ["a.mp4", "c.mp4"]
    assert message in settled.problems.found["b.mp4"] and "run it again" not in settled.problems.found["b.mp4"]


@pytest.mark.parametrize("table", ["looks", "detections", "tracks"])
def test_a_film_with_another_table_in_the_place_of_one_is_told_and_the_others_are_settled(settle, table):
    project, run = settle
    path = getattr(project.film("b.mp4"), table)
    write_table(pd.DataFrame({"x": [1]}), path)
    settled = run("a", "b", "c")
    assert list(settled.tracks) == ["a.mp4", "c.mp4"]
    assert settled.problems.found["b.mp4"].startswith(f"{path.name} cannot be read: it has ")


def test_another_table_in_the_place_of_the_named_tracks_is_passed_over(settle):
    project, run = settle
    run("a", "b", "c")
    write_table(pd.DataFrame({"x": [1]}), project.film("b.mp4").named)
    settled = run("a", "b", "c")
    assert list(settled.tracks) == ["a.mp4", "b.mp4", "c.mp4"] and not settled.problems.found


def test_faces_that_are_damaged_within_stop_no_film(settle):
    project, run = settle
    path = project.film("b.mp4").looks
    content = bytearray(path.read_bytes())
    end = int.from_bytes(content[-8:-4], "little") + 8
    content[4:-end] = bytes(len(content) - end - 4)  # its end is whole
    path.write_bytes(content)
    settled = run("a", "b", "c")
    assert list(settled.tracks) == ["a.mp4", "b.mp4", "c.mp4"]
    assert "looks.parquet cannot be read: " in settled.problems.found["b.mp4"]


def test_damaged_tracks_are_written_again_from_what_they_are_made_of(settle):
    project, run = settle
    files = project.film("b.mp4")
    files.named.write_bytes(files.tracks.read_bytes())
    run("a", "b", "c")
    whole = files.tracks.read_bytes()
    files.tracks.write_bytes(whole[:-20])
    settled = run("a", "b", "c")
    assert [path.name for path in settled.written] == ["b.mp4"] and not settled.problems.found
    assert files.tracks.read_bytes() == whole


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


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 99, b"\xff\xfe\xfd", b"a,b\n1,2\n", b"film,problem\nb.mp4,cut short\n"]
)
def test_a_problem_is_added_also_where_the_summary_is_damaged(make_reviewed, content):
    project = make_reviewed({"a.mp4": []})
    project.film_summary.write_bytes(content)
    Problems(project).add(project.videos / "a.mp4", "disk full")
    found = read_summary(project).set_index("film")["problem"].to_dict()
    assert found == {"a.mp4": "disk full"} | ({"b.mp4": "cut short"} if b"cut short" in content else {})


def test_that_another_run_holds_a_film_is_told_and_not_kept(make_reviewed):
    project = make_reviewed({"a.mp4": [], "b.mp4": []})
    write_table(pd.DataFrame({"film": ["a.mp4", "b.mp4"], "problem": ["cut short", ""]}), project.film_summary)
    program = (
        "import sys; from facelib.project import Project\nwith Project(*sys.argv[1:]).hold('a.mp4'): input(print())"
    )
    held = [sys.executable, "-c", program, project.name, str(project.data.parent), str(project.output.parent)]
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        problems = Problems(project)
        with problems.of(project.videos / "a.mp4", "drawing the names"), project.hold("a.mp4"):
            pytest.fail("it is held")
        problems.add(project.videos / "a.mp4", "disk full")
        told = "disk full; drawing the names failed: expected no other run on the film"
        assert problems.found["a.mp4"].startswith(told) and f"process {other.pid}" in problems.found["a.mp4"]
        other.stdin.close()
    assert read_summary(project)["problem"].tolist() == ["cut short; disk full", ""]


@pytest.mark.parametrize("cores", [1, 2])
def test_what_cannot_be_drawn_or_exported_does_not_stop_the_others(settle, monkeypatch, cores):
    monkeypatch.setattr(present, "allowed_cores", lambda: cores)
    _, run = settle  # the films are empty files
    settled = run("a", "b")
    assert draw_films(settled, {}, progress=False) == [] and export_films(settled) == {}
    assert all("drawing" in text and "exporting" in text for text in settled.problems.found.values())
    assert list(settled.problems.found) == ["a.mp4", "b.mp4"]
    with pytest.raises(ValueError, match="expected blur"):
        draw_films(settled, {}, blur="all")


@pytest.fixture
def one_film(make_reviewed, make_film):
    """Return a function that settles a film of so many frames with Ada in it; it gives the film, its files and that."""

    def settle(frames):
        project = make_reviewed({"a.mp4": [("Ada", "", 0.9)]})
        film, files = project.videos / "a.mp4", project.film("a.mp4")
        shutil.copy(make_film("one.mp4", frames=frames), film)
        files.followed.write_text(json.dumps({"made": {"film": project.digest(film)}}))
        return film, files, settle_films(project)

    return settle


def test_who_is_not_blurred_is_somebody_and_may_be_typed_otherwise(one_film):
    _, files, settled = one_film(3)
    with pytest.raises(ValueError, match=r"expected names of .*'Ada'.* not to be blurred, got \['Adda'\]"):
        draw_films(settled, {"Ada": "#000000"}, blur="everyone", sharp=["Adda"], progress=False)
    draw_films(settled, {"Ada": "#000000"}, blur="everyone", sharp=[" ADA"], progress=False)
    assert drawn_options(files)["sharp"] == ["Ada"]


def test_a_film_that_was_replaced_gets_nobodys_name_from_the_film_before(one_film, make_film):
    film, files, settled = one_film(30)
    os.utime(film, (1, 1))  # copied, say: still the same film
    assert draw_films(settled, {"Ada": "#000000"}, progress=False) == [film]
    assert list(export_films(settled, formats=["csv"])) == ["a.mp4"]
    before = files.annotated.read_bytes()
    shutil.copy(make_film("two.mp4", frames=40), film)
    assert draw_films(settled, {"Ada": "#000000"}, progress=False) == [] and files.annotated.read_bytes() == before
    assert export_films(settled) == {} and cut_reels(settled, ["Ada"], progress=False).empty
    told = "expected 'a.mp4' as it was when its faces were looked for, it was changed since; run 05 on it again"
    assert settled.problems.found["a.mp4"] == told  # once, whatever failed for it


@pytest.mark.parametrize(
    ("sizes", "cores", "expected"),
    [
        ([], 8, 1),
        ([(64, 48)], 8, 1),
        ([(64, 48)] * 3, 2, 2),
        ([(64, 48)] * 6, 8, 4),
        ([(64, 48), (2560, 1440), (64, 48)], 8, 2),  # whichever two are drawn, their pictures fit
        ([(64, 48)] * 2 + [(3840, 2160)], 8, 1),
        ([None] * 3, 2, 2),
    ],
)
def test_fewer_films_are_drawn_at_once_where_their_pictures_are_large(make_film, monkeypatch, sizes, cores, expected):
    monkeypatch.setattr(present, "allowed_cores", lambda: cores)
    made = {size: make_film(f"{size}.mp4", size=size, frames=1, sound=None) for size in {*sizes} - {None}}
    assert drawn_at_once([made.get(size, Path("missing.mp4")) for size in sizes]) == expected


@pytest.fixture
def in_profile(make_reviewed):
    """Write a film of one woman, straight in two shots and in profile in a third, from another side."""
    vectors = [np.array(vector, np.float32) for vector in ([1, 0, 0, 0], [1, 0.05, 0, 0], [0.4, 0.35, 1, 0])]
    shirt = np.full(576, 0.001, np.float32)
    shirt[:10] = 1
    shirt /= np.linalg.norm(shirt)

    def write(name):
        project = make_reviewed({name: STRANGERS})
        files = project.film(name)
        files.followed.write_text('{"made": {"weights": "w"}}')
        write_table(pd.read_parquet(files.tracks).assign(embedding=vectors), files.tracks)
        looks = pd.read_parquet(files.looks)
        around = {"clothes": [shirt] * len(looks), "hair": [shirt] * len(looks), "pitch": 0.0, "cut": 0.0}
        yaw = np.where(looks["track"] == 2, 80.0, 0.0)
        write_table(
            looks.assign(**around, yaw=yaw, embedding=looks["track"].map(dict(enumerate(vectors)))), files.looks
        )
        shots = {
            "shot": range(3),
            "scene": 0,
            "setup": [0, 0, 1],
            "start_frame": [0, 25, 50],
            "end_frame": [24, 49, 74],
            "start": [0.0, 1.0, 2.0],
            "end": [0.96, 1.96, 2.96],
        }
        pd.DataFrame(shots).to_csv(files.shots, index=False)
        return project

    return write


def test_a_profile_without_a_group_joins_the_one_in_its_clothes(in_profile):
    project = in_profile("a.mp4")
    settled = settle_films(project, [project.videos / "a.mp4"], threshold=0.33, weights="w")
    assert settled.tracks["a.mp4"]["cluster"].tolist() == ["Unknown 1"] * 3
    in_profile("b.mp4")
    settled = settle_films(project, [project.videos / "b.mp4"], threshold=0.33, weights="w")
    assert settled.tracks["b.mp4"]["cluster"].tolist() == ["Unknown 1"] * 3
    kept = read_groups(project)
    assert kept is not None and kept.groups["size"].tolist() == [4.0]  # no profile stands between her films
