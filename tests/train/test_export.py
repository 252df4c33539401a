from __future__ import annotations

import math

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import facelib
from facelib.embed import InputForm
from facelib.faces import Faces
from facelib.project.digests import sha256_of
from facelib.train.export import LARGEST_DIFFERENCE, export_onnx, export_result

pytestmark = pytest.mark.usefixtures("quick_export")

SIDE = 24
FORM = InputForm(size=SIDE, mean=127.5, scale=1 / 127.5, alignment="margin")


class Small(nn.Module):
    """A network of a few thousand weights with the parts that usually go wrong: normalisation and dropout."""

    def __init__(self, *, dimension: int = 8, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.conv = nn.Conv2d(3, 12, 3, stride=2, padding=1)
            self.norm = nn.BatchNorm2d(12)
            self.drop = nn.Dropout(0.5)
            self.last = nn.Linear(12 * 16, dimension)
            nn.init.uniform_(self.norm.running_var, 0.5, 2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.adaptive_avg_pool2d(torch.relu(self.norm(self.conv(x))), 4)
        return nn.functional.normalize(self.last(self.drop(x.flatten(1))))


class Fewer(nn.Module):
    """Gives NaN, or no vectors."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3)) * math.nan if self.what == "nan" else x


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return export_onnx(Small(), tmp_path_factory.mktemp("net") / "own.onnx", form=FORM, threshold=0.7)


@pytest.fixture(scope="module")
def chips():
    return np.random.default_rng(1).integers(0, 256, (7, SIDE, SIDE, 3), np.uint8)


def in_torch(model, chips, form=FORM):
    pixels = (torch.from_numpy(chips.astype(np.float32)) - form.mean) * form.scale
    with torch.inference_mode():
        return model.eval()(pixels.permute(0, 3, 1, 2)).numpy()


def test_the_file_says_itself_what_it_takes_and_gives_what_pytorch_gives(exported, chips):
    embedder = facelib.load_embedder(exported.path)
    assert (embedder.name, embedder.form, embedder.threshold, embedder.dimension) == ("own", FORM, 0.7, 8)
    assert embedder.sha256 == exported.sha256 == sha256_of(exported.path)
    for count in (1, 7):
        assert np.abs(embedder.embed_chips(chips[:count]) - in_torch(Small(), chips[:count])).max() < LARGEST_DIFFERENCE
    assert embedder.embed_chips(chips[:0]).shape == (0, 8)
    assert exported.difference < LARGEST_DIFFERENCE
    assert "8 numbers per face" in str(exported)


def test_it_embeds_a_face_of_a_picture(exported):
    image = np.random.default_rng(2).integers(0, 256, (90, 120, 3), np.uint8)
    assert facelib.load_embedder(exported.path).embed(image, Faces.of([[10, 10, 60, 60]])).shape == (1, 8)


def test_a_network_in_training_is_exported_as_it_will_be_used_and_left_as_it_was(tmp_path, chips):
    model = Small().train()
    path = export_onnx(model, tmp_path / "own.onnx", form=FORM, chips=chips).path
    assert model.training and model.drop.training and model.conv.weight.requires_grad
    got = facelib.load_embedder(path).embed_chips(chips)
    assert np.abs(got - in_torch(Small(), chips)).max() < LARGEST_DIFFERENCE


def test_the_same_network_gives_the_same_file_without_traces_of_the_machine(exported, tmp_path):
    again = export_onnx(Small(), tmp_path / "other.onnx", form=FORM, threshold=0.7)
    assert again.sha256 == exported.sha256
    assert export_onnx(Small(seed=1), tmp_path / "other.onnx", form=FORM).sha256 != exported.sha256
    content = exported.path.read_bytes()
    assert b".py" not in content and b"stack_trace" not in content
    assert onnx.load(exported.path).producer_name == "facelib"


@pytest.mark.parametrize(
    "form",
    [
        InputForm(size=SIDE, mean=0.0, scale=1 / 255, colour="BGR", alignment="margin"),
        InputForm(size=SIDE, mean=127.5, scale=1 / 128, alignment="five points", normalise=False),
        InputForm(size=SIDE, alignment="dlib"),
    ],
)
def test_every_form_is_kept_and_compared(form, tmp_path):
    made = export_onnx(Small(), tmp_path / "own.onnx", form=form, metadata={"author": "me"})
    embedder = facelib.load_embedder(made.path)
    assert embedder.form == form and math.isnan(embedder.threshold)
    assert {entry.key for entry in onnx.load(made.path).metadata_props} >= {"author", "facelib.size"}


@pytest.mark.parametrize(
    ("what", "told"), [("nan", "9 numbers that are not finite|not finite"), ("picture", r"shape \(5, 3, 24, 24\)")]
)
def test_a_network_without_vectors_is_refused_and_nothing_is_written(what, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        export_onnx(Fewer(what), tmp_path / "own.onnx", form=FORM)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_changes_the_numbers_is_refused_and_the_old_file_stays(tmp_path, monkeypatch):
    path = export_onnx(Small(), tmp_path / "own.onnx", form=FORM).path
    before = path.read_bytes()
    monkeypatch.setattr("facelib.train.export._converted", lambda model, size: onnx.load(path))
    with pytest.raises(ValueError, match="nothing was written"):
        export_onnx(Small(seed=5), path, form=FORM)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "faces", "told"),
    [
        ("own.pt", None, "ends in"),
        ("own.onnx", np.zeros((2, 9, 9, 3), np.uint8), "24, 24, 3"),
        ("own.onnx", np.zeros((2, SIDE, SIDE, 3)), "float64"),
    ],
)
def test_what_does_not_fit_is_refused(name, faces, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        export_onnx(Small(), tmp_path / name, form=FORM, chips=faces)


def test_a_name_that_figures_were_measured_for_is_not_taken(tmp_path):
    for name in ("mobilefacenet", "dlib"):
        embedder = facelib.load_embedder(export_onnx(Small(), tmp_path / f"{name}.onnx", form=FORM).path)
        assert embedder.name == f"{name}-{embedder.sha256[:8]}"
        assert math.isnan(embedder.threshold)


def test_a_network_among_the_others_is_found_by_its_name(exported, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path))
    (tmp_path / "mine.onnx").write_bytes(exported.path.read_bytes())
    assert facelib.load_embedder("mine").sha256 == exported.sha256
    with pytest.raises(ValueError, match="no such name"):
        facelib.load_embedder("no such name")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny training on drawn patterns: people are stripes of different widths."""
    from facelib.train.data import Crops
    from facelib.train.loop import train
    from facelib.train.settings import TrainingSettings

    random = np.random.default_rng(0)
    across = np.arange(32)[None, :]
    names, faces = [], []
    for person in range(8):
        for _ in range(6):
            stripes = 127 + 100 * np.sin(across / (1 + person) + random.normal(0, 0.2)) + np.zeros((32, 1))
            noisy = stripes[..., None] + random.normal(0, 8, (32, 32, 3))
            faces.append(np.clip(noisy, 0, 255).astype(np.uint8))
            names.append(f"Person {person}")
    crops = Crops.of(np.stack(faces), names)
    learning = crops.of_people([f"Person {number}" for number in range(5)])
    validation = crops.of_people([f"Person {number}" for number in range(5, 8)])
    settings = TrainingSettings(
        network="small_resnet", dimension=8, image_size=32, epochs=1, people_per_batch=4,
        pictures_per_person=2, device="cpu", threads=1,
    )  # fmt: skip
    return train(learning, validation, tmp_path_factory.mktemp("training"), settings, progress=False), validation


def test_a_training_becomes_a_file_with_a_threshold_measured_on_unseen_people(trained, tmp_path):
    result, validation = trained
    made = export_result(result, tmp_path / "embedding.onnx", validation)
    embedder = facelib.load_embedder(made.path)
    assert (embedder.dimension, embedder.form) == (8, result.form)
    vectors = embedder.embed_chips(validation.faces(range(len(validation))))
    people = validation.table["person"].to_numpy()
    apart = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    apart[people[:, None] == people[None]] = np.inf
    # Nobody of the unseen people lies within it: with 18 faces, 1 % is less than one.
    assert 0 <= embedder.threshold <= np.sort(apart.min(axis=1))[0]
    said = {entry.key: entry.value for entry in onnx.load(made.path).metadata_props}
    assert said["facelib.network"] == "small_resnet"


def test_other_faces_than_the_trainings_are_refused(trained, tmp_path):
    result, validation = trained
    with pytest.raises(ValueError, match="18 validation faces"):
        export_result(result, tmp_path / "embedding.onnx", validation.of_people(["Person 5"]))
