from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from facelib.cli import main
from facelib.cli.search import _print


@pytest.fixture
def search(make_reviewed):
    """Return a function that runs `facelib search` on two small projects."""
    films = {
        "one.mp4": [("Ada", "", 0.9), ("Grace", "", 0.9), ("unknown", "Unknown 1", 0.5)],
        "two.mp4": [("Ada", "", 0.8)],
    }
    project = make_reviewed(films)
    make_reviewed({"three.mp4": [("Ada", "", 0.9)]}, name="other")

    def run(*arguments):
        places = ["--data-dir", str(project.data_dir), "--output-dir", str(project.output_dir)]
        return CliRunner().invoke(main, ["search", "--project", "reviewed", *places, *arguments])

    return run


def test_nobody_named_lists_who_there_is(search):
    done = search("--form", "json")
    assert [(row["person"], row["films"]) for row in json.loads(done.stdout)] == [
        ("Ada", 2),
        ("Grace", 1),
        ("Unknown 1", 1),
    ]


def test_where_somebody_is_seen(search):
    table = search("ada")
    assert table.exit_code == 0 and "two.mp4" in table.stdout and "00:00:01.000" in table.stdout
    assert table.stdout.endswith("2 found, 00:00:02.000 in 2 films\n")
    # One project, and films without a date.
    assert "project" not in table.stdout and "date" not in table.stdout
    read = pd.read_csv(io.StringIO(search("Ada", "--form", "csv").stdout))
    assert read["film"].tolist() == ["one.mp4", "two.mp4"] and read["end_timecode"].tolist() == ["00:00:01.000"] * 2


def test_nothing_in_a_name_steers_the_terminal(make_reviewed):
    films = {"\x1b[31mred\n.mp4": [("Ada\x1b]0;title\x07", "", 0.9)], "\x9b2J.mp4": [("Bo", "", 0.9)]}
    project = make_reviewed(films)
    project.film("\x9b2J.mp4").tracks.write_bytes(b"PAR1")
    places = ["--data-dir", str(project.data_dir), "--output-dir", str(project.output_dir)]
    for arguments in ([], ["Ada\x1b]0;title\x07"]):
        done = CliRunner().invoke(main, ["search", "--project", "reviewed", *places, *arguments])
        assert done.exit_code == 0 and not set(done.output) & set("\x1b\x07\x9b"), done.output
    assert r"\x1b[31mred\n.mp4" in done.output


def test_nothing_found_is_no_empty_table(search):
    assert search("Ada", "--shortest", "1000").stdout == "0 found\n"


def test_by_scene_and_without(search):
    rows = json.loads(search("Ada", "--without", "Grace", "--by", "scene", "--form", "json").stdout)
    assert [row["film"] for row in rows] == ["two.mp4"]


def test_long_answers_say_how_many_there_are(search):
    done = search("--most", "1")
    assert "3 found, the first 1 shown; --form json or csv gives all" in done.stdout


def test_several_projects(search):
    rows = json.loads(search("Ada", "--project", "other", "--form", "json").stdout)
    assert [(row["project"], row["film"]) for row in rows] == [
        ("other", "three.mp4"), ("reviewed", "one.mp4"), ("reviewed", "two.mp4"),
    ]  # fmt: skip
    assert "Unknown 1 (reviewed)" in search("--project", "other").stdout


def test_years_and_company(search):
    (row,) = json.loads(search("Ada", "--years", "--form", "json").stdout)
    assert (row["year"], row["first_film"], row["last_film"]) == (None, "one.mp4", "two.mp4")
    table = search("Ada", "--years").stdout
    assert "00:00:01.000" in table and "no date" in table  # why there is no year
    assert json.loads(search("Ada", "--company", "--form", "json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Adda"], "expected somebody who is seen in the films, got 'Adda'"),
        (["Grac"], "Did you mean 'Grace'?"),
        (["--company"], "expected the name of a person with --company"),
        (["Ada", "--company", "--years"], "either --company or --years"),
        (["Ada", "Grace", "--years"], "one person"),
        (["--without", "Ada"], "at least one person"),
        (["Ada", "--face", "one.jpg"], "expected --face alone"),
        (["--face", "one.jpg", "--company"], "expected --face alone"),
        (["--by", "shot"], "expected --by and --shortest with the names"),
        (["Ada", "--company", "--shortest", "2"], "expected --by and --shortest with the names"),
        (["--project", "reviewd"], "expected a project"),
    ],
)
def test_what_cannot_be_answered(search, arguments, said):
    done = search(*arguments)
    assert done.exit_code == 1 and said in done.stderr


def test_an_address_is_refused_with_the_remedy():
    places = ["--data-dir", "s3://films/data", "--output-dir", "s3://films/output"]
    done = CliRunner().invoke(main, ["search", "--project", "demo", *places])
    assert done.exit_code == 1 and "'s3:/films/data': only 'facelib run' and 'facelib forget' take addr" in done.stderr


def test_a_film_that_cannot_be_read_is_named(search, tmp_path):
    (tmp_path / "output" / "reviewed" / "videos" / "two" / "tracks.parquet").write_bytes(b"damaged")
    done = search("Ada", "--form", "csv")
    assert done.exit_code == 0 and "WARNING: two.mp4 is not in the index" in done.stderr and "one.mp4" in done.stdout


@pytest.mark.parametrize("several", [False, True])
def test_a_table_of_faces_fits_80_columns_with_its_distances(several, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    row = {
        "project": "sopranos", "film": "demo_vfr.mp4", "date": "2011-01-02", "track": 12, "shot": 9,
        "person": "Grace Brewster Hopper", "start": 3600.0, "end": 3603.5, "confidence": 0.98765, "distance": 0.0695,
    }  # fmt: skip
    _print(pd.DataFrame([row] * 2), "table", 20, several=several)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert {"confidence", "distance", "0.070", "0.988", "01:00:00.000", "demo_vfr.mp4"} <= set(shown.split())
    assert ("sopranos" in shown) is several
