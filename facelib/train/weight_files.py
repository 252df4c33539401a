"""Named arrays of numbers out of the files in which networks are published: PyTorch, safetensors, TensorFlow, Keras.

A file is recognised by its content, not by its name. No code from a file is ever run.

The constants of a frozen TensorFlow graph are read without TensorFlow, by their protobuf field numbers; source:
TensorFlow's graph.proto, node_def.proto, attr_value.proto, tensor.proto and tensor_shape.proto.
"""

from __future__ import annotations

import pickle
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from facelib.faces import FloatArray

Layout = Literal["pytorch", "tensorflow", "keras"]
"""Whose names and order of axes the arrays have."""

_HDF5 = b"\x89HDF\r\n\x1a\n"
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")

_FLOAT, _HALF = 1, 19  # of TensorFlow's DataType
_Kind = descriptor_pb2.FieldDescriptorProto

# Of each message the fields that lead to a constant's numbers: name, number, type, whether repeated.
_FIELDS: dict[str, tuple[tuple[str, int, str, bool], ...]] = {
    "Side": (("size", 1, "int64", False),),
    "Shape": (("dim", 2, "Side", True),),
    "Tensor": (
        ("dtype", 1, "int64", False),
        ("tensor_shape", 2, "Shape", False),
        ("tensor_content", 4, "bytes", False),
        ("float_val", 5, "float", True),
    ),
    "Value": (("tensor", 8, "Tensor", False),),
    "Attribute": (("key", 1, "string", False), ("value", 2, "Value", False)),
    "Node": (("name", 1, "string", False), ("op", 2, "string", False), ("attr", 5, "Attribute", True)),
    "Graph": (("node", 1, "Node", True),),
}


@dataclass(frozen=True, slots=True, eq=False)
class WeightFile:
    """What a file of weights holds.

    Attributes:
        arrays: By name, float32.
        layout: Whose names and order of axes these have.
        said: What kind of file it was, in words.
    """

    arrays: dict[str, FloatArray]
    layout: Layout
    said: str


def read_weight_file(path: str | Path) -> WeightFile:
    """Read a file of weights.

    Known are PyTorch state dicts (`.pt`, alone or inside a checkpoint), safetensors, TensorFlow's frozen graphs
    (`.pb`; TensorFlow need not be installed), Keras' HDF5 files (`.h5`; needs h5py), and zip archives with one frozen
    graph in them, as FaceNet's were published.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the file is of no such kind, or is damaged, or would run code.
        ImportError: When h5py is needed and not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a file of weights, found none at {str(path)!r}")
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith(_HDF5):
        return _read_hdf5(path)
    if start.startswith(b"PK"):
        return _read_archive(path)
    if start.startswith(_PICKLES):
        return _read_torch(path)
    if len(start) > 8 and start[8:9] == b"{":
        return _read_safetensors(path)
    return WeightFile(read_frozen_graph(path), "tensorflow", "frozen TensorFlow graph")


def _read_archive(path: Path) -> WeightFile:
    """Read a zip file: PyTorch's own, or a download with a frozen graph in it."""
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"expected a whole archive at {str(path)!r}, got: {error}; fetch it again") from error
    with archive:
        names = archive.namelist()
        if any(name.endswith("data.pkl") for name in names):
            return _read_torch(path)
        inner = [name for name in names if name.endswith(".pb")]
        if len(inner) != 1:
            raise ValueError(
                f"expected PyTorch weights or one frozen graph (.pb) in the archive {str(path)!r}, found {names[:10]!r}"
            )
        with TemporaryDirectory(prefix="facelib-weights-") as folder:
            taken = Path(folder) / Path(inner[0]).name  # whatever folder it lies in there
            with archive.open(inner[0]) as packed, open(taken, "wb") as file:
                shutil.copyfileobj(packed, file)
            return read_weight_file(taken)


def _read_torch(path: Path) -> WeightFile:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"expected a state dict in {str(path)!r}, it holds other objects, which are not loaded because that can "
            f"run code; save the weights alone: torch.save(model.state_dict(), path) ({str(error).splitlines()[0]})"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(f"expected whole PyTorch weights in {str(path)!r}, could not read them: {error}") from error
    arrays = _tensors(content)
    if not arrays:
        raise ValueError(f"expected a state dict in {str(path)!r}, found {type(content).__name__} without tensors")
    return WeightFile(_without_wrapper(arrays), "pytorch", "PyTorch state dict")


