"""Small people for the tests of training: a colour and a pattern each, so that a network can learn them in seconds."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest

from facelib.train.data import Crops


@pytest.fixture(scope="session")
def quick_export() -> Iterator[None]:
    """Keep PyTorch's list of operators between exports: for each it parses some 500 functions of its own anew."""
    from torch.onnx._internal.exporter import _registration  # which takes seconds

    apis = _registration.onnxscript_apis
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apis, "get_torchlib_ops", cache(apis.get_torchlib_ops))
        yield


@pytest.fixture(scope="session")
def make_crops() -> Callable[..., Crops]:
    """Return a factory of faces of made-up people; the same number gives the same person."""

    def make(people: range, *, pictures: int = 6, size: int = 32) -> Crops:
        images, names = [], []
        for person in people:
            own = np.random.default_rng(person)
            coarse = own.integers(40, 216, (4, 4, 3))
            pattern = np.kron(coarse, np.ones((size // 4, size // 4, 1)))
            for number in range(pictures):
                noise = np.random.default_rng([person, number]).normal(0, 12, (size, size, 3))
                images.append(np.clip(pattern + noise, 0, 255).astype(np.uint8))
                names.append(f"person {person:02d}")
        return Crops.of(np.stack(images), names)

    return make
