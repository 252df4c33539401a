"""Names as formats with one name per line can hold them."""

from __future__ import annotations

import unicodedata

BETWEEN = " · "
"""What stands between two names in one line: a comma may be part of a name."""


def one_line(text: str) -> str:
    r"""Return a text without line breaks and control characters, which XML and subtitles cannot hold.

    Example:
        >>> one_line('Ada\n"Byron"\x00')
        'Ada "Byron"'
    """
    joined = " ".join(text.split())
    return "".join(sign for sign in joined if _is_writable(sign)) or "(no name)"


def _is_writable(sign: str) -> bool:
    # The last two places of each of Unicode's planes are no characters, and XML forbids them.
    return unicodedata.category(sign) not in {"Cc", "Cs"} and ord(sign) & 0xFFFE != 0xFFFE
