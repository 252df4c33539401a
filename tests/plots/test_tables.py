"""Tables as notebooks and reports show them."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from facelib.plots import Table, heading

MIXED = pd.DataFrame(
    {
        "person": ["Ada <Lovelace>", "Grace"],
        "note": ["far", None],
        "rate": [0.5, float("nan")],
        "right": pd.array([3, pd.NA], dtype="Int64"),
        "faces": [10, 2],
    },
    index=[7, 3],
)


def cells(table):
    """Return the cells by row as the page has them, each text on the left marked."""
    rows = re.findall("<tr.*?</tr>", Table(table)._repr_html_(), re.DOTALL)
    return [
        [("|" if side else "") + text for side, text in re.findall("<t[hd]( style[^>]*left[^>]*)?>(.*?)</t[hd]>", row)]
        for row in rows
    ]


def test_rows_have_no_numbers_gaps_are_blank_and_text_is_on_the_left():
    assert cells(MIXED) == [
        ["|person", "|note", "rate", "right", "faces"],
        ["|Ada &lt;Lovelace&gt;", "|far", "0.5", "3", "10"],
        ["|Grace", "|", "", "", "2"],
    ]
    assert "NaN" not in repr(Table(MIXED)) and "<NA>" not in repr(Table(MIXED))


@pytest.mark.parametrize(
    ("index", "column"),
    [
        (pd.Index(["Ada", "Grace"], name="who"), ["|who", "|Ada", "|Grace"]),
        (pd.Index(["Ada", "Grace"]), ["|", "|Ada", "|Grace"]),
        (pd.Index([4, 2], name="track"), ["track", "4", "2"]),
    ],
)
def test_names_of_rows_are_the_first_column(index, column):
    assert [row[0] for row in cells(MIXED.set_index(index))] == column
    assert "></th>" not in Table(MIXED.set_index(index))._repr_html_()  # a screen reader would tell of a heading


def test_long_names_of_columns_break_between_their_words():
    assert cells(pd.DataFrame({"taken_for_others": [1]}))[0] == ["taken_<wbr>for_<wbr>others"]


def test_an_empty_table_is_shown_by_its_columns():
    assert len(Table(MIXED.head(0))) == 0
    assert [[text.strip("|") for text in row] for row in cells(MIXED.head(0))] == [list(MIXED)]


def test_names_stay_in_one_line_and_sentences_keep_a_width_in_a_narrow_window():
    said = [
        "Ada Lovelace",
        "people/Ada Lovelace/ada_lovelace_01.jpg",
        "not certain enough: nearest is Bo at 0.52, 1.jpg",
    ]
    page = Table(pd.DataFrame([said], columns=["person", "picture", "reason"]))
    assert re.findall(r'<t[hd] style="text-align: left([^"]*)"', page._repr_html_()) == 2 * [
        "; white-space: nowrap", "", "; min-width: 14em"
    ]  # fmt: skip


def test_long_file_names_break_between_their_parts():
    assert "<wbr>" not in Table(pd.DataFrame({"film": ["demo_vfr.mp4"]}))._repr_html_()  # which breaks even there
    page = Table(pd.DataFrame({"picture": ["people/Ada/ada_01.jpg"]}))._repr_html_()
    assert "people/<wbr>Ada/<wbr>ada_<wbr>01.jpg</td>" in page and "</<wbr>" not in page


def test_a_heading_is_text():
    assert "<b>a&lt;b.mp4</b>" in heading("a<b.mp4").data


@pytest.mark.parametrize(("rows", "scrolls"), [(0, False), (30, False), (31, True)])
def test_a_table_of_many_rows_scrolls_within_its_own_height(rows, scrolls):
    page = Table(pd.DataFrame({"faces": range(rows)}))._repr_html_()
    assert page.count("<tr") == rows + 1  # nothing is left out
    assert page.startswith('<div class="facelib-long">') == scrolls
