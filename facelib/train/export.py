"""A trained network as an ONNX file with its input form in the metadata, verified against PyTorch."""

from __future__ import annotations

import copy
import io
import logging
import math
from collections.abc import Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import helper
from torch import nn

from facelib.embed import InputForm, NetworkEmbedder
from facelib.faces import FloatArray, Image
from facelib.nets.runtime import open_network
from facelib.project import atomic_write
from facelib.project.digests import sha256_of
from facelib.recognize.thresholds import fit_threshold, trials
from facelib.train.measures import embed_crops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facelib.train.data import Crops
    from facelib.train.settings import TrainingResult

LARGEST_DIFFERENCE = 1e-4
"""How far a number of an ONNX file's vectors may lie from PyTorch's."""

_OPSET = 18  # the exporter's own: an onnxruntime of any version that facelib allows runs it
_RANDOM_CHIPS = 5
_MOST_FACES = 64


@dataclass(frozen=True, slots=True)
class Exported:
    """An ONNX file and its largest difference from the network in PyTorch.

    Attributes:
        path: The file.
        sha256: Of the file; a gallery stores it to identify its network.
        dimension: Length of the vectors.
        size: Bytes of the file.
        difference: Largest difference of a number from PyTorch's.
        faces: Number of pictures it was measured on.
    """

    path: Path
    sha256: str
    dimension: int
    size: int
    difference: float
    faces: int

    def __str__(self) -> str:
        """Return a one-line summary."""
        return (
            f"{self.path}: {self.dimension} numbers per face, {self.size / 1e6:.1f} MB, "
            f"within {self.difference:.1g} of PyTorch on {self.faces} pictures"
        )


def export_onnx(
    model: nn.Module,
    path: str | Path,
    *,
    form: InputForm,
    threshold: float = math.nan,
    chips: Image | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Exported:
    """Write a network as an ONNX file that `facelib.load_embedder` opens by its path.

    The file takes batches of any size, and carries the form of its input, so nothing else is needed to use it. It is
    run in ONNX Runtime and compared with PyTorch on random pictures and on `chips`; it is put in place only when
    every number agrees within `LARGEST_DIFFERENCE`. The same network gives the same file.

    Args:
        model: Takes `(n, 3, size, size)` float32 and gives `(n, dimension)`. It is left as it is.
        path: Where to write; must end in `.onnx`.
        form: What the network's input is.
        threshold: The distance within which about 1 % of strangers get a name; NaN where nobody measured it.
        chips: `(n, size, size, 3)` uint8 RGB: faces to compare on as well.
        metadata: Further entries for the file's metadata.

    Raises:
        ValueError: When the path has another ending, the chips are not of the form, the network gives no such
            vectors or none that are finite, or ONNX Runtime gives others than PyTorch.
        OSError: When the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"expected a path that ends in '.onnx', got {str(path)!r}")
    still = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    pictures = _pictures(form.size, chips)
    wanted = _in_torch(still, pictures, form)
    said = form.metadata() | dict(metadata or {})
    if not math.isnan(threshold):
        said["facelib.threshold"] = repr(float(threshold))
    network = _bare(_converted(still, form.size))
    helper.set_model_props(network, said)
    with atomic_write(path) as temporary:
        onnx.save(network, temporary)
        difference = _difference(temporary, pictures, wanted, form)
    return Exported(path, sha256_of(path), wanted.shape[1], path.stat().st_size, difference, len(pictures))


def _pictures(size: int, chips: Image | None) -> Image:
    """Return random pictures, and the faces after them."""
    random = np.random.default_rng(0).integers(0, 256, (_RANDOM_CHIPS, size, size, 3), np.uint8)
    if chips is None:
        return random
    if chips.dtype != np.uint8 or chips.shape[1:] != (size, size, 3):
        raise ValueError(
            f"expected chips of shape (n, {size}, {size}, 3) and dtype uint8, as the form says, "
            f"got shape {chips.shape!r} and dtype {str(chips.dtype)!r}"
        )
    return np.concatenate([random, chips])


def _in_torch(model: nn.Module, pictures: Image, form: InputForm) -> FloatArray:
    """Return PyTorch's vectors, normalised to length 1 where the form asks facelib to do so."""
    coloured = pictures if form.colour == "RGB" else pictures[..., ::-1]
    pixels = (coloured.astype(np.float32) - np.float32(form.mean)) * np.float32(form.scale)
    batch = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    with torch.inference_mode():
        vectors = np.concatenate([np.asarray(model(part)) for part in batch.split(16)])
    if vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise ValueError(
            f"expected a network that gives finite vectors of shape (n, dimension), got shape {vectors.shape!r} with "
            f"{np.count_nonzero(~np.isfinite(vectors))} numbers that are not finite; "
            f"export a network that was trained to the end, or an earlier checkpoint"
        )
    if form.normalise:
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(vectors, np.float32)


def _converted(model: nn.Module, size: int) -> onnx.ModelProto:
    example = torch.zeros(2, 3, size, size)
    with _quiet():
        program = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            input_names=["faces"],
            output_names=["embedding"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            opset_version=_OPSET,
            verbose=False,
        )
    assert program is not None
    found: onnx.ModelProto = program.model_proto
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter except for errors."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def _bare(network: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the exporter's traces: they hold paths, and differ from machine to machine."""
    for field in ("metadata_props", "value_info", "doc_string"):
        network.graph.ClearField(field)
    for part in (*network.graph.node, *network.graph.input, *network.graph.output, *network.graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    network.producer_name, network.producer_version = "facelib", ""
    return network


def _difference(path: Path, pictures: Image, wanted: FloatArray, form: InputForm) -> float:
    """Return how far ONNX Runtime's vectors lie from PyTorch's, through the class that will use the file."""
    embedder = NetworkEmbedder(open_network(path, provider="cpu"), form, name=path.stem, batch_size=4)
    got = embedder.embed_chips(pictures)
    difference = float(np.abs(got - wanted).max()) if got.shape == wanted.shape else math.nan
    if not difference <= LARGEST_DIFFERENCE:
        raise ValueError(
            f"expected vectors of shape {wanted.shape!r} within {LARGEST_DIFFERENCE:g} of PyTorch's, ONNX Runtime gave "
            f"shape {got.shape!r} and a difference of {difference:.3g}; nothing was written: the network has a part "
            f"that does not survive its export"
        )
    return difference


def export_result(result: TrainingResult, path: str | Path, validation: Crops) -> Exported:
    """Export the network of a training, with the threshold at which 1 % of strangers are named, of held-out people.

    The threshold is measured with each face embedded once, as everywhere in facelib, even if the training was
    validated with the mean of a face and its mirror image.

    Raises:
        ValueError: When the faces are others, or as in `export_onnx`.
        OSError: When the file cannot be written.
    """
    if validation.table["picture"].tolist() != result.validation["picture"].tolist():
        raise ValueError(
            f"expected the {len(result.validation)} validation faces of the training in {str(result.folder)!r}, "
            f"got {len(validation)} others"
        )
    vectors = embed_crops(result.model, validation)
    outcome = trials(vectors, validation.table["person"].to_numpy(object))
    fitted = fit_threshold(outcome, wanted_fpir=0.01, fallback=math.nan)
    settings = result.settings
    return export_onnx(
        result.model,
        path,
        form=result.form,
        threshold=fitted.threshold if math.isfinite(fitted.threshold) else math.nan,
        chips=validation.faces(range(min(len(validation), _MOST_FACES))),
        metadata={
            "facelib.network": settings.network,
            "facelib.trained": f"{settings.loss}, {result.best_epoch} epochs, seed {settings.seed}",
        },
    )
