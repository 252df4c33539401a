"""The gallery: pictures of the cast, the faces in them, and which of these are used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
