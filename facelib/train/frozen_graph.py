"""The constants of a frozen TensorFlow graph, read without TensorFlow by their protobuf field numbers.

Source: TensorFlow's graph.proto, node_def.proto, attr_value.proto, tensor.proto and tensor_shape.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from facelib.faces import FloatArray

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
