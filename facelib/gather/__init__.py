"""The pictures of the cast and the films of a project: copied, fetched or found, and listed.

Modules that open networks are imported by their own names: `prepare`, `crops`, `film_faces`, `datasets`.
"""

from __future__ import annotations

from facelib.gather.engines import ENGINES, FLICKR_KEY, Found, Licence, SearchEngine, find_pictures
from facelib.gather.folders import (
    FILM_COLUMNS,
    GATHERED_COLUMNS,
    PICTURE_COLUMNS,
    copy_films,
    copy_people,
    gather_films,
    list_films,
    list_pictures,
    split_sources,
)
from facelib.gather.pictures import FOUND_COLUMNS, gather_pictures, not_gathered, read_addresses
from facelib.gather.searches import PictureSearch

__all__ = [
    "ENGINES",
    "FILM_COLUMNS",
    "FLICKR_KEY",
    "FOUND_COLUMNS",
    "GATHERED_COLUMNS",
    "PICTURE_COLUMNS",
    "Found",
    "Licence",
    "PictureSearch",
    "SearchEngine",
    "copy_films",
    "copy_people",
    "find_pictures",
    "gather_films",
    "gather_pictures",
    "list_films",
    "list_pictures",
    "not_gathered",
    "read_addresses",
    "split_sources",
]
