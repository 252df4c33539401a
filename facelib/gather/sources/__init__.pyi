from .fetch import fetch_film, find_source
from .ledger import SOURCE_COLUMNS, LedgerEntry, people_without_folder, read_sources
from .media import MediaResource, Resolver, SourceSettings
from .resolvers import find_resolvers, resolve
from .web import WebLimits

__all__ = [
    "SOURCE_COLUMNS",
    "LedgerEntry",
    "MediaResource",
    "Resolver",
    "SourceSettings",
    "WebLimits",
    "fetch_film",
    "find_resolvers",
    "find_source",
    "people_without_folder",
    "read_sources",
    "resolve",
]
