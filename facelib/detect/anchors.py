"""Detectors in ONNX files: YuNet and SCRFD, which answer for every cell of three grids at once."""

from __future__ import annotations

import re
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from facelib.detect.base import Options, PictureDetector, padded, resized, stretched, suppress
from facelib.faces import Faces, FloatArray, Image
from facelib.nets.cache import converted, weights_digest
from facelib.nets.graph import of_any_size
from facelib.nets.runtime import Network, Provider, open_network

STRIDES = (8, 16, 32)
_OVERLAP = 0.3


class GridDetector(PictureDetector):
    """A network that gives boxes, scores and landmarks for every cell of grids of 8, 16 and 32 pixels.

    The picture is made smaller until the smallest face wanted is `window` pixels, which is as small as the network
    sees well, so that a larger `smallest_face` is faster.
    """

    window: ClassVar[float]

    def __init__(self, network: Network, options: Options, *, name: str) -> None:
        super().__init__(options)
        self._network = network
        self.name = name

    def _find(self, image: Image, smallest_face: float) -> Faces:
        picture = resized(image, self._factor(image, self.window / smallest_face))
        canvas = padded(picture, self._fixed_size())
        faces = self._decode(self._network.run(self._input(canvas)), canvas.shape[0], canvas.shape[1])
        faces = faces[faces.scores > self.score]
        faces = faces[suppress(faces.boxes, faces.scores, overlap=_OVERLAP)]
        return stretched(faces, picture.shape, image.shape)

    def _fixed_size(self) -> tuple[int, int] | None:
        """Return the height and width of the network's input, or None where any size will do."""
        height, width = self._network.input_shape[2:]
        return (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def _factor(self, image: Image, wanted: float) -> float:
        factor = self._enlargement(image, wanted)
        fixed = self._fixed_size()
        if fixed is None:
            return factor
        height, width = fixed
        fitting: float = min(height / image.shape[0], width / image.shape[1])
        return min(factor, fitting)

    @abstractmethod
    def _input(self, canvas: Image) -> FloatArray:
        """Return the picture in the form the network takes."""

    @abstractmethod
    def _decode(self, outputs: list[FloatArray], height: int, width: int) -> Faces:
        """Return a face for every anchor, in pixels of the network's picture."""


class YuNetDetector(GridDetector):
    """YuNet (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector"), without anchors, BGR from 0 to 255."""

    default_score = 0.6
    window = 16.0

    def _input(self, canvas: Image) -> FloatArray:
        return np.asarray(cv2.dnn.blobFromImage(canvas, swapRB=True), np.float32)

    def _decode(self, outputs: list[FloatArray], height: int, width: int) -> Faces:
        named = dict(zip(self._network.output_names, outputs, strict=True))
        boxes, scores, points = [], [], []
        for stride in STRIDES:
            cells = grid(height, width, stride, anchors=1)
            sure, there, box, five = (
                rows(named[f"{kind}_{stride}"], len(cells)) for kind in ("cls", "obj", "bbox", "kps")
            )
            middle, half = (cells + box[:, :2]) * stride, np.exp(box[:, 2:]) * (stride / 2)
            boxes.append(np.hstack([middle - half, middle + half]))
            scores.append(np.sqrt(np.clip(sure[:, 0], 0, 1) * np.clip(there[:, 0], 0, 1)))
            points.append((five.reshape(-1, 5, 2) + cells[:, None]) * stride)
        return Faces.of(np.concatenate(boxes), np.concatenate(scores), np.concatenate(points))


class ScrfdDetector(GridDetector):
    """SCRFD (Guo et al. 2021, "Sample and Computation Redistribution"), two anchors a cell, RGB `(x - 127.5) / 128`."""

    default_score = 0.5
    window = 16.0

    def _input(self, canvas: Image) -> FloatArray:
        return np.asarray(cv2.dnn.blobFromImage(canvas, 1 / 128, mean=(127.5, 127.5, 127.5)), np.float32)

    def _decode(self, outputs: list[FloatArray], height: int, width: int) -> Faces:
        boxes, scores, points = [], [], []
        order = scrfd_order(self._network)
        for level, stride in enumerate(STRIDES):
            cells = grid(height, width, stride, anchors=2) * stride
            chance, edges, five = (rows(outputs[order[kind][level]], len(cells)) for kind in ("score", "bbox", "kps"))
            boxes.append(np.hstack([cells - edges[:, :2] * stride, cells + edges[:, 2:] * stride]))
            scores.append(chance[:, 0])
            points.append(cells[:, None] + five.reshape(-1, 5, 2) * stride)
        return Faces.of(np.concatenate(boxes), np.concatenate(scores), np.concatenate(points))


def file_detector(
    path: str | Path, options: Options, *, provider: Provider = "auto", name: str | None = None
) -> GridDetector:
    """Open an ONNX file as a detector; its outputs tell which one. Without a name it is called by the file's.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When the outputs are neither YuNet's nor SCRFD's; the message names them.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a detector's ONNX file, found no file at {str(path)!r}")
    network = open_network(path, provider=provider)
    weights = weights_digest(path) if name is None else ""
    name = path.stem if name is None else name
    if {f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES} == set(
        network.output_names
    ):
        found: GridDetector = YuNetDetector(open_network(any_size(path), provider=provider), options, name=name)
    else:
        scrfd_order(network)
        found = ScrfdDetector(network, options, name=name)
    found.weights = weights
    return found


def scrfd_order(network: Network) -> dict[str, tuple[int, int, int]]:
    """Return which outputs are the scores, boxes and landmarks of the strides 8, 16 and 32.

    Files name their outputs (`score_8`, `bbox_8`, `kps_8`, ...), or give nine without telling names in that order.

    Raises:
        ValueError: When the file has no such outputs.
    """
    names, kinds = network.output_names, ("score", "bbox", "kps")
    if all(f"{kind}_{stride}" in names for kind in kinds for stride in STRIDES):
        at = {kind: [names.index(f"{kind}_{stride}") for stride in STRIDES] for kind in kinds}
        return {kind: (index[0], index[1], index[2]) for kind, index in at.items()}
    if len(names) == 9 and all(re.fullmatch(r"\d+", name) for name in names):
        return {kind: (3 * place, 3 * place + 1, 3 * place + 2) for place, kind in enumerate(kinds)}
    raise ValueError(
        f"expected the outputs of YuNet (cls_8, obj_8, bbox_8, kps_8, and so for 16 and 32) or of SCRFD (score_8,"
        f" bbox_8, kps_8, ..., or nine numbered ones) in {str(network.path)!r}, got {list(names)!r}"
    )


def any_size(path: Path) -> Path:
    """Return a copy of a file, in the cache, whose network takes pictures of any size, or the file where it cannot.

    YuNet's files declare 640x640 although nothing in them depends on it.
    """
    model = onnx.load(path)
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    shapes = [constants.get(node.input[1]) for node in model.graph.node if node.op_type == "Reshape"]
    if any(shape is None or -1 not in shape for shape in shapes):
        return path
    return converted(path, f"{path.stem}-any-size-1", lambda content: of_any_size(onnx.load_from_string(content)))


def grid(height: int, width: int, stride: int, *, anchors: int) -> FloatArray:
    """Return the column and the row of every cell, `(n, 2)`, each `anchors` times."""
    row, column = np.divmod(np.arange((height // stride) * (width // stride)), width // stride)
    return np.repeat(np.column_stack([column, row]), anchors, axis=0).astype(np.float32)


def rows(output: NDArray[np.float32], count: int) -> FloatArray:
    """Return an output as one row for every anchor.

    Raises:
        ValueError: When it has another number of rows than the grid has anchors.
    """
    found = output.reshape(-1, output.shape[-1])
    if len(found) != count:
        raise ValueError(
            f"expected {count!r} rows in an output of the detector, got {len(found)!r}; the file is of another form"
        )
    return found.astype(np.float32, copy=False)
