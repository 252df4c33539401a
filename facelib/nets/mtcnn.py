"""The three networks of the mtcnn package as ONNX.

Source: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional
Networks" (2016). The package runs them in TensorFlow; here its weights are read without either.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
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
_Layer = tuple[int, int, tuple[int, str] | None]
"""A convolution's window and filters, and the window and the padding of the pool behind it, if any."""


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
        weights = _Weights(read_arrays(lz4.frame.decompress(content)), str(source))
        return build(weights, {"source": source.name, "source_sha256": SHA256[name]})

    return converted(source, f"mtcnn-{name}-1", made)


def read_arrays(content: bytes) -> list[FloatArray]:
    """Read a list of float32 arrays as joblib pickles it, without running anything that the pickle names.

    joblib writes, behind the pickled description of each array, a byte counting the padding, the
    padding, and the array's own bytes.

    Raises:
        ValueError: When the pickle holds anything but a list of little-endian float32 arrays in C order.
    """
    file = io.BytesIO(content)

    class Array:
        """Stands for joblib's description of an array; reads the array as soon as it is described."""

        values: FloatArray

        def __setstate__(self, state: dict[str, Any]) -> None:
            if state["subclass"] is not _NumpyArray or state["order"] != "C":
                raise ValueError(f"expected a plain array in C order, found {state!r}")
            self.values = _read_array(file, state["shape"], state["dtype"])

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            known = {
                ("joblib.numpy_pickle", "NumpyArrayWrapper"): Array,
                ("numpy", "ndarray"): _NumpyArray,
                ("numpy", "dtype"): _NumpyType,
            }
            if (module, name) not in known:
                raise ValueError(f"expected a pickle of arrays only, found that it names {module + '.' + name!r}")
            return known[module, name]

    try:
        found = Unpickler(file).load()
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"expected a pickled list of arrays, could not read it: {error!r}") from error
    if not isinstance(found, list) or not all(isinstance(array, Array) and hasattr(array, "values") for array in found):
        raise ValueError(f"expected a list of arrays, found {type(found).__name__}")
    return [array.values for array in found]


class _NumpyArray:
    """Stands for `numpy.ndarray` in a pickle, where only its name is wanted."""


class _NumpyType:
    """Stands for `numpy.dtype` in a pickle, and keeps what it is made with."""

    def __init__(self, name: str, *_flags: bool) -> None:
        self.name, self.byte_order = name, ""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.byte_order = state[1]


def _read_array(file: io.BytesIO, shape: tuple[int, ...], dtype: _NumpyType) -> FloatArray:
    if not isinstance(dtype, _NumpyType) or (dtype.name, dtype.byte_order) != ("f4", "<"):
        raise ValueError(f"expected little-endian float32 numbers, found {vars(dtype)!r}")
    if not isinstance(shape, tuple) or not all(isinstance(side, int) and side > 0 for side in shape):
        raise ValueError(f"expected the shape of an array, found {shape!r}")
    file.seek(file.read(1)[0], io.SEEK_CUR)
    wanted = 4 * int(np.prod(shape, dtype=object))
    content = file.read(wanted)
    if len(content) != wanted:
        raise ValueError(f"expected {wanted} bytes for an array of shape {shape!r}, found {len(content)}")
    return np.frombuffer(content, "<f4").reshape(shape)


class _Weights:
    """The arrays of one network, taken in the order of its layers, each with its shape checked."""

    def __init__(self, arrays: list[FloatArray], source: str) -> None:
        self._arrays, self._taken, self._source = arrays, 0, source

    def take(self, *shape: int) -> FloatArray:
        found = self._arrays[self._taken].shape if self._taken < len(self._arrays) else None
        if found != shape:
            raise ValueError(
                f"expected array {self._taken} of {self._source!r} to have the shape {shape!r}, found {found!r}; "
                f"{_REMEDY}"
            )
        self._taken += 1
        return self._arrays[self._taken - 1]

    def finish(self) -> None:
        if self._taken != len(self._arrays):
            raise ValueError(f"expected {self._taken} arrays in {self._source!r}, found {len(self._arrays)}; {_REMEDY}")


