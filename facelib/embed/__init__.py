"""Faces as vectors: aligned, embedded, with their quality and turn; which are near each other, and which are copies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
