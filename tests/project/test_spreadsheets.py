"""Names that begin like a formula: harmless in every CSV that people open, and read back as they are."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import facelib
from facelib.films.exports import export_film
from facelib.films.media.timeline import FrameTimes
from facelib.films.media.times import write_times
from facelib.gather.sources.ledger import LedgerEntry, append_source, read_sources, sources_path
from facelib.plots.colours import project_marks
from facelib.project import Project, read_csv_table, write_table
from facelib.project.decisions import append_decision, read_decisions

NAMES = ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "'=x", "''@x", "Ada", "'Ada", "O'Hara", "", "-", "x=1", "A\nB"]
FORMULA = re.compile(r"[=+\-@\t\r]")


def cells(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [cell for row in csv.reader(file) for cell in row]


def harmless(path: Path) -> bool:
    """Tell whether no cell begins like a formula; numbers may begin with their sign."""
    return not any(FORMULA.match(cell) and not re.fullmatch(r"-?[\d.e-]*\d", cell) for cell in cells(path))


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_every_name_comes_back(dtype, tmp_path):
    table = pd.DataFrame({"person": pd.Series(NAMES, dtype=dtype), "x": [-1.5] * len(NAMES)})
    write_table(table, tmp_path / "table.csv")
    assert harmless(tmp_path / "table.csv")
    back = read_csv_table(tmp_path / "table.csv")
    assert back["person"].tolist() == NAMES and back["x"].tolist() == [-1.5] * len(NAMES)


def test_a_table_without_rows_and_one_of_other_things(tmp_path):
    write_table(pd.DataFrame({"person": []}), tmp_path / "table.csv")
    assert list(read_csv_table(tmp_path / "table.csv")) == ["person"]
    write_table(pd.DataFrame({"person": ["=a", None], "n": [1, 2], "t": [True, False]}), tmp_path / "table.csv")
    assert read_csv_table(tmp_path / "table.csv").values.tolist()[0] == ["=a", 1, True]


SAVED = {  # a table as spreadsheets and editors save it
    "semicolons": lambda text: text.replace(",", ";").replace(".", ",").encode(),
    "tabs, UTF-16": lambda text: text.replace(",", "\t").encode("utf-16"),
    "UTF-16, big end first": lambda text: ("\ufeff" + text).encode("utf-16-be"),
    "byte order mark": lambda text: text.encode("utf-8-sig"),
    "Windows' lines": lambda text: text.replace("\n", "\r\n").encode(),
    "the last line open": lambda text: text.rstrip("\n").encode(),
    "spaces round the names of columns": lambda text: text.replace(",", " , ", 1).encode(),
}


@pytest.mark.parametrize("form", SAVED)
def test_a_table_saved_by_a_spreadsheet(form, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(SAVED[form]("person,x,n\nRen\u00e9e,1.5,3\nAda,-2.25,4\n"))
    table = read_csv_table(path)
    assert table["person"].tolist() == ["Ren\u00e9e", "Ada"]
    assert (table["x"].tolist(), table["n"].tolist()) == ([1.5, -2.25], [3, 4])


def test_a_cell_may_be_long(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"person,note\nAda,{'x' * 200_000}\n")
    assert read_csv_table(path)["note"].str.len().tolist() == [200_000]


@pytest.mark.parametrize(
    "content",
    ["person\nRen\u00e9e\n".encode("latin-1"), b"", b'person\n"Ada', b"n,person\n1,Downey, Robert\n2,Lee, Bruce\n"],
)
def test_what_is_no_table_is_named(content, tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"expected a table at .*table\.csv"):
        read_csv_table(path)


@pytest.mark.parametrize(
    "saved",
    [
        *(pytest.param(SAVED[form], id=form) for form in list(SAVED)[1:6]),
        pytest.param(lambda text: text.replace(",", ";").encode(), id="semicolons"),
        pytest.param(
            lambda text: "\n".join(",".join(line.split(",")[::-1]) for line in text.splitlines()).encode(),
            id="columns in another order",
        ),
        pytest.param(lambda text: "\n".join(f"x,{line}" for line in text.splitlines()).encode(), id="one more column"),
    ],
)
def test_decisions_go_on_in_the_form_in_which_a_spreadsheet_saved_them(saved, tmp_path):
    path = tmp_path / "corrections.csv"
    append_decision(path, "people/Ada/1.jpg", was="Ada", now_is="Grace")
    path.write_bytes(before := saved(path.read_text(encoding="utf-8")))
    append_decision(path, "people/Ada/2.jpg", was="Ada", now_is="Ren\u00e9e; Bob, Al")
    assert path.read_bytes().startswith(before)
    table = read_decisions(path)
    assert table["picture"].tolist() == ["people/Ada/1.jpg", "people/Ada/2.jpg"]
    assert (table["was"].tolist(), table["is"].tolist()) == (["Ada", "Ada"], ["Grace", "Ren\u00e9e; Bob, Al"])
    assert table["track"].tolist() == [-1, -1]


def test_nothing_is_added_to_what_is_no_table_of_decisions(tmp_path):
    path = tmp_path / "corrections.csv"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match="lacks"):
        append_decision(path, "people/Ada/1.jpg", was="Ada", now_is="Grace")
    assert path.read_bytes() == b"a,b\n1,2\n"


@pytest.mark.parametrize("name", ["=1+1", "@Ada", "-Ada", "\rAda"])
def test_decisions_keep_the_name(name, tmp_path):
    path = tmp_path / "corrections.csv"
    append_decision(path, f"people/{name}", was=name, now_is="+Bob")
    assert harmless(path)
    row = read_decisions(path).iloc[0]
    assert (row["picture"], row["was"], row["is"]) == (f"people/{name}", name, "+Bob")


def test_sources_keep_the_title(tmp_path):
    project = Project("demo", tmp_path)
    entry = LedgerEntry(
        "https://example.org/a", "a.mp4", "0" * 64, 3, "2026-01-01", "=HYPERLINK(1)", "", ("+Ada", "@B")
    )
    append_source(entry, project)
    assert harmless(sources_path(project)) and read_sources(project) == [entry]


def test_marks_exports_and_summaries_of_a_person_called_like_a_formula(make_reviewed, make_film):
    name = "=1+1"
    project = make_reviewed({"film.mp4": [(name, "", 0.9), ("unknown", "Unknown 1", 0.8)]})
    assert project_marks(project, [name]) == project_marks(project, [name])
    assert harmless(project.marks)
    assert read_csv_table(project.marks)["person"].tolist() == [name]
    files = project.film("film.mp4")
    write_times(FrameTimes(np.arange(100), np.arange(100) / 25, 100, Fraction(1, 25), Fraction(25)), files.times)
    table = export_film(make_film(frames=100), files, formats=["csv"])["csv"]
    assert harmless(table) and "'=1+1" in cells(table)
    assert set(read_csv_table(table)["person"]) >= {name}


def test_one_place_writes_such_tables():
    package = Path(facelib.__file__).parent
    plain = {"project/spreadsheets.py", "films/exports/mot.py", "train/data.py"}  # MOT and digests are numbers
    found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if ".to_csv(" in path.read_text()}
    assert found == plain
