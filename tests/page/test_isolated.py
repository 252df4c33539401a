"""Names in letters that run from right to left leave the text behind them in its order, on pages and in pictures."""

import numpy as np
import pytest

from facelib.films.draw import LabelledBox, draw_marks
from facelib.page.bundle import bundle
from facelib.plots import heading, prose
from facelib.plots.style import escaped
from facelib.plots.thumbnails import tile
from facelib.project.wording import isolated

DAVID, SARA = "\u05d3\u05d5\u05d3 \u05db\u05d4\u05df", "\u0633\u0627\u0631\u0629"
PERSIAN = "\u0646\u0639\u0645\u062a\u200c\u0627\u0644\u0644\u0647"  # with a joiner between its letters

TEXTS = {
    "": "",
    "Ada (2)": "Ada (2)",
    "Zoë 李小龙 2": "Zoë 李小龙 2",
    DAVID: f"\u2068{DAVID}\u2069",
    f"{DAVID} (30.0 s in 2 films)": f"\u2068{DAVID}\u2069 (30.0 s in 2 films)",
    f"{DAVID}, {SARA}: 4.2 s": f"\u2068{DAVID}\u2069, \u2068{SARA}\u2069: 4.2 s",
    f"people/{SARA}/01.jpg": f"people/\u2068{SARA}\u2069/01.jpg",
    f"{PERSIAN} 97 %": f"\u2068{PERSIAN}\u2069 97 %",
}

ORDER = r"""text => {
    const line = document.body.appendChild(document.createElement("p"));
    line.textContent = text;
    const left = (part) => {
        const range = document.createRange();
        range.setStart(line.firstChild, text.indexOf(part));
        range.setEnd(line.firstChild, text.indexOf(part) + part.length);
        return range.getBoundingClientRect().left;
    };
    return [text.match(/\p{Script=Hebrew}/u)[0], "30.0", "s in", "2", "films"].map(left);
}"""


@pytest.mark.parametrize("text", TEXTS)
def test_only_names_from_the_right_are_kept_apart(text):
    assert isolated(text) == TEXTS[text]


@pytest.mark.parametrize(
    "shown",
    [
        lambda text: escaped(text, width=0),
        lambda text: heading(text).data,
        lambda text: prose(text).data,
        lambda text: tile("gone", text, size=90),
    ],
    ids=["figures", "headings", "sentences", "captions"],
)
def test_they_are_kept_apart_wherever_names_are_shown(shown):
    assert f"\u2068{DAVID}\u2069 97 %" in shown(f"{DAVID} 97 %")
    assert "\u2068" not in shown("Ada 97 %")


def test_the_number_stands_behind_the_name_in_an_annotated_film():
    def columns(label):
        planes = tuple(np.zeros((240 // half, 480 // half), np.uint8) for half in (1, 2, 2))
        draw_marks(planes, [LabelledBox(10, 100, 60, 150, label, (255, 255, 255))])
        return planes[0][:98, :300].astype(int)

    name, both = columns(DAVID), columns(f"{DAVID} 97 %")
    wide = int(np.flatnonzero(name.max(axis=0)).max()) - 8  # without the white edge behind the name
    assert np.array_equal(name[:, :wide], both[:, :wide])


@pytest.mark.browser
def test_pages_show_it_in_the_order_in_which_it_is_read(page):
    page.set_content("<!doctype html>")
    page.add_script_tag(content=f"{bundle('isolated.js')}\nglobalThis.isolated = isolated;")
    assert page.evaluate("texts => texts.map(isolated)", list(TEXTS)) == list(TEXTS.values())
    text = f"{DAVID} 30.0 s in 2 films"
    assert page.evaluate(ORDER, text) != sorted(page.evaluate(ORDER, text))
    assert page.evaluate(ORDER, isolated(text)) == sorted(page.evaluate(ORDER, isolated(text)))
