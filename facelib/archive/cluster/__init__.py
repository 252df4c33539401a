"""Many machines: the films of a project indexed by the workers of a Dask scheduler.

A film is the task. A worker indexes it in a process of its own, writes the tables once into the project's store, and
returns their key; the notebook takes them over and goes on as if it had indexed the film itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
