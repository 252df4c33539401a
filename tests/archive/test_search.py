from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from facelib.archive import (
    films_of_other_networks,
    find_company,
    find_face,
    find_moments,
    find_person,
    find_years,
    hit_pictures,
    list_people,
    open_archive,
    update_archive,
    write_hits,
)
from facelib.archive.line import Line, overlap
from facelib.films.appearances import appearances, together
from facelib.films.spans import spans_of
from tests.archive.conftest import CAST, random_tracks, write_film
from tests.waiting import at_once

FILMS = 5


@pytest.fixture
def project(make_project):
    made = make_project(FILMS)
    update_archive(made)
    return made


@pytest.fixture
def archive(project):
    with open_archive(project) as opened:
        yield opened


def stretches(seed):
    tracks = random_tracks(seed)
    tracks = tracks.assign(track=range(len(tracks)), confidence=0.9, until=tracks["end"])
    return appearances(tracks, unknown=True)


def frames(spans, people):
    """Return the frames (25 a second) in which one of some people is on screen, as a set for each person."""
    return [
        {
            frame
            for start, end in spans.loc[spans["person"] == person, ["start", "end"]].to_numpy()
            for frame in range(round(start * 25), round(end * 25))
        }
        for person in people
    ]


class TestScenes:
    @pytest.mark.parametrize(
        "people", [CAST[:1], CAST[:2], CAST[:3], ["Unknown 1"], ["Unknown 2", "Alan Turing"]], ids=" ".join
    )
    def test_moments_are_those_of_each_film(self, archive, people):
        found = find_moments(archive, people)
        for number in range(FILMS):
            expected = [(one.start, one.end) for one in spans_of(stretches(number), people, together=True)]
            own = found[found["film"] == f"film {number}.mp4"]
            np.testing.assert_allclose(own[["start", "end"]].to_numpy(), np.array(expected).reshape(-1, 2), atol=1e-6)
        assert found["film"].is_monotonic_increasing

    @pytest.mark.parametrize("without", [CAST[2:3], CAST[2:4], ["Unknown 1"]], ids=" ".join)
    def test_without_somebody_frame_by_frame(self, archive, without):
        found = find_moments(archive, CAST[:2], without=without)
        for number in range(FILMS):
            a, b, *others = frames(stretches(number), [*CAST[:2], *without])
            own = found[found["film"] == f"film {number}.mp4"].assign(person="hit")
            (hits,) = frames(own, ["hit"])
            assert hits == (a & b).difference(*others)
        assert (found["end"] > found["start"]).all()

    @pytest.mark.parametrize("by", ["shot", "scene"])
    def test_shots_and_scenes(self, archive, by):
        found = find_moments(archive, CAST[:2], without=CAST[2:3], by=by)
        for number in range(FILMS):
            tracks = random_tracks(number)
            seen = tracks.groupby(by)["person"].agg(set)
            units = [unit for unit, names in seen.items() if set(CAST[:2]) <= names and CAST[2] not in names]
            spans = tracks.groupby(by).agg(start=("start", "min"), end=("end", "max")).loc[units]
            own = found[found["film"] == f"film {number}.mp4"]
            np.testing.assert_allclose(own[["start", "end"]], spans.sort_values("start").to_numpy(), atol=1e-6)
        assert len(found)

    def test_short_hits_are_left_out(self, archive):
        found = find_moments(archive, CAST[:1])
        length = found["end"] - found["start"]
        long = find_moments(archive, CAST[:1], shortest=3.0)
        assert 0 < len(long) == (length >= 3.0).sum() < len(found)

    def test_names_may_differ_in_case_and_accents(self, archive):
        one, other = (find_moments(archive, [name]) for name in ("Édith Clarke", "edith  CLARKE"))
        pd.testing.assert_frame_equal(one, other)

    @pytest.mark.parametrize(
        ("people", "options", "said"),
        [
            ([], {}, "at least one person"),
            (["Grace Hoper"], {}, "Did you mean 'Grace Hopper'"),
            (["Xaver"], {}, "Most seen: "),
            (["Ada Lovelace"], {"without": ["ada lovelace"]}, "nobody both with and without"),
            (["Ada Lovelace"], {"by": "frame"}, "moment, shot, scene"),
        ],
    )
    def test_what_cannot_be_sought(self, archive, people, options, said):
        with pytest.raises(ValueError, match=said):
            find_moments(archive, people, **options)

    def test_a_name_that_sql_would_take_for_its_own(self, make_project):
        name = "O'Brien\"; DROP TABLE films; --"
        project = make_project(0, name="it's")
        write_film(project, "a.mp4", pd.DataFrame({"person": [name], "cluster": [""], "start": [0.0], "end": [2.0]}))
        update_archive(project)
        with open_archive(project) as archive:
            assert find_moments(archive, [name])["end"].tolist() == [2.0]

    def test_several_threads_search_at_once(self, archive):
        expected = find_moments(archive, CAST[:2])
        found = at_once(*[lambda: find_moments(archive, CAST[:2])] * 4)
        assert [one.equals(expected) for one in found] == [True] * 4


