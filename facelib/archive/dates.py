"""When a film was made, as its file's metadata say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from facelib.films.media.opening import open_film

# In order of trust: what the maker says, then what a program noted, which may be the day of a copy.
_DATES = (
    "date_released", "originaldate", "originalyear", "date_recorded", "com.apple.quicktime.creationdate", "date",
    "year", "date_encoded", "creation_time", "modification_date",
)  # fmt: skip
_ISO = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d|21\d\d)(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?(?!\d)")


def film_date(path: str | Path) -> str:
    """Return when a film was made, such as `1942` or `1942-11-26`; empty where its file does not say.

    Raises:
        FileNotFoundError: When there is no such film.
        facelib.films.media.decode.UnreadableFilm: When it is not a film.
    """
    with open_film(path) as container:
        return date_of(container.metadata)


def date_of(metadata: Mapping[str, str]) -> str:
    """Return the date of a film's tags, the most trustworthy one that holds a year.

    Examples:
        >>> date_of({"creation_time": "2019-05-01T10:00:00Z", "DATE": "26 November 1942"})
        '1942'
        >>> date_of({"creation_time": "2019-05-01T10:00:00Z"}), date_of({"date": "soon"})
        ('2019-05-01', '')
    """
    tags = {key.casefold(): str(text) for key, text in metadata.items()}
    for name in _DATES:
        found = _ISO.search(tags.get(name, ""))
        if found:
            return "-".join(part for part in found.groups() if part)
    return ""
