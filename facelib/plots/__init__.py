"""Plotly figures and pages of pictures, used by the notebooks and by the web page alike.

Names are imported when they are first used (`__init__.pyi` lists them): a report needs the colours alone, and need not
wait for scikit-learn.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
