"""Classification, pairs and open set: by hand on points, and end to end on some of LFW."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import facelib
from facelib.detect.portraits import main_face
from facelib.evaluate import (
    classify_gallery,
    classify_pictures,
    cut_main_face,
    embed_pictures,
    open_set,
    read_pairs,
    verify_pairs,
    verify_pictures,
)
from facelib.faces import Faces
from facelib.gallery import Gallery


@pytest.fixture(scope="module")
def detector():
    return facelib.load_detector("mtcnn")


@pytest.fixture(scope="module")
def embedder():
    return facelib.load_embedder("dlib")


@pytest.fixture(scope="module")
def people(shared_data, detector, embedder):
    """Ten people of LFW with 14 pictures each: vectors and names."""
    folders = sorted(folder for folder in (shared_data / "lfw/people").iterdir() if folder.is_dir())[:10]
    paths = [path for folder in folders for path in sorted(folder.iterdir())[:14]]
    return embed_pictures(paths, detector, embedder, progress=False), [path.parent.name for path in paths]


def cloud(people: int, pictures: int, *, spread: float = 0.1, seed: int = 0):
    """Return points of people who lie far apart, and their names."""
    random = np.random.default_rng(seed)
    centres = 3 * np.eye(people, 8)
    vectors = np.repeat(centres, pictures, axis=0) + spread * random.normal(size=(people * pictures, 8))
    return vectors.astype(np.float32), np.repeat([f"P_{i}" for i in range(people)], pictures)


class TestClassification:
    @pytest.mark.parametrize("classifier", ["svm", "knn", "mean"])
    def test_far_people_are_told_apart(self, classifier):
        vectors, names = cloud(3, 12)
        result = classify_pictures(
            vectors, names, min_nrof_images_per_class=12, nrof_train_images_per_class=8, classifier=classifier
        )
        assert (result.people, result.trained, len(result.pictures)) == (("P_0", "P_1", "P_2"), 24, 12)
        assert result.accuracy == 1 and result.mistakes.empty
        assert result.pictures["probability"].between(0.5, 1).all()

    def test_it_prints_as_the_tutorial_does(self):
        vectors, names = cloud(2, 5)
        lines = str(classify_pictures(vectors, names, min_nrof_images_per_class=5, nrof_train_images_per_class=4))
        head, images, first, second, last = lines.splitlines()
        assert (head, images, last) == ("Number of classes: 2", "Number of images: 2", "Accuracy: 1.000")
        assert first.startswith("   0  P 0: 0.") and second.startswith("   1  P 1: 0.")

    def test_people_with_few_pictures_are_left_out(self):
        vectors, names = cloud(3, 6)
        keep = np.r_[0:6, 6:12, 12:16]
        result = classify_pictures(
            vectors[keep], names[keep], min_nrof_images_per_class=5, nrof_train_images_per_class=3
        )
        assert result.people == ("P_0", "P_1")

    def test_a_picture_without_a_face_is_a_mistake_and_trains_nobody(self):
        vectors, names = cloud(2, 10)
        vectors[[0, 3, 12]] = np.nan
        result = classify_pictures(vectors, names, min_nrof_images_per_class=10, nrof_train_images_per_class=5)
        lost = (result.pictures["answer"] == "no face found").sum()
        assert result.trained + lost == 10 - 3 + 2 * lost
        assert len(result.mistakes) == lost and result.accuracy == 1 - lost / 10

    def test_the_draw_depends_on_the_seed_alone(self):
        vectors, names = cloud(2, 10)
        draws = [
            classify_pictures(vectors, names, min_nrof_images_per_class=10, nrof_train_images_per_class=5, seed=seed)
            .pictures["picture"]
            .tolist()
            for seed in (0, 0, 1)
        ]
        assert draws[0] == draws[1] != draws[2]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "got 0"),
            ({"min_nrof_images_per_class": 5, "nrof_train_images_per_class": 5}, "below min_nrof"),
            ({"nrof_train_images_per_class": 0}, "at least 1"),
            ({"classifier": "tree"}, "'svm', 'knn', 'mean'"),
        ],
    )
    def test_bad_inputs(self, options, message):
        with pytest.raises(ValueError, match=message):
            classify_pictures(*cloud(2, 10), **options)

    def test_of_a_gallery_every_picture_counts_once_with_its_main_face(self):
        vectors, names = cloud(2, 8)
        table = pd.DataFrame({"person": names, "picture": [f"people/{i}.jpg" for i in range(16)]})
        table = table.assign(reason="", used=True, left=0.0, top=0.0, right=9.0, bottom=9.0, embedding=list(vectors))
        small = table.iloc[[0]].assign(used=False, reason="several faces", right=2.0, embedding=[vectors[15]])
        copies = table.iloc[[1, 2]].assign(used=False, reason="duplicate", picture=["people/x.jpg", "people/y.jpg"])
        outlier = table.iloc[[3]].assign(used=False, reason="outlier", picture=["people/z.jpg"])
        gallery = Gallery(pd.concat([small, table, copies, outlier]), "mtcnn", "dlib", "")
        result = classify_gallery(gallery, min_nrof_images_per_class=8, nrof_train_images_per_class=5)
        assert (result.trained, len(result.pictures), result.accuracy) == (10, 7, 1)

    def test_of_a_gallery_too_small_for_it(self):
        vectors, names = cloud(2, 3)
        table = pd.DataFrame({"person": names, "picture": range(6), "reason": "", "used": True})
        table = table.assign(left=0.0, top=0.0, right=9.0, bottom=9.0, embedding=list(vectors))
        result = classify_gallery(Gallery(table, "mtcnn", "dlib", ""))
        assert math.isnan(result.accuracy) and result.mistakes.empty
        assert str(result).startswith("Not tested: nobody has enough pictures")


class TestPairs:
    def write(self, tmp_path, text):
        path = tmp_path / "pairs.txt"
        path.write_text(text, encoding="utf-8")
        return path

    def test_the_list_with_folds(self, tmp_path):
        lines = ["2\t1", "Ada\t1\t2", "Ada\t1\tBo\t12", "Bo\t3\t4", "Bo\t1\tÉmile\t1"]
        table = read_pairs(self.write(tmp_path, "\n".join(lines) + "\n"))
        assert table["fold"].tolist() == [0, 0, 1, 1]
        assert table["same"].tolist() == [True, False, True, False]
        assert table["first"].tolist() == ["Ada/Ada_0001.jpg"] * 2 + ["Bo/Bo_0003.jpg", "Bo/Bo_0001.jpg"]
        assert table["second"].tolist()[1] == "Bo/Bo_0012.jpg"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "number of pairs in the first line"),
            ("Ada\t1\t2\n", "number of pairs in the first line"),
            ("1\nAda\t1\t2\n", "expected 2 pairs"),
            ("1\nAda\t1\t2\nAda\t1\n", "expected name, number"),
            ("1\nAda\tone\t2\nAda\t1\tBo\t1\n", "expected name, number"),
        ],
    )
    def test_lists_of_another_form_are_refused(self, tmp_path, text, message):
        with pytest.raises(ValueError, match=message):
            read_pairs(self.write(tmp_path, text))

    def test_a_threshold_is_chosen_on_the_other_folds(self):
        # In the first fold the border lies at 0.5, in the second at 0.8; each is judged by the other's.
        distances = [0.4, 0.45, 0.55, 0.6, 0.7, 0.75, 0.85, 0.9]
        same = [True, True, False, False] * 2
        result = verify_pairs(distances, same, fold=[0] * 4 + [1] * 4)
        assert result.folds["threshold"].round(3).tolist() == [0.75, 0.45]
        assert result.folds["accuracy"].tolist() == [0.5, 0.5]
        assert (result.accuracy, result.standard_error) == (0.5, 0)

    def test_standard_error(self):
        result = verify_pairs([0.1, 0.9, 0.1, 0.9, 0.9, 0.1], [True, False] * 3, fold=[0, 0, 1, 1, 2, 2])
        assert result.folds["accuracy"].tolist() == [1, 1, 0]
        assert result.standard_error == pytest.approx(np.std([1, 1, 0], ddof=1) / math.sqrt(3))
        assert str(result) == "0.6667 ± 0.3333 on 6 pairs, 0 with no face"

    def test_a_face_not_found_is_a_mistake(self):
        distances = np.array([0.1] * 50 + [0.9] * 50)
        distances[[0, 99]] = np.nan
        result = verify_pairs(distances, [True] * 50 + [False] * 50)
        assert result.not_found == 2 and result.accuracy == pytest.approx(0.98)
        assert len(result.folds) == 10 and result.folds["pairs"].tolist() == [10] * 10

    @pytest.mark.parametrize(("distances", "same"), [([], []), ([0.1], [True]), ([0.1] * 20, [True] * 19)])
    def test_bad_inputs(self, distances, same):
        with pytest.raises(ValueError, match="expected"):
            verify_pairs(distances, same)


class TestOpenSet:
    def test_far_strangers_cost_nothing(self):
        vectors, names = cloud(4, 6)
        result = open_set(vectors, names, np.full((200, 8), -5, np.float32), seeds=(0, 1))
        assert result.trials["fnir"].tolist() == [0, 0]
        assert (result.people, result.probes, result.strangers) == (4, 12, 200)

    def test_exactly_as_many_strangers_as_are_wanted_get_a_name(self):
        vectors, names = cloud(4, 6)
        strangers = 3 * np.eye(8)[0] + np.linspace(0.5, 5, 200)[:, None] * np.eye(8)[5]
        result = open_set(vectors, names, strangers, wanted_fpir=0.05, seeds=(0,))
        assert result.trials["fpir"].tolist() == [0.05]

    def test_strangers_like_the_cast_push_it_out(self):
        vectors, names = cloud(4, 6)
        result = open_set(vectors, names, vectors.repeat(10, axis=0), seeds=(0,))
        assert result.trials["fnir"].iloc[0] > 0.9

    def test_faces_not_found_are_mistakes_and_strangers_not_found_are_none(self):
        vectors, names = cloud(4, 6)
        vectors[0:6] = np.nan
        result = open_set(vectors, names, np.full((50, 8), np.nan), seeds=(0,))
        assert result.trials["fnir"].iloc[0] == pytest.approx(0.25)
        assert result.trials["fpir"].iloc[0] == 0
        assert "FNIR 0.2500" in str(result)

    @pytest.mark.parametrize(("people", "pictures", "strangers"), [(4, 6, 0), (4, 1, 5)])
    def test_bad_inputs(self, people, pictures, strangers):
        with pytest.raises(ValueError, match="expected strangers"):
            open_set(*cloud(people, pictures), np.zeros((strangers, 8)))


class TestMainFace:
    @pytest.mark.parametrize(
        ("boxes", "chosen"),
        [
            ([[0, 0, 10, 10]], 0),
            ([[0, 0, 60, 60], [80, 80, 120, 120]], 1),  # in the middle, though smaller
            ([[90, 90, 94, 94], [60, 60, 130, 130]], 1),  # large, and near the middle
        ],
    )
    def test_a_large_face_in_the_middle(self, boxes, chosen):
        assert main_face(Faces.of(boxes), width=200, height=200) == chosen

    def test_none(self):
        with pytest.raises(ValueError, match="at least one face"):
            main_face(Faces.empty(), width=10, height=10)

    def test_a_picture_without_a_face_has_no_vector(self, tmp_path, detector, embedder):
        Image.new("RGB", (120, 120), "grey").save(tmp_path / "a.png")
        vectors = embed_pictures([tmp_path / "a.png"], detector, embedder, progress=False)
        assert vectors.shape == (1, 128) and np.isnan(vectors).all()


@pytest.mark.real_data
class TestLabeledFaces:
    """A part of what `benchmarks/lfw.py` measures in full."""

    def test_classification(self, people):
        result = classify_pictures(*people, min_nrof_images_per_class=14, nrof_train_images_per_class=8)
        assert (len(result.people), len(result.pictures)) == (10, 60)
        assert result.accuracy >= 0.98

    def test_open_set(self, shared_data, people, detector, embedder):
        others = sorted((shared_data / "lfw/strangers").rglob("*.jpg"))[:100]
        result = open_set(*people, embed_pictures(others, detector, embedder, progress=False), wanted_fpir=0.02)
        assert result.trials["fpir"].max() <= 0.02
        assert result.trials["fnir"].mean() <= 0.05

    def test_the_main_face_of_a_picture_is_embedded(self, shared_data, detector, embedder):
        path = shared_data / "lfw/people/Amelie_Mauresmo/Amelie_Mauresmo_0001.jpg"
        chip = cut_main_face(path, detector, embedder)
        vectors = embed_pictures([path], detector, embedder, progress=False)
        assert np.allclose(vectors, embedder.embed_chips(chip[None]), atol=1e-5)

    def test_pairs(self, shared_data, tmp_path, detector, embedder):
        lines = (shared_data / "lfw/pairsDevTest.txt").read_text(encoding="utf-8").splitlines()
        some = tmp_path / "pairs.txt"
        some.write_text("\n".join(["60", *lines[1:61], *lines[501:561]]), encoding="utf-8")
        result = verify_pictures(some, shared_data / "lfw/pairs", detector, embedder, progress=False)
        assert (result.pairs, result.not_found) == (120, 0)
        assert result.accuracy >= 0.95
