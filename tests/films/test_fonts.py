"""A font for every name, also for those that DejaVu Sans cannot write."""

from __future__ import annotations

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from PIL import Image, ImageDraw

from facelib.films import fonts
from facelib.films.fonts import font_problem, open_font


@pytest.fixture(autouse=True)
def _forget():
    fonts._find.cache_clear()
    yield
    fonts._find.cache_clear()


@pytest.fixture
def install_font(tmp_path, monkeypatch):
    """Return a function that installs a font in which every letter given is a full square."""

    def install(name: str, letters: str) -> str:
        pen = TTGlyphPen(None)
        for step, corner in enumerate([(0, 0), (0, 1000), (1000, 1000), (1000, 0)]):
            (pen.lineTo if step else pen.moveTo)(corner)
        pen.closePath()
        square, names = pen.glyph(), [f"g{ord(letter)}" for letter in letters]
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder([".notdef", *names])
        builder.setupCharacterMap({ord(letter): glyph for letter, glyph in zip(letters, names, strict=True)})
        builder.setupGlyf(dict.fromkeys([".notdef", *names], square))
        builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (1000, 0)))
        builder.setupHorizontalHeader(ascent=1000, descent=0)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2(sTypoAscender=1000, usWinAscent=1000)
        builder.setupPost()
        path = tmp_path / f"{name}.ttf"
        builder.save(path)
        monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
        font_manager.fontManager.addfont(path)
        return str(path)

    return install


@pytest.mark.parametrize("text", ["Ada", "Zoë Ünïcode", "Ольга", "Ἀριστοτέλης", "דוד", "", " ", "Ada 97\u00a0%"])
def test_dejavu_where_it_has_the_letters(text):
    assert "DejaVuSans.ttf" in open_font(text, 20).path
    assert font_problem([text]) == ""


def test_another_font_for_other_letters(install_font):
    path = install_font("Test Sans CJK", "李小龙 ")
    assert open_font("李小龙", 20).path == path
    picture = Image.new("L", (80, 30))
    ImageDraw.Draw(picture).text((0, 5), "李小龙", font=open_font("李小龙", 20), fill=255)
    assert np.asarray(picture)[8:22, :58].mean() > 240  # the test font's full squares


def test_the_font_with_most_letters_and_what_is_missing(install_font):
    install_font("Some Sans", "李")
    best = install_font("Test Sans", "李小")
    assert open_font("李小龙", 20).path == open_font("李小龙", 40).path == best
    said = font_problem(["Ada", "李小龙", "小龙"])
    assert said.startswith("no installed font has 龙, drawn as empty boxes: ")
    assert "Debian's fonts-noto-cjk, and" in said


@pytest.mark.parametrize(
    ("texts", "missing", "packages"),
    [
        ([], "", ""),
        (["Ada", "דוד"], "", ""),
        (["李", "ひ", "カ", "한"], "ひカ李한", "fonts-noto-cjk"),
        (["अदा"], "अदा", "fonts-noto-core"),
        (["李", "अ"], "अ李", "fonts-noto-cjk and fonts-noto-core"),
        (["一二三四五六七八九十"], "一七三九二五八六…", "fonts-noto-cjk"),
    ],
)
def test_which_package_helps(texts, missing, packages, monkeypatch):
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    said = font_problem(texts)
    assert (f" has {missing}, drawn" in said and f"Debian's {packages}, and" in said) if missing else said == ""


@pytest.mark.parametrize(("text", "told"), [("Ada", False), ("דוד", True), ("سارة", True), ("", False)])
def test_without_fribidi_letters_in_reverse_are_told(text, told, monkeypatch):
    assert font_problem([text]) == ""
    monkeypatch.setattr(fonts.features, "check", lambda feature: feature != "raqm")
    assert ("libfribidi0" in font_problem([text])) == told


def test_a_font_installed_since_matplotlib_made_its_list(install_font, monkeypatch):
    before = font_manager.fontManager.ttflist
    path = install_font("New Sans", "李小龙")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", before)
    assert font_problem(["李小龙"])
    fonts._find.cache_clear()
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [path])
    assert open_font("李小龙", 20).path == path
    assert font_problem(["李小龙"]) == ""


def test_no_font_at_all_still_draws():
    private = "\U00100000\U00100001"  # letters that no font is meant to have
    assert open_font(private, 20).getlength(private[0]) > 0
    assert "empty boxes" in font_problem([private])
