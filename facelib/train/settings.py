"""The settings of a training, the schedules that follow from them, and its result."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, get_args, get_type_hints

import pandas as pd

from facelib.embed import Alignment, InputForm
from facelib.faces import FloatArray

if TYPE_CHECKING:
    from torch import nn


LossName = Literal["triplet", "npairs", "arcface", "supcon"]
MinerName = Literal["semihard", "hard", "all"]
Device = Literal["auto", "cpu", "cuda"]

Keep = Literal["best", "last"]
Stopped = Literal["unfinished", "finished", "no progress"]

MEAN = 127.5
"""What is taken off every colour before it enters a network of this package."""

SCALE = 1 / 127.5
"""What the rest is multiplied by, so that black is -1 and white is 1."""

CURVE_COLUMNS = ("epoch", "loss", "recall_at_1", "knn_accuracy", "pair_accuracy", "seconds", "lr")
"""The columns of `Result.curves` and of `curves.csv`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Random augmentation while training; 0 turns a change off.

    Attributes:
        flip: Probability that a face is mirrored.
        turn: Largest turn to either side, in degrees.
        zoom: Largest fraction by which a face is made larger or smaller.
        shift: Largest shift to each side, as a fraction of the picture's side.
        brightness: Largest change, as a fraction of white.
        contrast: Largest fraction by which differences from the mean grow or shrink.
        grey: Probability that the colours are taken away.
        blur: Probability that a face is made small and large again, as a face far from the camera looks.
        cutout: Probability that a rectangle of up to half the sides is covered with grey.

    Raises:
        ValueError: When a value is out of range.
    """

    flip: float = 0.5
    turn: float = 10.0
    zoom: float = 0.1
    shift: float = 0.06
    brightness: float = 0.15
    contrast: float = 0.3
    grey: float = 0.1
    blur: float = 0.15
    cutout: float = 0.3

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("flip", "grey", "blur", "cutout"):
            _check(f"augmentation.{name}", getattr(self, name), 0, 1)
        for name, most in (("turn", 180), ("zoom", 0.9), ("shift", 0.5), ("brightness", 1), ("contrast", 1)):
            _check(f"augmentation.{name}", getattr(self, name), 0, most)

    @classmethod
    def none(cls) -> Self:
        """Return the augmentation that leaves pictures as they are."""
        return cls(**{each.name: 0.0 for each in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Everything the result of a training depends on besides the pictures.

    Attributes:
        network: One of `facelib.train.networks.NETWORKS`, or the name of any network of timm.
        dimension: Length of the vectors.
        pretrained: Whether to start from the published ImageNet weights, where the network has such, or their file.
        loss: What is minimised.
        miner: Which triplets of a batch count for `"triplet"`: the wrong ones but not the worst, the hardest, or all;
            None takes the first. The other losses have none.
        margin: How far apart people are pushed; None takes the loss's own. Triplet: a distance; ArcFace: degrees.
            N-pairs and SupCon have none.
        scale: What ArcFace and SupCon multiply cosines by; None takes the loss's own. The others have none.
        image_size: Side of the pictures, in pixels.
        alignment: How faces are cut out.
        people_per_batch: Different people in a batch. Raising it shows harder pairs, and takes more memory.
        pictures_per_person: Pictures of each of them, at least 2.
        epochs: How often at most all training pictures are used.
        batches_per_epoch: Batches in an epoch; None takes as many as show as many pictures as there are.
        learning_rate: Its highest value, reached at the end of the warm-up; it then falls along a cosine to 0.
        warmup_epochs: Epochs in which it rises from 0.
        weight_decay: Of AdamW; raising it keeps weights smaller.
        clip_norm: Largest norm of a step's gradient; longer ones are shortened to it.
        augmentation: How pictures are changed while training.
        validate_every: Epochs between two validations; the last epoch, and those of snapshots, are always validated.
        snapshot_every: Epochs between two kept sets of validation vectors; 0 keeps the first and the last alone.
        patience: Validations without a better pair accuracy after which the training stops; None never stops early.
        keep: Which network is kept: of the epoch with the best pair accuracy, or of the last. With the last,
            those validated with have no say in it, and the accuracy on them flatters nobody.
        mirrored: Whether validation takes the mean of the vectors of a face and of its mirror image.
        seed: Of everything that is drawn by chance.
        device: Where to train: `"auto"` takes CUDA where there is a GPU.
        mixed_precision: Whether to compute in half precision where the device has it.
        threads: CPU threads of PyTorch.

    Raises:
        ValueError: When a value is out of range.

    Examples:
        >>> TrainingSettings.from_record(TrainingSettings(epochs=3).record()) == TrainingSettings(epochs=3)
        True
    """

    network: str = "small_resnet"
    dimension: int = 128
    pretrained: bool | str = False
    loss: LossName = "arcface"
    miner: MinerName | None = None
    margin: float | None = None
    scale: float | None = None
    image_size: int = 112
    alignment: Alignment = "five points"
    people_per_batch: int = 16
    pictures_per_person: int = 2
    epochs: int = 40
    batches_per_epoch: int | None = None
    learning_rate: float = 2e-3
    warmup_epochs: float = 1.0
    weight_decay: float = 0.05
    clip_norm: float = 5.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    validate_every: int = 1
    snapshot_every: int = 5
    patience: int | None = None
    keep: Keep = "best"
    mirrored: bool = False
    seed: int = 0
    device: Device = "auto"
    mixed_precision: bool = True
    threads: int = 2

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, kind in (("alignment", Alignment), ("device", Device), ("keep", Keep)):
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"expected {name} to be one of {get_args(kind)!r}, got {getattr(self, name)!r}")
        check_loss(self.loss, margin=self.margin, miner=self.miner, scale=self.scale)
        for name, least in _LEAST.items():
            if getattr(self, name) is not None:
                _check(name, getattr(self, name), least, math.inf)
        for name in ("learning_rate", "clip_norm"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"expected {name} above 0, got {getattr(self, name)!r}")

    @property
    def form(self) -> InputForm:
        """What the network's input is: RGB from -1 to 1."""
        return InputForm(size=self.image_size, mean=MEAN, scale=SCALE, alignment=self.alignment, normalise=True)

    def record(self) -> dict[str, Any]:
        """Return the settings as plain values, to be kept as JSON."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Return the settings that `record` gave.

        Raises:
            ValueError: When a name is not known.
        """
        unknown = sorted(set(record) - set(get_type_hints(cls)))
        if unknown:
            raise ValueError(f"expected settings of this version of facelib, got {unknown!r} among them")
        return cls(**record | {"augmentation": Augmentation(**record.get("augmentation", {}))})


