"""Inception-ResNet v1, as FaceNet's published weights have it.

Sources: Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual connections on learning" (AAAI
2017), its first residual form; Schroff et al., "FaceNet: a unified embedding for face recognition and clustering"
(CVPR 2015). The widths of the layers and the factors of the residual branches are those of the FaceNet weights
20180402-114759.

What a layer is called here, and in the published TensorFlow graph below `InceptionResnetV1/`:

| here | there | channels |
|---|---|---|
| `conv2d_1a`, `2a`, `2b` | `Conv2d_1a_3x3`, `2a_3x3`, `2b_3x3` | 3 to 64 |
| `conv2d_3b`, `4a`, `4b` | `Conv2d_3b_1x1`, `4a_3x3`, `4b_3x3` | 64 to 256 |
| `repeat_1.0` to `.4` | `Repeat/block35_1` to `_5` | 256 |
| `mixed_6a` | `Mixed_6a` | 256 to 896 |
| `repeat_2.0` to `.9` | `Repeat_1/block17_1` to `_10` | 896 |
| `mixed_7a` | `Mixed_7a` | 896 to 1792 |
| `repeat_3.0` to `.4` | `Repeat_2/block8_1` to `_5` | 1792 |
| `block8` | `Block8` | 1792 |
| `last_linear` | `Bottleneck/weights` | 1792 to `dimension` |
| `last_bn` | `Bottleneck/BatchNorm` | `dimension` |

Every convolution is a pair `.conv` (no bias) and `.bn` (eps 0.001, no scale in the published weights), then ReLU. The
branches of a block are `.branch0`, `.branch1`, ...; one of several convolutions numbers them from 0. The convolution
that brings a residual block's branches back to its width is `.conv2d`, with a bias and without normalisation.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALLEST_SIDE = 75


class Step(NamedTuple):
    """One convolution of a branch: channels out, kernel (down, across), step, padding (down, across)."""

    out: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: tuple[int, int] = (0, 0)


class Convolution(nn.Module):
    """A convolution without bias, batch normalisation and ReLU."""

    def __init__(self, channels: int, step: Step) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, step.out, step.kernel, stride=step.stride, padding=step.padding, bias=False)
        self.bn = nn.BatchNorm2d(step.out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output for `(n, channels, height, width)`."""
        return functional.relu(cast(Tensor, self.bn(self.conv(x))))


def _branch(channels: int, steps: tuple[Step, ...]) -> nn.Module:
    """Return one convolution as itself, and several as a sequence, which is how the weights number them."""
    layers = []
    for step in steps:
        layers.append(Convolution(channels, step))
        channels = step.out
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


