"""The list of what was fetched is only ever added to."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from facelib.gather.sources import SOURCE_COLUMNS, LedgerEntry, people_without_folder, read_sources
from facelib.gather.sources.ledger import append_source, sources_path

SOURCE = LedgerEntry("http://h/a.mp4", "a.mp4", "0" * 64, 5, "2026-01-01T00:00:00+00:00", people=("Ada", "Grace"))


def test_nothing_was_fetched(project):
    assert read_sources(project) == []
    assert people_without_folder(project).empty


def test_rows_are_read_as_they_were_written(project):
    odd = replace(SOURCE, title='The "long" way, home', licence="été", video="http://h/v", date="1999")
    append_source(SOURCE, project)
    append_source(odd, project)
    assert read_sources(project) == [SOURCE, odd]
    table = pd.read_csv(sources_path(project), keep_default_na=False)
    assert list(table.columns) == SOURCE_COLUMNS
    assert table["people"].tolist() == ["Ada; Grace"] * 2


def test_a_text_of_several_lines_stays_one_row(project):
    append_source(replace(SOURCE, title="two\n\r\nlines"), project)
    assert read_sources(project)[0].title == "two lines"


def test_a_row_that_was_cut_short_spoils_no_other(project):
    append_source(SOURCE, project)
    whole = sources_path(project).read_bytes()
    for cut in (
        b'"http://h/b.mp4,',
        b"http://h/b.mp4,b.mp4",
        b",",
        "http://h/b.mp4,\u00e9".encode()[:-1],
        b"a" * 200_000,
    ):
        sources_path(project).write_bytes(whole + cut)
        append_source(replace(SOURCE, file="c.mp4"), project)
        assert [source.file for source in read_sources(project)] == ["a.mp4", "c.mp4"]


@pytest.mark.parametrize(
    "saved",
    [
        lambda text: text.replace(",", ";").replace("Ada; Grace", '"Ada; Grace"').encode(),
        lambda text: text.replace(",", "\t").encode("utf-16"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
    ],
    ids=["semicolons", "tabs, UTF-16", "byte order mark", "lines of old Macs", "lines of Windows"],
)
def test_a_list_saved_by_a_spreadsheet_goes_on_in_its_form(project, saved):
    append_source(SOURCE, project)
    path = sources_path(project)
    path.write_bytes(before := saved(path.read_text(encoding="utf-8")))
    assert read_sources(project) == [SOURCE]
    append_source(other := replace(SOURCE, title="\u00c9t\u00e9; a, b"), project)
    assert read_sources(project) == [SOURCE, other] and path.read_bytes().startswith(before)


def test_a_list_in_another_encoding_is_named(project):
    append_source(replace(SOURCE, title="\u00c9t\u00e9"), project)
    path = sources_path(project)
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(ValueError, match=r"UTF-8 .*sources\.csv"):
        read_sources(project)


def test_people_without_pictures(project):
    append_source(SOURCE, project)
    append_source(replace(SOURCE, file="b.mp4", people=("grace", "Zoe\u0308", "Joan")), project)
    append_source(replace(SOURCE, people=("Grace",)), project)
    assert people_without_folder(project)["person"].tolist() == ["Grace", "Ada", "Joan", "Zoe\u0308"]
    for name in ("Ada", "zoë"):
        (project.people / name).mkdir(parents=True)
    table = people_without_folder(project)
    assert table.to_numpy().tolist() == [["Grace", "a.mp4, b.mp4"], ["Joan", "b.mp4"]]