_PARAMETERS: dict[LossName, tuple[str, ...]] = {
    "triplet": ("margin", "miner"), "arcface": ("margin", "scale"), "supcon": ("scale",), "npairs": (),
}  # fmt: skip
_LEAST = {
    "dimension": 2, "image_size": 32, "people_per_batch": 2, "pictures_per_person": 2, "epochs": 1,
    "batches_per_epoch": 1, "warmup_epochs": 0, "weight_decay": 0, "validate_every": 1, "snapshot_every": 0,
    "patience": 1, "seed": 0, "threads": 1, "margin": 0, "scale": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """The result of a training.

    Attributes:
        folder: Holds `settings.json`, `curves.csv`, `validation.csv`, `embeddings/`, `network.pt` and `checkpoint.pt`.
        model: The network that is kept, on the CPU and in evaluation mode: `(n, 3, size, size)` float32 RGB from
            -1 to 1 gives `(n, dimension)` vectors of length 1.
        settings: The settings of the training.
        curves: A row a validated epoch, `CURVE_COLUMNS`; epoch 0 is the untrained network, whose `loss` is NaN.
        validation: The pictures nobody was trained on: `picture`, `person`.
        snapshots: The vectors of these by epoch, `(n, dimension)` float32 in the order of `validation`.
        best_epoch: Of which `model` is; the last one where the settings keep that.
        stopped: Why the training ended: `"finished"`, or `"no progress"`; or that it is `"unfinished"`.
    """

    folder: Path
    model: nn.Module
    settings: TrainingSettings
    curves: pd.DataFrame
    validation: pd.DataFrame
    snapshots: dict[int, FloatArray]
    best_epoch: int
    stopped: Stopped

    @property
    def form(self) -> InputForm:
        """What the network's input is."""
        return self.settings.form


def check_loss(loss: LossName, *, margin: float | None, miner: MinerName | None, scale: float | None) -> None:
    """Check that a loss has the parameters that are given.

    Raises:
        ValueError: When a name is not known, or a parameter that is not None is none of this loss.
    """
    if loss not in get_args(LossName):
        raise ValueError(f"expected a loss, one of {get_args(LossName)!r}, got {loss!r}")
    if miner is not None and miner not in get_args(MinerName):
        raise ValueError(f"expected a miner, one of {get_args(MinerName)!r}, or None, got {miner!r}")
    for parameter, value in {"margin": margin, "miner": miner, "scale": scale}.items():
        if value is not None and parameter not in _PARAMETERS[loss]:
            raise ValueError(f"expected {parameter}=None with the loss {loss!r}, which has none, got {value!r}")


def _check(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        limit = f"of at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise ValueError(f"expected {name} {limit}, got {value!r}")


def learning_rate(step: int, settings: TrainingSettings, batches: int) -> float:
    """Return the learning rate of a 0-based step: up in a straight line, then down along a cosine to 0.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (ICLR 2017).
    """
    warm = min(settings.warmup_epochs, settings.epochs / 2) * batches
    if step < warm:
        return settings.learning_rate * (step + 1) / math.ceil(warm)
    done = (step - warm) / (settings.epochs * batches - warm)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def is_due(epoch: int, settings: TrainingSettings) -> bool:
    """Return whether an epoch is validated; the last one is in any case."""
    return _at_interval(epoch, settings.snapshot_every) or epoch % settings.validate_every == 0


def is_snapshot(epoch: int, settings: TrainingSettings, *, last: bool) -> bool:
    """Return whether the vectors of an epoch stay: those of the first, of the last, and of some in between."""
    return epoch == 0 or last or _at_interval(epoch, settings.snapshot_every)


def _at_interval(epoch: int, every: int) -> bool:
    return every > 0 and epoch % every == 0
