"""FaceNet's weights in every form people have them, filled with random numbers, and the arithmetic layer by layer."""

from __future__ import annotations

import re
import struct
import sys
import zipfile

import numpy as np
import pytest
import torch
from scipy.signal import correlate
from typer.testing import CliRunner

import facelib
from facelib.cli import main
from facelib.train.facenet import Whitened, default_output, import_facenet, published_names, read_facenet
from facelib.train.inception_resnet_v1 import InceptionResnetV1
from facelib.train.weight_files import read_frozen_graph, read_weight_file

SCOPE = "InceptionResnetV1/"


@pytest.fixture(scope="module")
def published():
    """The published graph's arrays, written out here layer by layer as its makers did, with random numbers."""
    return make_published(512)


def make_published(dimension: int) -> dict[str, np.ndarray]:
    random, arrays = np.random.default_rng(4), {}

    def layer(place: str, rows: int, columns: int, channels: int, out: int, *, norm: bool = True) -> int:
        deviation = np.sqrt(1.6 / (rows * columns * channels))
        shape = (rows, columns, channels, out) if place != "Bottleneck" else (channels, out)
        arrays[f"{place}/weights"] = random.normal(0, deviation, shape).astype(np.float32)
        if norm:
            arrays[f"{place}/BatchNorm/beta"] = random.normal(0, 0.1, out).astype(np.float32)
            arrays[f"{place}/BatchNorm/moving_mean"] = random.normal(0, 0.1, out).astype(np.float32)
            arrays[f"{place}/BatchNorm/moving_variance"] = random.uniform(0.5, 1.5, out).astype(np.float32)
        else:
            arrays[f"{place}/biases"] = random.normal(0, 0.1, out).astype(np.float32)
        return out

    def branch(place: str, channels: int, *steps: tuple[str, int]) -> int:
        for name, out in steps:
            rows, columns = map(int, name[-3:].split("x"))
            channels = layer(f"{place}/{name}", rows, columns, channels, out)
        return channels

    def block(place: str, channels: int, *branches: tuple[tuple[str, int], ...]) -> None:
        width = sum(branch(f"{place}/Branch_{i}", channels, *steps) for i, steps in enumerate(branches))
        layer(f"{place}/Conv2d_1x1", 1, 1, width, channels, norm=False)

    channels = 3
    for name, out in (("1a_3x3", 32), ("2a_3x3", 32), ("2b_3x3", 64), ("3b_1x1", 80), ("4a_3x3", 192), ("4b_3x3", 256)):
        channels = branch("", channels, (f"Conv2d_{name}", out))
    b35 = (
        (("Conv2d_1x1", 32),),
        (("Conv2d_0a_1x1", 32), ("Conv2d_0b_3x3", 32)),
        (("Conv2d_0a_1x1", 32), ("Conv2d_0b_3x3", 32), ("Conv2d_0c_3x3", 32)),
    )
    b17 = ((("Conv2d_1x1", 128),), (("Conv2d_0a_1x1", 128), ("Conv2d_0b_1x7", 128), ("Conv2d_0c_7x1", 128)))
    b8 = ((("Conv2d_1x1", 192),), (("Conv2d_0a_1x1", 192), ("Conv2d_0b_1x3", 192), ("Conv2d_0c_3x1", 192)))
    for number in range(1, 6):
        block(f"Repeat/block35_{number}", 256, *b35)
    branch("Mixed_6a/Branch_0", 256, ("Conv2d_1a_3x3", 384))
    branch("Mixed_6a/Branch_1", 256, ("Conv2d_0a_1x1", 192), ("Conv2d_0b_3x3", 192), ("Conv2d_1a_3x3", 256))
    for number in range(1, 11):
        block(f"Repeat_1/block17_{number}", 896, *b17)
    branch("Mixed_7a/Branch_0", 896, ("Conv2d_0a_1x1", 256), ("Conv2d_1a_3x3", 384))
    branch("Mixed_7a/Branch_1", 896, ("Conv2d_0a_1x1", 256), ("Conv2d_1a_3x3", 256))
    branch("Mixed_7a/Branch_2", 896, ("Conv2d_0a_1x1", 256), ("Conv2d_0b_3x3", 256), ("Conv2d_1a_3x3", 256))
    for number in range(1, 6):
        block(f"Repeat_2/block8_{number}", 1792, *b8)
    block("Block8", 1792, *b8)
    layer("Bottleneck", 1, 1, 1792, dimension)
    return {name.lstrip("/"): array for name, array in arrays.items()}


