"""Addresses of pictures that web search engines find for a name."""

from __future__ import annotations

import json
import math
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import islice
from queue import Queue
from typing import Any, Literal, get_args
from urllib.parse import quote_plus, urlsplit, urlunsplit

import requests

from facelib.gather.sources.small import SMALL_LIMITS, fetch_bytes
from facelib.gather.sources.web import WebLimits, new_session

SearchEngine = Literal["bing", "google", "baidu", "flickr"]
ENGINES: tuple[SearchEngine, ...] = get_args(SearchEngine)
"""The engines. Bing answers best; Google gives its pages to browsers that run its scripts, so often nothing here."""

Licence = Literal[
    "", "commercial", "noncommercial", "commercial,modify", "noncommercial,modify", "creativecommons", "publicdomain"
]
"""What a picture's licence has to allow; empty where it does not matter. Google has the second to the fifth, Bing and
Flickr all, Baidu none. It is what the engine says of a picture, and no more than that."""

FLICKR_KEY = "FLICKR_API_KEY"
"""The environment variable with the key that Flickr gives its users."""

_LARGEST_PAGE = 4_000_000  # bytes; an engine's page has a tenth of it
_LONGEST_SEARCH = 4.0  # times the limit of one page
_LONGEST_ADDRESS = 2000  # characters
_FLICKR_PAGE = 100  # pictures
# Flickr's numbers of licences, of those that allow it.
_FLICKR_LICENCES: dict[str, str] = {
    "commercial": "4,5,6,7,8,9,10",
    "noncommercial": "1,2,3,4,5,6,7,8,9,10",
    "commercial,modify": "4,5,7,8,9,10",
    "noncommercial,modify": "1,2,4,5,7,8,9,10",
    "creativecommons": "1,2,3,4,5,6,9",
    "publicdomain": "8,9,10",
}
_FLICKR_SIZES = ["large 2048", "large 1600", "large", "original", "medium 800", "medium 640", "medium"]
# The pages that icrawler's parsers know are those that a browser is given.
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0 facelib",
    "Accept-Language": "en-US,en;q=0.8",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What an engine found.

    Attributes:
        addresses: Of pictures, in the engine's order; not yet checked.
        problem: What went wrong, a sentence for the user; empty when all went well.
        refused: Whether the engine did not answer as it should, so that it need not be asked for others.
    """

    addresses: tuple[str, ...] = ()
    problem: str = ""
    refused: bool = False


class _Refused(Exception):
    """An engine that answers with something other than results."""


def find_pictures(
    name: str,
    engine: SearchEngine,
    max_num: int = 50,
    *,
    words: str = "",
    licence: Licence = "",
    limits: WebLimits = SMALL_LIMITS,
    address: str = "",
    key: str = "",
) -> Found:
    """Ask a search engine for pictures of a person; nothing but its own pages is fetched.

    icrawler knows what to ask and how to read the answer; the pages are fetched one by one, within the limits. Nothing
    that an engine does raises an error: `problem` says what went wrong.

    Args:
        name: The person to look for.
        engine: The engine to ask.
        max_num: How many addresses to return at most; Bing, Google and Baidu have no more than 1000.
        words: Further words to search with, such as `"portrait"`.
        licence: What the pictures' licences have to allow, as the engine knows them.
        limits: How far to go for each page; four times `longest` is what the whole search may take.
        address: Where the engine is asked instead of at its own address, with its own paths below; empty: there.
        key: Of Flickr's interface; empty takes it from the environment variable `FLICKR_API_KEY`.

    Raises:
        ValueError: When the name is empty, or the engine, the licence or the number is none of those there are.
        ModuleNotFoundError: When icrawler is not installed.
    """
    query = " ".join(f"{name} {words}".split())
    _check(name, engine, max_num, licence)
    if engine == "baidu" and licence:
        return Found(
            problem=f"baidu cannot choose by licence, so it was not asked for one of {licence!r}", refused=True
        )
    if engine == "flickr" and not (key := key or os.environ.get(FLICKR_KEY, "")):
        problem = f"flickr needs a key: ask flickr.com/services/api for one, and set it as {FLICKR_KEY}"
        return Found(problem=problem, refused=True)
    limits = replace(limits, largest=min(limits.largest, _LARGEST_PAGE))
    found: list[str] = []
    with new_session(limits) as session:
        pages = _Pages(session, limits, address)
        try:
            for page in _page_addresses(engine, query, max_num, licence, key):
                before = len(found)
                fresh = (one for one in _parsed(engine, pages, page, key) if _is_whole(one) and one not in found)
                for one in islice(fresh, max_num - before):
                    found.append(one)  # one by one: what was found before a page breaks is kept
                if len(found) >= max_num or len(found) == before:
                    break
        except (_Refused, OSError, ValueError) as error:
            return Found(tuple(found), f"{engine} did not answer as it should: {error}", refused=True)
    problem = "" if found else f"{engine} found no picture of {query!r}; or its page has changed"
    return Found(tuple(found), problem)


def _check(name: str, engine: str, max_num: int, licence: str) -> None:
    if not name.strip():
        raise ValueError(f"expected the name of a person to look for, got {name!r}")
    if engine not in ENGINES:
        raise ValueError(f"expected one of the engines {list(ENGINES)!r}, got {engine!r}")
    if licence not in get_args(Licence):
        raise ValueError(f"expected one of the licences {list(get_args(Licence))!r}, got {licence!r}")
    if not 1 <= max_num <= 1000:
        raise ValueError(f"expected max_num from 1 to 1000, got {max_num!r}")


@dataclass(frozen=True, slots=True)
class _Page:
    """The response object that icrawler's parsers expect."""

    content: bytes


