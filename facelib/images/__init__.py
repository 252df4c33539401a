"""Pictures: read from files of any kind, cut, measured and made small.

Names are imported when they are first used (`__init__.pyi` lists them): finding pictures needs neither OpenCV nor
Pillow, and the command line answers a wrong name at once.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
