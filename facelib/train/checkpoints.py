"""Checkpoints of a training, written atomically, holding only numbers and text."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from facelib.project import atomic_write
from facelib.project.layout import Place
from facelib.project.wording import in_one_line
from facelib.train.networks import make_network
from facelib.train.settings import TrainingSettings

_FORM = 1
ANEW = "resume=False, in notebook 08 restart=True"
"""How a training is started again."""


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """The files of one training, all in `folder`."""

    folder: Path

    settings = Place("folder", "settings.json")
    """The settings of the training."""

    checkpoint = Place("folder", "checkpoint.pt")
    """Everything needed to resume."""

    kept = Place("folder", "network.pt")
    """The network of the selected epoch."""

    curves = Place("folder", "curves.csv")
    """A row a validated epoch."""

    validation = Place("folder", "validation.csv")
    """The pictures that were validated with, in the order of the vectors."""

    snapshots = Place("folder", "embeddings")
    """One file of validation vectors a kept epoch."""

    lock = Place("folder", ".lock")
    """Held while training."""

    def snapshot(self, epoch: int) -> Path:
        """Return where the validation vectors of an epoch lie."""
        return self.snapshots / f"epoch_{epoch:03d}.npy"


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write tensors, numbers, texts, lists and dicts, safely.

    Raises:
        OSError: When the file cannot be written; the one that was there stays.
    """
    with atomic_write(path) as temporary:
        try:
            torch.save(state | {"form": _FORM}, temporary)
        except RuntimeError as error:  # PyTorch's writer hides the system's message
            raise OSError(f"expected to write {str(path)!r}, got: {error}; is the disk full?") from error


def load_state(path: str | Path) -> dict[str, Any]:
    """Read what `save_state` wrote; no code in the file is run.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it is damaged, or facelib did not write it.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a training's state, found no file at {str(path)!r}; train again ({ANEW})")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, KeyError) as error:
        said = in_one_line(error).partition(". ")[0]  # what follows is for programmers
        raise ValueError(
            f"expected a training's state, could not read {str(path)!r}: {said}; train again ({ANEW})"
        ) from error
    if not isinstance(state, dict) or state.get("form") != _FORM:
        raise ValueError(f"expected a training's state of form {_FORM}, found another in {str(path)!r}")
    return state


def save_network(model: nn.Module, settings: TrainingSettings, epoch: int, path: Path) -> None:
    """Write a network's weights with the settings that say which network it is."""
    weights = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    save_state({"model": weights, "settings": json.dumps(settings.record()), "epoch": epoch}, path)


def load_network(path: str | Path) -> tuple[nn.Module, TrainingSettings, int]:
    """Read a trained network.

    Args:
        path: A training's folder, or its `network.pt`.

    Returns:
        The network on the CPU in evaluation mode, the settings of its training, and its epoch.

    Raises:
        FileNotFoundError: When there is no such file.
        ValueError: When it is damaged, or its weights do not fit.
    """
    path = Path(path)
    if path.is_dir():
        path = TrainingFiles(path).kept
    state = load_state(path)
    try:
        settings = TrainingSettings.from_record(json.loads(state["settings"]))
        with torch.random.fork_rng(devices=[]):  # random initial weights would only be replaced
            model = make_network(settings.network, dimension=settings.dimension)
        model.load_state_dict(state["model"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"expected a trained network in {str(path)!r}, what is in it does not fit: {error}") from error
    return model.eval(), settings, int(state["epoch"])
