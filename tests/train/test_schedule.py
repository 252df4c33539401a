"""When a training does what."""

import numpy as np
import pytest

from facelib.train.settings import TrainingSettings, is_due, is_snapshot, learning_rate


def test_the_learning_rate_rises_and_falls():
    rates = [
        learning_rate(step, TrainingSettings(epochs=5, warmup_epochs=1, learning_rate=1), 10) for step in range(50)
    ]
    assert rates[0] == pytest.approx(0.1) and max(rates) == pytest.approx(1) and rates.index(max(rates)) in (9, 10)
    assert rates[-1] < 0.01 and (np.diff(rates[10:]) < 0).all()


@pytest.mark.parametrize(("epochs", "warmup", "batches"), [(1, 1, 1), (1, 5, 3), (2, 0, 1), (3, 0.5, 7)])
def test_short_trainings_have_a_rate_at_every_step(epochs, warmup, batches):
    settings = TrainingSettings(epochs=epochs, warmup_epochs=warmup, learning_rate=1)
    rates = [learning_rate(step, settings, batches) for step in range(epochs * batches)]
    assert all(0 < rate <= 1 for rate in rates)


def test_epochs_validated_and_kept():
    settings = TrainingSettings(validate_every=2, snapshot_every=3)
    assert [epoch for epoch in range(1, 8) if is_due(epoch, settings)] == [2, 3, 4, 6]
    assert [epoch for epoch in range(8) if is_snapshot(epoch, settings, last=epoch == 7)] == [0, 3, 6, 7]
    never = TrainingSettings(snapshot_every=0)
    assert [epoch for epoch in range(8) if is_snapshot(epoch, never, last=epoch == 7)] == [0, 7]
