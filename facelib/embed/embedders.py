"""Faces as vectors: face_recognition's network, or any network in an ONNX file, behind one Protocol."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any, Protocol, get_args

import cv2
import dlib
import numpy as np

from facelib.detect.base import Engine, checked
from facelib.embed.align import DLIB_SIZE, DlibAligner, align
from facelib.embed.form import PREFIX, InputForm, from_metadata_entry, is_number
from facelib.faces import Faces, FloatArray, Image
from facelib.nets import dlib as dlib_weights
from facelib.nets.cache import weights_digest
from facelib.nets.catalogue import find_weights
from facelib.nets.figures import read_figures
from facelib.nets.runtime import Network, Provider, open_network
from facelib.nets.weights import catalogue
from facelib.project.kept import kept_by_file
from facelib.project.wording import counted

# Measured on LFW with MTCNN's landmarks: 20 casts of 10 people with 12 pictures each against 1000 strangers, where
# 1 % of the strangers lie within 1.101 of the nearest cast face (standard deviation over the casts 0.005). At that
# distance 99.4 % of the cast's faces, each left out in turn, keep their name. dlib's on the same casts: 0.505.
MOBILEFACENET_THRESHOLD = 1.10


_DLIB_FORM = InputForm(size=DLIB_SIZE, alignment="dlib", normalise=False)
_DLIB_THRESHOLD = 0.48  # names 1 % of 600 strangers, against ten pictures each of 62 people of LFW
MIRRORED = "dlib-mirrored"
_MIRRORED_FORM = InputForm(size=DLIB_SIZE, alignment="dlib", mirrored=True)
# On LFW, 20 casts of ten people with 12 pictures each, 1 % of the others lie within 0.352 of the nearest picture, and
# within 0.509 as they are. As much nearer than dlib's own threshold:
_MIRRORED_THRESHOLD = 0.33
_ARCFACE_FORM = InputForm(size=112, mean=127.5, scale=1 / 127.5)


# The input form and the threshold (nan: not measured) of the embedders in the catalogue.
_KNOWN_FORMS = {
    "mobilefacenet": (InputForm(size=112, mean=127.5, scale=1 / 128), MOBILEFACENET_THRESHOLD),
    "sface": (InputForm(size=112), math.nan),
    "arcface-r50": (_ARCFACE_FORM, math.nan),
    "arcface-r100": (_ARCFACE_FORM, math.nan),
    "facenet": (InputForm(size=160, mean=127.5, scale=1 / 128, alignment="margin"), math.nan),
}


class Embedder(Protocol):
    """Anything that turns faces into embeddings, near each other for one person."""

    @property
    def name(self) -> str:
        """What the embedder is called in tables and file names."""

    @property
    def dimension(self) -> int:
        """The length of its vectors."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of its weights: vectors of different weights cannot be compared."""

    @property
    def threshold(self) -> float:
        """The Euclidean distance within which about 1 % of strangers get a name; `nan` where nobody measured it."""

    @property
    def provider(self) -> str:
        """Where it in fact runs: `CPU` or `CUDA`."""

    def chips(self, image: Image, faces: Faces) -> Image:
        """Cut the faces out as the network wants them, `(n, side, side, 3)` uint8 RGB."""

    def embed_chips(self, chips: Image) -> FloatArray:
        """Return the vectors of cut-out faces, `(n, dimension)` float32."""

    def embed(self, image: Image, faces: Faces) -> FloatArray:
        """Return the vectors of the faces of a picture, `(n, dimension)` float32."""