class TestSeveralProjects:
    @pytest.fixture
    def both(self, make_project):
        projects = [make_project(2, name="first", seed=0), make_project(2, name="second", seed=50)]
        for project in projects:
            update_archive(project)
        with open_archive(projects) as archive:
            yield archive

    def test_the_cast_is_sought_in_all(self, both):
        found = find_moments(both, ["Ada Lovelace"])
        assert list(found["project"].unique()) == ["first", "second"]
        for name, seed in (("first", 0), ("second", 50)):
            own = found[(found["project"] == name) & (found["film"] == "film 1.mp4")]
            expected = spans_of(stretches(seed + 1), ["Ada Lovelace"])
            np.testing.assert_allclose(own["start"], [one.start for one in expected], atol=1e-6)

    def test_groups_of_unknown_people_are_those_of_their_project(self, both):
        assert {"Unknown 1 (first)", "Unknown 1 (second)"} <= set(list_people(both)["person"])
        assert set(find_moments(both, ["Unknown 1 (second)"])["project"]) == {"second"}
        for by in ("shot", "scene"):
            assert set(find_moments(both, ["Unknown 1 (second)"], by=by)["project"]) == {"second"}
        company = find_company(both, "Unknown 1 (second)")["person"]
        assert len(company) and not company.str.endswith("(first)").any()
        near = find_face(both, random_tracks(0)["embedding"].iloc[0], most=400)
        assert {"Unknown 1 (first)", "Unknown 1 (second)", "unknown"} <= set(near["person"])

    def test_two_of_one_name_are_refused(self, project):
        with pytest.raises(ValueError, match="different names"):
            open_archive([project, project])
        with pytest.raises(ValueError, match="one project or several"):
            open_archive([])


class TestPeople:
    def test_who_there_is(self, archive):
        people = list_people(archive)
        seen = pd.concat([stretches(number).assign(film=number) for number in range(FILMS)])
        assert set(people["person"]) == set(seen["person"])
        by_name = people.set_index("person")
        for person, own in seen.groupby("person"):
            row = by_name.loc[person]
            assert (row["films"], row["appearances"]) == (own["film"].nunique(), len(own))
            assert row["seconds"] == pytest.approx((own["end"] - own["start"]).sum())
            assert row["kind"] == ("group" if person.startswith("Unknown") else "cast")

    def test_company_is_that_of_the_films(self, archive):
        expected = together(*(stretches(number) for number in range(FILMS)))
        for person in [*CAST, "Unknown 1"]:
            rows = expected[(expected["person"] == person) | (expected["other"] == person)]
            other = rows["person"].where(rows["person"] != person, rows["other"])
            wanted = dict(zip(other, zip(rows["seconds"], rows["stretches"], strict=True), strict=True))
            found = find_company(archive, person)
            assert set(found["person"]) == set(wanted)
            for name, seconds, moments in found[["person", "seconds", "moments"]].itertuples(index=False):
                assert (seconds, moments) == (pytest.approx(wanted[name][0], abs=1e-5), wanted[name][1])
            assert found["seconds"].is_monotonic_decreasing

    def test_years(self, make_project):
        project = make_project(0)
        when = {"a.mp4": "1942-11", "b.mp4": "1942-02-03", "c.mp4": "1950", "d.mp4": ""}
        for film in when:
            table = pd.DataFrame({"person": "Ada", "cluster": "", "start": [3.0, 9.0], "end": [4.0, 12.0]})
            write_film(project, film, table)
        update_archive(project)
        years = _dated(project, when)
        assert years["year"].tolist()[:2] == [1942, 1950] and years["year"].isna().tolist() == [False, False, True]
        row = years.iloc[0]
        assert (row["first_film"], row["first_start"], row["last_film"], row["last_end"]) == (
            "b.mp4",
            3.0,
            "a.mp4",
            12.0,
        )
        assert (row["films"], row["appearances"], row["seconds"]) == (2, 4, 8.0)

    def test_a_person_with_one_name_of_another_group(self, archive):
        assert find_person(archive, "unknown 1") == "Unknown 1"

    def test_a_name_that_is_not_utf8_is_nobodys(self, archive):
        with pytest.raises(ValueError, match=r"expected somebody who is seen in the films, got 'Ren\\\\xe9'"):
            find_person(archive, os.fsdecode(b"Ren\xe9"))


