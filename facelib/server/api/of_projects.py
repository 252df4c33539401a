"""The routers of what is in a project."""

from types import ModuleType

from facelib.server.api import media, people, pictures, videos

ROUTERS: tuple[ModuleType, ...] = (people, pictures, videos, media)
