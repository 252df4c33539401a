from .engines import ENGINES, FLICKR_KEY, Found, Licence, SearchEngine, find_pictures
from .folders import (
    FILM_COLUMNS,
    GATHERED_COLUMNS,
    PICTURE_COLUMNS,
    copy_people,
    gather_films,
    list_films,
    list_pictures,
    split_sources,
)
from .pictures import FOUND_COLUMNS, gather_pictures, not_gathered, read_addresses
from .searches import PictureSearch

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
