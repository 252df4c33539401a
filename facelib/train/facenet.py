"""FaceNet's published weights, in their common file formats, into Inception-ResNet v1 and ONNX.

Sources: David Sandberg's FaceNet (TensorFlow, the graphs 20170511-185253 to 20180402-114759) names the layers and
gives their order of axes; Keras' copies join the same names by underscores; facenet-pytorch's state dicts have the
names of `facelib.train.inception_resnet_v1`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from facelib.embed import InputForm
from facelib.faces import FloatArray
from facelib.nets.cache import folders
from facelib.train.export import Exported, export_onnx
from facelib.train.inception_resnet_v1 import Convolution, InceptionResnetV1
from facelib.train.weight_files import Layout, WeightFile, read_weight_file

Standardisation = Literal["auto", "fixed", "per picture"]
"""How pixels enter the network: `(value - 127.5) / 128`, or less their picture's mean by its standard deviation."""

SIZE = 160
"""Side of the pictures that FaceNet's networks see, in pixels."""

_NEWEST = "20180402-114759"
_FIXED = InputForm(size=SIZE, mean=127.5, scale=1 / 128, alignment="margin")
_RAW = InputForm(size=SIZE, mean=0.0, scale=1.0, alignment="margin")
_MOST_TOLD = 8


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A network made of published weights.

    Attributes:
        model: The network, in evaluation mode; takes `(n, 3, 160, 160)` in its `form`.
        form: What its input is.
        said: The kind of file the weights came from.
        layers: Number of layers that were filled.
        left_out: Names of arrays of weights that the network has no place for, such as the classifier's.
    """

    model: nn.Module
    form: InputForm
    said: str
    layers: int
    left_out: tuple[str, ...]


class Whitened(nn.Module):
    """The input of FaceNet's older networks: each picture standardised by its own mean and deviation.

    Source: TensorFlow's `per_image_standardization`; the deviation is at least that of one pixel in the picture.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return the vectors of `(n, 3, side, side)` RGB from 0 to 255."""
        mean = x.mean(dim=(1, 2, 3), keepdim=True)
        deviation = (x - mean).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        least = 1 / (3 * x.shape[2] * x.shape[3]) ** 0.5
        vectors: Tensor = self.network((x - mean) / deviation.clamp(min=least))
        return vectors


def read_facenet(path: str | Path, *, standardisation: Standardisation = "auto") -> Imported:
    """Read FaceNet weights into Inception-ResNet v1, each layer's shape checked.

    Args:
        path: A file as `facelib.train.weight_files.read_weight_file` takes it.
        standardisation: How pixels enter the network. `"auto"` takes `"per picture"` for vectors of 128 numbers, as
            FaceNet's networks of 2017 have them, and `"fixed"` for the others, those of 2018.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it cannot be read, or its layers do not fit; the message names those that do not.
        ImportError: When a library is needed that is not installed.
    """
    if standardisation not in get_args(Standardisation):
        raise ValueError(f"expected standardisation, one of {get_args(Standardisation)!r}, got {standardisation!r}")
    held = read_weight_file(path)
    state = held.arrays if held.layout == "pytorch" else _renamed(held)
    last = state.get("last_linear.weight")
    dimension = 512 if last is None or last.ndim != 2 else last.shape[0]
    model = _without_numbers(dimension).eval()
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items() if value.ndim}
    _check_fit(wanted, state, held, Path(path))
    counters = {name: torch.tensor(0) for name, value in model.state_dict().items() if not value.ndim}
    filled = {name: torch.from_numpy(np.array(state[name], np.float32, order="C")) for name in wanted}
    model.load_state_dict(counters | filled, assign=True)
    whitened = dimension == 128 if standardisation == "auto" else standardisation == "per picture"
    left_out = sorted(name for name, array in state.items() if name not in wanted and array.ndim > 1)
    layers = len({name.rpartition(".")[0] for name in wanted})
    network = Whitened(model).eval() if whitened else model
    return Imported(network, _RAW if whitened else _FIXED, held.said, layers, tuple(left_out))


