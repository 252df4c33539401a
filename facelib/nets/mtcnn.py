"""The three networks of the mtcnn package as ONNX.

Source: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks" (2016). The package runs them in TensorFlow; here its weights are read without either.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import lz4.frame
import numpy as np
import onnx

from facelib.faces import FloatArray
from facelib.nets.cache import converted
from facelib.nets.graph import Graph, Shape
from facelib.nets.packaged import check_content, packaged

SHA256 = {
    "pnet": "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    "rnet": "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    "onet": "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
}
_REMEDY = "install it with: pip install --force-reinstall --no-deps mtcnn==1.0.0"
_SAME = "SAME_UPPER"  # TensorFlow's "same": what padding is needed goes to the right and the bottom first
_Pool = tuple[int, str] | None
"""The window and the padding of the pool behind a convolution, if any."""
_Weights = Iterator[FloatArray]
"""The arrays of one network in the order of its layers."""


def networks() -> tuple[Path, Path, Path]:
    """Return the P-, R- and O-Net of the mtcnn package as ONNX files, converted at the first call.

    All take float32 `(n, 3, height, width)`, RGB from 0 to 255, in an input named `image`. They give

    - P-Net, any picture of at least 12x12 pixels: `offsets` `(n, 4, rows, columns)` and `scores`
      `(n, rows, columns)`, for the window of 12 pixels whose top left pixel is `(2 * column, 2 * row)`;
    - R-Net, 24x24 pixels: `offsets` `(n, 4)` and `scores` `(n,)`;
    - O-Net, 48x48 pixels: `offsets` `(n, 4)`, `landmarks` `(n, 10)` and `scores` `(n,)`.

    `scores` are probabilities of a face. `offsets` are what to add to left, top, right and bottom, in
    widths and heights of the window. `landmarks` are five x, then five y, in widths and heights from the
    window's left and top, in the order of `facelib.faces.Faces`.

    Raises:
        FileNotFoundError: When the mtcnn package is not installed.
        ValueError: When its weights files are not the known ones.
        OSError: When the cache folder cannot be written.
    """
    return (_network("pnet", _build_proposals), _network("rnet", _build_refinement), _network("onet", _build_output))


def weights_file(name: str) -> Path:
    """Return the file of one network, such as `pnet`, found without importing mtcnn, which needs TensorFlow.

    Raises:
        FileNotFoundError: When the package, or the file in it, is not there.
    """
    return packaged("mtcnn", "assets", "weights", f"{name}.lz4", remedy=_REMEDY)


def _network(name: str, build: Callable[[_Weights, dict[str, str]], onnx.ModelProto]) -> Path:
    source = weights_file(name)

    def made(content: bytes) -> onnx.ModelProto:
        check_content(content, SHA256[name], source, of="mtcnn 1.0.0", remedy=_REMEDY)
        weights = iter(read_arrays(lz4.frame.decompress(content)))
        return build(weights, {"source": source.name, "source_sha256": SHA256[name]})

    return converted(source, f"mtcnn-{name}-1", made)


def read_arrays(content: bytes) -> list[FloatArray]:
    """Read a list of float32 arrays as joblib pickles it; anything else that a pickle names is not even looked up.

    joblib writes, behind the pickled description of each array, a byte counting the padding, the
    padding, and the array's own bytes.

    Raises:
        KeyError: When the pickle names anything but arrays.
    """
    file = io.BytesIO(content)

    class Array:
        """Stands for joblib's description of an array; reads the array as soon as it is described."""

        values: FloatArray

        def __setstate__(self, state: dict[str, Any]) -> None:
            file.seek(file.read(1)[0], io.SEEK_CUR)
            numbers = file.read(4 * math.prod(state["shape"]))
            self.values = np.frombuffer(numbers, "<f4").reshape(state["shape"])

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            known = {"joblib.numpy_pickle.NumpyArrayWrapper": Array}
            return (known | {"numpy.ndarray": np.ndarray, "numpy.dtype": np.dtype})[f"{module}.{name}"]

    return [array.values for array in Unpickler(file).load()]


def _convolve(graph: Graph, weights: _Weights, x: str, output: str | None = None) -> str:
    """Add a convolution without padding, whose filters Keras puts last."""
    kernel = next(weights).transpose(3, 2, 0, 1)
    return graph.convolve(x, kernel, next(weights), output=output)


def _picture_layers(
    weights: _Weights, name: str, sides: tuple[int | str, int | str], pools: Sequence[_Pool]
) -> tuple[Graph, str]:
    """Begin a network of pictures: convolutions with a PReLU each, of one slope for each filter, and maximum pools."""
    graph = Graph(name, "image", ("n", 3, *sides))
    x = graph.normalise(graph.input, [127.5], 1 / 128)
    for pool in pools:
        x = _convolve(graph, weights, x)
        x = graph.add("PRelu", x, graph.constant(next(weights).reshape(-1, 1, 1)))
        if pool:
            size, padding = pool
            x = graph.add("MaxPool", x, kernel_shape=[size, size], strides=[2, 2], auto_pad=padding)
    return graph, x


def _flatten(graph: Graph, x: str) -> str:
    """Flatten by column, row, then channel: Keras keeps channels last, and the package swaps the sides first."""
    return graph.add("Flatten", graph.add("Transpose", x, perm=[0, 3, 2, 1]))


def _dense(graph: Graph, weights: _Weights, x: str, output: str | None = None) -> str:
    return graph.add("Gemm", x, graph.constant(next(weights)), graph.constant(next(weights)), output=output)


def _score(graph: Graph, x: str) -> None:
    """Turn the two classes along axis 1, no face and face, into the probability of a face."""
    face = graph.constant(1, np.int64)
    graph.add("Gather", graph.add("Softmax", x, axis=1), face, output="scores", axis=1)


def _build_proposals(weights: _Weights, metadata: dict[str, str]) -> onnx.ModelProto:
    graph, x = _picture_layers(weights, "mtcnn_pnet", ("height", "width"), ((2, _SAME), None, None))
    _convolve(graph, weights, x, output="offsets")
    _score(graph, _convolve(graph, weights, x))
    return graph.model({"offsets": ("n", 4, "rows", "columns"), "scores": ("n", "rows", "columns")}, metadata)


def _build_refinement(weights: _Weights, metadata: dict[str, str]) -> onnx.ModelProto:
    graph, x = _picture_layers(weights, "mtcnn_rnet", (24, 24), ((3, _SAME), (3, "VALID"), None))
    return _answers(graph, weights, x, {"offsets": 4}, metadata)


def _build_output(weights: _Weights, metadata: dict[str, str]) -> onnx.ModelProto:
    graph, x = _picture_layers(weights, "mtcnn_onet", (48, 48), ((3, _SAME), (3, "VALID"), (2, _SAME), None))
    return _answers(graph, weights, x, {"offsets": 4, "landmarks": 10}, metadata)


def _answers(
    graph: Graph, weights: _Weights, x: str, outputs: dict[str, int], metadata: dict[str, str]
) -> onnx.ModelProto:
    """Finish a network of one face: a layer that all answers share, then one for each of them, and the scores."""
    x = _dense(graph, weights, _flatten(graph, x))
    x = graph.add("PRelu", x, graph.constant(next(weights)))
    for output in outputs:
        _dense(graph, weights, x, output=output)
    _score(graph, _dense(graph, weights, x))
    shapes: dict[str, Shape] = {name: ("n", numbers) for name, numbers in outputs.items()}
    return graph.model(shapes | {"scores": ("n",)}, metadata)
