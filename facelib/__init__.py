"""facelib: who is in a film, and when.

The notebooks are the programs; this package is what they call. The names it gives are the ones to
begin with (`__init__.pyi` lists them); everything else is found in the module named after it. Each
is imported when it is first used, so that the command line answers at once.
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = version("facelib")
