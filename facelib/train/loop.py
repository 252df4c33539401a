"""The training loop: batches, validation, checkpoints, resuming."""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from facelib.faces import FloatArray
from facelib.project import atomic_write, file_lock, write_table, write_text
from facelib.project.files import write_array
from facelib.project.spreadsheets import read_csv_table
from facelib.train.augment import augment, to_input
from facelib.train.checkpoints import ANEW, TrainingFiles, load_network, load_state, save_network, save_state
from facelib.train.data import Crops
from facelib.train.losses import loss as make_loss
from facelib.train.measures import embed_crops, face_metrics
from facelib.train.networks import make_network
from facelib.train.sampling import PeopleBatches
from facelib.train.settings import (
    CURVE_COLUMNS,
    Stopped,
    TrainingResult,
    TrainingSettings,
    is_due,
    is_snapshot,
    learning_rate,
)

_log = logging.getLogger(__name__)
Callback = Callable[[pd.DataFrame], None]
"""Is given the curves so far after every validation."""

_PARTS = ("model", "loss", "optimiser", "scaler")  # of a training's state, and how far it is
_COUNTS = ("epoch", "batch", "loss_sum", "seconds", "curves", "best", "best_epoch", "waited", "stopped")
_CHANGEABLE = {"device", "threads"}  # what may change when a training is continued


def train(
    people: Crops,
    validation: Crops,
    folder: str | Path,
    settings: TrainingSettings | None = None,
    *,
    resume: bool = True,
    callback: Callback | None = None,
    seconds_between_checkpoints: float = 60.0,
    progress: bool = True,
) -> TrainingResult:
    """Train a network.

    All random numbers depend only on the seed and the number of the batch. A training that was killed, and is called
    again with the same pictures and settings, therefore continues as if nothing had happened: on a CPU the weights are
    the same to the last bit.

    Args:
        people: The faces to learn from; see `facelib.train.data.split_people`.
        validation: Faces of other people, on whom the network is measured: before the training, and after epochs.
        folder: For the checkpoints, the curves and the network; see `Result`.
        settings: What to do; None takes the defaults.
        resume: Whether to continue a training in `folder`, or return it when it is finished. False starts again, and
            removes it.
        callback: Called after every validation.
        seconds_between_checkpoints: Most that a killed run loses; one is written after every epoch as well.
        progress: Show a bar with the time left.

    Raises:
        BlockingIOError: When another process trains in `folder`.
        FloatingPointError: When the loss becomes NaN or infinite; names the last good checkpoint, which stays.
        OSError: When a file cannot be written; what was written before stays.
        RuntimeError: When CUDA was asked for and there is none.
        ValueError: When somebody is in both groups, the faces are not of the settings' form, or `folder` holds a
            training with other settings or pictures.
    """
    settings = settings or TrainingSettings()
    _check_faces(people, validation, settings)
    files = TrainingFiles(Path(folder))
    with file_lock(files.lock, what=f"other training in {str(folder)!r}"), _private_process(settings):
        # What must be unchanged for a training to resume.
        pictures = {"people": people.fingerprint, "validation": validation.fingerprint}
        made_from = {"settings": settings.record(), "pictures": pictures}
        state = _state_to_go_on_from(files, made_from) if resume else None
        training = _Training(people, validation, settings, files, callback, made_from=made_from, begins=state is None)
        if state is None:
            _make_ready(files, settings)
        else:
            training.restore(state)
        write_table(validation.table[["picture", "person"]], files.validation)
        training.run(seconds_between_checkpoints, progress)
    return load_result(folder)


def load_result(folder: str | Path) -> TrainingResult:
    """Read the result of a training, finished or not.

    Raises:
        FileNotFoundError: When no training has got as far as its first checkpoint there.
        ValueError: When a file is damaged.
    """
    files = TrainingFiles(Path(folder))
    state = load_state(files.checkpoint)
    model, settings, epoch = load_network(files.kept)
    curves = _curves(state["curves"])
    shown = [epoch, *(each for each in curves["epoch"] if files.snapshot(each).is_file())]
    snapshots = {int(each): _vectors(files.snapshot(each)) for each in sorted(set(shown))}
    if snapshots[epoch] is None:
        path = str(files.snapshot(epoch))
        raise ValueError(f"expected the vectors of the kept network at {path!r}, could not read them; train it again")
    validation = read_csv_table(files.validation, dtype=str)
    whole = {each: vectors for each, vectors in snapshots.items() if vectors is not None}
    return TrainingResult(files.folder, model, settings, curves, validation, whole, epoch, state["stopped"])


def _vectors(path: Path) -> FloatArray | None:
    """Read the vectors of an epoch; None where they are damaged: a map fewer is shown."""
    try:
        return np.asarray(np.load(path), np.float32)
    except (OSError, ValueError, EOFError) as error:
        _log.warning("%s cannot be read and is left out: %s", path, error)
        return None


