"""The training itself: that it learns, that a break changes nothing, and that nothing is lost when it goes wrong."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from facelib.train import loop
from facelib.train.checkpoints import load_state
from facelib.train.loop import load_result, train
from facelib.train.settings import CURVE_COLUMNS, Augmentation, TrainingSettings

TINY = TrainingSettings(
    network="mobilenetv3_small_050", dimension=16, image_size=32, people_per_batch=4, pictures_per_person=3, epochs=3,
    batches_per_epoch=4, scale=16, margin=5, snapshot_every=2, learning_rate=3e-3, device="cpu", threads=1, seed=3,
)  # fmt: skip

SCRIPT = """
import sys
import time
import numpy as np
from facelib.train.data import Crops
from facelib.train.loop import train
from facelib.train.settings import TrainingSettings
import json
folder, record = sys.argv[1], json.loads(sys.argv[2])
sides = [Crops.of(np.load(f"{folder}/{side}.npy"), np.load(f"{folder}/{side}_names.npy").tolist()) for side in "ab"]
settings = TrainingSettings.from_record(record)

def wait(curves):  # where nobody has killed it by then
    if len(curves) == 2:
        time.sleep(600)

train(*sides, f"{folder}/training", settings, seconds_between_checkpoints=0, callback=wait, progress=False)
"""


@pytest.fixture(scope="module")
def sides(make_crops):
    return make_crops(range(6)), make_crops(range(6, 10))


@pytest.fixture(scope="module")
def unbroken(sides, tmp_path_factory):
    return train(*sides, tmp_path_factory.mktemp("unbroken"), TINY, progress=False)


def weights(result) -> dict[str, torch.Tensor]:
    return result.model.state_dict()


def assert_same_training(one, other) -> None:
    wanted = weights(other)
    assert weights(one).keys() == wanted.keys()
    for name, value in weights(one).items():
        assert torch.equal(value, wanted[name]), name
    assert one.snapshots.keys() == other.snapshots.keys()
    for epoch, vectors in one.snapshots.items():
        np.testing.assert_array_equal(vectors, other.snapshots[epoch])
    same = [name for name in CURVE_COLUMNS if name != "seconds"]
    pd.testing.assert_frame_equal(one.curves[same], other.curves[same], check_exact=True)


def test_what_a_training_leaves(unbroken, sides):
    assert unbroken.stopped == "finished"
    assert unbroken.curves["epoch"].tolist() == [0, 1, 2, 3]
    assert math.isnan(unbroken.curves["loss"][0]) and unbroken.curves["loss"][1:].notna().all()
    assert unbroken.curves["seconds"].is_monotonic_increasing
    assert {0, 2, 3} <= set(unbroken.snapshots) and unbroken.snapshots[0].shape == (24, 16)
    assert unbroken.validation["person"].tolist() == sides[1].table["person"].tolist()
    written = pd.read_csv(unbroken.folder / "curves.csv")
    pd.testing.assert_frame_equal(written, unbroken.curves, check_exact=True)
    assert not unbroken.model.training and unbroken.form.size == 32
    assert not [path for path in unbroken.folder.rglob(".*") if path.name != ".lock"]


def test_network_kept_gives_the_vectors_kept(unbroken, sides):
    from facelib.train.measures import embed_crops

    again = embed_crops(unbroken.model, sides[1])
    np.testing.assert_allclose(again, unbroken.snapshots[unbroken.best_epoch], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(again, axis=1), 1, atol=1e-5)


def test_it_learns(sides, tmp_path):
    more = replace(
        TINY, epochs=12, batches_per_epoch=6, augmentation=Augmentation.none(), snapshot_every=0, keep="last"
    )
    result = train(*sides, tmp_path, more, progress=False)
    losses = result.curves["loss"].to_numpy()
    assert losses[-1] < 0.5 * losses[1]
    assert result.best_epoch == 12 and set(result.snapshots) == {0, 12}


def test_finished_training_is_not_done_again(unbroken, sides):
    before = (unbroken.folder / "checkpoint.pt").stat().st_mtime_ns
    again = train(*sides, unbroken.folder, TINY, progress=False, callback=lambda curves: pytest.fail("trained again"))
    assert (unbroken.folder / "checkpoint.pt").stat().st_mtime_ns == before
    assert_same_training(again, unbroken)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"no vectors"])
def test_damaged_vectors_of_an_epoch_cost_its_map_alone(unbroken, tmp_path, content):
    folder = Path(shutil.copytree(unbroken.folder, tmp_path / "training"))
    other = min(set(unbroken.snapshots) - {unbroken.best_epoch})
    paths = {epoch: folder / "embeddings" / f"epoch_{epoch:03d}.npy" for epoch in unbroken.snapshots}
    paths[other].write_bytes(content)
    assert set(load_result(folder).snapshots) == set(unbroken.snapshots) - {other}
    paths[unbroken.best_epoch].write_bytes(content)
    with pytest.raises(ValueError, match=rf"epoch_{unbroken.best_epoch:03d}\.npy"):
        load_result(folder)


class _Stop(Exception):
    pass


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_broken_off_between_epochs_and_gone_on_with(unbroken, sides, tmp_path, epoch):
    def stop(curves: pd.DataFrame) -> None:
        if curves["epoch"].iloc[-1] == epoch:
            raise _Stop

    with pytest.raises(_Stop):
        train(*sides, tmp_path, TINY, callback=stop, progress=False)
    assert load_result(tmp_path).stopped == "unfinished"
    seen: list[int] = []
    result = train(*sides, tmp_path, TINY, callback=lambda curves: seen.append(len(curves)), progress=False)
    assert seen == list(range(epoch + 2, 5))
    assert_same_training(result, unbroken)


def test_killed_and_gone_on_with(unbroken, sides, tmp_path):
    """The process is killed outright, at whatever it does."""
    for name, crops in zip("ab", sides, strict=True):
        np.save(tmp_path / f"{name}.npy", crops.images)
        np.save(tmp_path / f"{name}_names.npy", crops.table["person"].to_numpy(str))
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), json.dumps(TINY.record())]
    checkpoint, seen, changes = tmp_path / "training" / "checkpoint.pt", 0, 0
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while process.poll() is None and changes < 4:
        now = checkpoint.stat().st_mtime_ns if checkpoint.is_file() else 0
        changes, seen = changes + (now != seen), now
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert load_result(checkpoint.parent).stopped == "unfinished"
    result = train(*sides, tmp_path / "training", TINY, progress=False)
    assert_same_training(result, unbroken)
    assert len(list((tmp_path / "training" / "embeddings").iterdir())) == len(result.snapshots)


def test_other_settings_or_pictures_are_refused(unbroken, sides, make_crops):
    with pytest.raises(ValueError, match=r"other settings, \{'epochs': 3\}; choose another folder"):
        train(*sides, unbroken.folder, replace(TINY, epochs=4), progress=False)
    with pytest.raises(ValueError, match="other pictures"):
        train(make_crops(range(5)), sides[1], unbroken.folder, TINY, progress=False)
    same = train(*sides, unbroken.folder, replace(TINY, threads=2), progress=False)
    assert same.stopped == "finished"


def test_beginning_anew_removes_what_was_there(sides, tmp_path):
    short = replace(TINY, epochs=1, snapshot_every=1)
    train(*sides, tmp_path, short, progress=False)
    (tmp_path / "embeddings" / "epoch_007.npy").touch()
    again = train(*sides, tmp_path, replace(short, seed=4), resume=False, progress=False)
    assert again.settings.seed == 4
    assert sorted(path.name for path in (tmp_path / "embeddings").iterdir()) == ["epoch_000.npy", "epoch_001.npy"]


@pytest.fixture
def break_at(monkeypatch):
    """Return a function that has the loss of one batch, counted over all epochs, go through another function."""

    def arrange(number: int, then) -> None:
        made_so_far = 0

        def make(*args, **kwargs):
            made = original(*args, **kwargs)
            forward = made.forward

            def counting(vectors, labels):
                nonlocal made_so_far
                made_so_far += 1
                value = forward(vectors, labels)
                return then(value) if made_so_far == number else value

            made.forward = counting
            return made

        monkeypatch.setattr(loop, "make_loss", make)

    original = loop.make_loss
    return arrange


def test_broken_off_within_an_epoch_and_gone_on_with(unbroken, sides, tmp_path, break_at, monkeypatch):
    def stop(value):
        raise _Stop

    break_at(7, stop)
    with pytest.raises(_Stop):
        train(*sides, tmp_path, TINY, seconds_between_checkpoints=0, progress=False)
    monkeypatch.undo()
    state = load_state(tmp_path / "checkpoint.pt")
    assert (state["epoch"], state["batch"]) == (1, 2)
    assert_same_training(train(*sides, tmp_path, TINY, progress=False), unbroken)


def test_a_loss_that_is_no_number_names_the_last_good_checkpoint(sides, tmp_path, break_at):
    break_at(6, lambda value: value * math.nan)
    with pytest.raises(FloatingPointError, match=r"got nan in epoch 2, batch 2; .*checkpoint\.pt"):
        train(*sides, tmp_path, TINY, progress=False)
    left = load_result(tmp_path)
    assert left.stopped == "unfinished" and left.curves["epoch"].tolist() == [0, 1]
    assert all(torch.isfinite(value).all() for value in weights(left).values())


def test_stops_early_without_progress(sides, tmp_path):
    still = replace(TINY, learning_rate=1e-12, weight_decay=0, epochs=20, patience=2, batches_per_epoch=1)
    result = train(*sides, tmp_path, still, progress=False)
    assert result.stopped == "no progress"
    assert result.curves["epoch"].iloc[-1] < 20
    assert result.curves["epoch"].iloc[-1] in result.snapshots


@pytest.mark.parametrize("loss", ["triplet", "npairs", "supcon"])
def test_other_losses_train(sides, tmp_path, loss):
    result = train(*sides, tmp_path, replace(TINY, loss=loss, margin=None, scale=None, epochs=1), progress=False)
    assert result.curves["loss"].iloc[-1] > 0


def test_only_one_training_in_a_folder(sides, tmp_path):
    def another(curves: pd.DataFrame) -> None:
        with pytest.raises(BlockingIOError, match="other training"):
            train(*sides, tmp_path, TINY, progress=False)
        raise _Stop

    with pytest.raises(_Stop):
        train(*sides, tmp_path, TINY, callback=another, progress=False)


def test_the_process_is_left_as_it_was(unbroken, sides, tmp_path):
    torch.manual_seed(1)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    train(*sides, tmp_path, replace(TINY, epochs=1, threads=2), progress=False)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_bad_input(sides, make_crops, tmp_path):
    with pytest.raises(ValueError, match=r"expected nobody in both training and validation, got .*person 00"):
        train(sides[0], sides[0], tmp_path, TINY)
    with pytest.raises(ValueError, match="expected faces of 112 pixels"):
        train(*sides, tmp_path, replace(TINY, image_size=112))
    with pytest.raises(ValueError, match="got people_per_batch=7 and 6 people"):
        train(*sides, tmp_path, replace(TINY, people_per_batch=7))
    with pytest.raises(FileNotFoundError, match="training's state"):
        load_result(tmp_path / "nothing")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_told(sides, tmp_path):
    with pytest.raises(RuntimeError, match="found none; take 'auto' or 'cpu'"):
        train(*sides, tmp_path, replace(TINY, device="cuda"))


def test_a_damaged_checkpoint_is_told(sides, tmp_path):
    train(*sides, tmp_path, replace(TINY, epochs=1), progress=False)
    path: Path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="could not read"):
        train(*sides, tmp_path, replace(TINY, epochs=1), progress=False)


@pytest.mark.parametrize("left", [None, b"", b"picture,person\nonly,one\n"])
def test_a_list_of_pictures_that_was_lost_is_written_again(sides, tmp_path, left):
    short = replace(TINY, epochs=1)
    first = train(*sides, tmp_path, short, progress=False)
    path: Path = tmp_path / "validation.csv"
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    again = train(*sides, tmp_path, short, progress=False)
    assert again.validation.equals(first.validation) and len(again.validation)
