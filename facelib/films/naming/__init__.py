"""Names for tracks: by face and by context.

Each name is imported when it is first used: scikit-learn takes a second.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
