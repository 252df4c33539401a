"""A network's own threshold, measured on pictures of people, and kept for later runs."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from facelib import load_embedder
from facelib.cli import main
from facelib.embed.shapes import CAUTIOUS, evidence_shape
from facelib.evaluate.networks import measure_network
from facelib.nets.figures import EvidenceShape, NetworkFigures, read_figures, write_figures

SHA = "ab" * 32


def people(several=14, single=150, *, scale=1.0, seed=0):
    """People on a sphere, some with eight pictures around their middle and the others with one."""
    random = np.random.default_rng(seed)
    middles = random.normal(size=(several + single, 32))
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    counts = np.repeat([8, 1], [several, single])
    vectors = np.repeat(middles, counts, axis=0) + random.normal(size=(counts.sum(), 32)) * 0.05
    return (scale * vectors).astype(np.float32), np.repeat([f"P{number}" for number in range(len(middles))], counts)


def test_one_stranger_in_a_hundred_lies_within_it():
    vectors, names = people()
    found = measure_network(vectors, names, sha256=SHA)
    strangers = people(0, 3000, seed=5)[0]
    cast = vectors[: 10 * 8]
    nearest = np.linalg.norm(strangers[:, None] - cast, axis=2).min(axis=1)
    assert (nearest <= found.threshold).mean() == pytest.approx(0.01, abs=0.008)
    assert found.missed <= 0.02
    assert (found.people, found.pictures, found.sha256) == (14, 14 * 8 + 150, SHA)


def test_it_is_in_the_networks_own_units():
    one, other = (measure_network(*people(scale=scale), sha256=SHA) for scale in (1, 20))
    assert other.threshold == pytest.approx(20 * one.threshold, rel=1e-4)
    assert other.missed == one.missed


def test_what_distances_say_is_measured_with_the_threshold():
    """The same network, once with small faces that scatter little and once with ones that scatter much."""
    vectors, names = people()
    random = np.random.default_rng(1)
    noise = random.normal(size=vectors.shape).astype(np.float32)
    shapes = [
        measure_network(vectors, names, sha256=SHA, small=vectors + spread * noise).shape for spread in (0.0, 0.4)
    ]
    assert shapes[0].even[0] == shapes[1].even[0]
    assert shapes[0].slope[0] == shapes[1].slope[0]
    assert shapes[0].even[1] <= shapes[1].even[1] <= CAUTIOUS.even[1]
    assert shapes[1].slope[1] < shapes[0].slope[1]
    assert measure_network(vectors, names, sha256=SHA).shape is None


@pytest.mark.parametrize(("several", "single"), [(0, 0), (9, 200), (14, 90)])
def test_too_few_people_are_refused(several, single):
    with pytest.raises(ValueError, match="at least 10 people with two or more each and of 100 others"):
        measure_network(*people(several, single), sha256=SHA)


def test_figures_are_kept_by_the_file_and_damage_is_noticed(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path / "models"))
    assert read_figures(SHA) is None
    figures = NetworkFigures(sha256=SHA, threshold=1.25, deviation=0.01, missed=0.02, people=12, pictures=300)
    shape = EvidenceShape(even=(0.1, 0.7), slope=(9.0, 3.0), few=0.05, context_from=-1.5)
    assert evidence_shape("my network", SHA) == (CAUTIOUS, False)
    assert write_figures(replace(figures, shape=shape)).is_file()
    assert read_figures(SHA) == replace(figures, shape=shape)
    assert evidence_shape("my network", SHA) == (shape, True)
    path = write_figures(figures)
    assert evidence_shape("my network", SHA) == (CAUTIOUS, False)
    assert path.parent == tmp_path / "models"
    assert read_figures(SHA) == figures
    assert read_figures(SHA[:16] + "cd" * 24) is None  # another file whose name begins alike
    path.write_text(json.dumps({"threshold": 1}))
    assert read_figures(SHA) is None
    assert "run 'facelib models calibrate' again" in caplog.text


@pytest.mark.real_data
def test_the_command_measures_a_network_and_the_next_run_has_it(shared_data, models_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("FACELIB_MODELS", str(tmp_path / "models"))
    weights = models_folder / "mobilefacenet.onnx"
    for kind, folders, pictures in (("people", 12, 5), ("strangers", 110, 1)):
        for folder in sorted((shared_data / "lfw" / kind).iterdir())[:folders]:
            (tmp_path / kind / folder.name).mkdir(parents=True)
            for picture in sorted(folder.iterdir())[:pictures]:
                (tmp_path / kind / folder.name / picture.name).symlink_to(picture)
    (tmp_path / "people" / "broken.jpg").write_bytes(b"no picture")
    before = load_embedder(weights).threshold
    asked = ["models", "calibrate", str(weights), "--pictures", str(tmp_path / "people")]
    few = CliRunner().invoke(main, asked)
    assert few.exit_code != 0
    done = CliRunner().invoke(main, [*asked, "--pictures", str(tmp_path / "strangers"), "--draws", "5"])
    assert done.exit_code == 0, done.output
    assert "broken.jpg" in done.output
    after = load_embedder(weights).threshold
    assert f"threshold {after:.4f}" in done.output
    assert after != before
    assert after == pytest.approx(before, abs=0.1)  # 1.10, measured on all of LFW
    assert load_embedder(weights, threshold=0.9).threshold == 0.9
