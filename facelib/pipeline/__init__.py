"""The notebooks in order, run headlessly through papermill.

What is here is imported when it is first used: the parameters are checked before papermill is loaded, which takes
seconds.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
