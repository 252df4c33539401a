"""Resolvers: from the address of a described film to the address of its file, with its metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import entry_points

from facelib.gather.sources.media import MediaResource, Resolver, SourceSettings

log = logging.getLogger(__name__)

GROUP = "facelib.resolvers"
"""The group of entry points in which installed packages offer resolvers."""


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