class _Pages:
    """The session object that icrawler's parsers expect, with our limits and, in tests, another host."""

    def __init__(self, session: requests.Session, limits: WebLimits, address: str) -> None:
        self._session, self._limits, self._address = session, limits, address
        self._end = time.monotonic() + _LONGEST_SEARCH * limits.longest
        self.trouble = ""

    def get(self, address: str, **_: object) -> _Page:
        try:
            return _Page(self._fetch(address))
        except (OSError, ValueError) as error:
            self.trouble = str(error)  # some parsers pass over errors
            raise

    def _fetch(self, address: str) -> bytes:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long for its pages")
        limits = replace(self._limits, longest=min(self._limits.longest, left) if math.isfinite(left) else math.inf)
        parts = urlsplit(address)
        if self._address:
            base = urlsplit(self._address)
            parts = parts._replace(scheme=base.scheme, netloc=base.netloc, path=base.path.rstrip("/") + parts.path)
        headers = {**_HEADERS, "Referer": urlunsplit((parts.scheme, parts.netloc, "/", "", ""))}
        return fetch_bytes(urlunsplit(parts), limits, session=self._session, headers=headers)


def _of_icrawler(module: str, name: str) -> Any:
    try:
        return getattr(import_module(f"icrawler.{module}"), name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "expected icrawler, to ask search engines for pictures; install it with: pip install icrawler"
        ) from error


def _page_addresses(engine: SearchEngine, query: str, max_num: int, licence: str, key: str) -> list[str]:
    """Return the addresses of the engine's pages, the first first: icrawler's feeder, without its threads."""
    feeder = _of_icrawler(f"builtin.{engine}", f"{engine.capitalize()}Feeder")(1, _signal(), None)
    feeder.out_queue = Queue()  # icrawler's own feeder blocks until a consumer takes
    if engine == "flickr":
        choice = {"license": _FLICKR_LICENCES[licence]} if licence else {}
        feeder.feed(key, text=query, sort="relevance", content_type=1, per_page=_FLICKR_PAGE, **choice)
    else:
        # The feeders of Bing and Baidu put the words into an address as they stand.
        words = query if engine == "google" else quote_plus(query)
        try:
            feeder.feed(words, 0, max_num, filters={"license": licence} if licence else None)
        except ValueError as error:
            raise _Refused(f"it cannot choose the licence {licence!r} ({error})") from error
    return list(feeder.out_queue.queue)


def _signal() -> Any:
    return _of_icrawler("utils", "Signal")()


def _parsed(engine: SearchEngine, pages: _Pages, address: str, key: str) -> Iterator[str]:
    """Yield the addresses of pictures on one of the engine's pages, as icrawler's parser reads it."""
    page = pages.get(address)
    parser = _of_icrawler(f"builtin.{engine}", f"{engine.capitalize()}Parser")(1, _signal(), pages)
    given = {"apikey": key, "size_preference": _FLICKR_SIZES} if engine == "flickr" else {}
    _refuse_errors(engine, page)
    pages.trouble = ""
    try:
        with warnings.catch_warnings(action="ignore"):
            for task in parser.parse(page, **given) or ():
                yield str(task["file_url"])
    except Exception as error:  # on a page that they do not know the parsers fail in any way
        raise _Refused(f"its page has changed, or is none of results ({error!r})") from error
    if pages.trouble:
        raise _Refused(pages.trouble)


def _refuse_errors(engine: SearchEngine, page: _Page) -> None:
    """Raise the error that an engine's API reports; icrawler ignores it."""
    if engine not in {"baidu", "flickr"}:
        return
    try:
        # As the parser reads it: Baidu's JSON escapes what needs none.
        said = json.loads(page.content.decode("utf-8", "ignore").replace("\\'", "'"), strict=False)
    except ValueError as error:
        raise _Refused(f"expected JSON, got {page.content[:60]!r}") from error
    if engine == "flickr" and (not isinstance(said, dict) or said.get("stat") != "ok"):
        raise _Refused(str(said.get("message", said)) if isinstance(said, dict) else f"got {page.content[:60]!r}")


def _is_whole(address: str) -> bool:
    """Return whether this is a complete address; the parsers also find truncated ones."""
    if len(address) > _LONGEST_ADDRESS or not address.isprintable() or set(' "<>\\^`{|}') & set(address):
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
