"""Where films come from beside the own disk: web addresses, and resources that a knowledge graph describes."""

from facelib.gather.sources.fetch import fetch_film, find_source
from facelib.gather.sources.ledger import SOURCE_COLUMNS, LedgerEntry, people_without_folder, read_sources
from facelib.gather.sources.media import MediaResource, Resolver, SourceSettings
from facelib.gather.sources.resolvers import find_resolvers, resolve
from facelib.gather.sources.web import WebLimits

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
