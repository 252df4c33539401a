from .embedders import (
    MOBILEFACENET_THRESHOLD,
    Alignment,
    DlibEmbedder,
    Embedder,
    InputForm,
    NetworkEmbedder,
    load_embedder,
)

__all__ = [
    "MOBILEFACENET_THRESHOLD",
    "Alignment",
    "DlibEmbedder",
    "Embedder",
    "InputForm",
    "NetworkEmbedder",
    "load_embedder",
]