def _dated(project, when):
    """Return the years of an index after its films were given dates, as their metadata would."""
    base = sqlite3.connect(project.archive / "catalogue.sqlite")
    base.executemany("UPDATE films SET date = ? WHERE film = ?", [(date, film) for film, date in when.items()])
    base.commit()
    base.close()
    with open_archive(project) as archive:
        return find_years(archive, "Ada")


class TestFaces:
    def test_every_track_is_found_that_comparing_all_finds(self, archive):
        tracks = pd.concat(
            [random_tracks(number).assign(film=f"film {number}.mp4", track=range(60)) for number in range(FILMS)]
        )
        vectors = np.stack(tracks["embedding"]).astype(np.float64)
        for seed in range(20):
            sought = np.random.default_rng(seed).normal(size=8)
            distances = np.linalg.norm(vectors - sought, axis=1)
            order = np.argsort(distances)[:12]
            found = find_face(archive, sought, most=12)
            assert list(zip(found["film"], found["track"], strict=True)) == list(
                zip(tracks["film"].iloc[order], tracks["track"].iloc[order], strict=True)
            )
            np.testing.assert_allclose(found["distance"], distances[order], rtol=1e-6)

    def test_the_cast_and_the_unknown_alike(self, archive):
        found = find_face(archive, np.zeros(8), most=10_000)
        assert len(found) == FILMS * 60
        assert set(found["person"]) == {*CAST, "Unknown 1", "Unknown 2", "unknown"}

    def test_faces_that_are_almost_the_same_are_told_apart(self, make_project):
        project = make_project(0)
        base = np.random.default_rng(0).normal(size=128) * 30  # long vectors, where rounding is coarse
        near = [base + 1e-3 * number * np.eye(128)[number] for number in range(50)]
        table = pd.DataFrame({"person": "Ada", "cluster": "", "start": range(50), "end": 1.0 + np.arange(50)})
        write_film(project, "a.mp4", table.assign(embedding=[one.astype(np.float32) for one in near]))
        update_archive(project)
        with open_archive(project) as archive:
            sought = near[7].astype(np.float32)
            found = find_face(archive, sought, most=1)
            assert (found["track"].tolist(), found["distance"].tolist()) == ([7], [0.0])

    def test_former_names_and_former_films_are_not_found(self, project):
        write_film(project, "film 2.mp4", random_tracks(77, 5))
        update_archive(project)
        with open_archive(project) as archive:
            found = find_face(archive, np.zeros(8), most=10_000)
        assert (found["film"] == "film 2.mp4").sum() == 5

    def test_tracks_without_a_vector(self, make_project):
        project = make_project(0)
        tracks = random_tracks(3, 4)
        tracks.at[2, "embedding"] = None
        write_film(project, "a.mp4", tracks)
        write_film(project, "b.mp4", random_tracks(4, 3).drop(columns="embedding"))
        update_archive(project)
        with open_archive(project) as archive:
            assert sorted(find_face(archive, np.ones(8), most=9)["track"]) == [0, 1, 3]
            assert len(find_moments(archive, [random_tracks(4, 3).query("person != 'unknown'")["person"].iloc[0]]))

    @pytest.mark.parametrize(
        ("vector", "options", "said"),
        [
            (np.zeros(9), {}, "in 8 numbers, got 9"),
            (np.zeros((2, 8)), {}, "one face"),
            (np.full(8, np.nan), {}, "finite"),
            (np.zeros(0), {}, "one face"),
            (np.zeros(8), {"weights": "v" * 64}, "of the weights vvvv"),
            (np.zeros(8), {"most": 0}, "most >= 1"),
        ],
    )
    def test_what_cannot_be_sought(self, archive, vector, options, said):
        with pytest.raises(ValueError, match=said):
            find_face(archive, vector, **options)

    def test_films_of_another_network_are_named(self, make_project):
        projects = make_project(2, name="one"), make_project(0, name="other")
        write_film(projects[1], "long.mp4", random_tracks(5, 4, dimension=16))
        write_film(projects[1], "none.mp4", random_tracks(6, 4).drop(columns="embedding"))
        for project in projects:
            update_archive(project)
        with open_archive(projects) as archive:
            assert set(find_face(archive, np.zeros(8), most=999)["project"]) == {"one"}
            assert films_of_other_networks(archive, 8) == ["long.mp4"]
            assert films_of_other_networks(archive, 16, weights="w" * 64) == ["film 0.mp4", "film 1.mp4"]

    def test_an_index_without_films(self, make_project):
        project = make_project(0)
        update_archive(project)
        with open_archive(project) as archive:
            assert find_face(archive, np.zeros(8)).empty


