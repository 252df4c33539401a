"""Train an embedding network: pictures of people, networks, losses, the training loop, ONNX export.

Nothing else in facelib needs PyTorch; this package does, and says so where it is missing.
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:  # pragma: no cover - the tests run with it
    raise ImportError(
        "expected PyTorch to train networks with, found none: run 'make train' in the checkout, or "
        "pip install h5py onnxscript protobuf pytorch-metric-learning safetensors timm torch"
    ) from error
