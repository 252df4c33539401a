"""The pictures of the cast and the films of a project: copied, fetched or found, and listed.

Modules that open networks are imported by their own names: `prepare`, `crops`, `film_faces`, `datasets`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