class Reference:
    """The network in NumPy as TensorFlow computes it: height, width, channels; it knows nothing of PyTorch.

    Every layer's answer is kept in `answers` by the name of its place.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays, self.answers = arrays, {}

    def conv(self, x, place, *, stride=1, same=True, norm=True, relu=True):
        weights = self.arrays[f"{place}/weights"].astype(np.float64)
        rows, columns = weights.shape[:2]
        if same:  # at stride 1, as TensorFlow pads
            x = np.pad(x, [((rows - 1) // 2, rows // 2), ((columns - 1) // 2, columns // 2), (0, 0)])
        windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(0, 1))[::stride, ::stride]
        y = np.tensordot(windows, weights, axes=([3, 4, 2], [0, 1, 2]))
        y = self.norm(y, place) if norm else y + self.arrays[f"{place}/biases"]
        self.answers[place] = np.maximum(y, 0) if relu else y
        return self.answers[place]

    def norm(self, y, place):
        mean, variance, offset = (
            self.arrays[f"{place}/BatchNorm/{each}"].astype(np.float64)
            for each in ("moving_mean", "moving_variance", "beta")
        )
        return (y - mean) / np.sqrt(variance + 0.001) + offset

    def chain(self, x, place, *names):
        for name in names:
            halving = "_1a_" in name
            x = self.conv(x, f"{place}/{name}", stride=2 if halving else 1, same=not halving)
        return x

    def block(self, x, place, scale, *branches, relu=True):
        mixed = np.concatenate([self.chain(x, f"{place}/Branch_{i}", *each) for i, each in enumerate(branches)], axis=2)
        y = x + scale * self.conv(mixed, f"{place}/Conv2d_1x1", norm=False, relu=False)
        self.answers[place] = np.maximum(y, 0) if relu else y
        return self.answers[place]

    def pool(self, x):
        return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(0, 1))[::2, ::2].max(axis=(3, 4))

    def run(self, x):
        x = self.conv(x, "Conv2d_1a_3x3", stride=2, same=False)
        x = self.conv(self.conv(x, "Conv2d_2a_3x3", same=False), "Conv2d_2b_3x3")
        x = self.conv(self.pool(x), "Conv2d_3b_1x1")
        x = self.conv(self.conv(x, "Conv2d_4a_3x3", same=False), "Conv2d_4b_3x3", stride=2, same=False)
        a, b, c = "Conv2d_0a_1x1", "Conv2d_0b_", "Conv2d_0c_"
        for number in range(1, 6):
            each = (["Conv2d_1x1"], [a, b + "3x3"], [a, b + "3x3", c + "3x3"])
            x = self.block(x, f"Repeat/block35_{number}", 0.17, *each)
        left = self.chain(x, "Mixed_6a/Branch_0", "Conv2d_1a_3x3")
        middle = self.chain(x, "Mixed_6a/Branch_1", a, b + "3x3", "Conv2d_1a_3x3")
        x = self.answers["Mixed_6a"] = np.concatenate([left, middle, self.pool(x)], axis=2)
        for number in range(1, 11):
            x = self.block(x, f"Repeat_1/block17_{number}", 0.10, ["Conv2d_1x1"], [a, b + "1x7", c + "7x1"])
        parts = [
            self.chain(x, "Mixed_7a/Branch_0", a, "Conv2d_1a_3x3"),
            self.chain(x, "Mixed_7a/Branch_1", a, "Conv2d_1a_3x3"),
            self.chain(x, "Mixed_7a/Branch_2", a, b + "3x3", "Conv2d_1a_3x3"),
        ]
        x = self.answers["Mixed_7a"] = np.concatenate([*parts, self.pool(x)], axis=2)
        for number in range(1, 6):
            x = self.block(x, f"Repeat_2/block8_{number}", 0.20, ["Conv2d_1x1"], [a, b + "1x3", c + "3x1"])
        x = self.block(x, "Block8", 1.0, ["Conv2d_1x1"], [a, b + "1x3", c + "3x1"], relu=False)
        x = x.mean(axis=(0, 1)) @ self.arrays["Bottleneck/weights"].astype(np.float64)
        x = self.norm(x, "Bottleneck")
        return x / np.linalg.norm(x)


def field(number: int, content: bytes | int) -> bytes:
    """Write one field of a protobuf message by hand."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def node(name: str, array: np.ndarray, *, op: str = "Const", how: str = "content") -> bytes:
    """Write a node of a TensorFlow graph; `how` its numbers are kept."""
    shape = b"".join(field(2, field(1, side)) for side in array.shape)
    numbers = {
        "content": lambda: field(4, array.astype("<f4").tobytes()),
        "list": lambda: field(5, array.astype("<f4").tobytes()),
        "one": lambda: field(5, struct.pack("<f", array.flat[0])),
        "half": lambda: field(4, array.astype("<f2").tobytes()),
    }[how]()
    tensor = field(1, 19 if how == "half" else 1) + field(2, shape) + numbers
    value = field(5, field(1, b"value") + field(2, field(8, tensor)))
    kind = field(5, field(1, b"dtype") + field(2, field(6, 1)))
    return field(1, field(1, name.encode()) + field(2, op.encode()) + kind + value)


