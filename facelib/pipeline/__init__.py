"""The notebooks in order, run headlessly through papermill.

Names are imported when they are first used (`__init__.pyi` lists them): the notebooks take their parameters from this
package, and need not wait for papermill.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
