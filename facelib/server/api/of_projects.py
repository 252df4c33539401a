"""The routers of what is in a project."""

from types import ModuleType

from facelib.server.api import people, pictures

ROUTERS: tuple[ModuleType, ...] = (people, pictures)