def write_graph(path, arrays, **how):
    constants = b"".join(node(SCOPE + name, array, **how) for name, array in arrays.items())
    read = field(1, field(1, b"x/read") + field(2, b"Identity") + field(3, b"x"))
    path.write_bytes(constants + read + field(4, field(1, 21)))
    return path


@pytest.fixture(scope="module")
def graph(published, tmp_path_factory):
    more = {"Logits/weights": np.zeros((512, 3), np.float32)}
    return write_graph(tmp_path_factory.mktemp("facenet") / "20180402-114759.pb", published | more)


@pytest.fixture(scope="module")
def imported(graph):
    return read_facenet(graph)


@pytest.fixture(scope="module")
def state(imported):
    return {name: value.clone() for name, value in imported.model.state_dict().items()}


def same_numbers(model, state):
    return all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_every_layer_computes_what_an_implementation_of_its_own_computes(published, imported):
    picture = np.random.default_rng(0).normal(0, 0.5, (107, 107, 3))
    reference = Reference(published)
    wanted = reference.run(picture)
    model, answers = imported.model, {}
    places = {
        name.removesuffix(".conv.weight"): place.removesuffix("/weights")
        for name, place in published_names().items()
        if name.endswith("conv.weight")
    }
    places |= {f"repeat_1.{i}": f"Repeat/block35_{i + 1}" for i in range(5)}
    places |= {f"repeat_2.{i}": f"Repeat_1/block17_{i + 1}" for i in range(10)}
    places |= {f"repeat_3.{i}": f"Repeat_2/block8_{i + 1}" for i in range(5)}
    places |= {"mixed_6a": "Mixed_6a", "mixed_7a": "Mixed_7a", "block8": "Block8"}
    hooks = [
        model.get_submodule(layer).register_forward_hook(
            lambda module, given, answer, place=place: answers.update({place: answer[0].permute(1, 2, 0).numpy()})
        )
        for layer, place in places.items()
    ]
    with torch.inference_mode():
        got = model(torch.from_numpy(picture.transpose(2, 0, 1)[None]).float())[0].numpy()
    for hook in hooks:
        hook.remove()
    assert len(answers) == 132 - 21 + 23  # the convolutions with a norm, and the blocks
    for place, answer in answers.items():
        assert answer.shape == reference.answers[place].shape, place
        scale = np.abs(reference.answers[place]).max()
        assert np.abs(answer - reference.answers[place]).max() < 1e-5 * scale + 1e-5, place
    assert np.abs(got - wanted).max() < 1e-5


def test_the_reference_itself_is_right_about_one_convolution():
    random = np.random.default_rng(0)
    arrays = {"x/weights": random.normal(size=(3, 5, 2, 1)), "x/biases": np.zeros(1)}
    picture = random.normal(size=(9, 8, 2))
    got = Reference(arrays).conv(picture, "x", norm=False, relu=False)[..., 0]
    wanted = sum(correlate(picture[..., i], arrays["x/weights"][..., i, 0], mode="same") for i in range(2))
    assert np.allclose(got, wanted)


def test_a_frozen_graph_fills_every_layer(imported, published):
    assert (imported.layers, imported.left_out) == (245, ("Logits/weights",))
    assert imported.form.mean == 127.5 and imported.form.scale == 1 / 128 and imported.form.alignment == "margin"
    weights = imported.model.get_parameter("repeat_2.9.branch1.1.conv.weight").detach().numpy()
    assert np.array_equal(weights[5, 6, 0], published["Repeat_1/block17_10/Branch_1/Conv2d_0b_1x7/weights"][0, :, 6, 5])
    assert (imported.model.last_bn.weight == 1).all()
    assert len(published) == len(published_names()) - 112  # whose scales the published graph does not have