def import_facenet(
    path: str | Path,
    output: str | Path | None = None,
    *,
    standardisation: Standardisation = "auto",
) -> Exported:
    """Make an ONNX file of FaceNet weights, for `facelib.load_embedder`.

    Args:
        path: The weights.
        output: Where the ONNX file goes; None puts it where facelib looks for networks: those of 20180402-114759
            are then found as `embedder="facenet"`, others by their file's name.
        standardisation: See `read_facenet`.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it cannot be read, its layers do not fit, or ONNX Runtime gives other vectors.
        ImportError: When a library is needed that is not installed.
        OSError: When the ONNX file cannot be written.
    """
    found = read_facenet(path, standardisation=standardisation)
    target = default_output(path) if output is None else Path(output)
    origin = {"facelib.origin": f"FaceNet weights {Path(path).name}, {found.said}"}
    return export_onnx(found.model, target, form=found.form, metadata=origin)


def default_output(path: str | Path) -> Path:
    """Return where the ONNX file of weights goes by default.

    Examples:
        >>> default_output("20180402-114759-vggface2.pt").name, default_output("facenet_keras.h5").name
        ('facenet_20180402_114759.onnx', 'facenet_keras.onnx')
    """
    stem = Path(path).stem
    newest = _NEWEST in stem and "casia" not in stem
    name = f"facenet_{_NEWEST.replace('-', '_')}" if newest else stem if "facenet" in stem else f"facenet_{stem}"
    return folders()[0] / f"{name}.onnx"


_CONVOLUTION = (
    ("conv.weight", "weights"),
    ("bn.weight", "BatchNorm/gamma"),
    ("bn.bias", "BatchNorm/beta"),
    ("bn.running_mean", "BatchNorm/moving_mean"),
    ("bn.running_var", "BatchNorm/moving_variance"),
)
_PLAIN = (("weight", "weights"), ("bias", "biases"))
_BLOCKS = {"repeat_1": "Repeat/block35", "repeat_2": "Repeat_1/block17", "repeat_3": "Repeat_2/block8"}


def _without_numbers(dimension: int) -> InceptionResnetV1:
    """Return the network without initial weights, which would take seconds and be replaced."""
    with torch.device("meta"):
        return InceptionResnetV1(dimension=dimension)


def published_names() -> dict[str, str]:
    """Return the name of each of the network's arrays in the published TensorFlow graph, below `InceptionResnetV1/`.

    Examples:
        >>> published_names()["repeat_2.9.branch1.2.bn.bias"]
        'Repeat_1/block17_10/Branch_1/Conv2d_0c_7x1/BatchNorm/beta'
    """
    model = _without_numbers(512)
    names: dict[str, str] = {}
    for path, layer in model.named_modules():
        if isinstance(layer, Convolution):
            above = model.get_submodule(path.rpartition(".")[0])
            place = _convolution_place(path, layer.conv, alone=not isinstance(above, nn.Sequential))
            names |= {f"{path}.{here}": f"{place}/{there}" for here, there in _CONVOLUTION}
        elif path.endswith(".conv2d"):
            place = f"{_block_place(path.removesuffix('.conv2d'))}/Conv2d_1x1"
            names |= {f"{path}.{here}": f"{place}/{there}" for here, there in _PLAIN}
    names["last_linear.weight"] = "Bottleneck/weights"
    return names | {f"last_{here}": f"Bottleneck/{there}" for here, there in _CONVOLUTION[1:]}


def _block_place(path: str) -> str:
    block, _, number = path.partition(".")
    return f"{_BLOCKS[block]}_{int(number) + 1}" if block in _BLOCKS else block.capitalize()


