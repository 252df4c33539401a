"""Writing a small network as ONNX, one layer after another, and freeing a written one of its picture's size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

_OPSET = 13
_IR_VERSION = 8  # old enough for every onnxruntime that facelib allows

Shape = Sequence[int | str]
"""The sides of a tensor; a text names a side of any length."""


class Graph:
    """A network under construction; tensors are known by their names."""

    def __init__(self, name: str, input_name: str, input_shape: Shape) -> None:
        self.input = input_name
        self._name = name
        self._shape = input_shape
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: ArrayLike, dtype: type = np.float32) -> str:
        """Add a constant and return its name."""
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.array(values, dtype, order="C"), name))
        return name

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add an operator with one output and return the output's name."""
        name = output or f"tensor{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def normalise(self, x: str, mean: ArrayLike, scale: float) -> str:
        """Add `(x - mean) * scale` with one mean for each channel."""
        shift = self.constant(np.reshape(np.asarray(mean, np.float32), (1, -1, 1, 1)))
        return self.add("Mul", self.add("Sub", x, shift), self.constant(scale))

    def convolve(
        self,
        x: str,
        weights: NDArray[Any],
        bias: NDArray[Any],
        *,
        stride: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0),
        output: str | None = None,
    ) -> str:
        """Add a convolution; `weights` is (filters, channels, rows, columns), zeros pad both ends of each side."""
        return self.add(
            "Conv",
            x,
            self.constant(weights),
            self.constant(bias),
            output=output,
            kernel_shape=list(weights.shape[2:]),
            strides=list(stride),
            pads=[*padding, *padding],
        )

    def model(self, outputs: Mapping[str, Shape], metadata: Mapping[str, str]) -> onnx.ModelProto:
        """Return the finished and checked network; all outputs are float32."""
        graph = helper.make_graph(
            self._nodes,
            self._name,
            [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, list(self._shape))],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in outputs.items()],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="facelib")
        model.ir_version = _IR_VERSION
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model, full_check=True)
        return model


def of_any_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let a network take pictures of any height and width, which it declares too narrowly; return it."""
    sides = model.graph.input[0].type.tensor_type.shape.dim
    sides[2].dim_param, sides[3].dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    model.graph.ClearField("value_info")
    return model
