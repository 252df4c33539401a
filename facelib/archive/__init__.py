"""One index over all films of a project, or of several: appearances, tracks and faces, searched in a second.

The index lies in `output/<project>/archive`: `update_archive` brings it up to date, `open_archive` reads it. Searching
needs DuckDB, which the extra `scale` installs.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
