"""Support vector machines, one per person against all others, trained for many people at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.svm import SVC

Kernel = Literal["linear", "rbf"]
Matrix = NDArray[np.float64]

MOST_STEPS = 1_000_000  # of libsvm: 4,000 faces of 20 people who all look alike take 146,000 with C=1
_TOLERANCE = 1e-3  # of outputs, as in libsvm
_BLOCK = 2**20  # numbers held at once, so that they stay in the processor's memory
_BESIDE = 64  # others' faces that a machine is trained on at first
_ROUNDS, _STEPS = 6, 1000  # in each; what is not trained by then is left to libsvm
_AT_A_LIMIT = 1e-12


@dataclass(frozen=True, slots=True)
class FaceKernel:
    """How alike two faces are to a machine.

    Attributes:
        kind: `"linear"` or `"rbf"`.
        gamma: How fast the likeness of `"rbf"` falls with the squared distance.
    """

    kind: Kernel
    gamma: float

    @classmethod
    def of(cls, kind: Kernel, vectors: Matrix) -> FaceKernel:
        """Return the kernel that scikit-learn's `SVC` takes for `(m, d)` faces to train on."""
        return cls(kind, 1 / (vectors.shape[1] * (vectors.var() or 1)))

    def __call__(self, one: Matrix, other: Matrix) -> Matrix:
        """Return it for each of `(..., n, d)` faces with each of `(..., m, d)` others: `(..., n, m)`."""
        product: Matrix = one @ other.swapaxes(-1, -2)
        if self.kind == "linear":
            return product
        lengths = (one**2).sum(axis=-1)[..., :, None] + (other**2).sum(axis=-1)[..., None, :]
        alike: Matrix = np.exp(-self.gamma * np.maximum(lengths - 2 * product, 0))
        return alike

    def scores(self, weights: Matrix, vectors: Matrix, probes: Matrix) -> Matrix:
        """Return the outputs of machines before their intercepts, `(people, n)`, by `weights` of `(people, m)`."""
        if self.kind == "linear":
            outputs: Matrix = weights @ vectors @ probes.T
            return outputs
        used = np.flatnonzero(weights.any(axis=0))
        few, known = csr_array(weights[:, used]), vectors[used]
        blocks = np.array_split(np.arange(len(probes)), 1 + len(probes) * len(used) // _BLOCK)
        return np.concatenate([few @ self(known, probes[rows]) for rows in blocks], axis=1)


def train(vectors: Matrix, own: NDArray[np.bool_], kernel: FaceKernel, *, C: float) -> tuple[Matrix, Matrix]:
    """Train a machine per person, in which the person's own faces count as much together as all others.

    Each machine is trained on the faces that are hardest for it, and again on those that turn out to be, until none is
    off by more than libsvm allows (Joachims, "Making large-scale SVM learning practical", 1999): few faces are near a
    person, so that one of 500 people with ten faces each is trained on 84 of 5,000. Sequential minimal optimisation,
    as in libsvm (Fan, Chen and Lin, "Working set selection using second order information", 2005), takes a step of
    all machines at a time. Machines that are not trained soon, since many faces lie between the people, are libsvm's.

    Args:
        vectors: `(m, d)`.
        own: `(people, m)`, whether a face is the person's; each person has faces, and not all.
        kernel: Of the machines.
        C: How strongly a face on the wrong side is penalised.

    Returns:
        The weights of the faces, `(people, m)`, and the intercepts, `(people,)`.
    """
    weights, intercepts = np.zeros(own.shape), np.zeros(len(own))
    counts = own.sum(axis=1)
    order = np.argsort(counts, kind="stable")
    at_once = max(1, _BLOCK // max(own.shape[1], min(own.shape[1], _BESIDE + 2 * int(counts.max())) ** 2))
    for start in range(0, len(own), at_once):
        people = order[start : start + at_once]
        machines = _Machines(vectors, own[people], kernel, C)
        for row in machines.train():
            machines.leave_to_libsvm(row)
        weights[people], intercepts[people] = machines.weights, machines.intercepts
    return weights, intercepts


class _Machines:
    """Machines in training: each weight lies between `low` and `high`, and those of a machine add up to 0."""

    def __init__(self, vectors: Matrix, own: NDArray[np.bool_], kernel: FaceKernel, C: float) -> None:
        self.vectors, self.own, self.kernel, self.C = vectors, own, kernel, C
        counts, faces = own.sum(axis=1, keepdims=True), own.shape[1]
        self.high = np.where(own, C * faces / (2 * counts), 0.0)
        self.low = np.where(own, 0.0, -C * faces / (2 * (faces - counts)))
        self.sides = np.where(own, 1.0, -1.0)
        self.weights, self.intercepts = np.zeros(own.shape), np.zeros(len(own))
        self.size = min(faces, _BESIDE + 2 * int(counts.max()))
        # Which faces are hard is guessed first: by the difference of the means.
        self.guess = np.where(own, 1 / counts, -1 / (faces - counts)) @ vectors @ vectors.T

    def train(self) -> NDArray[np.intp]:
        """Train until no face is off, and return the machines for which that takes too long."""
        rows = np.arange(len(self.own))
        self._improve(rows, self.guess, -self.sides)
        for _ in range(_ROUNDS):
            errors = self.kernel.scores(self.weights[rows], self.vectors, self.vectors) - self.sides[rows]
            rising, falling = self._movable(rows, errors)
            least, most = rising.min(axis=1), falling.max(axis=1)
            free = np.isfinite(rising) & np.isfinite(falling)
            mean = np.where(free, errors, 0).sum(axis=1) / np.maximum(free.sum(axis=1), 1)
            self.intercepts[rows] = -np.where(free.any(axis=1), mean, (least + most) / 2)
            off = most - least > _TOLERANCE
            rows, errors = rows[off], errors[off]
            if not len(rows):
                break
            self._improve(rows, errors, errors)
        return rows

    def leave_to_libsvm(self, row: int) -> None:
        """Train a machine on all faces."""
        machine = SVC(
            kernel=self.kernel.kind, gamma=self.kernel.gamma, C=self.C, class_weight="balanced", max_iter=MOST_STEPS
        ).fit(self.vectors, self.own[row])
        self.weights[row] = 0
        self.weights[row, machine.support_], self.intercepts[row] = machine.dual_coef_[0], machine.intercept_[0]

    def _movable(self, rows: NDArray[np.intp], errors: Matrix) -> tuple[Matrix, Matrix]:
        """Return the errors of the faces whose weight can rise, and of those whose weight can fall; else infinite."""
        weights, high, low = self.weights[rows], self.high[rows], self.low[rows]
        room = _AT_A_LIMIT * (high - low)
        return np.where(weights < high - room, errors, np.inf), np.where(weights > low + room, errors, -np.inf)

    def _improve(self, rows: NDArray[np.intp], hard: Matrix, errors: Matrix) -> None:
        """Train machines on the faces that are hardest for them."""
        rising, falling = self._movable(rows, hard)
        middle = (rising.min(axis=1, keepdims=True) + falling.max(axis=1, keepdims=True)) / 2
        ease = np.minimum(rising - middle, middle - falling)
        chosen = np.argpartition(ease, self.size - 1, axis=1)[:, : self.size]
        faces = self.vectors[chosen]
        at = rows[:, None], chosen
        self.weights[at] = _solved(
            self.kernel(faces, faces),
            self.weights[at],
            np.take_along_axis(errors, chosen, axis=1),
            self.low[at],
            self.high[at],
        )


def _solved(kernel: NDArray[Any], weights: Matrix, errors: Matrix, low: Matrix, high: Matrix) -> Matrix:
    """Return the best weights of a few faces: `kernel` is `(machines, n, n)`, all others `(machines, n)`."""
    result, rows = weights.copy(), np.arange(len(weights))
    room = _AT_A_LIMIT * (high - low)
    own = np.diagonal(kernel, axis1=1, axis2=2)
    steps = 0
    while True:
        each = np.arange(len(weights))
        up = np.where(weights < high - room, errors, np.inf).argmin(axis=1)
        apart = np.where(weights > low + room, errors, -np.inf) - errors[each, up][:, None]
        active = apart.max(axis=1) > _TOLERANCE
        if 2 * np.count_nonzero(active) < len(active) or steps == _STEPS:  # the others are done
            result[rows] = weights
            if not active.any() or steps == _STEPS:
                return result
            rows, kernel, own = rows[active], kernel[active], own[active]
            weights, errors, low, high, room = (part[active] for part in (weights, errors, low, high, room))
            continue
        of_up = kernel[each, up]
        curved = np.maximum(own[each, up][:, None] + own - 2 * of_up, _AT_A_LIMIT)
        down = np.where(apart > 0, apart * apart / curved, -1.0).argmax(axis=1)
        most = np.minimum(high[each, up] - weights[each, up], weights[each, down] - low[each, down])
        step = np.clip(apart[each, down] / curved[each, down], 0, most)
        weights[each, up] += step
        weights[each, down] -= step
        errors += step[:, None] * (of_up - kernel[each, down])
        steps += 1
