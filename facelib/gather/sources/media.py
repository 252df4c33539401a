"""Where a film is fetched from, and the resolvers that find it: from the address of a described film to its file's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Protocol

from facelib.gather.sources.web import WebLimits

log = logging.getLogger(__name__)

GROUP = "facelib.resolvers"
"""The group of entry points in which installed packages offer resolvers."""


@dataclass(frozen=True, slots=True)
class MediaResource:
    """The metadata of a film from a resolver.

    Attributes:
        video: The film's own `http(s)` address.
        title: Its title; empty where unknown, as all below.
        date: When it was made, else published: ISO 8601, as precise as known.
        people: The names of the people who take part in it, cast before others.
        licence: The name or the address of its licence.
        details: Whatever else is known, as pairs of what it is and its text.
    """

    video: str
    title: str = ""
    date: str = ""
    people: tuple[str, ...] = ()
    licence: str = ""
    details: tuple[tuple[str, str], ...] = ()


class Resolver(Protocol):
    """Turns addresses of one kind into films."""

    def matches(self, address: str) -> bool:
        """Return whether this resolver handles an address, by its form alone; nothing is sent."""
        ...

    def resolve(self, address: str) -> MediaResource:
        """Find the film of an address.

        Raises:
            ValueError: When the address is malformed, or nothing there is a film.
            OSError: When the server does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What fetching films may use; every resolver is made with it.

    Attributes:
        sparql_endpoint: The SPARQL endpoint that describes the addresses that do not themselves name a film.
        limits: How far a fetch may go.
    """

    sparql_endpoint: str = ""
    limits: WebLimits = field(default_factory=WebLimits)


ResolverFactory = Callable[[SourceSettings], Resolver]
"""What an entry point of the group names: a class or function that makes a resolver from the settings."""


def find_resolvers(settings: SourceSettings) -> list[Resolver]:
    """Make every resolver there is: facelib's own, and those of installed packages.

    A package offers one by an entry point in the group `facelib.resolvers`; one of the name of facelib's own
    (`ebucore`) takes its place. One that cannot be made is left out, and the log says why.
    """
    from facelib.gather.sources.ebucore import EBUCoreResolver

    made: dict[str, Resolver] = {"ebucore": EBUCoreResolver(settings)}
    for point in entry_points(group=GROUP):
        try:
            made[point.name] = point.load()(settings)
        except Exception as error:  # another package may fail in any way; the other sources are still fetched
            log.warning("the resolver %r (%s) is left out: %r", point.name, point.value, error)
    return list(made.values())


def resolve(address: str, settings: SourceSettings | None = None) -> MediaResource:
    """Find the film of an address: by the first resolver that answers for it, else the address is the film's own.

    Raises:
        ValueError: When the address is malformed, or nothing there is a film.
        OSError: When the server does not answer.
    """
    resolvers = find_resolvers(settings or SourceSettings())
    chosen = next((resolver for resolver in resolvers if resolver.matches(address)), None)
    return MediaResource(address) if chosen is None else chosen.resolve(address)
