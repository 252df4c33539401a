"""A font for every name, also for those that DejaVu Sans cannot write."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from PIL import Image, ImageDraw

from facelib.films import fonts
from facelib.films.fonts import open_font


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
def test_dejavu_where_it_has_the_letters(text, caplog):
    assert "DejaVuSans.ttf" in open_font(text, 20).path
    assert caplog.records == []


def test_another_font_for_other_letters(install_font):
    path = install_font("Test Sans CJK", "李小龙 ")
    assert open_font("李小龙", 20).path == path
    picture = Image.new("L", (80, 30))
    ImageDraw.Draw(picture).text((0, 5), "李小龙", font=open_font("李小龙", 20), fill=255)
    assert np.asarray(picture)[8:22, :58].mean() > 240  # the test font's full squares


def test_the_font_with_most_letters_and_a_warning(install_font, caplog):
    install_font("Some Sans", "李")
    best = install_font("Test Sans", "李小")
    with caplog.at_level(logging.WARNING):
        assert open_font("李小龙", 20).path == best
        assert open_font("李小龙", 40).path == best
    assert [record.name for record in caplog.records] == ["facelib.films.fonts"]  # said once
    assert "fonts-noto-cjk" in caplog.text


def test_no_font_at_all_still_draws(caplog):
    fonts._find.cache_clear()  # each text is told of once a process
    with caplog.at_level(logging.WARNING):
        private = "\U00100000\U00100001"  # letters that no font is meant to have
        assert open_font(private, 20).getlength(private[0]) > 0
    assert "letters" in caplog.text
