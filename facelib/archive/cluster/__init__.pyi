from .films import index_films
from .local import start_cluster

__all__ = ["index_films", "start_cluster"]
