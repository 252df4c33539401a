"""The search engines of one run, and the addresses they have found so far."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from facelib.gather.engines import Licence, SearchEngine, find_pictures
from facelib.gather.sources.fetched import MOST_PIXELS
from facelib.gather.sources.small import SMALL_LIMITS
from facelib.gather.sources.web import WebLimits
from facelib.project import Project, write_text

_MORE = 2  # addresses for each picture wanted: some are dead links
_MOST_AT_ONCE = 1000  # what an engine has at most


class Candidate(NamedTuple):
    """An address that may lead to a picture, and the engine that found it; empty where it was given."""

    address: str
    engine: SearchEngine | str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSearch:
    """How pictures of people are found and fetched.

    Attributes:
        engines: Who is asked; their results take turns.
        max_num: Pictures that are fetched for each person, over all runs; those that their user has taken away or
            that were set aside since count, so that running it again brings nothing back.
        words: Further words to search with.
        licence: What the pictures' licences have to allow, as the engines know them.
        limits: How far to go for each picture and each of an engine's pages.
        most_pixels: Of the largest picture that is taken, width times height.
        least_side: Pixels of the shorter side of the smallest.
        connections: Pictures that are fetched at a time.
        engine_addresses: Where an engine is asked instead of at its own address.

    Raises:
        ValueError: When a number is out of its range.
    """

    engines: tuple[SearchEngine, ...] = ("bing",)
    max_num: int = 50
    words: str = "portrait"
    licence: Licence = ""
    limits: WebLimits = SMALL_LIMITS
    most_pixels: int = MOST_PIXELS
    least_side: int = 64
    connections: int = 4
    engine_addresses: Mapping[SearchEngine, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.max_num <= _MOST_AT_ONCE:
            raise ValueError(f"expected max_num from 1 to {_MOST_AT_ONCE}, got {self.max_num!r}")
        if not 1 <= self.connections <= 32:
            raise ValueError(f"expected 1 to 32 connections, got {self.connections!r}")


class Engines:
    """The engines of one run: which of them refuse, and what they found before a run that was killed."""

    def __init__(self, project: Project, search: PictureSearch) -> None:
        self._search = search
        self._file = project.output / "searches.partial.json"
        self._refusing: set[str] = set()
        self._found = self._read()

    def ask(self, person: str) -> tuple[list[Candidate], list[list[str]]]:
        """Return addresses, the engines taking turns, and a row for each engine that failed."""
        found: list[list[Candidate]] = []
        problems = []
        for engine in dict.fromkeys(self._search.engines):
            if engine in self._refusing:
                problems.append([person, "", engine, "", f"{engine} was not asked again, as it did not answer before"])
                continue
            addresses, problem = self._ask_one(engine, person)
            found.append([Candidate(address, engine) for address in addresses])
            problems += [[person, "", engine, "", problem]] if problem else []
        turns = [one for turn in zip_longest(*found) for one in turn if one is not None]
        return turns, problems

    def forget(self) -> None:
        """Delete the stored results of this run."""
        self._file.unlink(missing_ok=True)

    def _ask_one(self, engine: SearchEngine, person: str) -> tuple[list[str], str]:
        search, address = self._search, self._search.engine_addresses.get(engine, "")
        key = json.dumps([engine, person, search.words, search.licence, search.max_num, address], ensure_ascii=False)
        if key in self._found:
            return self._found[key], ""
        found = find_pictures(
            person,
            engine,
            min(_MOST_AT_ONCE, _MORE * search.max_num),
            words=search.words,
            licence=search.licence,
            limits=search.limits,
            address=address,
        )
        if found.refused:
            self._refusing.add(engine)
        if not found.problem:
            self._found[key] = list(found.addresses)
            write_text(json.dumps(self._found, ensure_ascii=False), self._file)
        return list(found.addresses), found.problem

    def _read(self) -> dict[str, list[str]]:
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
            return {str(key): [str(address) for address in addresses] for key, addresses in known.items()}
        except (OSError, ValueError, TypeError, AttributeError):  # missing or damaged: ask again
            return {}