class NetworkEmbedder:
    """An embedding network in ONNX Runtime; see `Embedder` for its parts.

    Args:
        network: The network: one input of pictures, its first output the vectors.
        form: What its input is.
        name: What to call it.
        sha256: Of its weights; None takes the ONNX file's.
        threshold: The distance within which 1 % of strangers get a name.
        batch_size: Most chips run at once. Raising it takes more memory and is little faster beyond 16.
        aligner: Cuts out dlib's chips, where the form wants these.
    """

    def __init__(
        self,
        network: Network,
        form: InputForm,
        *,
        name: str,
        sha256: str | None = None,
        threshold: float = math.nan,
        batch_size: int = 32,
        aligner: DlibAligner | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"expected a batch of at least 1 chip, got {batch_size!r}")
        self.name, self.form, self.threshold = name, form, threshold
        self.sha256 = weights_digest(network.path) if sha256 is None else sha256
        self.provider = network.provider
        self._network, self._aligner = network, aligner
        fixed = network.input_shape[0] if network.input_shape else None
        self._fixed = fixed if isinstance(fixed, int) else None
        self._batch = self._fixed or batch_size
        blank = np.zeros((1, form.size, form.size, 3), np.uint8)
        self.dimension = int(self._run(blank).shape[1])

    def chips(self, image: Image, faces: Faces) -> Image:
        """Cut the faces out as the network wants them: `(n, size, size, 3)` uint8, RGB whatever its own order.

        Args:
            image: `(height, width, 3)` uint8, RGB.
            faces: Faces in pixels of `image`; boxes may reach over its border.

        Raises:
            TypeError: When `faces` is something else, such as an array of boxes.
            ValueError: When `image` is no such array, or a box or a landmark that is needed is not finite.
        """
        faces = _checked_faces(faces)
        return align(checked(image), faces, self.form.alignment, size=self.form.size, aligner=self._aligner)

    def embed_chips(self, chips: Image) -> FloatArray:
        """Return the vectors of cut-out faces: `(n, dimension)` float32, of length 1 where the form says so.

        Args:
            chips: `(n, size, size, 3)` uint8, RGB, as `chips` gives them.

        Raises:
            ValueError: When `chips` has another shape or dtype.
            RuntimeError: When the network gives something else than finite numbers.
        """
        chips = _checked_chips(chips, self.form.size)
        if not len(chips):
            return np.empty((0, self.dimension), np.float32)
        starts = range(0, len(chips), self._batch)
        vectors = np.concatenate([self._run(chips[start : start + self._batch]) for start in starts])
        if self.form.mirrored:
            mirrored = np.ascontiguousarray(chips[:, :, ::-1])
            others = [self._run(mirrored[start : start + self._batch]) for start in starts]
            vectors = (vectors + np.concatenate(others)) / 2
        if not np.isfinite(vectors).all():
            raise RuntimeError(
                f"expected vectors of finite numbers from {self._network.path.name}, got others: it is damaged, or "
                f"computes in numbers that are too short for it, such as float16"
            )
        if self.form.normalise:
            vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
        return vectors

    def embed(self, image: Image, faces: Faces) -> FloatArray:
        """Return the vectors of the faces of a picture, `(n, dimension)` float32; see `chips` for the arguments."""
        return self.embed_chips(self.chips(image, faces))

    def _run(self, chips: Image) -> FloatArray:
        form, count = self.form, len(chips)
        if self._fixed is not None and count < self._fixed:  # fixed batch size: fill the batch with black
            chips = np.concatenate([chips, np.zeros((self._fixed - count, *chips.shape[1:]), np.uint8)])
        mean = (form.mean, form.mean, form.mean)
        blob = cv2.dnn.blobFromImages(list(chips), form.scale, mean=mean, swapRB=form.colour == "BGR")
        vectors = np.asarray(self._network.run(blob)[0])
        if vectors.ndim < 2 or len(vectors) != len(chips) or vectors[0].size < 2 or vectors.dtype.kind not in "fiu":
            raise ValueError(
                f"expected a vector for each face as the first output of {self._network.path.name}, got "
                f"{vectors.dtype.name} of shape {vectors.shape!r} for {counted(len(chips), 'face')}: it is no network "
                f"of embeddings, or its outputs are in another order"
            )
        return vectors[:count].reshape(count, -1).astype(np.float32, copy=False)


class DlibEmbedder:
    """face_recognition's network run by dlib itself, one face after the other: the reference. See `Embedder`."""

    name = "dlib"
    dimension = 128
    threshold = _DLIB_THRESHOLD
    provider = "CPU"

    def __init__(self) -> None:
        self._path = dlib_weights.weights_file("dlib_face_recognition_resnet_model_v1.dat")
        self.sha256 = weights_digest(self._path)
        _open_model(self._path)
        self._aligner = DlibAligner(dlib_weights.landmark_file())

    def chips(self, image: Image, faces: Faces) -> Image:
        """Cut the faces out, `(n, 150, 150, 3)` uint8 RGB."""
        return self._aligner.chips(checked(image), _checked_faces(faces).boxes)

    def embed_chips(self, chips: Image) -> FloatArray:
        """Return the vectors of cut-out faces, `(n, 128)` float32."""
        chips = _checked_chips(chips, DLIB_SIZE)
        model = _open_model(self._path)
        vectors = [np.asarray(model.compute_face_descriptor(np.ascontiguousarray(chip))) for chip in chips]
        return np.array(vectors, np.float32).reshape(-1, self.dimension)

    def embed(self, image: Image, faces: Faces) -> FloatArray:
        """Return the vectors of the faces of a picture, `(n, 128)` float32."""
        return self.embed_chips(self.chips(image, faces))


@kept_by_file(most=1)
def _open_model(path: Path) -> Any:
    return dlib.face_recognition_model_v1(str(path))