@pytest.mark.parametrize("form", ["plain", "wrapped", "checkpoint", "old format", "safetensors", "half"])
def test_pytorch_weights_in_every_wrapping(form, state, tmp_path):
    path = tmp_path / "weights.bin"
    whole = state | {"logits.weight": torch.zeros(3, 512), "logits.bias": torch.zeros(3)}
    if form == "safetensors":
        from safetensors.torch import save_file

        save_file(whole, path)
    elif form == "checkpoint":
        torch.save({"epoch": 3, "state_dict": whole, "optimiser": {"lr": 0.1}}, path)
    elif form == "wrapped":
        torch.save({f"module.{name}": value for name, value in whole.items()}, path)
    elif form == "half":
        torch.save({name: value.half() for name, value in whole.items()}, path)
    else:
        torch.save(whole, path, _use_new_zipfile_serialization=form != "old format")
    found = read_facenet(path)
    assert found.left_out == ("logits.weight",)
    if form != "half":
        assert same_numbers(found.model, state)


def test_the_archive_that_was_published(graph, state, tmp_path):
    with zipfile.ZipFile(tmp_path / "20180402-114759.zip", "w") as archive:
        archive.write(graph, "20180402-114759/20180402-114759.pb")
        archive.writestr("20180402-114759/model.meta", "")
    assert same_numbers(read_facenet(tmp_path / "20180402-114759.zip").model, state)


def keras_name(name: str) -> str:
    layer, array = name.rsplit("/", 1)
    layer = re.sub(r"^Repeat(_\d)?/", "", layer).replace("/", "_")
    layer = re.sub("^Block8_(?=[BC])", "Block8_6_", layer[0].upper() + layer[1:])
    return f"{layer}/{layer}/{dict(weights='kernel', biases='bias').get(array, array)}:0"


@pytest.mark.parametrize("above", ["", "model_weights/"])
def test_keras_weights(above, published, state, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "facenet.h5", "w") as file:
        for name, array in published.items():
            file[above + keras_name(name)] = array
        file["optimizer_weights/Adam/kernel:0"] = np.zeros((3, 3))
    assert same_numbers(read_facenet(tmp_path / "facenet.h5").model, state)


def test_keras_weights_without_h5py_name_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "facenet.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(64))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match="pip install h5py"):
        read_facenet(tmp_path / "facenet.h5")


@pytest.mark.parametrize("how", ["content", "list", "half"])
def test_numbers_of_a_graph_are_read_however_they_are_kept(how, tmp_path):
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert np.array_equal(read_frozen_graph(write_graph(tmp_path / "g.pb", {"a": array}, how=how))[SCOPE + "a"], array)


def test_one_number_stands_for_a_tensor_full_of_it(tmp_path):
    found = read_frozen_graph(write_graph(tmp_path / "g.pb", {"a": np.full((2, 3), 7.5)}, how="one"))
    assert np.array_equal(found[SCOPE + "a"], np.full((2, 3), 7.5))


def test_networks_of_2017_see_each_picture_whitened(tmp_path):
    path = write_graph(tmp_path / "20170512-110547.pb", make_published(128))
    found = read_facenet(path)
    assert isinstance(found.model, Whitened) and (found.form.mean, found.form.scale) == (0, 1)
    picture = torch.rand(2, 3, 96, 96) * 255
    plain = (picture - picture.mean(dim=(1, 2, 3), keepdim=True)) / picture.flatten(1).std(1, False)[
        :, None, None, None
    ]
    fixed = read_facenet(path, standardisation="fixed")
    assert fixed.form.mean == 127.5
    with torch.inference_mode():
        assert torch.allclose(found.model(picture), fixed.model(plain), atol=1e-5)
        assert torch.isfinite(found.model(torch.zeros(1, 3, 96, 96))).all()  # one colour has no deviation


