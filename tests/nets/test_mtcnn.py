import hashlib
import io
import pickle
import sys
from pathlib import Path

import cv2
import joblib
import lz4.frame
import numpy as np
import pytest
import skimage.data

from facelib.nets import mtcnn
from facelib.nets.runtime import open_network


def by_joblib(path):
    """Read a file as the mtcnn package does; unpacked first, since joblib leaves lz4's file open."""
    return joblib.load(io.BytesIO(lz4.frame.decompress(path.read_bytes())))


def convolution(x, kernel, bias):
    """Keras' Conv2D without padding on (rows, columns, channels), one window position at a time."""
    size = kernel.shape[0]
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    out = np.empty((rows, columns, kernel.shape[3]))
    for row in range(rows):
        for column in range(columns):
            out[row, column] = np.tensordot(x[row : row + size, column : column + size], kernel, 3) + bias
    return out


def prelu(x, slope):
    return np.where(x > 0, x, x * np.reshape(slope, -1))


def pool(x, size, *, same):
    """Keras' MaxPooling2D with strides of 2; "same" makes as many windows as every second pixel starts."""
    rows, columns = (-(-side // 2) if same else (side - size) // 2 + 1 for side in x.shape[:2])
    starts = [max((count - 1) * 2 + size - side, 0) // 2 for count, side in zip((rows, columns), x.shape, strict=False)]
    out = np.empty((rows, columns, x.shape[2]))
    for row in range(rows):
        for column in range(columns):
            top, left = 2 * row - starts[0], 2 * column - starts[1]
            out[row, column] = x[max(top, 0) : top + size, max(left, 0) : left + size].max(axis=(0, 1))
    return out


def face_of(classes):
    exponents = np.exp(classes - classes.max(axis=-1, keepdims=True))
    return exponents[..., 1] / exponents.sum(axis=-1)


def flatten(x):
    return x.transpose(1, 0, 2).reshape(-1)  # the package permutes the sides before Keras flattens


def pnet(x, w):
    x = pool(prelu(convolution(x, w[0], w[1]), w[2]), 2, same=True)
    x = prelu(convolution(x, w[3], w[4]), w[5])
    x = prelu(convolution(x, w[6], w[7]), w[8])
    return convolution(x, w[9], w[10]).transpose(2, 0, 1), face_of(convolution(x, w[11], w[12]))


def rnet(x, w):
    x = pool(prelu(convolution(x, w[0], w[1]), w[2]), 3, same=True)
    x = pool(prelu(convolution(x, w[3], w[4]), w[5]), 3, same=False)
    x = prelu(convolution(x, w[6], w[7]), w[8])
    x = prelu(flatten(x) @ w[9] + w[10], w[11])
    return x @ w[12] + w[13], face_of(x @ w[14] + w[15])


def onet(x, w):
    x = pool(prelu(convolution(x, w[0], w[1]), w[2]), 3, same=True)
    x = pool(prelu(convolution(x, w[3], w[4]), w[5]), 3, same=False)
    x = pool(prelu(convolution(x, w[6], w[7]), w[8]), 2, same=True)
    x = prelu(convolution(x, w[9], w[10]), w[11])
    x = prelu(flatten(x) @ w[12] + w[13], w[14])
    return x @ w[15] + w[16], x @ w[17] + w[18], face_of(x @ w[19] + w[20])


def face_patch(size):
    """The astronaut's face, cut as a square of 108 pixels around it."""
    face = skimage.data.astronaut()[64:172, 170:278]
    return cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)


def run(index, pictures):
    return open_network(mtcnn.networks()[index]).run(np.asarray(pictures, np.float32).transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("index", "name", "forward", "sides"),
    [
        (0, "pnet", pnet, (12, 12)),  # one window
        (0, "pnet", pnet, (29, 40)),  # an odd and an even side before the pooling
        (0, "pnet", pnet, (30, 33)),
        (1, "rnet", rnet, (24, 24)),
        (2, "onet", onet, (48, 48)),
    ],
)
def test_the_networks_compute_what_the_weights_say(index, name, forward, sides):
    weights = by_joblib(mtcnn.weights_file(name))
    noise = np.random.default_rng(0).integers(0, 256, (*sides, 3)).astype(np.uint8)
    for picture in (cv2.resize(face_patch(48), sides[::-1]), noise):
        wanted = forward((picture.astype(float) - 127.5) / 128, weights)
        found = run(index, picture[None])
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one[0], other, atol=1e-5)


def test_the_networks_give_what_tensorflow_gives():
    """The numbers come from mtcnn 1.0.0 with TensorFlow 2.21 on the same pixels."""
    patch = ((np.add.outer(np.arange(48) * 5, np.arange(48) * 3)[..., None] + [0, 40, 90]) % 256).astype(np.uint8)
    offsets, landmarks, scores = run(2, patch[None])
    np.testing.assert_allclose(offsets[0], REFERENCE["onet"][0], atol=2e-6)
    np.testing.assert_allclose(landmarks[0], REFERENCE["onet"][1], atol=2e-6)
    np.testing.assert_allclose(scores[0], REFERENCE["onet"][2], atol=2e-6)
    offsets, scores = run(1, patch[None, :24, :24])
    np.testing.assert_allclose(offsets[0], REFERENCE["rnet"][0], atol=2e-6)
    np.testing.assert_allclose(scores[0], REFERENCE["rnet"][1], atol=2e-6)
    offsets, scores = run(0, patch[None, :12, :12])
    np.testing.assert_allclose(offsets[0, :, 0, 0], REFERENCE["pnet"][0], atol=2e-6)
    np.testing.assert_allclose(scores[0, 0, 0], REFERENCE["pnet"][1], atol=2e-6)


REFERENCE = {
    "pnet": (
        [0.011258245, -0.047067806, 0.006046541, 0.13656895],
        0.0022306552,
    ),
    "rnet": (
        [-0.078943297, -0.099542633, 0.039939567, 0.24420738],
        0.0031680653,
    ),
    "onet": (
        [-0.036044575, -0.15795849, -0.08853282, 0.027207693],
        [
            0.29694736,
            0.6615777,
            0.53382772,
            0.32337365,
            0.59057009,
            0.35442206,
            0.28449178,
            0.67151356,
            0.87796497,
            0.84569758,
        ],
        8.5926622e-05,
    ),
}


def test_a_face_is_known_as_one_and_its_landmarks_are_where_they_belong():
    _, landmarks, scores = run(2, [face_patch(48), np.full((48, 48, 3), 90)])
    assert scores[0] > 0.99
    assert scores[1] < 0.1
    left_eye, right_eye, nose, left_mouth, right_mouth = landmarks[0].reshape(2, 5).T * 108 + [170, 64]
    # seen in the picture, to the pixel or two
    np.testing.assert_allclose([left_eye, right_eye, nose], [[204, 100], [245, 102], [224, 126]], atol=4)
    np.testing.assert_allclose([left_mouth, right_mouth], [[202, 139], [244, 140]], atol=4)


def test_an_empty_batch_gives_empty_answers():
    assert [out.shape for out in run(1, np.empty((0, 24, 24, 3)))] == [(0, 4), (0,)]
    assert [out.shape for out in run(2, np.empty((0, 48, 48, 3)))] == [(0, 4), (0, 10), (0,)]


def test_neither_mtcnn_nor_tensorflow_is_imported():
    mtcnn.networks()
    assert "mtcnn" not in sys.modules
    assert "tensorflow" not in sys.modules


def test_arrays_are_read_as_joblib_reads_them():
    for name in mtcnn.SHA256:
        path = mtcnn.weights_file(name)
        found = mtcnn.read_arrays(lz4.frame.decompress(path.read_bytes()))
        for one, other in zip(found, by_joblib(path), strict=True):
            np.testing.assert_array_equal(one, other)


class Malicious:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "trace"
    content = pickle.dumps([Malicious(trace)])
    pickle.loads(content)
    assert trace.exists()  # so the attack works where nothing stops it
    trace.unlink()
    with pytest.raises(KeyError, match=r"pathlib.*Path.touch"):
        mtcnn.read_arrays(content)
    assert not trace.exists()


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    with pytest.raises(FileNotFoundError, match=r"pip install.*mtcnn"):
        mtcnn.networks()


def install_fake(tmp_path, monkeypatch, **files: bytes) -> None:
    folder = tmp_path / "site" / "mtcnn" / "assets" / "weights"
    folder.mkdir(parents=True)
    (tmp_path / "site" / "mtcnn" / "__init__.py").write_text("raise ImportError('nobody may import this')")
    for name, content in files.items():
        (folder / f"{name}.lz4").write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "mtcnn", raising=False)
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path / "cache"))


def test_a_package_without_its_files_is_told(tmp_path, monkeypatch):
    install_fake(tmp_path, monkeypatch)
    with pytest.raises(FileNotFoundError, match=r"pnet\.lz4"):
        mtcnn.networks()


def test_an_unknown_weights_file_is_refused(tmp_path, monkeypatch):
    content = lz4.frame.compress(b"these are not weights")
    install_fake(tmp_path, monkeypatch, pnet=content)
    with pytest.raises(ValueError, match=hashlib.sha256(content).hexdigest()):
        mtcnn.networks()
