"""Where films come from beside the own disk: web addresses, and resources that a knowledge graph describes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