def load_embedder(
    name: str | Path = "dlib",
    *,
    batch_size: int = 32,
    engine: Engine = "onnx",
    provider: Provider = "auto",
    form: InputForm | None = None,
    threshold: float | None = None,
) -> Embedder:
    """Open an embedding network.

    Args:
        name: `"dlib"` (face_recognition's, `model="small"`), `"dlib-mirrored"` (the same network, the mean with the
            mirror image at length 1: fewer errors on portraits, and other distances), a name in the catalogue of
            weights such as `"mobilefacenet"` or `"facenet"`, or the path of any ONNX file.
        batch_size: Faces per batch, at most.
        engine: `"dlib"` runs the dlib network by dlib itself, as the reference.
        provider: Where networks run: `"auto"`, `"cpu"` or `"cuda"`.
        form: What the network's input is; None takes it from the file's metadata or from the catalogue.
        threshold: The distance within which 1 % of strangers get a name; None takes the one that
            `facelib models calibrate` measured, else the file's or the catalogue's, or `nan` where there is none: then
            it must be fitted on data.

    Raises:
        ValueError: When the name or an option is not known, or nothing says what the input of a file is.
        FileNotFoundError: When the weights are missing (`MissingWeights` names where to get them).
        RuntimeError: When a GPU was asked for and there is none.
    """
    if engine not in get_args(Engine):
        raise ValueError(f"expected engine 'onnx' or 'dlib', got {engine!r}")
    if engine == "dlib":
        if name != "dlib":
            raise ValueError(f"expected the embedder 'dlib' with engine='dlib', got {str(name)!r}")
        return DlibEmbedder()
    if name in ("dlib", MIRRORED):
        mirrored = name == MIRRORED
        own = _MIRRORED_THRESHOLD if mirrored else _DLIB_THRESHOLD
        weights = weights_digest(dlib_weights.weights_file("dlib_face_recognition_resnet_model_v1.dat"))
        return NetworkEmbedder(
            open_network(dlib_weights.embedding_network(), provider=provider),
            _MIRRORED_FORM if mirrored else _DLIB_FORM,
            name=str(name),
            # Vectors of the two forms cannot be compared.
            sha256=hashlib.sha256(f"{weights} mirrored".encode()).hexdigest() if mirrored else weights,
            threshold=own if threshold is None else threshold,
            batch_size=batch_size,
            aligner=DlibAligner(dlib_weights.landmark_file()),
        )
    return _file_embedder(
        Path(find_weights(name)), batch_size=batch_size, provider=provider, form=form, threshold=threshold
    )


def _file_embedder(
    path: Path, *, batch_size: int, provider: Provider, form: InputForm | None, threshold: float | None
) -> NetworkEmbedder:
    """Open an ONNX file; the form given goes before the file's own, and that before the catalogue's."""
    network, sha256 = open_network(path, provider=provider), weights_digest(path)
    own = InputForm.from_metadata(network.metadata)
    known = _known_as(path, sha256, trusted=own is None)
    known_form, known_threshold = _KNOWN_FORMS.get(known or "", (None, math.nan))
    found = form or own or known_form
    if found is None:
        raise ValueError(
            f"expected to know the input of {str(path)!r}, but its metadata has no 'facelib.size' and it is not in the"
            " catalogue; pass form=InputForm(size=..., mean=..., scale=..., colour=..., alignment=..., normalise=...)"
        )
    measured = read_figures(sha256) if form is None else None
    if threshold is None and measured is not None:
        threshold = measured.threshold
    if threshold is None and form is None and PREFIX + "threshold" in network.metadata:
        threshold = from_metadata_entry(network.metadata, "threshold")
        if not is_number(threshold) or threshold < 0:
            raise ValueError(f"expected a distance as {PREFIX + 'threshold'!r} in {str(path)!r}, got {threshold!r}")
    if threshold is None:
        threshold = known_threshold if form is None else math.nan
    return NetworkEmbedder(
        network,
        found,
        name=known or _own_name(path, sha256),
        sha256=sha256,
        threshold=threshold,
        batch_size=batch_size,
        aligner=DlibAligner(dlib_weights.landmark_file(), size=found.size) if found.alignment == "dlib" else None,
    )


def _known_as(path: Path, sha256: str, *, trusted: bool) -> str | None:
    """Return the name of a file in the catalogue; one that merely has the file's name counts where it is `trusted`."""
    for each in catalogue():
        if sha256 == each.sha256 or (path.name == each.file and (trusted or each.sha256 is None)):
            return each.name
    return None


def _own_name(path: Path, sha256: str) -> str:
    """Return what to call a user's network: figures measured for a known one of that name are not its."""
    taken = {"dlib", MIRRORED, *(each.name for each in catalogue())}
    return path.stem if path.stem not in taken else f"{path.stem}-{sha256[:8]}"


def _checked_faces(faces: Any) -> Faces:
    if not isinstance(faces, Faces):
        raise TypeError(f"expected Faces, as detectors and Faces.of(boxes) give them, got {type(faces).__name__}")
    return faces


def _checked_chips(chips: Any, size: int) -> Image:
    found = np.asarray(chips)
    if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1:] != (size, size, 3):
        raise ValueError(
            f"expected chips of shape (n, {size}, {size}, 3) and dtype uint8,"
            f" got shape {found.shape!r} and dtype {str(found.dtype)!r}"
        )
    return found
