"""Settings of training: what they refuse, and that they come back from a file as they were."""

import json
import math
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import facelib
from facelib.train.settings import Augmentation, TrainingSettings


def test_there_and_back():
    settings = TrainingSettings(
        network="xception", margin=0.3, loss="triplet", augmentation=Augmentation(flip=0.25), patience=3
    )
    assert TrainingSettings.from_record(json.loads(json.dumps(settings.record()))) == settings


@pytest.mark.parametrize(("given", "message"), [
    ({"loss": "softmax"}, "expected a loss, one of .*got 'softmax'"),
    ({"device": "tpu"}, "expected device to be one of"),
    ({"keep": "first"}, "expected keep to be one of"),
    ({"alignment": "none"}, "expected alignment to be one of"),
    ({"epochs": 0}, "expected epochs of at least 1, got 0"),
    ({"pictures_per_person": 1}, "expected pictures_per_person of at least 2, got 1"),
    ({"people_per_batch": 1}, "expected people_per_batch of at least 2, got 1"),
    ({"learning_rate": 0.0}, "expected learning_rate above 0, got 0.0"),
    ({"learning_rate": math.nan}, "expected learning_rate above 0, got nan"),
    ({"weight_decay": -1}, "expected weight_decay of at least 0, got -1"),
    ({"patience": 0}, "expected patience of at least 1, got 0"),
    ({"image_size": 8}, "expected image_size of at least 32, got 8"),
    ({"loss": "npairs", "margin": 0.1}, "expected margin=None with the loss 'npairs'"),
])  # fmt: skip
def test_what_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**given)


@pytest.mark.parametrize(("given", "message"), [
    ({"flip": 1.5}, "expected augmentation.flip from 0 to 1, got 1.5"),
    ({"turn": -3}, "expected augmentation.turn from 0 to 180, got -3"),
])  # fmt: skip
def test_augmentation_that_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Augmentation(**given)


def test_a_record_of_another_version_is_told():
    with pytest.raises(ValueError, match=r"got \['optimizer'\] among them"):
        TrainingSettings.from_record({"optimizer": "sgd"})


def test_the_form_says_what_the_networks_take():
    form = replace(TrainingSettings(), image_size=96).form
    assert form.size == 96 and form.colour == "RGB"
    assert (0 - form.mean) * form.scale == -1 and (255 - form.mean) * form.scale == 1


def test_without_pytorch_it_is_told_what_to_install():
    """facelib itself is imported without PyTorch, and its training names what to install."""
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import facelib, facelib.embed\n"
        "try: import facelib.train.loop\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    _, _, named = done.stdout.partition("pip install ")
    extra = tomllib.loads((Path(facelib.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    extra = extra["project"]["optional-dependencies"]["train"]
    assert set(named.split()) == {Requirement(line).name for line in extra}