def without(name):
    return lambda state: {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("mixed_6a.branch0.conv.weight"), r"1 of 602.*mixed_6a\.branch0\.conv\.weight: .*found nothing"),
        (
            lambda state: state | {"conv2d_1a.conv.weight": torch.zeros(32, 3, 5, 5)},
            r"\(32, 3, 3, 3\).*\(32, 3, 5, 5\)",
        ),
        (lambda state: state | {"block8.conv2d.bias": torch.full((1792,), torch.nan)}, r"block8\.conv2d\.bias.*finite"),
        (lambda state: {"fc.weight": torch.zeros(2, 2)}, r"602 of 602.*'fc\.weight'.*and 594 more"),
    ],
)
def test_layers_that_do_not_fit_are_named(change, told, state, tmp_path):
    torch.save(change(state), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=told):
        read_facenet(tmp_path / "weights.pt")


def test_layers_of_a_graph_that_do_not_fit_are_named_as_there(published, tmp_path):
    less = {name: array for name, array in published.items() if name != "Block8/Conv2d_1x1/biases"}
    with pytest.raises(ValueError, match=r"Block8/Conv2d_1x1/biases \(block8\.conv2d\.bias\)"):
        read_facenet(write_graph(tmp_path / "g.pb", less))


class Evil:
    def __reduce__(self):
        return (print, ("this must not run",))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "found none of these"),
        (b"no weights at all", "found none of these"),
        (b"\x80\x02garbage", "PyTorch weights|state dict"),
        (b"PK\x03\x04garbage", "whole archive"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{garbage", "safetensors"),
        (node("a", np.zeros(3), op="Identity"), "a graph of 1 nodes without them"),
    ],
)
def test_other_files_are_refused_in_words(content, told, tmp_path):
    (tmp_path / "weights").write_bytes(content)
    with pytest.raises(ValueError, match=told):
        read_weight_file(tmp_path / "weights")


def test_a_damaged_graph_is_told(graph, tmp_path):
    (tmp_path / "short.pb").write_bytes(graph.read_bytes()[:1_000_000])
    with pytest.raises(ValueError, match=r"short\.pb"):
        read_facenet(tmp_path / "short.pb")


def test_a_pickle_that_would_run_code_is_refused(tmp_path, capsys):
    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ValueError, match="not loaded because that can run code"):
        read_weight_file(tmp_path / "evil.pt")
    assert "must not run" not in capsys.readouterr().out


def test_a_missing_file_and_an_unknown_choice(tmp_path, graph):
    with pytest.raises(FileNotFoundError, match=r"none\.pt"):
        read_facenet(tmp_path / "none.pt")
    with pytest.raises(ValueError, match="'auto', 'fixed', 'per picture'"):
        read_facenet(graph, standardisation="some")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("20180402-114759-vggface2.pt", "facenet_20180402_114759"),
        ("20180408-102900-casia-webface.pt", "facenet_20180408-102900-casia-webface"),
        ("facenet_keras.h5", "facenet_keras"),
    ],
)
def test_where_it_goes(name, file, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path))
    assert default_output(name) == tmp_path / f"{file}.onnx"


@pytest.mark.usefixtures("quick_export")
def test_the_command_makes_the_network_that_is_found_by_its_name(graph, imported, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path))
    done = CliRunner().invoke(main, ["models", "import", str(graph)])
    assert done.exit_code == 0, done.output
    assert "512 numbers per face" in done.output and "embedder=facenet" in done.output
    embedder = facelib.load_embedder("facenet")
    assert (embedder.name, embedder.dimension, embedder.form) == ("facenet", 512, imported.form)
    chips = np.random.default_rng(3).integers(0, 256, (2, 160, 160, 3), np.uint8)
    with torch.inference_mode():
        wanted = imported.model((torch.from_numpy(chips).permute(0, 3, 1, 2).float() - 127.5) / 128).numpy()
    assert np.abs(embedder.embed_chips(chips) - wanted).max() < 1e-4


def test_the_command_tells_in_one_line_what_is_wrong(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"nothing")
    failed = CliRunner().invoke(main, ["models", "import", str(tmp_path / "weights.pt")])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("Error: expected PyTorch weights") and "Traceback" not in failed.output


def test_an_import_needs_shapes_of_the_network_alone(tmp_path):
    torch.save(InceptionResnetV1(dimension=16).state_dict(), tmp_path / "own.pt")
    with pytest.raises(ValueError, match="ends in"):
        import_facenet(tmp_path / "own.pt", tmp_path / "own.pb")
    assert read_facenet(tmp_path / "own.pt").model.last_linear.out_features == 16