class _Training:
    """The state of a training: network, loss, optimiser and progress."""

    def __init__(
        self,
        people: Crops,
        validation: Crops,
        settings: TrainingSettings,
        files: TrainingFiles,
        callback: Callback | None,
        *,
        made_from: dict[str, Any],
        begins: bool,
    ) -> None:
        self.people, self.validation, self.settings, self.files = people, validation, settings, files
        self.callback, self.made_from = callback, json.dumps(made_from)
        self.device = _device(settings)
        self.labels = torch.from_numpy(people.labels)
        self.batches = PeopleBatches(
            people.labels,
            people=settings.people_per_batch,
            pictures=settings.pictures_per_person,
            batches=settings.batches_per_epoch,
            seed=settings.seed,
        )
        torch.manual_seed(settings.seed)
        published = settings.pretrained if begins else False  # a continued training has its own weights
        model = make_network(settings.network, dimension=settings.dimension, pretrained=published)
        self.model = model.to(self.device, memory_format=torch.channels_last)
        self.loss = make_loss(
            settings.loss,
            people=len(people.names),
            dimension=settings.dimension,
            margin=settings.margin,
            miner=settings.miner,
            scale=settings.scale,
        ).to(self.device)
        every = [*self.model.parameters(), *self.loss.parameters()]
        groups = [  # no weight decay for normalisation and biases
            {"params": [each for each in every if each.ndim > 1], "weight_decay": settings.weight_decay},
            {"params": [each for each in every if each.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups)
        half = settings.mixed_precision and self.device == "cuda"
        bfloat = half and torch.cuda.is_bf16_supported(including_emulation=False)
        self.half = torch.bfloat16 if bfloat else torch.float16 if half else None
        self.scaler = torch.amp.GradScaler(self.device, enabled=self.half == torch.float16)
        self.epoch, self.batch, self.loss_sum, self.seconds = 0, 0, 0.0, 0.0
        self.started = self.written = time.monotonic()
        self.curves: list[list[float]] = []
        self.best, self.best_epoch, self.waited = -math.inf, 0, 0
        self.stopped: Stopped = "unfinished"

    def run(self, seconds_between_checkpoints: float, progress: bool) -> None:
        """Train to the end from the current state."""
        if self.stopped != "unfinished":
            return
        if not self.curves:
            self.validate(math.nan)
        total, done = len(self.batches) * self.settings.epochs, self.epoch * len(self.batches) + self.batch
        self.started, self.written = time.monotonic() - self.seconds, time.monotonic()
        with tqdm(
            total=total, initial=done, desc="training", unit=" batches", leave=False, disable=not progress
        ) as bar:
            while self.stopped == "unfinished":
                self.run_epoch(bar, seconds_between_checkpoints)

    def run_epoch(self, bar: tqdm[None], seconds_between_checkpoints: float) -> None:
        """Train the rest of an epoch, and validate if it is due."""
        plan = self.batches.of_epoch(self.epoch + 1)
        while self.batch < len(plan):
            self.loss_sum += self.step(plan[self.batch])
            self.batch += 1
            bar.update()
            bar.set_postfix(epoch=self.epoch + 1, loss=f"{self.loss_sum / self.batch:.3f}", refresh=False)
            if time.monotonic() - self.written > seconds_between_checkpoints:
                self.save()
        mean_loss = self.loss_sum / len(plan)
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0
        if self.epoch == self.settings.epochs:
            self.stopped = "finished"
        if self.stopped == "finished" or is_due(self.epoch, self.settings):
            self.validate(mean_loss)
        else:
            self.save()

    def step(self, rows: Any) -> float:
        """Do one optimisation step on a batch, and return its loss.

        Raises:
            FloatingPointError: When the loss or its gradient is not finite.
        """
        settings = self.settings
        number = self.epoch * len(self.batches) + self.batch
        seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1, np.uint64)[0] >> 1)
        torch.manual_seed(seed)
        rate = learning_rate(number, settings, len(self.batches))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        faces = to_input(torch.from_numpy(self.people.faces(rows)).to(self.device))
        faces = augment(faces, settings.augmentation, seed=seed).contiguous(memory_format=torch.channels_last)
        self.model.train()
        with torch.autocast(self.device, self.half, enabled=self.half is not None):
            vectors = self.model(faces)
        loss: Tensor = self.loss(vectors.float(), self.labels[rows].to(self.device))
        self._check_finite("loss", float(loss.detach()))
        self.optimiser.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        norm = nn.utils.clip_grad_norm_([*self.model.parameters(), *self.loss.parameters()], settings.clip_norm)
        if not self.scaler.is_enabled():  # which itself skips steps that overflow half precision
            self._check_finite("slope of the loss", float(norm))
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return float(loss.detach())

    def validate(self, mean_loss: float) -> None:
        """Validate the network on held-out people, keep it if it is the best, and write a checkpoint."""
        settings = self.settings
        vectors = embed_crops(self.model, self.validation, device=self.device, mirrored=settings.mirrored)
        self._check_finite("sum of the validation vectors", float(vectors.sum()))
        scores = face_metrics(vectors, self.validation.table["person"].to_numpy(str), seed=settings.seed)
        self.seconds = time.monotonic() - self.started if self.curves else 0.0
        rate = learning_rate(self.epoch * len(self.batches) - 1, settings, len(self.batches)) if self.epoch else 0.0
        measured = [scores.recall_at_1, scores.knn_accuracy, scores.pair_accuracy]
        self.curves.append([self.epoch, mean_loss, *measured, self.seconds, rate])
        self._keep(scores.pair_accuracy, vectors)
        write_table(_curves(self.curves), self.files.curves)
        self.save()
        if self.callback is not None:
            self.callback(_curves(self.curves))

    def save(self) -> None:
        """Write a checkpoint."""
        self.written = time.monotonic()
        if self.epoch or self.batch:
            self.seconds = self.written - self.started
        save_state(self.state(), self.files.checkpoint)

    def state(self) -> dict[str, Any]:
        """Return the state to resume from; random numbers depend on the step alone."""
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        return parts | {name: getattr(self, name) for name in (*_COUNTS, "made_from")}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state returned by `state`."""
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])
        for name in _COUNTS:
            setattr(self, name, state[name])

    def _keep(self, accuracy: float, vectors: FloatArray) -> None:
        """Keep the network if it is the best or the last is wanted, and the vectors if a snapshot is due."""
        before, better = self.best_epoch, accuracy > self.best
        self.waited = 0 if better else self.waited + 1
        if self.settings.patience is not None and self.waited >= self.settings.patience:
            self.stopped = "no progress"
        kept = better or self.settings.keep == "last"
        self.best = max(self.best, accuracy)
        if kept or is_snapshot(self.epoch, self.settings, last=self.stopped != "unfinished"):
            with atomic_write(self.files.snapshot(self.epoch)) as temporary:
                write_array(vectors, temporary)
        if kept:
            self.best_epoch = self.epoch
            save_network(self.model, self.settings, self.epoch, self.files.kept)
        if kept and before != self.epoch and not is_snapshot(before, self.settings, last=False):
            self.files.snapshot(before).unlink(missing_ok=True)

    def _check_finite(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise FloatingPointError(
                f"expected the {what} to be a number, got {value!r} in epoch {self.epoch + 1}, batch {self.batch + 1}; "
                f"the last good checkpoint is {str(self.files.checkpoint)!r}, and the network kept so far "
                f"{str(self.files.kept)!r}; start again with a lower learning_rate or clip_norm ({ANEW})"
            )


def _curves(rows: list[list[float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS)).astype({"epoch": "int64"})


def _check_faces(people: Crops, validation: Crops, settings: TrainingSettings) -> None:
    both = sorted(set(people.names) & set(validation.names))
    if both:
        raise ValueError(f"expected nobody in both training and validation, got {both!r}; see split_people")
    for crops in (people, validation):
        found = (crops.images.shape[1], crops.form.alignment)
        if found != (settings.image_size, settings.alignment):
            raise ValueError(
                f"expected faces of {settings.image_size} pixels, aligned by {settings.alignment!r}, as the settings "
                f"say, got {found[0]} pixels and {found[1]!r}"
            )


def _state_to_go_on_from(files: TrainingFiles, made_from: dict[str, Any]) -> dict[str, Any] | None:
    """Return the state in the folder, None where there is none."""
    if not files.checkpoint.is_file():
        return None
    state = load_state(files.checkpoint)
    _check_same(json.loads(state["made_from"]), json.loads(json.dumps(made_from)), files.folder)
    return state


def _make_ready(files: TrainingFiles, settings: TrainingSettings) -> None:
    """Remove what a former training has left, and write what is known before the first batch."""
    for path in (files.checkpoint, files.kept, files.curves):
        path.unlink(missing_ok=True)
    shutil.rmtree(files.snapshots, ignore_errors=True)
    write_text(json.dumps(settings.record(), indent=1) + "\n", files.settings)


def _check_same(was: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    before, after = was["settings"], now["settings"]
    other = {name: before.get(name) for name in after if name not in _CHANGEABLE and before.get(name) != after[name]}
    if other or was["pictures"] != now["pictures"]:
        reason = f"other settings, {other!r}" if other else "other pictures or another split of the people"
        raise ValueError(
            f"expected to continue the training in {str(folder)!r}, but it was made with {reason}; "
            f"choose another folder, or start again ({ANEW})"
        )


@contextmanager
def _private_process(settings: TrainingSettings) -> Iterator[None]:
    """Set PyTorch's number of threads within the block; restore it and the random generator afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        with torch.random.fork_rng([torch.cuda.current_device()] if _device(settings) == "cuda" else []):
            yield
    finally:
        torch.set_num_threads(threads)


def _device(settings: TrainingSettings) -> str:
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise RuntimeError("expected a GPU that PyTorch can use with device='cuda', found none; take 'auto' or 'cpu'")
    return "cuda" if there and settings.device != "cpu" else "cpu"
