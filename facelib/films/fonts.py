"""A font for every name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from PIL import ImageFont, features

from facelib.project.wording import isolated

_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")


def open_font(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Open a font that has the letters of a text, at a size in pixels.

    DejaVu Sans, which comes with matplotlib, knows Latin, Greek, Cyrillic, Hebrew and Arabic
    letters. For others, such as Chinese, the installed fonts are searched. Where none has all letters, the one with the
    most is used, and the rest show as empty boxes; `font_problem` tells of them.
    """
    return ImageFont.truetype(_find(_letters(text)), size)


def font_problem(texts: Iterable[str]) -> str:
    """Return what of texts cannot be drawn as it is written, and what helps, as a sentence; empty where all can."""
    written = list(texts)
    backwards = not features.check("raqm") and any(isolated(text) != text for text in written)
    reverse = "Hebrew and Arabic letters are drawn in reverse: install FriBidi, such as Debian's libfribidi0"
    return "; ".join(filter(None, (reverse if backwards else "", _missing(written))))


def _missing(texts: Iterable[str]) -> str:
    """Return which letters of texts show as empty boxes, and what helps; empty where none do."""
    missing: set[str] = set()
    for letters in map(_letters, texts):
        missing |= letters - _known(_find(letters), letters)
    if not missing:
        return ""
    names = [unicodedata.name(letter, "") for letter in sorted(missing)]
    packages = {"fonts-noto-cjk" if name.startswith(_EAST_ASIAN) else "fonts-noto-core" for name in names}
    shown = "".join(sorted(missing)[:8]) + "…" * (len(missing) > 8)
    return (
        f"no installed font has {shown}, drawn as empty boxes: install one that has, such as Debian's "
        f"{' and '.join(sorted(packages))}, and draw the names again"
    )


def _letters(text: str) -> frozenset[str]:
    return frozenset(letter for letter in text if unicodedata.category(letter) not in {"Cf", "Zs", "Cc"})


@lru_cache(maxsize=1024)
def _find(letters: frozenset[str]) -> str:
    best, most = "", -1
    for path in _fonts():
        known = len(_known(path, letters))
        if known > most:
            best, most = path, known
        if known == len(letters):
            return path
    return best


def _fonts() -> Iterator[str]:
    """Yield the paths of fonts, the preferred first."""
    yield font_manager.findfont("DejaVu Sans")
    entries = [
        entry
        for entry in font_manager.fontManager.ttflist
        # "Last Resort" has a box for every letter there is.
        if entry.style == "normal" and not entry.name.startswith("Last Resort")
    ]
    # An upright face of book weight, without serifs, as in the other labels; then always in the same order.
    entries.sort(key=lambda one: ("Sans" not in one.name, abs(int(_weight(one.weight)) - 400), one.name, one.fname))
    yield from dict.fromkeys(entry.fname for entry in entries)
    # matplotlib keeps its list between runs: it lacks what was installed since.
    yield from sorted(set(font_manager.findSystemFonts()) - {entry.fname for entry in font_manager.fontManager.ttflist})


def _weight(weight: int | str) -> int:
    return font_manager.weight_dict.get(weight, 400) if isinstance(weight, str) else weight


def _known(path: str, letters: frozenset[str]) -> set[str]:
    """Return which of the letters a font has; none when it cannot be opened."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return set()
    return {letter for letter in letters if font.get_char_index(ord(letter)) > 0}
