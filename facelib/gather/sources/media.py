"""What resolvers are asked with, and what they answer: the metadata of a film."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from facelib.gather.sources.web import WebLimits


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
