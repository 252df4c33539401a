"""Embedding networks by name: four families common for faces, and any network of timm."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from facelib.train.inception_resnet_v1 import InceptionResnetV1
from facelib.train.nn4_small2 import NN4Small2

NETWORKS = {
    "inception_resnet_v1": "FaceNet's, 23 million weights",
    "nn4_small2": "OpenFace's, 3.7 million weights",
    "xception": "Xception with global maximum pooling and two fully connected layers, 22 million weights",
    "resnet18": "ResNet-18, 11 million weights",
    "small_resnet": "ResNet-10 on patches of 4 pixels, 1.3 million weights; the quickest to train on a CPU",
    "mobilenetv3": "MobileNetV3 (large), 4.4 million weights; quick on a telephone",
}
"""The networks that `network` knows by a name of their own, and what they are."""

_TIMM_NAMES = {"xception": "legacy_xception", "mobilenetv3": "mobilenetv3_large_100"}
_HIDDEN = 512  # width of Xception's first fully connected layer
_SMALL_WIDTHS = (32, 64, 128, 256)


class TimmNetwork(nn.Module):
    """A network of timm with a head for embeddings.

    Args:
        body: Made by timm without a classifier.
        head: Turns its pooled features `(n, channels)` into vectors.
        mean: Subtracted from each colour, from 0 to 1, as in the body's training; None where it was not trained, and
            takes colours from -1 to 1.
        std: What the colours are then divided by.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        body: nn.Module,
        head: nn.Module,
        *,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__()
        self.body, self.head = body, head
        middle, spread = torch.tensor(mean or (0.5,) * 3), torch.tensor(std or (0.5,) * 3)
        self.register_buffer("scale", (0.5 / spread).view(1, 3, 1, 1))
        self.register_buffer("shift", ((0.5 - middle) / spread).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors, `(n, dimension)` of length 1, of `(n, 3, size, size)` RGB from -1 to 1."""
        return functional.normalize(cast(Tensor, self.head(self.body(x * self.scale + self.shift))))


def make_network(name: str, *, dimension: int = 128, pretrained: bool | str | Path = False) -> nn.Module:
    """Make an embedding network.

    Args:
        name: One of `NETWORKS`, or any network of timm (`timm.list_models()`); some of these, such as vision
            transformers, take pictures of one size alone.
        dimension: Length of the vectors.
        pretrained: Whether to start from the weights that timm publishes (ImageNet), from its cache or fetched; or
            the path of such a file (`.safetensors`, `.pth`).

    Returns:
        `(n, 3, size, size)` float32 RGB from -1 to 1 gives `(n, dimension)` float32 of length 1. Its weights are drawn
        by PyTorch's generator: seed that first.

    Raises:
        FileNotFoundError: When there is no such file of weights, or timm has none and cannot fetch them.
        ImportError: When timm is not installed.
        ValueError: When the name is not known, has no published weights, or `dimension` is below 1.

    Examples:
        >>> import torch
        >>> make_network("nn4_small2", dimension=64).eval()(torch.zeros(2, 3, 96, 96)).shape
        torch.Size([2, 64])
    """
    if dimension < 1:
        raise ValueError(f"expected vectors of at least 1 number, got dimension={dimension!r}")
    own: dict[str, Callable[[], nn.Module]] = {
        "inception_resnet_v1": lambda: InceptionResnetV1(dimension=dimension),
        "nn4_small2": lambda: NN4Small2(dimension=dimension),
        "small_resnet": lambda: _small_resnet(dimension),
    }
    if name not in own:
        return _timm_network(name, dimension, pretrained)
    if pretrained:
        raise ValueError(
            f"expected pretrained=False with {name!r}, which has no ImageNet weights, got {pretrained!r}; "
            f"'xception', 'resnet18', 'mobilenetv3' and most networks of timm have"
        )
    return own[name]()


def _timm_network(name: str, dimension: int, pretrained: bool | str | Path) -> nn.Module:
    timm = _timm()
    known = _TIMM_NAMES.get(name, name)
    if not timm.is_model(known):
        near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:6]) or "see timm.list_models()"
        raise ValueError(f"expected one of {list(NETWORKS)!r} or a network of timm, got {name!r}; near it: {near}")
    options: dict[str, Any] = {"num_classes": 0} | ({"global_pool": "max"} if name == "xception" else {})
    with warnings.catch_warnings(action="ignore"):  # timm warns when it maps an old name to a new one
        body = _pretrained_body(timm, known, pretrained, options) if pretrained else timm.create_model(known, **options)
    channels = int(getattr(body, "head_hidden_size", None) or cast(Any, body).num_features)
    config = getattr(body, "pretrained_cfg", {}) if pretrained else {}
    if name == "xception":
        wide, last = nn.Linear(channels, _HIDDEN), nn.Linear(_HIDDEN, dimension)
        head: nn.Module = nn.Sequential(wide, nn.ReLU(), nn.Dropout(0.2), last)
    else:
        head = _linear_head(channels, dimension)
    return TimmNetwork(body, head, mean=config.get("mean"), std=config.get("std"))


def _small_resnet(dimension: int) -> nn.Module:
    """Return a ResNet whose first convolution makes the picture small at once.

    Most of ResNet-18's time on a CPU goes into its first layers, where the picture is large.
    """
    _timm()
    from timm.models.resnet import BasicBlock, ResNet

    body = ResNet(BasicBlock, (1, 1, 1, 1), num_classes=0, channels=_SMALL_WIDTHS)
    body.conv1 = nn.Conv2d(3, 64, 8, stride=4, padding=2, bias=False)
    body.maxpool = nn.Identity()
    return TimmNetwork(body, _linear_head(_SMALL_WIDTHS[-1], dimension))


def _pretrained_body(timm: Any, name: str, pretrained: bool | str | Path, options: dict[str, Any]) -> nn.Module:
    overlay: dict[str, Any] = {}
    if not isinstance(pretrained, bool):
        if not Path(pretrained).is_file():
            raise FileNotFoundError(f"expected ImageNet weights for {name!r}, found no file at {str(pretrained)!r}")
        overlay = {"pretrained_cfg_overlay": {"file": str(pretrained)}}
    elif not timm.list_pretrained(name):
        raise ValueError(f"expected pretrained=False with {name!r}, of which timm has no weights")
    try:
        return cast(nn.Module, timm.create_model(name, pretrained=True, **overlay, **options))
    except Exception as error:
        raise FileNotFoundError(
            f"expected the ImageNet weights of {name!r} as a file, in timm's cache or from its site, got: {error}; "
            f"pass the path of the file as pretrained, or pretrained=False to start from chance"
        ) from error


def _linear_head(channels: int, dimension: int) -> nn.Module:
    """Return one layer between dropout and batch normalisation, in the manner of ArcFace's networks."""
    return nn.Sequential(nn.Dropout(0.2), nn.Linear(channels, dimension, bias=False), nn.BatchNorm1d(dimension))


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise ImportError("expected timm for this network, found none: pip install timm") from error
    return timm
