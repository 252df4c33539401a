"""The files of a training: whole or not there, and nothing in them that could run."""

import os
import pickle
import resource
import signal

import pytest
import torch

from facelib.train.checkpoints import load_network, load_state, save_network, save_state
from facelib.train.networks import make_network
from facelib.train.settings import TrainingSettings

SETTINGS = TrainingSettings(network="mobilenetv3_small_050", dimension=8)


def test_there_and_back(tmp_path):
    model = make_network(SETTINGS.network, dimension=8).eval()
    save_network(model, SETTINGS, 7, tmp_path / "network.pt")
    for place in (tmp_path, tmp_path / "network.pt"):
        again, settings, epoch = load_network(place)
        assert settings == SETTINGS and epoch == 7 and not again.training
        picture = torch.rand(1, 3, 64, 64)
        torch.testing.assert_close(again(picture), model(picture))


class _Runs:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_no_code_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"form": 1, "model": _Runs()}, tmp_path / "evil.pt", pickle_module=pickle)
    with pytest.raises(ValueError, match="could not read"):
        load_state(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 half a file"])
def test_damaged_files(tmp_path, content):
    (tmp_path / "network.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"could not read .*network\.pt'?: [^\n.]*; train again \(resume=False, .*\)$"):
        load_network(tmp_path)


def test_files_of_something_else(tmp_path):
    torch.save({"weights": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="found another in"):
        load_state(tmp_path / "other.pt")
    save_state({"settings": "{}", "model": {"a": torch.zeros(1)}, "epoch": 1}, tmp_path / "network.pt")
    with pytest.raises(ValueError, match="does not fit"):
        load_network(tmp_path)
    with pytest.raises(FileNotFoundError, match="found no file"):
        load_network(tmp_path / "nowhere.pt")


def test_the_old_state_stays_where_the_new_one_cannot_be_written(tmp_path):
    save_state({"number": 1}, tmp_path / "state.pt")
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save_state({"number": lambda: 2}, tmp_path / "state.pt")
    assert load_state(tmp_path / "state.pt")["number"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


def test_a_full_disk_is_told_and_the_old_state_stays(tmp_path):
    save_state({"number": 1}, tmp_path / "state.pt")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match=r"expected to write .*state\.pt"):
            save_state({"weights": torch.zeros(100_000)}, tmp_path / "state.pt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert load_state(tmp_path / "state.pt")["number"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]
