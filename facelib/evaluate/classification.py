"""The classification experiment of FaceNet's tutorial: train on some pictures of each person, name the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from facelib.gallery import Gallery
from facelib.recognize import OpenSetSVM

Classifier = Literal["svm", "knn", "mean"]
"""A support vector machine a person, the five nearest faces, or the nearest mean of a person's faces."""

_NO_FACE = "no face found"


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The result of the experiment; printed in the format of the tutorial.

    Attributes:
        people: The classes, sorted.
        trained: How many pictures were trained on.
        pictures: A row a test picture: `picture`, `person`, `answer` (`no face found` where there was none),
            `probability` (of the answer, 0 to 1) and `right`.
    """

    people: tuple[str, ...]
    trained: int
    pictures: pd.DataFrame

    @property
    def accuracy(self) -> float:
        """The fraction of test pictures given their person; NaN when there are none."""
        return float(self.pictures["right"].mean()) if len(self.pictures) else math.nan

    @property
    def mistakes(self) -> pd.DataFrame:
        """The rows of `pictures` that are wrong."""
        return self.pictures[~self.pictures["right"].astype(bool)].reset_index(drop=True)

    def __str__(self) -> str:
        """Return the tutorial's lines: classes, images, each test picture's name and probability, accuracy."""
        if not len(self.pictures):
            return (
                "Not tested: nobody has enough pictures to train on and test with. By default two people with 40 each "
                "are needed; min_nrof_images_per_class and nrof_train_images_per_class lower that."
            )
        answers = zip(self.pictures["answer"], self.pictures["probability"], strict=True)
        lines = [f"{row:4d}  {name.replace('_', ' ')}: {sure:.3f}" for row, (name, sure) in enumerate(answers)]
        head = [f"Number of classes: {len(self.people)}", f"Number of images: {len(self.pictures)}"]
        return "\n".join([*head, *lines, f"Accuracy: {self.accuracy:.3f}"])


def classify_pictures(
    vectors: NDArray[Any],
    names: ArrayLike,
    *,
    pictures: Sequence[str] | None = None,
    min_nrof_images_per_class: int = 40,
    nrof_train_images_per_class: int = 35,
    classifier: Classifier = "svm",
    seed: int = 0,
) -> Classification:
    """Train on some pictures of each person and classify the others; a closed set.

    Source: D. Sandberg's FaceNet, "Classifier training of Inception Resnet v1", with the splitting of a data set.

    Args:
        vectors: `(n, d)`, one per picture; NaN where no face was found: left out of training, a mistake in the test.
        names: `(n,)`.
        pictures: `(n,)`, what to call them; None numbers them.
        min_nrof_images_per_class: People with fewer pictures are left out.
        nrof_train_images_per_class: Pictures of each person that are trained on, drawn by chance; the rest is the test.
        classifier: What is trained.
        seed: Of the draw.

    Raises:
        ValueError: When nobody, or one person alone, has enough pictures, or an option is out of range.
    """
    if classifier not in get_args(Classifier):
        raise ValueError(f"expected a classifier, one of {get_args(Classifier)!r}, got {classifier!r}")
    if not 1 <= nrof_train_images_per_class < min_nrof_images_per_class:
        raise ValueError(
            f"expected nrof_train_images_per_class to be at least 1 and below min_nrof_images_per_class, "
            f"got {nrof_train_images_per_class!r} and {min_nrof_images_per_class!r}"
        )
    labels = np.asarray(names, str)
    people = _people(labels, min_nrof_images_per_class)
    train, test = _split(labels, people, nrof_train_images_per_class, seed)
    found = np.isfinite(vectors).all(axis=1)
    train = train[found[train]]
    chance = _probabilities(classifier, vectors[train], labels[train], vectors[test][found[test]])
    answer, sure = np.full(len(test), _NO_FACE, object), np.zeros(len(test))
    answer[found[test]], sure[found[test]] = np.unique(labels[train])[chance.argmax(axis=1)], chance.max(axis=1)
    table = pd.DataFrame(
        {
            "picture": np.asarray(range(len(labels)) if pictures is None else pictures, object)[test],
            "person": labels[test],
            "answer": answer,
            "probability": sure,
            "right": answer == labels[test],
        }
    )
    return Classification(tuple(map(str, people)), len(train), table)


def _people(labels: NDArray[Any], least: int) -> NDArray[Any]:
    people, counts = np.unique(labels, return_counts=True)
    people = people[counts >= least]
    if len(people) < 2:
        raise ValueError(
            f"expected two people or more with {least} pictures each, got {len(people)}; "
            f"the largest has {counts.max(initial=0)}: set min_nrof_images_per_class lower"
        )
    return people


def classify_gallery(
    gallery: Gallery,
    *,
    min_nrof_images_per_class: int = 40,
    nrof_train_images_per_class: int = 35,
    classifier: Classifier = "svm",
    seed: int = 0,
) -> Classification:
    """Do the experiment of `classify_pictures` with the pictures of a gallery, those that it does not use too.

    A picture's face is the one in use, else the largest; a picture without a face is a mistake. Duplicates and what
    the user has disabled are left out. With fewer than two people who have enough pictures nothing is tried, and
    the answer has no people and no pictures.

    Raises:
        ValueError: When an option is out of range.
    """
    table = gallery.table[~gallery.table["reason"].isin(["duplicate", "disabled"])]
    area = (table["right"] - table["left"]) * (table["bottom"] - table["top"])
    table = table.assign(area=area.fillna(0)).sort_values(["used", "area"], ascending=False, kind="stable")
    table = table.drop_duplicates("picture").sort_values("picture", ignore_index=True)
    enough = table["person"].value_counts() >= min_nrof_images_per_class
    if enough.sum() < 2:
        columns = {"picture": object, "person": object, "answer": object, "probability": float, "right": bool}
        return Classification((), 0, pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()}))
    return classify_pictures(
        np.stack(table["embedding"].to_list()),
        table["person"],
        pictures=table["picture"].to_list(),
        min_nrof_images_per_class=min_nrof_images_per_class,
        nrof_train_images_per_class=nrof_train_images_per_class,
        classifier=classifier,
        seed=seed,
    )


def _split(
    labels: NDArray[Any], people: NDArray[Any], count: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    random = np.random.default_rng(seed)
    drawn = [random.permutation(np.flatnonzero(labels == person)) for person in people]
    train, test = [rows[:count] for rows in drawn], [np.sort(rows[count:]) for rows in drawn]
    return np.concatenate(train), np.concatenate(test)


def _probabilities(
    classifier: Classifier, vectors: NDArray[Any], labels: NDArray[Any], probes: NDArray[Any]
) -> NDArray[np.float64]:
    """Train, and return the probability of each person for each probe, people sorted: `(n, people)`."""
    if not len(probes):
        return np.empty((0, len(np.unique(labels))))
    if classifier == "svm":
        return np.asarray(OpenSetSVM(threshold=0.0).fit(vectors, labels).probabilities(probes))
    machine = KNeighborsClassifier(5) if classifier == "knn" else NearestCentroid()
    return np.asarray(machine.fit(vectors.astype(float), labels).predict_proba(probes.astype(float)))