class Branches(nn.Module):
    """Parallel branches, their outputs concatenated along the channels; `pool` adds a 3x3 max pooling."""

    def __init__(self, channels: int, branches: tuple[tuple[Step, ...], ...], *, pool: bool) -> None:
        super().__init__()
        for number, steps in enumerate(branches):
            self.add_module(f"branch{number}", _branch(channels, steps))
        if pool:
            self.add_module(f"branch{len(branches)}", nn.MaxPool2d(3, stride=2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of all branches."""
        return torch.cat([branch(x) for name, branch in self.named_children() if name.startswith("branch")], dim=1)


class Residual(Branches):
    """A residual block: the output of its branches, projected back to the block's width, is added to its input.

    Args:
        channels: In and out.
        branches: Their convolutions.
        scale: Factor of the output before it is added; less than 1 keeps the training steady.
        last: Whether the sum has no ReLU, as in the last block.
    """

    def __init__(
        self, channels: int, branches: tuple[tuple[Step, ...], ...], *, scale: float, last: bool = False
    ) -> None:
        super().__init__(channels, branches, pool=False)
        self.conv2d = nn.Conv2d(sum(steps[-1].out for steps in branches), channels, 1)
        self.scale, self.last = scale, last

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        added = x + self.scale * cast(Tensor, self.conv2d(super().forward(x)))
        return added if self.last else functional.relu(added)


_BLOCK35 = (
    (Step(32),),
    (Step(32), Step(32, (3, 3), padding=(1, 1))),
    (Step(32), Step(32, (3, 3), padding=(1, 1)), Step(32, (3, 3), padding=(1, 1))),
)
_BLOCK17 = ((Step(128),), (Step(128), Step(128, (1, 7), padding=(0, 3)), Step(128, (7, 1), padding=(3, 0))))
_BLOCK8 = ((Step(192),), (Step(192), Step(192, (1, 3), padding=(0, 1)), Step(192, (3, 1), padding=(1, 0))))
_MIXED_6A = ((Step(384, (3, 3), 2),), (Step(192), Step(192, (3, 3), padding=(1, 1)), Step(256, (3, 3), 2)))
_MIXED_7A = (
    (Step(256), Step(384, (3, 3), 2)),
    (Step(256), Step(256, (3, 3), 2)),
    (Step(256), Step(256, (3, 3), padding=(1, 1)), Step(256, (3, 3), 2)),
)


class InceptionResnetV1(nn.Module):
    """FaceNet's network; the published weights give vectors of 512 numbers.

    Raises:
        ValueError: When `dimension` is below 1.
    """

    def __init__(self, *, dimension: int = 512) -> None:
        super().__init__()
        if dimension < 1:
            raise ValueError(f"expected vectors of at least 1 number, got dimension={dimension!r}")
        self.conv2d_1a = Convolution(3, Step(32, (3, 3), 2))
        self.conv2d_2a = Convolution(32, Step(32, (3, 3)))
        self.conv2d_2b = Convolution(32, Step(64, (3, 3), padding=(1, 1)))
        self.maxpool_3a = nn.MaxPool2d(3, stride=2)
        self.conv2d_3b = Convolution(64, Step(80))
        self.conv2d_4a = Convolution(80, Step(192, (3, 3)))
        self.conv2d_4b = Convolution(192, Step(256, (3, 3), 2))
        self.repeat_1 = nn.Sequential(*(Residual(256, _BLOCK35, scale=0.17) for _ in range(5)))
        self.mixed_6a = Branches(256, _MIXED_6A, pool=True)
        self.repeat_2 = nn.Sequential(*(Residual(896, _BLOCK17, scale=0.10) for _ in range(10)))
        self.mixed_7a = Branches(896, _MIXED_7A, pool=True)
        self.repeat_3 = nn.Sequential(*(Residual(1792, _BLOCK8, scale=0.20) for _ in range(5)))
        self.block8 = Residual(1792, _BLOCK8, scale=1.0, last=True)
        self.dropout = nn.Dropout(0.4)
        self.last_linear = nn.Linear(1792, dimension, bias=False)
        self.last_bn = nn.BatchNorm1d(dimension, eps=0.001)

    def features(self, x: Tensor) -> Tensor:
        """Return what the last block sees, `(n, 1792, height, width)`, of `(n, 3, side, side)` RGB from -1 to 1.

        Raises:
            ValueError: When the pictures are smaller than 75 pixels, of which nothing would be left.
        """
        if min(x.shape[-2:]) < SMALLEST_SIDE:
            raise ValueError(f"expected pictures of at least {SMALLEST_SIDE} pixels a side, got {tuple(x.shape)!r}")
        x = self.maxpool_3a(self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x))))
        x = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(x)))
        x = self.repeat_2(self.mixed_6a(self.repeat_1(x)))
        return cast(Tensor, self.block8(self.repeat_3(self.mixed_7a(x))))

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors, `(n, dimension)` of length 1, of `(n, 3, side, side)` RGB from -1 to 1 (FaceNet: 160)."""
        pooled = self.dropout(self.features(x).mean(dim=(2, 3)))
        return functional.normalize(cast(Tensor, self.last_bn(self.last_linear(pooled))))
