"""The routers of what is in a project."""

from types import ModuleType

from facelib.server.api import (
    corrections,
    doctor,
    embeds,
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
    people, pictures, doctor, forget, recognizer, videos, media, embeds, tracks, corrections, unknowns, search, identify
)  # fmt: skip
