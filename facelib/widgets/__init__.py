"""Widgets for JupyterLab: they show and propose, and the saved file decides.

Each name is imported when it is first used: live video alone takes a second.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
