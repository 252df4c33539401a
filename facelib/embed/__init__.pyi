from .embedders import MOBILEFACENET_THRESHOLD, DlibEmbedder, Embedder, NetworkEmbedder, load_embedder
from .form import Alignment, InputForm

__all__ = [
    "MOBILEFACENET_THRESHOLD",
    "Alignment",
    "DlibEmbedder",
    "Embedder",
    "InputForm",
    "NetworkEmbedder",
    "load_embedder",
]