def _convolution_place(path: str, conv: nn.Conv2d, *, alone: bool) -> str:
    """Return a convolution's place: `Conv2d_2b_3x3`, or by block, branch and its letter in the branch."""
    kernel = f"{conv.kernel_size[0]}x{conv.kernel_size[1]}"
    stem = re.fullmatch(r"conv2d_(\w\w)", path)
    if stem:
        return f"Conv2d_{stem[1]}_{kernel}"
    found = re.fullmatch(r"(?P<block>.+)\.branch(?P<branch>\d)(?:\.(?P<step>\d))?", path)
    assert found is not None, path
    letter = "abc"[int(found["step"] or 0)]
    halving = conv.stride[0] > 1  # the convolution that halves the sides begins a new stage
    step = f"1a_{kernel}" if halving else kernel if alone else f"0{letter}_{kernel}"
    return f"{_block_place(found['block'])}/Branch_{found['branch']}/Conv2d_{step}"


def _renamed(held: WeightFile) -> dict[str, FloatArray]:
    """Return a TensorFlow or Keras file's arrays by PyTorch's names and in its order of axes, others by their own."""
    names = published_names()
    if held.layout == "keras":
        names = {here: _keras_name(there) for here, there in names.items()}
    layers = {there.rpartition("/")[0] for there in names.values()}
    given = {_short_name(name, held.layout, layers): value for name, value in held.arrays.items()}
    state = {here: _turned(given.pop(there)) for here, there in names.items() if there in given}
    for name in names:
        if name.endswith("bn.weight") and name not in state and (offset := name[:-6] + "bias") in state:
            state[name] = np.ones_like(state[offset])  # the published networks only shift, and do not scale
    return given | state


def _turned(array: FloatArray) -> FloatArray:
    """Transpose (rows, columns, in, out) to (out, in, rows, columns), and (in, out) to (out, in)."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


def _keras_name(there: str) -> str:
    """Return what Keras' copies call an array: `Block35_1_Branch_0_Conv2d_1x1/kernel`."""
    layer, _, array = there.rpartition("/")
    joined = re.sub(r"^Repeat(_\d)?/", "", layer).replace("/", "_")
    joined = re.sub(r"^Block8(?=_[BC])", "Block8_6", joined[0].upper() + joined[1:])
    return f"{joined}/{ {'weights': 'kernel', 'biases': 'bias'}.get(array, array) }"


def _short_name(name: str, layout: Layout, layers: set[str]) -> str:
    """Return a name without the scopes around it."""
    if layout == "tensorflow":
        return name.rpartition("InceptionResnetV1/")[2]
    *scopes, array = name.removesuffix(":0").split("/")
    layer = next((scope for scope in scopes if scope in layers), None)
    return f"{layer}/{array}" if layer else name


def _check_fit(wanted: dict[str, tuple[int, ...]], state: dict[str, FloatArray], held: WeightFile, path: Path) -> None:
    """Check each layer's shape."""
    there = published_names()
    if held.layout == "keras":
        there = {here: _keras_name(name) for here, name in there.items()}
    problems = []
    for name, shape in wanted.items():
        found = state.get(name)
        told = name if held.layout == "pytorch" else f"{there[name]} ({name})"
        if found is None:
            problems.append(f"{told}: expected shape {shape!r}, found nothing")
        elif found.shape != shape:
            problems.append(f"{told}: expected shape {shape!r}, found {found.shape!r}")
        elif not np.isfinite(found).all():
            problems.append(f"{told}: expected finite numbers, found others among them")
    if problems:
        missing = sum(name not in state for name in wanted)
        has = f"; the file has arrays such as {sorted(held.arrays)[:3]!r}" if missing == len(wanted) else ""
        more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
        raise ValueError(
            f"expected FaceNet's layers (Inception-ResNet v1) in {str(path)!r}, a {held.said}; {len(problems)} of "
            f"{len(wanted)} arrays do not fit{has}: {'; '.join(problems[:_MOST_TOLD])}{more}"
        )
