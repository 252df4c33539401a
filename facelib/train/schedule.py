"""Schedules: the learning rate of a step, and the epochs that are validated and kept."""

from __future__ import annotations

import math

from facelib.train.settings import TrainingSettings


def learning_rate(step: int, settings: TrainingSettings, batches: int) -> float:
    """Return the learning rate of a step: up in a straight line, then down along a cosine to 0.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (ICLR 2017).

    Args:
        step: 0-based number of the batch since the beginning.
        settings: Its `learning_rate`, `warmup_epochs` and `epochs`.
        batches: In an epoch.
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
