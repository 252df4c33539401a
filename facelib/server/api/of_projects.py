"""The routers of what is in a project."""

from types import ModuleType

from facelib.server.api import (
    corrections,
    forget,
    identify,
    media,
    people,
    pictures,
    recognizer,
    search,
    tracks,
    unknowns,
    videos,
)

ROUTERS: tuple[ModuleType, ...] = (
    people, pictures, forget, recognizer, videos, media, tracks, corrections, unknowns, search, identify
)  # fmt: skip