def _convolve(graph: Graph, weights: _Weights, x: str, sides: tuple[int, int, int], output: str | None = None) -> str:
    """Add a convolution without padding; `sides` are its window, channels and filters, which Keras puts last."""
    window, channels, filters = sides
    kernel = weights.take(window, window, channels, filters).transpose(3, 2, 0, 1)
    return graph.convolve(x, kernel, weights.take(filters), output=output)


def _picture_layers(
    weights: _Weights, name: str, sides: tuple[int | str, int | str], layers: Sequence[_Layer]
) -> tuple[Graph, str]:
    """Begin a network of pictures: convolutions with a PReLU each, of one slope for each filter, and maximum pools."""
    graph = Graph(name, "image", ("n", 3, *sides))
    x, channels = graph.normalise(graph.input, [127.5], 1 / 128), 3
    for window, filters, pool in layers:
        x = _convolve(graph, weights, x, (window, channels, filters))
        x = graph.add("PRelu", x, graph.constant(weights.take(1, 1, filters).reshape(filters, 1, 1)))
        if pool:
            size, padding = pool
            x = graph.add("MaxPool", x, kernel_shape=[size, size], strides=[2, 2], auto_pad=padding)
        channels = filters
    return graph, x


def _flatten(graph: Graph, x: str) -> str:
    """Flatten by column, row, then channel: Keras keeps channels last, and the package swaps the sides first."""
    return graph.add("Flatten", graph.add("Transpose", x, perm=[0, 3, 2, 1]))


def _dense(graph: Graph, weights: _Weights, x: str, inputs: int, outputs: int, output: str | None = None) -> str:
    matrix, bias = graph.constant(weights.take(inputs, outputs)), graph.constant(weights.take(outputs))
    return graph.add("Gemm", x, matrix, bias, output=output)


def _score(graph: Graph, x: str) -> None:
    """Turn the two classes along axis 1, no face and face, into the probability of a face."""
    face = graph.constant(1, np.int64)
    graph.add("Gather", graph.add("Softmax", x, axis=1), face, output="scores", axis=1)


def _build_proposals(weights: _Weights, metadata: dict[str, str]) -> onnx.ModelProto:
    layers = ((3, 10, (2, _SAME)), (3, 16, None), (3, 32, None))
    graph, x = _picture_layers(weights, "mtcnn_pnet", ("height", "width"), layers)
    _convolve(graph, weights, x, (1, 32, 4), output="offsets")
    _score(graph, _convolve(graph, weights, x, (1, 32, 2)))
    weights.finish()
    return graph.model({"offsets": ("n", 4, "rows", "columns"), "scores": ("n", "rows", "columns")}, metadata)


def _build_refinement(weights: _Weights, metadata: dict[str, str]) -> onnx.ModelProto:
    layers = ((3, 28, (3, _SAME)), (3, 48, (3, "VALID")), (2, 64, None))
    graph, x = _picture_layers(weights, "mtcnn_rnet", (24, 24), layers)
    return _answers(graph, weights, x, (3 * 3 * 64, 128), {"offsets": 4}, metadata)


def _build_output(weights: _Weights, metadata: dict[str, str]) -> onnx.ModelProto:
    layers = ((3, 32, (3, _SAME)), (3, 64, (3, "VALID")), (3, 64, (2, _SAME)), (2, 128, None))
    graph, x = _picture_layers(weights, "mtcnn_onet", (48, 48), layers)
    return _answers(graph, weights, x, (3 * 3 * 128, 256), {"offsets": 4, "landmarks": 10}, metadata)


def _answers(
    graph: Graph, weights: _Weights, x: str, sizes: tuple[int, int], outputs: dict[str, int], metadata: dict[str, str]
) -> onnx.ModelProto:
    """Finish a network of one face: a layer that all answers share, then one for each of them, and the scores."""
    x = _dense(graph, weights, _flatten(graph, x), *sizes)
    x = graph.add("PRelu", x, graph.constant(weights.take(sizes[1])))
    for output, numbers in outputs.items():
        _dense(graph, weights, x, sizes[1], numbers, output=output)
    _score(graph, _dense(graph, weights, x, sizes[1], 2))
    weights.finish()
    shapes: dict[str, Shape] = {name: ("n", numbers) for name, numbers in outputs.items()}
    return graph.model(shapes | {"scores": ("n",)}, metadata)
