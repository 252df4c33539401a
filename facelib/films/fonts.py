"""A font for every name."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

log = logging.getLogger(__name__)


def open_font(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Open a font that has the letters of a text, at a size in pixels.

    DejaVu Sans, which comes with matplotlib, knows Latin, Greek, Cyrillic, Hebrew and Arabic
    letters. For others, such as Chinese, the installed fonts are searched. Where none has all letters, the one with the
    most is used, the rest show as empty boxes, and a warning is logged once.
    """
    letters = frozenset(letter for letter in text if unicodedata.category(letter) not in {"Cf", "Zs", "Cc"})
    return ImageFont.truetype(_find(letters), size)


@lru_cache(maxsize=1024)
def _find(letters: frozenset[str]) -> str:
    best, most = "", -1
    for path in _fonts():
        known = _count(path, letters)
        if known > most:
            best, most = path, known
        if known == len(letters):
            return path
    log.warning(
        "no installed font has all letters of %r; install one that has, such as fonts-noto-cjk for Chinese, Japanese "
        "and Korean, or give a label in other letters",
        "".join(sorted(letters)),
    )
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


def _weight(weight: int | str) -> int:
    return font_manager.weight_dict.get(weight, 400) if isinstance(weight, str) else weight


def _count(path: str, letters: frozenset[str]) -> int:
    """Return how many of the letters a font has; none when it cannot be opened."""
    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):
        return 0
    return sum(font.get_char_index(ord(letter)) > 0 for letter in letters)
