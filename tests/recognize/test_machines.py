"""Machines of many people trained at once are those that libsvm trains one by one."""

import numpy as np
import pytest
from sklearn.svm import SVC

from facelib.recognize import machines
from facelib.recognize.machines import FaceKernel, Kernel, train


def cast(counts: list[int], *, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return faces about random middles, and `(people, faces)`, whose they are."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(len(counts)), counts)
    vectors = rng.normal(size=(len(counts), 16))[codes] + rng.normal(size=(len(codes), 16)) * spread
    return vectors, codes == np.arange(len(counts))[:, None]


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize(
    ("counts", "spread", "C"),
    [
        ([8] * 40, 0.3, 1.0),  # 80 of 320 faces at a time
        ([8] * 40, 1.0, 1.0),  # the people lie among each other
        ([3, 4, 150, 60], 0.5, 1.0),  # all faces at a time for the larger ones
        ([8] * 20, 0.5, 100.0),
        ([1, 1], 0.1, 1.0),
    ],
)
@pytest.mark.parametrize("rounds", [machines._ROUNDS, 0])  # and all left to libsvm
def test_machines_are_libsvms(
    kernel: Kernel, counts: list[int], spread: float, C: float, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "_ROUNDS", rounds)
    vectors, own = cast(counts, spread=spread)
    alike = FaceKernel.of(kernel, vectors)
    weights, biases = train(vectors, own, alike, C=C)
    found = alike.scores(weights, vectors, vectors) + biases[:, None]
    exact = SVC(kernel=kernel, C=C, class_weight="balanced", tol=1e-7)
    wanted = np.stack([exact.fit(vectors, person).decision_function(vectors) for person in own])
    assert np.abs(weights.sum(axis=1)).max() < 1e-6 * C * own.size
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-2)


def test_where_no_face_is_free_the_middle_decides() -> None:
    vectors, own = np.array([[0.0], [0.1], [1.0], [1.1]]), np.array([[True, True, False, False]])
    weights, biases = train(vectors, own, FaceKernel("linear", 1.0), C=0.1)
    assert weights[0].tolist() == pytest.approx([0.1, 0.1, -0.1, -0.1])
    assert -biases[0] == pytest.approx(weights[0] @ vectors[:, 0] * 0.55)
