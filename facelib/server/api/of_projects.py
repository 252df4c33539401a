"""The routers of what is in a project."""

from types import ModuleType

from facelib.server.api import corrections, media, people, pictures, tracks, videos

ROUTERS: tuple[ModuleType, ...] = (people, pictures, videos, media, tracks, corrections)