def _tensors(content: Any) -> dict[str, FloatArray]:
    """Return the tensors of a state dict, also where it is an entry of a checkpoint."""
    if not isinstance(content, Mapping):
        return {}
    found = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if found:
        return {name: np.asarray(value.detach().float(), np.float32) for name, value in found.items()}
    parts = [_tensors(value) for value in content.values() if isinstance(value, Mapping)]
    return max(parts, key=len, default={})


def _without_wrapper(arrays: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Take off what DataParallel and checkpoints put before every name."""
    for prefix in ("module.", "model.", "net.", "backbone."):
        if all(name.startswith(prefix) for name in arrays):
            arrays = {name.removeprefix(prefix): value for name, value in arrays.items()}
    return arrays


def _read_safetensors(path: Path) -> WeightFile:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise ImportError(f"expected safetensors to read {str(path)!r}, install it: pip install safetensors") from error
    try:
        arrays = _tensors(load_file(path))
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"expected whole safetensors in {str(path)!r}, could not read them: {error}") from error
    return WeightFile(_without_wrapper(arrays), "pytorch", "safetensors")


def _read_hdf5(path: Path) -> WeightFile:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"expected h5py to read Keras' {str(path)!r}, install it: pip install h5py") from error
    arrays: dict[str, FloatArray] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" and "optimizer" not in name:
            arrays[name] = np.asarray(item, np.float32)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
    except OSError as error:
        raise ValueError(f"expected a whole HDF5 file at {str(path)!r}, could not read it: {error}") from error
    return WeightFile(arrays, "keras", "Keras HDF5")


def read_frozen_graph(path: str | Path) -> dict[str, FloatArray]:
    """Return the constants of a frozen graph (`.pb`) by the name of their node, float32.

    Raises:
        ValueError: When the file is no such graph, has no constants, or is damaged.
    """
    path = Path(path)
    graph = _graph_message()
    try:
        graph.ParseFromString(path.read_bytes())
    except (DecodeError, UnicodeDecodeError):
        graph = _graph_message()
    arrays = dict(_constants(graph, path))
    if not arrays:
        found = f"a graph of {len(graph.node)} nodes without them" if len(graph.node) else "none of these"
        raise ValueError(
            f"expected PyTorch weights, safetensors, Keras HDF5, or a frozen TensorFlow graph with constants in "
            f"{str(path)!r}, found {found}; of a TensorFlow checkpoint (.meta, .index, .data) take the frozen .pb"
        )
    return arrays


def _constants(graph: Any, path: Path) -> Iterator[tuple[str, FloatArray]]:
    for node in graph.node:
        tensor = next((entry.value.tensor for entry in node.attr if entry.key == "value"), None)
        if node.op != "Const" or tensor is None or tensor.dtype not in (_FLOAT, _HALF):
            continue
        shape = tuple(side.size for side in tensor.tensor_shape.dim)
        count = int(np.prod(shape))
        numbers = np.frombuffer(tensor.tensor_content, np.float32 if tensor.dtype == _FLOAT else np.float16)
        if len(tensor.float_val):
            numbers = np.asarray(tensor.float_val, np.float32)
        if len(tensor.float_val) == 1:  # one number stands for a tensor full of it
            numbers = np.full(count, numbers[0])
        if numbers.size != count:
            raise ValueError(
                f"expected {count} numbers of {node.name!r} in {str(path)!r}, found {numbers.size}; the file is "
                f"damaged, or its numbers are of a kind that is not read: take the graph as it was published"
            )
        yield node.name, numbers.astype(np.float32).reshape(shape)


def _graph_message() -> Any:
    """Return an empty TensorFlow `GraphDef` that knows the fields above, and ignores all others."""
    simple = {
        "int64": _Kind.TYPE_INT64,
        "float": _Kind.TYPE_FLOAT,
        "string": _Kind.TYPE_STRING,
        "bytes": _Kind.TYPE_BYTES,
    }
    file = descriptor_pb2.FileDescriptorProto(name="facelib_graph.proto", package="facelib_graph", syntax="proto3")
    for message, fields in _FIELDS.items():
        described = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            field = described.field.add(name=name, number=number)
            field.label = _Kind.LABEL_REPEATED if repeated else _Kind.LABEL_OPTIONAL
            field.type = simple.get(kind, _Kind.TYPE_MESSAGE)
            if kind not in simple:
                field.type_name = f".facelib_graph.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("facelib_graph.Graph"))()
