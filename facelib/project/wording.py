"""English of messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LETTERS = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
_WORDS_FROM_THE_RIGHT = re.compile(rf"{_LETTERS}+(?:[ .'\u2019\u200c\u200d-]+{_LETTERS}+)*")


def counted(count: int, what: str) -> str:
    """Return how many of something there are.

    Examples:
        >>> counted(1, "film"), counted(2, "film")
        ('1 film', '2 films')
    """
    if what == "person" and count != 1:
        return f"{count} people"
    return f"{count} {what}{'s' * (count != 1)}"


def listed(names: Iterable[object], *, most: int = 10) -> str:
    """Return the first of some names, and how many more there are.

    Examples:
        >>> listed(["Ada", "Bo", "Cy"], most=2)
        'Ada, Bo and 1 more'
    """
    texts = [str(name) for name in names]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def did_you_mean(names: Iterable[str]) -> str:
    """Return a sentence that offers some names, with a space before it; empty when there are none.

    Examples:
        >>> did_you_mean(["Ada", "Bo"])
        " Did you mean 'Ada' or 'Bo'?"
    """
    offered = " or ".join(map(repr, names))
    return f" Did you mean {offered}?" if offered else ""


def sized(count: int, *, beside: int | None = None) -> str:
    """Return a number of bytes in the unit that people read.

    Args:
        count: The number.
        beside: Another number that the reader compares with it: so many digits are given that the two differ.

    Examples:
        >>> sized(312), sized(20_000_000), sized(51_234_567_890), sized(999_999)
        ('312 bytes', '20 MB', '51.2 GB', '1 MB')
        >>> sized(20_000_001, beside=20_000_000), sized(10**17 + 1, beside=10**17)
        ('20.000001 MB', '100 PB')
    """
    for unit, name in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if round(count / unit, 3) >= 1:
            digits = 3
            other = count if beside is None else beside
            while count / unit != other / unit and f"{count / unit:.{digits}g}" == f"{other / unit:.{digits}g}":
                digits += 1
            return f"{count / unit:.{digits}g} {name}"
    return f"{count} bytes"


def clock_time(seconds: float) -> str:
    """Format a time for people.

    Examples:
        >>> clock_time(3725.9), clock_time(2.4)
        ('1:02:05', '0:02')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def in_one_line(error: BaseException) -> str:
    r"""Return the message of an error in one line.

    Examples:
        >>> in_one_line(ValueError("two\n  lines")), in_one_line(ValueError())
        ('two lines', 'without a message')
    """
    return " ".join(str(error).split()) or "without a message"


def with_type(error: BaseException) -> str:
    """Return the type and the message of an error in one line.

    Examples:
        >>> with_type(KeyError("kind"))
        "KeyError: 'kind'"
    """
    return f"{type(error).__name__}: {in_one_line(error)}"


def isolated(text: str) -> str:
    """Return a text, plain or HTML, in which names in Hebrew or Arabic letters leave the rest in its order.

    Such letters run from right to left, and take numbers behind them along: of "30.0 s" behind such a name, "30.0"
    would stand before the name, "s" after it. Characters that nobody sees keep them apart: the isolates of Unicode
    Standard Annex 9. A text without such letters stays as it is.
    """
    return text if text.isascii() else _WORDS_FROM_THE_RIGHT.sub("\u2068\\g<0>\u2069", text)