class TestHits:
    def test_pictures_are_those_of_the_shots_in_which_hits_begin(self, project):
        files = project.film("film 1.mp4")
        table = pd.DataFrame({"shot": [0, 1, 2], "start": [0.0, 50.0, 90.0], "end": [49.96, 89.96, 200.0], "scene": 0})
        table.to_csv(files.shots, index=False)
        pd.DataFrame({"shot": [0, 1, 2], "time": 0.0, "picture": [b"zero", b"one", b"two"]}).to_parquet(files.keyframes)
        with open_archive(project) as archive:
            hits = pd.DataFrame(
                {
                    "project": "archive",
                    "film": ["film 0.mp4", *["film 1.mp4"] * 4],
                    "start": [1.0, 90.0, 0.0, 49.9, 50.0],
                }
            )
            assert hit_pictures(archive, hits) == [b"", b"two", b"zero", b"zero", b"one"]
            assert hit_pictures(archive, hits.head(0)) == []

    @pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
    def test_written_and_read_again(self, archive, tmp_path, suffix):
        hits = find_moments(archive, CAST[:2])
        path = tmp_path / f"hits{suffix}"
        write_hits(hits, path)
        read = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}[suffix](path)
        assert read["film"].tolist() == hits["film"].tolist()
        np.testing.assert_allclose(read[["start", "end"]], hits[["start", "end"]])
        if suffix != ".json":
            assert read["start_timecode"].str.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}").all()

    def test_no_hits_at_all(self, archive, tmp_path):
        write_hits(find_moments(archive, CAST[:1]).head(0), tmp_path / "none.json")
        assert json.loads((tmp_path / "none.json").read_text()) == []

    def test_a_name_that_says_no_form(self, archive, tmp_path):
        with pytest.raises(ValueError, match=r"\.csv, \.json or \.parquet"):
            write_hits(find_moments(archive, CAST[:1]), tmp_path / "hits.xlsx")


class TestLine:
    @pytest.mark.parametrize("seed", range(5))
    def test_overlap_is_that_of_sets(self, seed):
        random = np.random.default_rng(seed)
        lines = []
        for _ in range(4):
            start = random.integers(0, 300, 25)
            lines.append(Line.of(start % 3, start / 1e6, (start + random.integers(1, 9, 25)) / 1e6))
        sets = [{place for span in zip(line.start, line.end, strict=True) for place in range(*span)} for line in lines]
        found = overlap(lines[:2], lines[2:])
        got = {place for span in zip(found.start, found.end, strict=True) for place in range(*span)}
        assert got == (sets[0] & sets[1]) - sets[2] - sets[3]

    def test_nobody_is_anywhere(self):
        empty = Line.of(np.empty(0, np.int32), np.empty(0), np.empty(0))
        assert len(overlap([empty, empty]).start) == 0
        assert [part.tolist() for part in empty.shared(np.array([1]), np.array([2]))] == [[0.0], [0]]

    def test_the_last_moment_of_one_film_does_not_touch_the_first_of_the_next(self):
        line = Line.of(np.array([0, 1]), np.array([0.0, 0.0]), np.array([1_000_000.0, 1.0]))
        assert line.films().tolist() == [0, 1]


def test_duckdb_fetches_nothing(archive):
    names = ("autoinstall_known_extensions", "autoload_known_extensions")
    settings = archive.query("SELECT name, value FROM duckdb_settings()").to_pandas().set_index("name")["value"]
    assert [settings[name] for name in names] == ["false", "false"]


def test_without_duckdb_the_extra_is_named(project):
    program = f"""
import sys
sys.modules["duckdb"] = None
from facelib.archive import open_archive, update_archive
from facelib.project import Project
project = Project({project.name!r}, {str(project.data_dir)!r}, {str(project.output_dir)!r})
print(update_archive(project))
open_archive(project)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == f"{FILMS} unchanged\n"
    assert "make scale" in done.stderr.splitlines()[-1]


def test_near_a_face_there_is_nobody_in_films_without_one(make_reviewed):
    project = make_reviewed({"landscape.mp4": [], "sea.mp4": []})
    update_archive(project, progress=False)
    with open_archive(project) as archive:
        assert find_face(archive, np.zeros(8), weights="a" * 64).empty
