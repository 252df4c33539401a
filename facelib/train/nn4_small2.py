"""NN4.small2, the small Inception network of OpenFace.

Sources: Amos et al., "OpenFace: a general-purpose face recognition library with mobile applications" (CMU-CS-16-118,
2016); Schroff et al., "FaceNet" (CVPR 2015), whose NN4 it makes smaller. Layers are called as there: `inception_3a`,
`3b`, `3c`, `4a`, `4e`, `5a`, `5b`. OpenFace's pictures have 96 pixels a side; others work as well, since the last
pooling goes over whatever is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

Pool = Literal["max", "l2"]


class Inception(NamedTuple):
    """The widths of a block: channels before and after each convolution, None where the block has no such branch.

    Attributes:
        three: Of the 3x3 convolution.
        five: Of the 5x5 convolution.
        pool: What is pooled, its step, and the channels after it (None: all of them, without a convolution).
        one: Of the 1x1 convolution.
        stride: Of the block; 2 halves the picture.
    """

    three: tuple[int, int]
    five: tuple[int, int] | None
    pool: tuple[Pool, int, int | None]
    one: int | None
    stride: int = 1


_BLOCKS = {
    "3a": Inception((96, 128), (16, 32), ("max", 2, 32), 64),
    "3b": Inception((96, 128), (32, 64), ("l2", 3, 64), 64),
    "3c": Inception((128, 256), (32, 64), ("max", 2, None), None, stride=2),
    "4a": Inception((96, 192), (32, 64), ("l2", 3, 128), 256),
    "4e": Inception((160, 256), (64, 128), ("max", 2, None), None, stride=2),
    "5a": Inception((96, 384), None, ("l2", 3, 96), 256),
    "5b": Inception((96, 384), None, ("max", 2, 96), 256),
}


def _convolution(channels: int, out: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the picture's size but for its step, batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride=stride, padding=kernel // 2), nn.BatchNorm2d(out), nn.ReLU()
    )


def _l2_pool(x: Tensor, step: int) -> Tensor:
    # the small number keeps the root's slope finite where a whole window is 0
    return (functional.avg_pool2d(x * x, 3, step) * 9 + 1e-12).sqrt()


class Block(nn.Module):
    """Parallel convolutions of several sizes and a pooling, their outputs concatenated along the channels."""

    def __init__(self, channels: int, form: Inception) -> None:
        super().__init__()
        kind, self.pool_step, pooled = form.pool
        self.kind, self.stride = kind, form.stride
        self.branches = nn.ModuleList()
        for kernel, widths in ((3, form.three), (5, form.five)):
            if widths:
                reduced = _convolution(channels, widths[0], 1)
                wide = _convolution(widths[0], widths[1], kernel, stride=form.stride)
                self.branches.append(nn.Sequential(reduced, wide))
        self.pooled = nn.Identity() if pooled is None else _convolution(channels, pooled, 1)
        self.one = None if form.one is None else _convolution(channels, form.one, 1)
        convolved = form.three[1] + (form.five[1] if form.five else 0)
        self.out = convolved + (channels if pooled is None else pooled) + (form.one or 0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, `(n, out, height, width)`."""
        answers = [branch(x) for branch in self.branches]
        height, width = answers[0].shape[-2:]
        answers.append(_centred(self.pooled(self._pool(x)), height, width))
        if self.one is not None:
            answers.append(self.one(x))
        return torch.cat(answers, dim=1)

    def _pool(self, x: Tensor) -> Tensor:
        if self.stride > 1:  # keeps the sides that the convolutions have
            return functional.max_pool2d(x, 3, self.pool_step, padding=1)
        pools: dict[str, Callable[[Tensor, int], Tensor]] = {
            "max": lambda given, step: functional.max_pool2d(given, 3, step),
            "l2": _l2_pool,
        }
        return pools[self.kind](x, self.pool_step)


def _centred(x: Tensor, height: int, width: int) -> Tensor:
    """Pad a smaller output with zeros on all sides, as OpenFace does to concatenate branches of different sizes."""
    down, across = height - x.shape[-2], width - x.shape[-1]
    return functional.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))


class NN4Small2(nn.Module):
    """OpenFace's network."""

    smallest_side = 65

    def __init__(self, *, dimension: int = 128) -> None:
        super().__init__()
        self.conv1 = _convolution(3, 64, 7, stride=2)
        self.conv2 = _convolution(64, 64, 1)
        self.conv3 = _convolution(64, 192, 3)
        channels = 192
        for name, form in _BLOCKS.items():
            block = Block(channels, form)
            self.add_module(f"inception_{name}", block)
            channels = block.out
        self.last_linear = nn.Linear(channels, dimension)

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors, `(n, dimension)` of length 1, of `(n, 3, side, side)` RGB from -1 to 1.

        Raises:
            ValueError: When the pictures are smaller than 65 pixels, of which nothing would be left to pool.
        """
        if min(x.shape[-2:]) < self.smallest_side:
            raise ValueError(
                f"expected pictures of at least {self.smallest_side} pixels a side, got {tuple(x.shape)!r}"
            )
        x = functional.max_pool2d(self.conv1(x), 3, 2, padding=1)
        x = self.conv3(self.conv2(functional.local_response_norm(x, 5, 1e-4, 0.75)))
        x = functional.max_pool2d(functional.local_response_norm(x, 5, 1e-4, 0.75), 3, 2, padding=1)
        for name in _BLOCKS:
            x = self.get_submodule(f"inception_{name}")(x)
        return functional.normalize(cast(Tensor, self.last_linear(x.mean(dim=(2, 3)))))
